/* What is to happen later: a heap, the earliest first. */
#pragma once

#include "user/servers/unix/os.h"

struct timer {
	u64 deadline;
	unsigned place; /* in the heap, from 1 on; 0: not set */
	void (*fire)(struct timer *timer);
};

/*
 * Sets it, or sets it anew. -ENOMEM: there is no room, and it is as it was;
 * never for one that is set. When it fires it is not set any more.
 */
int timer_set(struct timer *timer, u64 deadline);
void timer_cancel(struct timer *timer);

/* The deadline that comes first; OS_NEVER. */
u64 timers_next(void);
/* Fires those whose time has come. */
void timers_run(u64 now);
