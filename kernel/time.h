/* Time as programs see it. */
#pragma once

#include "kernel/base/types.h"

#define NS_PER_SEC 1000000000ul

/* A struct timespec in user memory, as nanoseconds (capped, not wrapped).
 * -EFAULT; -EINVAL: negative, or a second or more of nanoseconds. */
int get_timespec(uaddr_t addr, u64 *ns);

/* A moment of the wall clock as one of arch_time_ns(). */
u64 realtime_to_monotonic(u64 ns);

long sys_nanosleep(uaddr_t request, uaddr_t remaining);
long sys_clock_nanosleep(int clock, int flags, uaddr_t request,
			 uaddr_t remaining);
long sys_clock_gettime(int clock, uaddr_t timespec);
long sys_clock_getres(int clock, uaddr_t timespec);
