/*
 * The scheduler: a run queue per CPU, NR_PRIORITIES lists in each with round
 * robin inside, the first one found by a bit scan. The kernel is not
 * preemptible; user mode is.
 */
#pragma once

#include "sched/task.h"

enum {
	TICK_NS = 10000000, /* between two timer ticks of a busy CPU */
	SLICE_TICKS = 2,    /* a task's turn, when others wait */
};

void sched_init(void);		/* boot CPU: its idle task is the boot stack */
void sched_init_secondary(void);

/* Gives the CPU to the next task. The caller has put itself on a wait queue
 * and set its state, or stays runnable: then it goes to the end of its
 * priority's list. Interrupts on; no spin lock held. */
void schedule(void);

/*
 * Gives the CPU straight to @next, which sleeps, with what is left of the
 * caller's turn, and puts the caller to sleep; @next comes over to this CPU if
 * it was on another. Interrupts off. @held, a spin lock without which nobody
 * wakes the caller but to die, keeps @next from going away, and is released.
 * Returns when the caller has been woken and runs again; or at once, with @next
 * woken, when it does not sleep, or may not come, or the caller has a signal.
 */
void switch_to_sleeper(struct task *next, struct spinlock *held);
/* The same, but the CPU goes to whoever is next in the run queue. */
void switch_to_next(struct spinlock *held);

/* Makes @task runnable; false when it was not asleep. Any context. A task
 * that is just about to sleep does not lose the wake-up. */
bool wake_up_task(struct task *task);
/* If @task runs in user mode, makes it come by exit_to_user(). */
void kick_task(struct task *task);
/* Puts a new task on a run queue: the least loaded CPU it may use. */
void wake_up_new_task(struct task *task);

/*
 * Sleeping:  set_current_state(TASK_SLEEPING); if (!condition) schedule();
 *            set_current_state(TASK_RUNNABLE);
 */
static inline void
set_current_state(enum task_state state)
{
	WRITE_ONCE(current->state, state);
	/* The state before the condition that the caller looks at next: a
	 * waker that changes the condition then sees us asleep. */
	smp_mb();
}
/* Sleeps until woken or until arch_time_ns() >= @deadline; ~0: for ever. */
void schedule_until(u64 deadline);

/* Sleeps for @ns, or less when its CPU goes offline. */
void sleep_ns(u64 ns);

/* -EINVAL: no online CPU in @mask. The current task is off the forbidden CPUs
 * when this returns; another one that runs has been told to leave. */
int sched_set_affinity(struct task *task, u64 mask);

/* @task's priority from now on, whatever it is doing: 0 (first) to
 * NR_PRIORITIES - 2. */
void sched_set_priority(struct task *task, u8 prio);

/* A preemption point for long loops: schedules when somebody should run. */
static inline void
cond_resched(void)
{
	if (READ_ONCE(this_cpu()->need_resched))
		schedule();
}

/* The whole life of the idle task. */
void idle_loop(void) __noreturn;

u64 online_cpus(void); /* bit mask */
void set_cpu_online(unsigned id, bool online); /* sched/hotplug.c only */

/* Makes @cpu look at its run queue soon. */
void resched_cpu(struct cpu *cpu);

/* A task that waits on @cpu behind one of a higher priority, which may run for
 * long, goes to a CPU where it gets its turn, if it may run on such a one. For
 * the tick, interrupts off. Idle CPUs need no such help: they look for work. */
void sched_help_outranked(struct cpu *cpu);

/* Takes @task, which sleeps on another CPU, over to @id, this one. False: it
 * does not sleep, or may not run here. Interrupts off. */
bool sched_fetch_sleeper(struct task *task, unsigned id);

/* A runnable task that has been switched away from on a CPU that it may no
 * longer use: queues it on another one. For the finish step, interrupts off. */
void sched_migrate(struct task *task);
