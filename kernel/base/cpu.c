/* The blocks of all CPUs. */
#include "kernel/base/cpu.h"

struct cpu cpus[MAX_CPUS];
unsigned nr_cpus = 1; /* until the others have answered */
