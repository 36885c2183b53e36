// cpus=1,4 timeout=60
/* Calls that mean no good. Each gets its errno, and the system goes on. */
#include "tests/user/check.h"

#include <pthread.h>

#include "user/include/lodger.h"

enum { MAX_TASKS = 256, TEST_CALL = 0x1fff, WAITERS = 4 };

/* ---- Kernel threads --------------------------------------------------- */

static int
kernel_threads(int *found)
{
	int tids[MAX_TASKS], n = 0;
	long all = lodger_task_list(tids, MAX_TASKS);

	for (int i = 0; i < all; i++) {
		struct lodger_task_stat stat;

		if (lodger_task_stat(tids[i], &stat) == 0 && stat.is_kthread &&
		    stat.pid == 0)
			found[n++] = tids[i];
	}
	return n;
}

static void
kernel_threads_are_out_of_reach(void)
{
	int tids[MAX_TASKS], n = kernel_threads(tids);
	bool no_group = true, survives = true;

	for (int i = 0; i < n; i++) {
		no_group &= syscall3(SYS_tgkill, getpid(), tids[i], SIGKILL) ==
				    -ESRCH &&
			    syscall3(SYS_tgkill, tids[i], tids[i], SIGKILL) ==
				    -ESRCH;
		syscall3(SYS_tkill, tids[i], SIGKILL, 0);
		survives &= syscall3(SYS_tkill, tids[i], 0, 0) == 0;
	}
	check(n >= 3, "there are kernel threads");
	check(no_group, "none of them is in a thread group");
	check(survives, "no signal ends one");
}

static void
bound_threads_stay(void)
{
	uint64_t all = ~0ul;
	int tids[MAX_TASKS], n;
	bool stay = true;

	lodger_kthread_ping(); /* makes one, bound to this CPU */
	n = kernel_threads(tids);
	for (int i = 0; i < n; i++) {
		struct lodger_task_stat stat;
		long result;

		if (lodger_task_stat(tids[i], &stat) != 0)
			continue;
		result = syscall3(SYS_sched_setaffinity, tids[i], sizeof(all),
				  (long)&all);
		stay &= result == (strcmp(stat.name, "pinger") == 0 ? -EINVAL :
								       0);
	}
	check(stay, "a bound kernel thread cannot be moved, another can");
}

/* ---- Futexes ---------------------------------------------------------- */

static _Atomic int word, other, returned;

static void *
wait_for_word(void *unused)
{
	(void)unused;
	while (word == 0)
		futex6(&word, FUTEX_WAIT | FUTEX_PRIVATE, 0, NULL, NULL, 0);
	returned++;
	return NULL;
}

static void
start_waiters(pthread_t *threads)
{
	word = returned = 0;
	for (int i = 0; i < WAITERS; i++)
		pthread_create(&threads[i], NULL, wait_for_word, NULL);
}

/* Moves nobody anywhere until all are there. */
static long
requeue(_Atomic int *to, long wake, long move)
{
	return futex6(&word, FUTEX_REQUEUE | FUTEX_PRIVATE, wake, (void *)move,
		      to, 0);
}

static void
requeue_to_itself(void)
{
	pthread_t threads[WAITERS];

	start_waiters(threads);
	while (requeue(&word, 0, INT32_MAX) < WAITERS)
		sched_yield();
	check(true, "waiters requeued to where they are stay there");
	word = 1;
	check_equal(futex6(&word, FUTEX_WAKE | FUTEX_PRIVATE, INT32_MAX, NULL,
			   NULL, 0), WAITERS, "and are woken there");
	for (int i = 0; i < WAITERS; i++)
		pthread_join(threads[i], NULL);
}

static void
requeue_everybody(void)
{
	pthread_t threads[WAITERS];

	start_waiters(threads);
	while (requeue(&word, 0, INT32_MAX) < WAITERS)
		sched_yield();
	word = 1;
	check_equal(requeue(&other, 1, INT32_MAX), WAITERS,
		    "one woken and all others moved: the sum does not overflow");
	while (returned < 1)
		sched_yield();
	check_equal(futex6(&other, FUTEX_WAKE | FUTEX_PRIVATE, INT32_MAX, NULL,
			   NULL, 0), WAITERS - 1, "the others are there");
	for (int i = 0; i < WAITERS; i++)
		pthread_join(threads[i], NULL);
}

/* ---- Numbers that are no calls ---------------------------------------- */

static void
no_such_calls(void)
{
	bool refused = true;

	for (long nr = LODGER_CALL_END; nr < LODGER_CALL_END + 64; nr++)
		refused &= syscall6(nr, -1, -1, -1, -1, -1, -1) == -ENOSYS;
	for (long nr = 450; nr < 0x1000; nr++)
		refused &= syscall6(nr, -1, -1, -1, -1, -1, -1) == -ENOSYS;
	refused &= syscall6(-1, 0, 0, 0, 0, 0, 0) == -ENOSYS;
	refused &= syscall6(INT64_MIN, 0, 0, 0, 0, 0, 0) == -ENOSYS;
	check(refused, "an unknown number is refused");
	check_equal(syscall0(TEST_CALL), -ENOSYS,
		    "so is the kernel tests' own, outside a test");
}

int
main(void)
{
	lodger_or_skip();
	begin();
	kernel_threads_are_out_of_reach();
	bound_threads_stay();
	requeue_to_itself();
	requeue_everybody();
	no_such_calls();
	return end();
}
