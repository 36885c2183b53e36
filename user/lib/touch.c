/* See user/include/server.h. Apart from the rest: the first program, which has a
 * memory layout of its own, does without. */
#include <errno.h>
#include <sys/mman.h>

#include "user/include/address.h"
#include "user/include/madvise.h"
#include "user/include/server.h"

extern char __bss_start[], _end[]; /* by the linker */

static void
touch_stack(void)
{
	volatile char stack[16 * PAGE_SIZE];

	for (size_t i = 0; i < sizeof(stack); i += PAGE_SIZE)
		stack[i] = 0;
}

int
server_touch_memory(void)
{
	uint64_t start = ALIGN_DOWN((uint64_t)__bss_start, PAGE_SIZE);
	uint64_t end = ALIGN_UP((uint64_t)_end, PAGE_SIZE);

	touch_stack();
	return madvise((void *)start, end - start, MADV_POPULATE_WRITE) ? -ENOMEM
									: 0;
}
