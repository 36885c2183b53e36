/*
 * Time for the scheduler: the tick of busy CPUs and tasks that sleep until a
 * deadline. An idle CPU has no tick, only its next sleeper.
 */
#pragma once

#include "sched/sched.h"

struct sleep_queue {
	struct spinlock lock;
	struct list tasks; /* by wake_time, soonest first */
	u64 first;	   /* wake_time of the first one; ~0: none. Read without
			    * the lock by its CPU, which alone adds sleepers */
};

void timer_init_cpu(struct cpu *cpu);

void timer_start_or_stop(struct cpu *cpu, bool tick);

/* This CPU is about to run @next: the tick stops with idle, and starts again
 * after it. Interrupts off. */
static inline void
timer_switch(struct cpu *cpu, const struct task *prev, const struct task *next)
{
	if (unlikely(prev == cpu->idle || next == cpu->idle))
		timer_start_or_stop(cpu, next != cpu->idle);
}

/* Wakes everybody who sleeps on @cpu, which is going offline: they look at
 * the time and go to sleep elsewhere. */
void timer_wake_all(struct cpu *cpu);
