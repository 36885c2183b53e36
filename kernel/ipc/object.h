/*
 * Kernel objects: what a handle stands for. An object lives as long as
 * something refers to it: handles, and whoever works with it at the moment.
 *
 * One spin lock guards all of IPC: handles, reference counts, and who waits
 * for whom. What it guards is one graph, through which priorities are passed
 * on; each section under it is short. So a short call takes one lock. seL4
 * makes the same choice for all of its kernel.
 */
#pragma once

#include "kernel/abi.h"
#include "kernel/base/spinlock.h"

struct object;

struct object_ops {
	enum lodger_object_type type;
	/* A handle with @rights was made. ipc_lock held. NULL: no matter. */
	void (*opened)(struct object *object, u32 rights);
	/* Such a handle went away. No lock held; may sleep. NULL: no matter. */
	void (*closed)(struct object *object, u32 rights);
	/* The last reference went away: frees. No lock held; may sleep. */
	void (*release)(struct object *object);
};

struct object {
	const struct object_ops *ops;
	unsigned refs; /* under ipc_lock */
#ifdef CONFIG_DEBUG
	struct { /* kernel/debug/ipc_invariants.c: recounted */
		u64 epoch;
		unsigned refs, rights[2];
	} check;
#endif
};

extern struct spinlock ipc_lock;

/* With one reference, the caller's. */
void object_init(struct object *object, const struct object_ops *ops);

/* One more; the caller has one, or holds ipc_lock and found it there. */
static inline void
object_get(struct object *object)
{
	object->refs++;
}

/* One less; the last one releases. No lock held; may sleep. */
void object_put(struct object *object);
