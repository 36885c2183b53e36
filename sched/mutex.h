/* Sleeping locks, and the queues that sleepers wait in. */
#pragma once

#include "kernel/base/list.h"
#include "kernel/base/spinlock.h"

struct task;

struct mutex {
	struct task *owner;	/* NULL: free; changed by compare-and-swap */
	atomic_t waiters;
	struct spinlock lock;	/* guards the queue */
	struct list queue;	/* struct mutex_waiter */
};

void mutex_init(struct mutex *mutex, const char *name);
/* May sleep. A task must not take a mutex twice: panics. */
void mutex_lock(struct mutex *mutex);
bool mutex_trylock(struct mutex *mutex) __must_check;
void mutex_unlock(struct mutex *mutex);
/* By the current task. */
bool mutex_held(const struct mutex *mutex);
