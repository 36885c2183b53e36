/* How busy the machine has been: three averages, over 1, 5 and 15 minutes. */
#pragma once

#include "user/servers/unix/os.h"

enum { LOAD_UNIT = 65536 };

/* In units of 1 / LOAD_UNIT; sets *running too if it is not NULL. */
void load_averages(u64 loads[3], unsigned *running);
