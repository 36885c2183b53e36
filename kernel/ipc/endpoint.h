/*
 * An endpoint is where calls and receivers meet. Callers queue by priority,
 * first come first served inside one; receivers queue in order. At most one of
 * the two queues holds somebody.
 */
#pragma once

#include "kernel/base/bits.h"
#include "kernel/ipc/ipc.h"

struct notification;

struct endpoint {
	struct object object;
	u64 id;			     /* never another's, nor 0 */
	/* under ipc_lock */
	unsigned senders, receivers; /* handles with the right; personalities */
	struct list callers[NR_PRIORITIES]; /* struct ipc_task, QUEUED */
	u64 bitmap;		     /* bit p: callers[p] is not empty */
	struct list events;	     /* struct ipc_event; EVENTS_WAIT */
	unsigned nr_events;	     /* on that list */
	struct list receiving;	     /* struct ipc_task, RECEIVING */
	struct list servers;	     /* struct ipc_task, by serves_link */
	struct notification *bound;
	u64 walk;		     /* kernel/personality.c */
};

/* Also in bitmap: there are events. As a priority it is none, after all. */
#define EVENTS_WAIT (1ul << NR_PRIORITIES)

extern const struct object_ops endpoint_ops;

static inline struct endpoint *
to_endpoint(struct object *object)
{
	return container_of(object, struct endpoint, object);
}

/* Can a call or a signal still come? Who has it as a personality is among the
 * senders. ipc_lock held. */
bool can_hear(const struct endpoint *endpoint);

/* ---- Under ipc_lock --------------------------------------------------- */

void queue_caller(struct endpoint *endpoint, struct ipc_task *caller);
/* It is CLAIMED then, by whoever does this. */
void unqueue_caller(struct ipc_task *caller);
/* Its task has another priority now. */
void requeue_caller(struct ipc_task *caller);
/* The next in turn, taken off the queue; NULL: nobody calls. */
struct ipc_task *take_caller(struct endpoint *endpoint);

/* The same for receivers. */
static inline struct ipc_task *
take_receiver(struct endpoint *endpoint)
{
	struct ipc_task *receiver;

	if (list_empty(&endpoint->receiving))
		return NULL;
	receiver = list_first(&endpoint->receiving, struct ipc_task, link);
	list_unlink(&receiver->link);
	return receiver;
}

/* After a handle or the bound notification went away: ends the waits that now
 * would never end, with -EPIPE. No lock held. */
void endpoint_hang_up(struct endpoint *endpoint);

long native_endpoint_create(void);
