/* Sleeping, waking and ending: who waits for whom, and whose memory it is. */
#include "mm/slab.h"
#include "sched/kthread.h"
#include "sched/reaper.h"
#include "tests/explore/play.h"

static struct actor *K;

/* ---- Completions ----------------------------------------------------------- */

static struct kmem_cache *cache;
static struct completion *done;

static void
waits_and_frees(void)
{
	wait_for_completion(done);
	kmem_cache_free(cache, done);
}

static void
completes(void)
{
	complete(done);
}

SCENARIO(completion_is_freed_by_who_waits, 2,
	 "complete() has let go of it when the wait is over")
{
	cache = kmem_cache_create("completion", sizeof(*done), 8, NULL);
	done = kmem_cache_alloc(cache);
	completion_init(done);
	on(0, to(user("A")));
	given();
	on(0, calls(waits_and_frees, "waits and frees"));
	on(1, calls(completes, "completes"));
}

SCENARIO(three_tasks_at_one_mutex, 3, "each of three gets it in the end")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *A3 = thread("A3", A);

	on(0, to(A), discards(DATA, 1));
	on(1, to(A2));
	on(2, to(A3));
	given();
	on(0, writes(DATA));
	on(1, writes(DATA));
	on(2, writes(DATA));
}

/* ---- Stopping a kernel thread -------------------------------------------------- */

static void
sleeps_until_stopped(void)
{
	for (;;) {
		set_current_state(TASK_SLEEPING);
		if (kthread_should_stop())
			break;
		schedule();
	}
	set_current_state(TASK_RUNNABLE);
}

static void
stops_K(void)
{
	kthread_stop(K->task);
}

SCENARIO(stop_of_a_kernel_thread, 2,
	 "it hears of it, and is not gone before the one who stops it is done")
{
	K = kthread("K");
	worker("W", NULL); /* no end: K is reaped before it */
	on(0, to(user("A")));
	on(1, to(K));
	given();
	on(0, calls(stops_K, "stops K"));
	on(1, calls(sleeps_until_stopped, "sleeps until stopped"), exits(),
	   to(IDLE), calls(sim_reap, "reaps"));
}

/* ---- Killing a process that gets a thread ------------------------------------------ */

static struct actor *A, *A2;

static void
looks_for_survivors(void)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	bool killed = A->task->kill_signal;
	bool survives = A2->task && !A2->task->kill_signal;

	spin_unlock_irqrestore(&pid_lock, flags);
	if (killed && survives)
		explore_fail(EXPLORE_VIOLATION, "A was killed, and its thread "
			     "A2 lives on");
}

SCENARIO(clone_against_kill, 2,
	 "a process that is killed keeps no thread, not even a new one")
{
	A = user("A"), A2 = unborn("A2");
	on(0, to(A));
	on(1, to(kthread("K")));
	given();
	/* The idle task looks: A, killed, exits at the end of its clone. */
	on(0, clones(A2), to(IDLE), calls(looks_for_survivors, "looks for "
							      "survivors"));
	on(1, kills(A));
}

/* ---- Sleeping with a deadline --------------------------------------------------- */

static void
sleeps_once(void)
{
	set_current_state(TASK_SLEEPING);
	schedule_until(arch_time_ns() + 1);
	set_current_state(TASK_RUNNABLE);
	task_exit();
}

static void
wakes_K_here(void)
{
	sched_set_affinity(K->task, 1ul << this_cpu()->id);
	wake_up_task(K->task);
}

SCENARIO(deadline_against_wake_up, 2,
	 "the timer and somebody else wake one sleeper, who then ends")
{
	K = worker("K", sleeps_once);
	bound(K, 0);
	ticks(0, 1);
	on(0, wakes(K), to(IDLE));
	given();
	on(1, calls(wakes_K_here, "wakes K"), to(IDLE),
	   calls(sim_reap, "reaps"));
}

/* ---- The reaper ------------------------------------------------------------------ */

static void
waits_for_the_reaper(void)
{
	while (!reaper_idle()) {
		schedule();
		arch_cpu_relax();
	}
}

SCENARIO(death_against_a_reaper_that_falls_asleep, 2,
	 "whoever dies is reaped")
{
	struct actor *D = kthread("D");

	real_idle();
	sched_set_affinity(reaper_start(), 2);
	on(0, to(D));
	given();
	on(0, exits(), to(IDLE),
	   calls(waits_for_the_reaper, "waits for the reaper"));
}
