/* The end of a run. */
#pragma once

#include "arch/arch.h"

/* Says the verdict in the log's last line and leaves. In debug builds first
 * checks that everything was given back (I10). */
void end_with(enum verdict verdict) __noreturn;
