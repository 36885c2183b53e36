/*
 * Stopping the world: every other CPU waits at a safe point, that is at the
 * way back to user mode, in idle or in schedule(). There no CPU is inside a
 * switch, and sums over all tasks and CPUs are meaningful as soon as no
 * sleeping task is inside a marked transition either.
 */
#pragma once

#include "sched/mutex.h"

extern bool world_stopping;

/* Held while the world stops, and while a CPU leaves or comes back. */
extern struct mutex world_lock;

/* Returns when all other CPUs wait. One stopper at a time; may sleep while
 * another one works. Interrupts on, no spin lock held. */
void world_stop(void);
void world_resume(void);

void world_wait(void);

/* At each safe point, interrupts on: waits while somebody stops the world. */
static inline void
world_meet(void)
{
	if (unlikely(READ_ONCE(world_stopping)))
		world_wait();
}
