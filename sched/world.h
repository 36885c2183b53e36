/*
 * Stopping the world: every other CPU waits at a safe point, that is at the
 * way back to user mode, in idle or in schedule(). There no CPU is inside a
 * switch, and sums over all tasks and CPUs are meaningful as soon as no
 * sleeping task is inside a marked transition either. Debug builds only:
 * kernel/debug/world.c.
 */
#pragma once

#include "kernel/base/atomic.h"

/* Returns when all other CPUs wait. One stopper at a time; may sleep while
 * another one works. Interrupts on, no spin lock held. */
void world_stop(void);
void world_resume(void);

extern bool world_stopping;
void world_wait(void);

static inline bool
world_is_stopping(void)
{
	return READ_ONCE(world_stopping);
}

#ifndef CONFIG_DEBUG
#define world_is_stopping() debug_only(world_is_stopping())
#endif

/* At each safe point, interrupts on: waits while somebody stops the world. */
static inline void
world_meet(void)
{
	if (unlikely(world_is_stopping()))
		world_wait();
}
