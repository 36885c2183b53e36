/* Sleeping locks. Read Linux: kernel/locking/mutex.c. */
#pragma once

#include "sched/wait.h"

struct mutex {
	struct task *owner; /* NULL: free; changed by compare-and-swap */
	atomic_t waiters;   /* tasks that may sleep on the queue */
	struct wait_queue queue;
};

void mutex_init(struct mutex *mutex, const char *name);
/* May sleep. A task must not take a mutex twice: panics. */
void mutex_lock(struct mutex *mutex);
/* -EINTR: the caller is to die, and has not got it. */
int mutex_lock_killable(struct mutex *mutex) __must_check;
bool mutex_trylock(struct mutex *mutex) __must_check;
void mutex_unlock(struct mutex *mutex);
/* By the current task. */
bool mutex_held(const struct mutex *mutex);
