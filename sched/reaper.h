/* The thread that frees dead tasks; see sched/task.c. */
#pragma once

#include "sched/task.h"

struct task *reaper_start(void);
/* Is there no dead task left to free? */
bool reaper_idle(void);
