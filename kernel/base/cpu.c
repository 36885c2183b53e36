/* The blocks of all CPUs. See kernel/base/cpu.h. */
#include "kernel/base/cpu.h"

struct cpu cpus[MAX_CPUS];
unsigned nr_cpus = 1;
