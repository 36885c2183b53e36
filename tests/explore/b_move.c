/* Tasks that are woken, moved and given another priority at the same moment. */
#include "sched/wait.h"
#include "tests/explore/play.h"

static struct actor *W;
static struct completion done RESTORED;

static void
says_so(void)
{
	complete(&done);
}

static void
waits_for_W(void)
{
	wait_for_completion(&done);
}

static void
sends_W_to_cpu1(void)
{
	sched_set_affinity(W->task, 2);
}

static void
puts_W_first(void)
{
	sched_set_priority(W->task, 1);
}

SCENARIO(move_against_change_of_priority, 2,
	 "who changes a task's place has the lock of the queue it is on")
{
	struct actor *A = user("A"), *B = user("B");

	W = worker("W", NULL);
	on(0, to(A), wakes(W));
	on(1, to(B));
	given();
	on(0, calls(puts_W_first, "puts W first"), to(IDLE));
	on(1, calls(sends_W_to_cpu1, "sends W to cpu1"), to(IDLE));
}

SCENARIO(move_against_wake_up, 2,
	 "a sleeper that has to move is woken and moved once")
{
	struct actor *A = user("A"), *B = user("B");

	W = worker("W", NULL);
	on(0, to(A), wakes(W), to(IDLE), to(A));
	on(1, to(B));
	given();
	on(0, calls(sends_W_to_cpu1, "sends W to cpu1"), to(IDLE));
	on(1, wakes(W), to(IDLE));
}

SCENARIO(a_sleeping_cpu_is_woken, 2,
	 "an idle CPU does not halt with something to do")
{
	W = worker("W", says_so);
	bound(W, 1);
	completion_init(&done);
	real_idle();
	on(0, to(user("A")));
	given();
	on(0, wakes(W), calls(waits_for_W, "waits for W"));
}

SCENARIO(place_against_offline, 3,
	 "nobody is left behind on a CPU that goes offline")
{
	W = worker("W", says_so);
	completion_init(&done);
	real_idle();
	on(0, to(kthread("K")));
	on(2, to(user("B")));
	given();
	on(0, goes_offline(1), to(IDLE));
	on(2, wakes(W), calls(waits_for_W, "waits for W"));
}
