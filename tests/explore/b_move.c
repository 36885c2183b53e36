/* Tasks that are woken, moved and given another priority at the same moment. */
#include "kernel/base/assert.h"
#include "sched/hotplug.h"
#include "sched/kthread.h"
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
	real_idle();
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

static struct task *made;

static int
sleeps(void *unused)
{
	(void)unused;
	set_current_state(TASK_SLEEPING);
	schedule();
	return 0;
}

static void
begins_a_task(void)
{
	wake_up_new_task(made);
}

static void
takes_its_cpu_offline(void)
{
	unsigned id = this_cpu()->id;

	if (cpu_offline(id))
		panic("cpu%u cannot go offline", id);
	model_offline(&stage.model, (int)id);
}

/* Two CPUs: with the one that takes another one offline on a third, it is ten
 * times as many orders, and the same happens. */
SCENARIO(place_against_offline, 2,
	 "nobody is left behind on a CPU that goes offline")
{
	struct actor *K = worker("K", takes_its_cpu_offline);

	bound(K, 1);
	made = kthread_create(sleeps, NULL, "M");
	made->affinity = 2;
	real_idle();
	on(0, to(user("B")), wakes(K));
	given();
	on(0, calls(begins_a_task, "begins a task"), to(IDLE));
}

SCENARIO(online_against_work, 2,
	 "a CPU that comes back has an idle task that holds what it stands on")
{
	W = worker("W", NULL);
	real_idle();
	on(0, to(kthread("K")));
	given();
	on(0, goes_offline(1), wakes(W), comes_online(1));
}

/* ---- Falling asleep ------------------------------------------------------------ */

static void
sleeps_and_ends(void)
{
	set_current_state(TASK_SLEEPING);
	schedule();
	set_current_state(TASK_RUNNABLE);
	task_exit();
}

static void
fetches_W(void)
{
	sched_set_affinity(W->task, 2);
	wake_up_task(W->task);
}

SCENARIO(who_falls_asleep_ends_elsewhere, 2,
	 "who has left a CPU is none of its business any more")
{
	W = worker("W", sleeps_and_ends);
	bound(W, 0);
	real_idle();
	on(0, to(user("A")));
	given();
	on(0, wakes(W), to(IDLE));
	on(1, calls(fetches_W, "fetches W"), to(IDLE),
	   calls(sim_reap, "reaps"));
}

static u64 flag RESTORED;

static void
sleeps_until_flag(void)
{
	for (;;) {
		set_current_state(TASK_SLEEPING);
		if (READ_ONCE(flag))
			break;
		schedule();
	}
	set_current_state(TASK_RUNNABLE);
}

static void
sets_flag(void)
{
	WRITE_ONCE(flag, 1);
	wake_up_task(W->task);
}

/* Nothing but the state and the lock orders the two: for --tso. */
SCENARIO(flag_against_sleep, 2,
	 "who looks at a word before he sleeps is woken by who changes it")
{
	struct actor *K = kthread("K");

	W = K;
	on(0, to(user("A")));
	on(1, to(K));
	given();
	on(0, calls(sets_flag, "sets the flag"));
	on(1, calls(sleeps_until_flag, "sleeps until the flag is set"));
}
