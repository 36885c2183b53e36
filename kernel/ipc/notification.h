/*
 * A notification is a word of 64 bits. Signals or bits into it and never wait;
 * a waiter gets all that are set, and clears them. Bound to an endpoint, it
 * also wakes that endpoint's receivers: one wait for calls and signals.
 */
#pragma once

#include "kernel/ipc/endpoint.h"

struct notification {
	struct object object;
	/* under ipc_lock */
	u64 bits;
	unsigned signallers, waiters; /* handles with the right */
	struct list waiting;	      /* struct ipc_task, WAITING */
	struct endpoint *bound;	      /* with a reference */
};

extern const struct object_ops notification_ops;

static inline struct notification *
to_notification(struct object *object)
{
	return container_of(object, struct notification, object);
}

/* @to gets all bits as its first word, if there are any. ipc_lock held. */
bool take_bits(struct notification *notification, struct ipc_task *to);

/* System calls. */
long ipc_wait_bits(struct ipc_task *me, u32 number, u64 deadline);
long native_notification_create(void);
long native_signal(u32 number, u64 bits);
long native_bind(u32 notification, u32 endpoint);
