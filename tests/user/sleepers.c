// cpus=1,2,4 icount=0
/*
 * Sleepers wake in the order of their times, whatever the order they began in.
 * Where instructions are the clock, since on a busy host all their times may have
 * passed before the first one could begin to sleep.
 */
#include "tests/user/check.h"

#define MS 1000000l

static long
now(void)
{
	struct timespec time;

	syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0);
	return time.tv_sec * 1000000000l + time.tv_nsec;
}

/* None sleeps before all are there. */
struct sleepers {
	_Atomic int ready, woken;
	_Atomic long start;
};

/* On one CPU, which has one queue of sleepers. */
static void __attribute__((noreturn))
sleep_in_turn(struct sleepers *all, int turn)
{
	cpu_set_t one;
	struct timespec time;
	long end;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	all->ready++;
	while (!all->start)
		sched_yield();
	end = all->start + turn * MS;
	time = (struct timespec){ end / 1000000000, end % 1000000000 };
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
	_exit(++all->woken == turn ? 0 : 1);
}

/* Sleepers wake in the order of their times, whatever the order they began
 * in. */
static void
sleepers_in_order(void)
{
	static const int order[] = { 3, 1, 4, 2 };
	struct sleepers *all = shared_memory(PAGE);

	for (int i = 0; i < 4; i++)
		if (fork_or_die() == 0)
			sleep_in_turn(all, order[i]);
	while (all->ready < 4)
		sched_yield();
	all->start = now() + 5 * MS;
	for (int i = 0; i < 4; i++) {
		int status;

		wait(&status);
		if (status != EXITED(0))
			check(false, "a sleeper woke out of turn");
	}
	check_equal(all->woken, 4,
		    "four sleepers wake in the order of their times");
}

int
main(void)
{
	begin();
	sleepers_in_order();
	return end();
}
