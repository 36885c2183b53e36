/*
 * One run queue: NR_PRIORITIES lists, and a bitmap of those that hold a task.
 *
 * Every runnable task is on a list, the running one too: a yield only moves
 * it to the end. The idle task is always on the last list, so that there is
 * always a first task.
 *
 * The lock is taken by the task that leaves and released, on the next task's
 * stack, by the finish step. So whoever holds the lock sees a task either
 * still running (on_cpu) or completely off its stack.
 */
#pragma once

#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "sched/task.h"

struct run_queue {
	struct list lists[NR_PRIORITIES]; /* first: cheap to index */
	/* Changed under the lock; others look at these two without it. */
	u64 bitmap;		/* bit p: lists[p] is not empty */
	unsigned nr_running;	/* on the lists, running and idle ones too */
	struct spinlock lock;
};

static inline void
enqueue(struct run_queue *rq, struct task *task)
{
	DEBUG_ASSERT(!task->on_rq);
	list_add_tail(&rq->lists[task->prio], &task->run_link);
	WRITE_ONCE(rq->bitmap, rq->bitmap | 1ul << task->prio);
	WRITE_ONCE(rq->nr_running, rq->nr_running + 1);
	task->on_rq = true;
}

static inline void
dequeue(struct run_queue *rq, struct task *task)
{
	struct list *list = &rq->lists[task->prio];

	DEBUG_ASSERT(task->on_rq);
	list_del(&task->run_link);
	if (list_empty(list))
		WRITE_ONCE(rq->bitmap, rq->bitmap & ~(1ul << task->prio));
	WRITE_ONCE(rq->nr_running, rq->nr_running - 1);
	task->on_rq = false;
}

/* @prev leaves, and @next comes before all others of its priority. */
static inline void
exchange_queued(struct run_queue *rq, struct task *prev, struct task *next)
{
	u64 bitmap = rq->bitmap | 1ul << next->prio;

	DEBUG_ASSERT(prev->on_rq && !next->on_rq && prev->prio != next->prio);
	list_unlink(&prev->run_link);
	if (list_empty(&rq->lists[prev->prio]))
		bitmap &= ~(1ul << prev->prio);
	list_add(&rq->lists[next->prio], &next->run_link);
	WRITE_ONCE(rq->bitmap, bitmap);
	prev->on_rq = false;
	next->on_rq = true;
}

/*
 * Takes a runnable @task off @rq; place() puts it on another queue. In between
 * no queue's lock covers it. Whoever wants to lock its queue waits, so the
 * mover keeps interrupts off until it is done: an interrupt on this CPU might
 * want to.
 */
static inline void
take_away(struct run_queue *rq, struct task *task)
{
	dequeue(rq, task);
	WRITE_ONCE(task->moving, true);
}

static inline struct task *
first_task(struct run_queue *rq)
{
	return list_first(&rq->lists[first_bit(rq->bitmap)], struct task,
			  run_link);
}
