/* Counting frames at rest, for tests that must give everything back. */
#pragma once

#include "user/include/lodger.h"
#include "user/include/syscall_inline.h"

enum { NOBODYS_CALL = 511 };

static inline bool
on_lodger(void)
{
	struct lodger_sys_stat stat;

	return lodger_sys_stat(&stat) == 0;
}

/* How many tasks there are now. */
static inline uint64_t
tasks_now(void)
{
	struct lodger_sys_stat stat = { 0 };

	lodger_sys_stat(&stat);
	return stat.nr_tasks;
}

/* Waits until no more than @tasks are left (threads and orphans end a little
 * after they were last heard of), then returns the exact number of free
 * frames. The call that is nobody's is answered when the server has heard of
 * all ends. */
static inline long
frames_at_rest(uint64_t tasks)
{
	while (tasks_now() > tasks)
		sched_yield();
	syscall0(NOBODYS_CALL);
	return lodger_quiesce();
}
