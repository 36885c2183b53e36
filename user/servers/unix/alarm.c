#include "user/servers/unix/alarm.h"

#include <errno.h>
#include <sys/time.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/process.h"

enum {
	MICROSECONDS = 1000000,
	NS_PER_US = 1000,
	/* Of intervals, as on a Linux without high resolution timers: the server
	 * comes before all programs, which shall not keep it busy. */
	SHORTEST = 1000000 /* ns */
};

/* It keeps to its beat, however late it was looked at. */
void
alarm_fires(struct timer *timer)
{
	struct process *process = container_of(timer, struct process, alarm);
	u64 interval = MAX(process->alarm_interval, (u64)SHORTEST);
	u64 now = os_now();

	os_signal(OS_PROCESS, process->pid, LINUX_SIGALRM, 0);
	if (process->alarm_interval)
		timer_set(timer, timer->deadline +
				 ((now - timer->deadline) / interval + 1) *
				 interval);
}

static int
from_timeval(const struct linux_timeval *time, u64 *ns)
{
	if (time->sec < 0 || time->usec < 0 || time->usec >= MICROSECONDS)
		return -EINVAL;
	if (time->sec > INT64_MAX / 1000000000 - 1)
		*ns = INT64_MAX;
	else
		*ns = (u64)time->sec * 1000000000 + (u64)time->usec * NS_PER_US;
	return 0;
}

/* How long it still has; one that is set has always something. */
static u64
time_left(const struct process *process)
{
	u64 now = os_now();

	if (!process->alarm.place)
		return 0;
	return process->alarm.deadline > now + NS_PER_US
		       ? process->alarm.deadline - now : NS_PER_US;
}

static int
set(struct process *process, u64 value, u64 interval)
{
	int err = 0;

	if (value)
		err = timer_set(&process->alarm, os_now() + value);
	else
		timer_cancel(&process->alarm);
	if (!err)
		process->alarm_interval = interval;
	return err;
}

static int
put_timer(struct call *call, u64 to)
{
	struct linux_itimerval timer = {
		to_timeval(call->process->alarm_interval),
		to_timeval(time_left(call->process)),
	};

	return to ? copy_out(call, to, &timer, sizeof(timer)) : 0;
}

long
sys_getitimer(struct call *call)
{
	if (arg32(call, 0) != ITIMER_REAL)
		return -EINVAL;
	return put_timer(call, call->args[1]);
}

long
sys_setitimer(struct call *call)
{
	struct linux_itimerval timer = { 0 };
	u64 value, interval;
	int err = 0;

	if (arg32(call, 0) != ITIMER_REAL)
		return -EINVAL;
	if (call->args[1])
		err = copy_in(call, &timer, call->args[1], sizeof(timer));
	if (!err)
		err = from_timeval(&timer.value, &value);
	if (!err)
		err = from_timeval(&timer.interval, &interval);
	if (!err)
		err = put_timer(call, call->args[2]);
	return err ? err : set(call->process, value, interval);
}

/* In seconds, rounded; less than a whole one counts as one. */
long
sys_alarm(struct call *call)
{
	u64 left = time_left(call->process);
	u64 seconds = (left + 500000000) / 1000000000;
	int err = set(call->process, (u32)call->args[0] * 1000000000ull, 0);

	if (err)
		return err;
	return left && !seconds ? 1 : (long)seconds;
}
