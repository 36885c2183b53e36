/* Signals to many. */
#pragma once

#include "user/servers/unix/os.h"

/* To every process of the group; 0: at least one was told, or -ESRCH. */
int group_kill(int group, int sig);
