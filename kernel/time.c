/* Clocks and sleeping. */
#include "kernel/time.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "mm/usercopy.h"
#include "sched/sched.h"

enum {
	CLOCK_REALTIME = 0,
	CLOCK_MONOTONIC = 1,
	CLOCK_PROCESS_CPUTIME = 2,
	CLOCK_THREAD_CPUTIME = 3,
	CLOCK_MONOTONIC_RAW = 4,
	CLOCK_REALTIME_COARSE = 5,
	CLOCK_MONOTONIC_COARSE = 6,
	CLOCK_BOOTTIME = 7,
	TIMER_ABSTIME = 1,
};

struct timespec {
	s64 sec, nsec;
};

/* Far enough away: 146 years; sums of two stay in 64 bits. */
#define MAX_NS (1ul << 62)

int
get_timespec(uaddr_t addr, u64 *ns)
{
	struct timespec ts;

	if (copy_from_user(&ts, addr, sizeof(ts)))
		return -EFAULT;
	if (ts.sec < 0 || ts.nsec < 0 || ts.nsec >= (s64)NS_PER_SEC)
		return -EINVAL;
	if ((u64)ts.sec > MAX_NS / NS_PER_SEC - 1)
		*ns = MAX_NS;
	else
		*ns = (u64)ts.sec * NS_PER_SEC + (u64)ts.nsec;
	return 0;
}

static int
put_timespec(uaddr_t addr, u64 ns)
{
	struct timespec ts = { (s64)(ns / NS_PER_SEC),
			       (s64)(ns % NS_PER_SEC) };

	return copy_to_user(addr, &ts, sizeof(ts));
}

static u64
realtime_at_boot(void)
{
	return arch_boot_epoch() * NS_PER_SEC;
}

u64
realtime_to_monotonic(u64 ns)
{
	u64 boot = realtime_at_boot();

	return ns > boot ? ns - boot : 0;
}

/* ---- Sleeping --------------------------------------------------------- */

/* False: a signal came first. */
static bool
sleep_until(u64 deadline)
{
	while (arch_time_ns() < deadline) {
		set_current_state(TASK_SLEEPING);
		if (signal_pending(current))
			break;
		schedule_until(deadline);
	}
	set_current_state(TASK_RUNNABLE);
	return arch_time_ns() >= deadline;
}

/* Sleeps, or says what remains and can go on with it. */
static long
sleep_rest(struct restart_block *restart)
{
	u64 now;

	if (sleep_until(restart->deadline))
		return 0;
	now = arch_time_ns();
	if (restart->addr &&
	    put_timespec(restart->addr, restart->deadline > now ?
						restart->deadline - now : 0))
		return -EFAULT;
	return -ERESTART_RESTARTBLOCK;
}

long
sys_nanosleep(uaddr_t request, uaddr_t remaining)
{
	return sys_clock_nanosleep(CLOCK_MONOTONIC, 0, request, remaining);
}

/* A moment stays the same in the next try; an interval has become shorter. */
long
sys_clock_nanosleep(int clock, int flags, uaddr_t request, uaddr_t remaining)
{
	struct restart_block *restart = &current->restart;
	u64 ns;
	int err;

	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC &&
	    clock != CLOCK_BOOTTIME)
		return -EINVAL;
	err = get_timespec(request, &ns);
	if (err)
		return err;
	if (flags & TIMER_ABSTIME) {
		if (clock == CLOCK_REALTIME)
			ns = realtime_to_monotonic(ns);
		return sleep_until(ns) ? 0 : -ERESTARTNOHAND;
	}
	*restart = (struct restart_block){
		.fn = sleep_rest,
		.deadline = arch_time_ns() + ns,
		.addr = remaining,
	};
	return sleep_rest(restart);
}

/* ---- Clocks ----------------------------------------------------------- */

long
sys_clock_gettime(int clock, uaddr_t timespec)
{
	u64 ns;

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		ns = realtime_at_boot() + arch_time_ns();
		break;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		ns = arch_time_ns();
		break;
	case CLOCK_PROCESS_CPUTIME:
	case CLOCK_THREAD_CPUTIME:
		ns = current->ticks * TICK_NS;
		break;
	default:
		return -EINVAL;
	}
	return put_timespec(timespec, ns);
}

long
sys_clock_getres(int clock, uaddr_t timespec)
{
	if (clock < CLOCK_REALTIME || clock > CLOCK_BOOTTIME)
		return -EINVAL;
	return timespec ? put_timespec(timespec, 1) : 0;
}
