/* setitimer's one timer that a process has: real time, SIGALRM. */
#pragma once

#include "user/servers/unix/timer.h"

void alarm_fires(struct timer *timer);
