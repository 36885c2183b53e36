/* The accessors of regs.h, for callers where the compiler did not inline. */
#define REGS_INLINE

#include "arch/arch.h"
