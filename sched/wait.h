/* Waiting for an event. Read Linux: kernel/sched/wait.c, completion.c. */
#pragma once

#include "kernel/base/list.h"
#include "kernel/base/spinlock.h"
#include "sched/sched.h"

struct wait_queue {
	struct spinlock lock;
	struct list waiters; /* struct waiter */
};

struct waiter {
	struct task *task; /* NULL: not on the queue yet */
	struct list link;
};

void wait_queue_init(struct wait_queue *queue, const char *name);
void wait_prepare(struct wait_queue *queue, struct waiter *waiter);
void wait_finish(struct wait_queue *queue, struct waiter *waiter);
void wake_up_all(struct wait_queue *queue);
void wake_up_one(struct wait_queue *queue);

/* Sleeps until @cond, which is looked at after every wake_up of @queue. */
#define wait_event(queue, cond) ((void)wait_event_or(queue, cond, false))

/* The same, but a fatal signal ends it too; evaluates to whether @cond. */
#define wait_event_killable(queue, cond) \
	wait_event_or(queue, cond, READ_ONCE(current->kill_signal))

/* The same, but any signal ends it. */
#define wait_event_interruptible(queue, cond) \
	wait_event_or(queue, cond, signal_pending(current))

#define wait_event_or(queue, cond, give_up)            \
	({                                             \
		struct waiter waiter_ = { 0 };         \
		bool met_;                             \
		for (;;) {                             \
			wait_prepare(queue, &waiter_); \
			met_ = (cond);                 \
			if (met_ || (give_up))         \
				break;                 \
			schedule();                    \
		}                                      \
		wait_finish(queue, &waiter_);          \
		met_;                                  \
	})

struct completion {
	bool done;
	struct wait_queue queue;
};

void completion_init(struct completion *completion);
void complete(struct completion *completion);
void wait_for_completion(struct completion *completion);
