/* Wait queues and completions. See sched/wait.h. */
#include "sched/wait.h"

#include "kernel/base/assert.h"

void
wait_queue_init(struct wait_queue *queue, const char *name)
{
	spin_init(&queue->lock, name, RANK_WAIT);
	list_init(&queue->waiters);
}

/* Asleep before the caller looks at its condition: whoever changes it after
 * that finds us on the queue, and wake_up_task() finds us asleep. */
void
wait_prepare(struct wait_queue *queue, struct waiter *waiter)
{
	irq_flags_t flags = spin_lock_irqsave(&queue->lock);

	DEBUG_ASSERT(!waiter->task || waiter->task == current);
	if (!waiter->task) {
		waiter->task = current;
		list_add_tail(&queue->waiters, &waiter->link);
	}
	set_current_state(TASK_SLEEPING);
	spin_unlock_irqrestore(&queue->lock, flags);
}

void
wait_finish(struct wait_queue *queue, struct waiter *waiter)
{
	irq_flags_t flags = spin_lock_irqsave(&queue->lock);

	DEBUG_ASSERT(waiter->task == current);
	set_current_state(TASK_RUNNABLE);
	list_del(&waiter->link);
	spin_unlock_irqrestore(&queue->lock, flags);
}

void
wake_up_all(struct wait_queue *queue)
{
	irq_flags_t flags = spin_lock_irqsave(&queue->lock);
	struct waiter *waiter;

	list_for_each(waiter, &queue->waiters, link)
		wake_up_task(waiter->task);
	spin_unlock_irqrestore(&queue->lock, flags);
}

void
wake_up_one(struct wait_queue *queue)
{
	irq_flags_t flags = spin_lock_irqsave(&queue->lock);
	struct waiter *waiter;

	list_for_each(waiter, &queue->waiters, link) {
		if (wake_up_task(waiter->task))
			break;
	}
	spin_unlock_irqrestore(&queue->lock, flags);
}

void
completion_init(struct completion *completion)
{
	completion->done = false;
	wait_queue_init(&completion->queue, "completion");
}

/* The lock is held until all is done: the waiter, who owns the memory, takes
 * it once more before it returns. */
void
complete(struct completion *completion)
{
	struct wait_queue *queue = &completion->queue;
	irq_flags_t flags = spin_lock_irqsave(&queue->lock);
	struct waiter *waiter;

	WRITE_ONCE(completion->done, true);
	list_for_each(waiter, &queue->waiters, link)
		wake_up_task(waiter->task);
	spin_unlock_irqrestore(&queue->lock, flags);
}

void
wait_for_completion(struct completion *completion)
{
	wait_event(&completion->queue, READ_ONCE(completion->done));
}
