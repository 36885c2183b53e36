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

/* The current task is about to end, and others will hear of it: from here on
 * it is one that wait_for_reaper() waits for. */
void reaper_expect(void);
/* When memory is short: waits until the tasks that are ending now are freed.
 * True: some were, so another attempt may go better. False: nobody was ending,
 * or the caller is to die. No lock is held. */
bool wait_for_reaper(void) __must_check;
