/*
 * A line is bound to at most one object; which one, is kept by line, so that
 * an interrupt that comes while the object dies finds nobody, and no memory
 * that is gone. All of it is under ipc_lock, which the interrupt takes.
 *
 * A line that is triggered by level stays raised until the driver has served
 * the device, so it is masked from the interrupt to the acknowledgement. An
 * edge that came while masked would be lost: such a line stays open, and is
 * masked only if it fires again, which is then remembered. Read Linux:
 * kernel/irq/chip.c, handle_level_irq and handle_edge_irq.
 */
#include "kernel/objects/interrupt.h"

#include "kernel/base/assert.h"
#include "kernel/ipc/notification.h"
#include "kernel/objects/resource.h"
#include "mm/slab.h"

enum { MAX_LINES = 256 };

struct interrupt {
	struct resource lines;
	/* under ipc_lock */
	struct signaller signaller;
	bool fired;	/* not acknowledged yet */
	bool again;	/* and fired again: masked */
};

static struct interrupt *bound[MAX_LINES];

static struct interrupt *
to_interrupt(struct object *object)
{
	return container_of(to_resource(object), struct interrupt, lines);
}

/* ---- Life -------------------------------------------------------------- */

/* The line is shut; nothing of what it did is left. ipc_lock held. */
static struct notification *
unbind(struct interrupt *interrupt)
{
	u64 line = interrupt->lines.first;

	DEBUG_ASSERT(spin_held(&ipc_lock));
	if (!interrupt->signaller.notification)
		return NULL;
	ASSERT(bound[line] == interrupt);
	arch_irq_mask((unsigned)line);
	bound[line] = NULL;
	interrupt->fired = interrupt->again = false;
	return signaller_unbind(&interrupt->signaller);
}

static void
interrupt_release(struct object *object)
{
	struct interrupt *interrupt = to_interrupt(object);
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct notification *old = unbind(interrupt);

	spin_unlock_irqrestore(&ipc_lock, flags);
	transition_begin();
	signaller_free(old);
	transition_end();
	kfree(interrupt);
}

const struct object_ops interrupt_ops = {
	.type = LODGER_INTERRUPT,
	.release = interrupt_release,
};

long
interrupt_create(u64 first, u64 count, u32 rights)
{
	struct interrupt *interrupt = kzalloc(sizeof(*interrupt));

	if (!interrupt)
		return -ENOMEM;
	interrupt->lines.first = first;
	interrupt->lines.count = count;
	object_init(&interrupt->lines.object, &interrupt_ops);
	return handle_create(&interrupt->lines.object, rights);
}

struct notification *
interrupt_bound(struct object *object)
{
	return to_interrupt(object)->signaller.notification;
}

/* ---- Interrupts -------------------------------------------------------- */

void
device_interrupt(unsigned line)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct interrupt *interrupt = line < MAX_LINES ? bound[line] : NULL;

	if (!interrupt) {
		arch_irq_mask(line); /* unbound in this very moment */
	} else if (interrupt->fired) {
		arch_irq_mask(line);
		interrupt->again = true;
	} else {
		if (arch_irq_is_level(line))
			arch_irq_mask(line);
		interrupt->fired = true;
		signaller_raise(&interrupt->signaller);
	}
	spin_unlock_irqrestore(&ipc_lock, flags);
}

/* ipc_lock held. */
static int
acknowledge(struct interrupt *interrupt)
{
	unsigned line = (unsigned)interrupt->lines.first;

	DEBUG_ASSERT(spin_held(&ipc_lock));
	if (!interrupt->signaller.notification)
		return -EINVAL;
	if (!interrupt->fired)
		return 0;
	if (interrupt->again) {
		interrupt->again = false;
		signaller_raise(&interrupt->signaller);
		arch_irq_unmask(line);
		return 0;
	}
	interrupt->fired = false;
	if (arch_irq_is_level(line))
		arch_irq_unmask(line);
	return 0;
}

/* ---- System calls ------------------------------------------------------ */

static int
bind(struct interrupt *interrupt, u32 notification, u64 bits)
{
	u64 line = interrupt->lines.first;
	int err;

	if (interrupt->lines.count != 1 || line >= MAX_LINES)
		return -EINVAL;
	if (bound[line])
		return -EBUSY;
	err = arch_irq_open((unsigned)line);
	if (err)
		return err;
	err = signaller_bind(&interrupt->signaller, notification, bits);
	if (err)
		arch_irq_mask((unsigned)line);
	else
		bound[line] = interrupt;
	return err;
}

long
native_interrupt_bind(u32 number, u32 notification, u64 bits)
{
	struct notification *old = NULL;
	struct handle *handle;
	irq_flags_t flags;
	int err;

	transition_begin();
	flags = spin_lock_irqsave(&ipc_lock);
	handle = get_handle(number, &interrupt_ops, LODGER_RIGHT_BIND);
	err = IS_ERR(handle) ? PTR_ERR(handle) : 0;
	if (!err && notification)
		err = bind(to_interrupt(handle->object), notification, bits);
	else if (!err)
		old = unbind(to_interrupt(handle->object));
	spin_unlock_irqrestore(&ipc_lock, flags);
	signaller_free(old);
	transition_end();
	return err;
}

long
native_interrupt_ack(u32 number)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle *handle = get_handle(number, &interrupt_ops,
					   LODGER_RIGHT_BIND);
	int err = IS_ERR(handle) ? PTR_ERR(handle)
				 : acknowledge(to_interrupt(handle->object));

	spin_unlock_irqrestore(&ipc_lock, flags);
	return err;
}
