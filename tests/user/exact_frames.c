// cpus=1,2,4 timeout=60
/* quiesce() is exact: nothing that ended before is still being cleaned up. */
#include "tests/user/check.h"

#include "tests/user/rest.h"

enum { ROUNDS = 12, ORPHANS = 200, AREA = 4 << 20 };

static uint64_t tasks;

/* Zombies that init has to collect. */
static void
leave_orphans(void *unused)
{
	(void)unused;
	for (int i = 0; i < ORPHANS; i++)
		if (fork_or_die() == 0)
			_exit(0);
}

/* The prefaulter still works for one that was killed. */
static void
is_killed_in_populate(void *word)
{
	_Atomic int *begun = word;
	char *area = private_memory(AREA);

	*begun = 1;
	for (;;) {
		madvise(area, AREA, MADV_POPULATE_WRITE);
		madvise(area, AREA, MADV_DONTNEED);
	}
}

static void
kill_in_populate(_Atomic int *begun)
{
	pid_t pid;

	*begun = 0;
	pid = fork_or_die();
	if (pid == 0)
		is_killed_in_populate((void *)begun);
	while (*begun == 0)
		sched_yield();
	for (int i = 0; i < 10; i++)
		sched_yield();
	kill(pid, SIGKILL);
	status_of(pid);
}

static bool
always_the_same(void (*make)(void))
{
	long first;

	make();
	first = frames_at_rest(tasks);
	for (int i = 0; i < ROUNDS; i++) {
		long now;

		make();
		now = frames_at_rest(tasks);
		if (now != first) {
			printf("round %d: %ld frames, then %ld\n", i, first,
			       now);
			return false;
		}
	}
	return true;
}

static void
orphans(void)
{
	in_child(leave_orphans, NULL);
}

static void
populate(void)
{
	static _Atomic int *begun;

	if (!begun)
		begun = shared_memory(PAGE);
	kill_in_populate(begun);
}

int
main(void)
{
	lodger_or_skip();
	begin();
	tasks = tasks_now();
	check(always_the_same(orphans), "orphans have been collected");
	check(always_the_same(populate), "the prefaulter has stopped");
	return end();
}
