/* See kernel/ipc/object.h. */
#include "kernel/ipc/object.h"

#include "kernel/base/assert.h"

struct spinlock ipc_lock = SPINLOCK_INIT("ipc", RANK_IPC);

void
object_init(struct object *object, const struct object_ops *ops)
{
	object->ops = ops;
	object->refs = 1;
}

void
object_put(struct object *object)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	bool last;

	ASSERT(object->refs > 0);
	last = --object->refs == 0;
	spin_unlock_irqrestore(&ipc_lock, flags);
	if (last)
		object->ops->release(object);
}
