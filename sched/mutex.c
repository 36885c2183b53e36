/* Sleeping locks. See sched/mutex.h. */
#include "sched/mutex.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"

void
mutex_init(struct mutex *mutex, const char *name)
{
	mutex->owner = NULL;
	atomic_set(&mutex->waiters, 0);
	wait_queue_init(&mutex->queue, name);
}

bool
mutex_trylock(struct mutex *mutex)
{
	return ptr_cmpxchg(&mutex->owner, NULL, current);
}

void
mutex_lock(struct mutex *mutex)
{
	DEBUG_ASSERT(this_cpu()->irq_depth == 0);
	if (mutex_trylock(mutex))
		return;
	if (mutex_held(mutex))
		panic("task %d (%s) takes a mutex that it holds",
		      current->tid, current->name);
	atomic_inc(&mutex->waiters);
	wait_event(&mutex->queue, mutex_trylock(mutex));
	atomic_dec(&mutex->waiters);
}

int
mutex_lock_killable(struct mutex *mutex)
{
	bool mine = mutex_trylock(mutex);

	if (mine)
		return 0;
	atomic_inc(&mutex->waiters);
	mine = wait_event_killable(&mutex->queue, mutex_trylock(mutex));
	atomic_dec(&mutex->waiters);
	return mine ? 0 : -EINTR;
}

/*
 * The exchange is a full barrier: owner is NULL before waiters is read. A
 * locker raises waiters before it tries for the last time. So either it gets
 * the mutex, or we see it and wake it.
 */
void
mutex_unlock(struct mutex *mutex)
{
	DEBUG_ASSERT(mutex_held(mutex));
	(void)__atomic_exchange_n(&mutex->owner, NULL, __ATOMIC_SEQ_CST);
	if (atomic_read(&mutex->waiters))
		wake_up_one(&mutex->queue);
}

bool
mutex_held(const struct mutex *mutex)
{
	return READ_ONCE(mutex->owner) == current;
}
