/* Adversarial: wake-ups, idle CPUs, moves. Tasks here have a life of their
 * own, and the idle tasks are the kernel's. */
#include "sched/sched.h"
#include "sched/wait.h"
#include "tests/explore/scenario.h"

SCENARIO(two_cpus_wake_one_worker, 2,
	 "a worker that two CPUs wake at once runs, and on one of them")
{
	struct actor *A = user("A"), *B = user("B"), *W = worker("W", NULL);

	on(0, to(A));
	on(1, to(B));
	given();
	on(0, wakes(W), to(IDLE));
	on(1, wakes(W), to(IDLE));
}

SCENARIO(an_idle_cpu_takes_a_worker, 2,
	 "a worker that waits on a busy CPU is pulled by the idle one, which "
	 "borrows")
{
	struct actor *A = user("A"), *B = user("B");
	struct actor *W = worker("W", NULL), *X = worker("X", NULL);

	real_idle();
	on(0, to(A));
	on(1, to(B), to(IDLE));
	given();
	on(0, wakes(W), wakes(X), exits(), to(IDLE));
}

static struct completion done RESTORED;

static void
waits(void)
{
	wait_for_completion(&done);
}

static void
completes(void)
{
	complete(&done);
}

SCENARIO(sleep_against_wake_up, 2, "a wake-up is never lost")
{
	struct actor *A = user("A"), *K = kthread("K");

	completion_init(&done);
	on(0, to(A));
	on(1, to(K));
	given();
	on(0, calls(waits, "waits"));
	on(1, calls(completes, "completes"));
}
