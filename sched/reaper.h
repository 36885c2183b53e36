/* The thread that frees dead tasks, and ends what others cannot stop for; see
 * sched/task.c. */
#pragma once

#include "sched/task.h"

struct task *reaper_start(void);
/* Is there nothing left to do for it? */
bool reaper_idle(void);

/* mmput() of an outsider's REF_GET that never tears down here: should it be
 * the last user, the reaper takes over the reference. Does not sleep. */
void mmput_by_reaper(struct mm *mm, const void *holder);
