/* See mm/fail.h. */
#include "mm/fail.h"

#include "kernel/base/cpu.h"
#include "sched/task.h"

void
fail_allocation(enum alloc_class class, unsigned nth)
{
	ASSERT(class <= NR_ALLOC_CLASSES);
	current->fail_class = class;
	current->fail_happened = false;
	current->fail_nth = nth;
}

bool
should_fail_allocation(enum alloc_class class)
{
	struct task *task = current;

	/* There is no task yet when the first frames are handed out. */
	if (!task || task->fail_nth == 0)
		return false;
	/* An interrupt is not the task that it interrupts. */
	if (this_cpu()->irq_depth > 0)
		return false;
	if (task->fail_class != class && task->fail_class != NR_ALLOC_CLASSES)
		return false;
	if (--task->fail_nth > 0)
		return false;
	task->fail_happened = true;
	return true;
}

bool
failure_happened(void)
{
	return current->fail_happened;
}

void
withdraw_failure(void)
{
	current->fail_nth = 0;
}
