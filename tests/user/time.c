// linux-oracle
/* Clocks that never go back, sleeps that are never too short. */
#include "tests/user/check.h"

enum { MS = 1000000 };

static long
now(void)
{
	struct timespec time;

	syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0);
	return time.tv_sec * 1000000000l + time.tv_nsec;
}

static void
never_backwards(void *arg)
{
	long last = now();

	(void)arg;
	for (int i = 0; i < 20000; i++) {
		long next = now();

		if (next < last)
			_exit(1);
		last = next;
		if (i % 100 == 0)
			sched_yield();
	}
}

static void
monotonic(void)
{
	pid_t pids[4];
	bool good = true;

	for (int i = 0; i < 4; i++) {
		pids[i] = fork_or_die();
		if (pids[i] == 0) {
			never_backwards(NULL);
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		good &= status_of(pids[i]) == EXITED(0);
	check(good, "the clock never goes back, in four processes");
}

/* The same clock on every CPU: a time written by one task is never later
 * than what another reads afterwards. */
static void
same_for_all(void)
{
	_Atomic long *last = shared_memory(PAGE);
	_Atomic int *bad = (_Atomic int *)(last + 1);

	for (int i = 0; i < 4; i++)
		if (fork_or_die() == 0) {
			for (int j = 0; j < 5000; j++) {
				long seen = *last, mine = now();

				if (mine < seen)
					++*bad;
				*last = mine;
			}
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	check_equal(*bad, 0, "and is the same for all of them");
}

static void
sleeps(void)
{
	static const long durations[] = { 0, 1, 1000, 1 * MS, 3 * MS, 20 * MS };
	bool good = true;

	for (size_t i = 0; i < sizeof(durations) / sizeof(long); i++) {
		struct timespec time = { 0, durations[i] };
		long start = now();

		good &= nanosleep(&time, NULL) == 0;
		good &= now() - start >= durations[i];
	}
	check(good, "nanosleep sleeps at least as long as asked");
}

static void
sleep_until(void)
{
	long end = now() + 5 * MS;
	struct timespec time = { end / 1000000000, end % 1000000000 };
	int error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time,
				    NULL);

	check(error == 0 && now() >= end, "clock_nanosleep until a time");
	time.tv_sec = 0;
	show_expect("clock_nanosleep until a time long past",
		    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time,
				    NULL), 0);
	time.tv_nsec = 2 * MS;
	end = now() + 2 * MS;
	check(clock_nanosleep(CLOCK_REALTIME, 0, &time, NULL) == 0 &&
		      now() >= end, "clock_nanosleep for a while");
}

static void
wall_clock(void)
{
	struct timespec time;

	syscall3(SYS_clock_gettime, CLOCK_REALTIME, (long)&time, 0);
	check(time.tv_sec > 1600000000, "the wall clock is past 2020");
	check(time.tv_nsec >= 0 && time.tv_nsec < 1000000000,
	      "with less than a second of nanoseconds");
}

static void
errors(void)
{
	struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 };

	show_expect("clock_gettime of an unknown clock",
		    syscall3(SYS_clock_gettime, 99, (long)&bad, 0), -EINVAL);
	show_expect("clock_gettime to a bad address",
		    syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, 8, 0),
		    -EFAULT);
	show_expect("nanosleep with too many nanoseconds",
		    syscall3(SYS_nanosleep, (long)&bad, 0, 0), -EINVAL);
	show_expect("nanosleep of a negative time",
		    syscall3(SYS_nanosleep, (long)&negative, 0, 0), -EINVAL);
	show_expect("nanosleep from a bad address",
		    syscall3(SYS_nanosleep, 8, 0, 0), -EFAULT);
	show_expect("clock_nanosleep by an unknown clock",
		    syscall6(SYS_clock_nanosleep, 99, 0, (long)&bad, 0, 0, 0),
		    -EINVAL);
}

int
main(void)
{
	begin();
	monotonic();
	same_for_all();
	sleeps();
	sleep_until();
	wall_clock();
	errors();
	return end();
}
