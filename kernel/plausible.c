/* What a broken system's printer may trust. */
#include "kernel/plausible.h"
#include "sched/task.h"

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
