/* See kernel/ipc/notification.h. */
#include "kernel/ipc/notification.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "mm/slab.h"

/* ---- Signals ---------------------------------------------------------- */

bool
take_bits(struct notification *notification, struct ipc_task *to)
{
	if (!notification->bits)
		return false;
	regs_set_word(to->regs, 0, notification->bits);
	notification->bits = 0;
	return true;
}

static inline struct ipc_task *
take_waiter(struct notification *notification)
{
	struct ipc_task *waiter;

	if (list_empty(&notification->waiting))
		return NULL;
	waiter = list_first(&notification->waiting, struct ipc_task, link);
	list_unlink(&waiter->link);
	return waiter;
}

/* The bits go to whoever waits for them: here first, then at the endpoint. */
static inline void
hand_out(struct notification *notification)
{
	struct ipc_task *waiter;

	if (!notification->bits)
		return;
	waiter = take_waiter(notification);
	if (!waiter && notification->bound) {
		waiter = take_receiver(notification->bound);
		if (waiter)
			regs_set_badge(waiter->regs, 0);
	}
	if (waiter && take_bits(notification, waiter))
		ipc_finish(waiter, 0);
}

static inline int
signal(const struct handle *handle, u64 bits)
{
	struct notification *notification = to_notification(handle->object);

	if (handle->badge && (bits & ~handle->badge))
		return -EPERM;
	if (!notification->waiters && !notification->bound)
		return -EPIPE;
	notification->bits |= bits;
	hand_out(notification);
	return 0;
}

long
native_signal(u32 number, u64 bits)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle *handle = get_handle(number, &notification_ops,
					   LODGER_RIGHT_SIGNAL);
	int err = IS_ERR(handle) ? PTR_ERR(handle) : signal(handle, bits);

	spin_unlock_irqrestore(&ipc_lock, flags);
	return err;
}

bool
signal_dispatch(struct regs *regs)
{
	struct ipc_task *me = current->ipc;
	struct handle *handle;

	if (unlikely(!me))
		return false;
	spin_lock(&ipc_lock);
	handle = quick_handle(&me->signals, (u32)regs_arg(regs, 0),
			      LODGER_RIGHT_SIGNAL);
	if (likely(handle))
		regs_set_result(regs, signal(handle, regs_arg(regs, 1)));
	spin_unlock(&ipc_lock);
	return handle;
}

/* 0 with phase WAITING: it has begun to wait. */
static int
begin_wait(struct ipc_task *me, struct notification *notification)
{
	if (take_bits(notification, me))
		return 0;
	if (!notification->signallers)
		return -EPIPE;
	me->phase = IPC_WAITING;
	list_add_tail(&notification->waiting, &me->link);
	return 0;
}

long
ipc_wait_bits(struct ipc_task *me, u32 number, u64 deadline)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle *handle = get_handle(number, &notification_ops,
					   LODGER_RIGHT_WAIT);
	int err = IS_ERR(handle) ? PTR_ERR(handle)
				 : begin_wait(me,
					      to_notification(handle->object));

	if (likely(me->phase == IPC_WAITING))
		return ipc_sleep_after(me, deadline, NULL, flags);
	spin_unlock_irqrestore(&ipc_lock, flags);
	return err;
}

/* ---- Binding ---------------------------------------------------------- */

/* Ends the binding; the reference on the endpoint is the caller's then. */
static struct endpoint *
unbind(struct notification *notification)
{
	struct endpoint *endpoint = notification->bound;

	if (endpoint) {
		endpoint->bound = NULL;
		notification->bound = NULL;
	}
	return endpoint;
}

/* The endpoint may have lost the last one who could wake its receivers. Gives
 * back a reference on it. */
static void
let_go(struct endpoint *endpoint)
{
	if (!endpoint)
		return;
	transition_begin();
	endpoint_hang_up(endpoint);
	object_put(&endpoint->object);
	transition_end();
}

static int
bind(struct notification *notification, u32 number)
{
	struct handle *handle = get_handle(number, &endpoint_ops,
					   LODGER_RIGHT_RECV);
	struct endpoint *endpoint;

	if (IS_ERR(handle))
		return PTR_ERR(handle);
	endpoint = to_endpoint(handle->object);
	if (notification->bound || endpoint->bound)
		return -EBUSY;
	object_get(&endpoint->object);
	notification->bound = endpoint;
	endpoint->bound = notification;
	hand_out(notification);
	return 0;
}

long
native_bind(u32 number, u32 endpoint)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle *handle = get_handle(number, &notification_ops,
					   LODGER_RIGHT_WAIT);
	struct endpoint *old = NULL;
	int err = IS_ERR(handle) ? PTR_ERR(handle) : 0;

	if (!err && endpoint)
		err = bind(to_notification(handle->object), endpoint);
	else if (!err)
		old = unbind(to_notification(handle->object));
	spin_unlock_irqrestore(&ipc_lock, flags);
	let_go(old);
	return err;
}

/* ---- Partners that went away ------------------------------------------ */

/* Nobody is left to signal, or to close the wait's own handle. */
static void
hang_up(struct notification *notification)
{
	struct ipc_task *waiter;

	do {
		irq_flags_t flags = spin_lock_irqsave(&ipc_lock);

		waiter = NULL;
		if (!notification->signallers || !notification->waiters)
			waiter = take_waiter(notification);
		if (waiter)
			ipc_finish(waiter, -EPIPE);
		spin_unlock_irqrestore(&ipc_lock, flags);
		cond_resched();
	} while (waiter);
}

static void
notification_opened(struct object *object, u32 rights)
{
	struct notification *notification = to_notification(object);

	notification->signallers += !!(rights & LODGER_RIGHT_SIGNAL);
	notification->waiters += !!(rights & LODGER_RIGHT_WAIT);
}

static void
notification_closed(struct object *object, u32 rights)
{
	struct notification *notification = to_notification(object);
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct endpoint *endpoint = notification->bound;

	notification->signallers -= !!(rights & LODGER_RIGHT_SIGNAL);
	notification->waiters -= !!(rights & LODGER_RIGHT_WAIT);
	if (endpoint)
		object_get(&endpoint->object);
	spin_unlock_irqrestore(&ipc_lock, flags);
	let_go(endpoint);
	hang_up(notification);
}

static void
notification_release(struct object *object)
{
	struct notification *notification = to_notification(object);
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct endpoint *endpoint = unbind(notification);

	spin_unlock_irqrestore(&ipc_lock, flags);
	let_go(endpoint);
	ASSERT(list_empty(&notification->waiting));
	kfree(notification);
}

const struct object_ops notification_ops = {
	.type = LODGER_NOTIFICATION,
	.opened = notification_opened,
	.closed = notification_closed,
	.release = notification_release,
};

/* ---- The kernel's own signals ----------------------------------------- */

int
signaller_bind(struct signaller *signaller, u32 number, u64 bits)
{
	struct handle *handle = get_handle(number, &notification_ops,
					   LODGER_RIGHT_SIGNAL);

	DEBUG_ASSERT(!signaller->notification);
	if (IS_ERR(handle))
		return PTR_ERR(handle);
	if (!bits)
		return -EINVAL;
	if (handle->badge && (bits & ~handle->badge))
		return -EPERM;
	object_get(handle->object);
	signaller->notification = to_notification(handle->object);
	signaller->notification->signallers++;
	signaller->bits = bits;
	return 0;
}

void
signaller_raise(struct signaller *signaller)
{
	struct notification *notification = signaller->notification;

	if (!notification)
		return;
	notification->bits |= signaller->bits;
	hand_out(notification);
}

struct notification *
signaller_unbind(struct signaller *signaller)
{
	struct notification *notification = signaller->notification;

	signaller->notification = NULL;
	return notification;
}

void
signaller_free(struct notification *notification)
{
	if (!notification)
		return;
	notification_closed(&notification->object, LODGER_RIGHT_SIGNAL);
	object_put(&notification->object);
}

/* ---- Making ----------------------------------------------------------- */

enum {
	NOTIFICATION_RIGHTS = LODGER_RIGHT_SIGNAL | LODGER_RIGHT_WAIT |
			      LODGER_RIGHT_DUPLICATE | LODGER_RIGHT_TRANSFER,
};

long
native_notification_create(void)
{
	struct notification *notification = kzalloc(sizeof(*notification));

	if (!notification)
		return -ENOMEM;
	object_init(&notification->object, &notification_ops);
	list_init(&notification->waiting);
	return handle_create(&notification->object, NOTIFICATION_RIGHTS);
}
