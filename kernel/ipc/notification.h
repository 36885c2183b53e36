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

/*
 * Something of the kernel's that raises bits: an interrupt line, a process's
 * end, the log. It counts as a handle with SIGNAL, and holds a reference.
 */
struct signaller {
	struct notification *notification; /* NULL: none */
	u64 bits;
};

/* ---- Under ipc_lock --------------------------------------------------- */

/* Binds @signaller, which is free, to the caller's notification @number:
 * -EINVAL (also: no bits), -EBADF, -EPERM. */
int signaller_bind(struct signaller *signaller, u32 number, u64 bits);
/* Raises the bits, if it is bound; whoever waits for them is woken. */
void signaller_raise(struct signaller *signaller);
/* What signaller_free() is to be given when the lock is released. */
struct notification *signaller_unbind(struct signaller *signaller);

/* ---- No lock held ----------------------------------------------------- */

/* @notification, if not NULL, has lost a signaller. Inside a marked
 * transition. */
void signaller_free(struct notification *notification);

/* ----------------------------------------------------------------------- */

/* @to gets all bits as its first word, if there are any. ipc_lock held. */
bool take_bits(struct notification *notification, struct ipc_task *to);

/* System calls. */
long ipc_wait_bits(struct ipc_task *me, u32 number, u64 deadline);
long native_notification_create(void);
long native_signal(u32 number, u64 bits);
long native_bind(u32 notification, u32 endpoint);
