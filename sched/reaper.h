/* The thread that frees dead tasks; see sched/task.c. */
#pragma once

#include "kernel/base/types.h"

void reaper_start(void);
/* Is there no dead task left to free? */
bool reaper_idle(void);
