/* What a broken system's printer may trust. */
#include "kernel/plausible.h"
#include "arch/arch.h"
#include "kernel/base/errno.h"
#include "mm/page.h"
#include "sched/task.h"

bool
plausible_pointer(const void *ptr)
{
	u64 address = (u64)ptr;

	if (!IS_ALIGNED(address, sizeof(void *)) || IS_ERR(ptr))
		return false;
	if (address >= KERNEL_BASE)
		return true;
	return address >= DIRECT_MAP_BASE && address < DIRECT_MAP_END &&
	       phys_valid(virt_to_phys(ptr));
}

/* Junk has no end within the name's length, or is not text. */
static bool
is_name(const char *name)
{
	for (unsigned i = 0; i < TASK_NAME_LEN; i++) {
		if (name[i] == 0)
			return i > 0;
		if (name[i] < ' ' || name[i] > '~')
			return false;
	}
	return false;
}

bool
plausible_task(const struct task *task)
{
	return plausible_pointer(task) && is_name(task->name) &&
	       task->tid >= 0 && IS_ALIGNED(task->stack, PAGE_SIZE);
}
