/* What arch.h declares and headers of this folder define inline, for callers
 * where the compiler did not inline. */
#define ARCH_INLINE

#include "arch/arch.h"
