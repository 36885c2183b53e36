/* The kernel's own address space. In a file of its own, since everybody who asks
 * "is it that one?" needs it, and mm.c calls most of them. Linux: mm/init-mm.c. */
#include "mm/mm.h"

struct mm init_mm = {
	.users = ATOMIC_INIT(1),
	.count = ATOMIC_INIT(1),
	.name = "init_mm",
};
