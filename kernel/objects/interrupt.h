/*
 * Interrupt lines, for drivers. A line that fires raises bits of the
 * notification that it is bound to, and stays quiet until it is acknowledged.
 */
#pragma once

#include "kernel/ipc/handle.h"

extern const struct object_ops interrupt_ops;

/* A handle of the caller's on lines @first and on, or an errno. No lock held. */
long interrupt_create(u64 first, u64 count, u32 rights);

/* For the invariants: the notification that @object, an interrupt, is bound
 * to, or NULL. ipc_lock held. */
struct notification *interrupt_bound(struct object *object);

/* ---- System calls: kernel/abi_objects.h ------------------------------- */

long native_interrupt_bind(u32 number, u32 notification, u64 bits);
long native_interrupt_ack(u32 number);
