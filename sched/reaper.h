/* The thread that frees dead tasks; see sched/task.c. */
#pragma once

#include "sched/task.h"

struct task *reaper_start(void);
/* Is there no dead task left to free? */
bool reaper_idle(void);

/* The current task is about to end, and others will hear of it: from here on
 * it is one that wait_for_reaper() waits for. */
void reaper_expect(void);
/* When memory is short: waits until the tasks that are ending now are freed.
 * True: some were, so another attempt may go better. False: nobody was ending,
 * or the caller is to die. No lock is held. */
bool wait_for_reaper(void) __must_check;
