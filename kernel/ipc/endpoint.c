/* See kernel/ipc/endpoint.h. */
#include "kernel/ipc/endpoint.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/ipc/inherit.h"
#include "kernel/ipc/notification.h"
#include "mm/slab.h"

/* ---- Queues ----------------------------------------------------------- */

static void
add_to_queue(struct endpoint *endpoint, struct ipc_task *caller)
{
	u8 prio = caller->task->prio;

	caller->queued_prio = prio;
	list_add_tail(&endpoint->callers[prio], &caller->link);
	endpoint->bitmap |= 1ul << prio;
}

static void
remove_from_queue(struct endpoint *endpoint, struct ipc_task *caller)
{
	struct list *list = &endpoint->callers[caller->queued_prio];

	DEBUG_ASSERT(caller->phase == IPC_QUEUED);
	list_unlink(&caller->link);
	if (list_empty(list))
		endpoint->bitmap &= ~(1ul << caller->queued_prio);
}

/* Those who serve have to know only when another priority comes first. */
static void
note_first(struct endpoint *endpoint, u64 before)
{
	u64 after = endpoint->bitmap;

	if ((before & -before) != (after & -after))
		update_queue(endpoint);
}

void
queue_caller(struct endpoint *endpoint, struct ipc_task *caller)
{
	u64 before = endpoint->bitmap;

	DEBUG_ASSERT(list_empty(&endpoint->receiving));
	caller->endpoint = endpoint;
	caller->phase = IPC_QUEUED;
	add_to_queue(endpoint, caller);
	note_first(endpoint, before);
}

/* No longer QUEUED before priorities are passed on: they may come back to this
 * very task, round a circle that others keep open. */
void
unqueue_caller(struct ipc_task *caller)
{
	struct endpoint *endpoint = caller->endpoint;
	u64 before = endpoint->bitmap;

	remove_from_queue(endpoint, caller);
	caller->phase = IPC_CLAIMED;
	note_first(endpoint, before);
}

void
requeue_caller(struct ipc_task *caller)
{
	remove_from_queue(caller->endpoint, caller);
	add_to_queue(caller->endpoint, caller);
}

struct ipc_task *
take_caller(struct endpoint *endpoint)
{
	struct ipc_task *caller;

	if (!(endpoint->bitmap & ~EVENTS_WAIT))
		return NULL;
	caller = list_first(&endpoint->callers[first_bit(endpoint->bitmap)],
			    struct ipc_task, link);
	unqueue_caller(caller);
	return caller;
}

/* ---- Partners that went away ------------------------------------------ */

bool
can_hear(const struct endpoint *endpoint)
{
	const struct notification *bound = endpoint->bound;

	return endpoint->senders || (bound && (bound->signallers || bound->bits));
}

/* One whose wait would never end. Events wait for nobody. */
static struct ipc_task *
take_hopeless(struct endpoint *endpoint)
{
	struct ipc_task *waiter = NULL;

	if (!endpoint->receivers)
		waiter = take_caller(endpoint);
	if (!waiter && (!endpoint->receivers || !can_hear(endpoint)))
		waiter = take_receiver(endpoint);
	return waiter;
}

/* False: there is nothing more to end. */
static bool
hang_up_once(struct endpoint *endpoint)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct ipc_task *waiter = take_hopeless(endpoint);
	bool more = waiter;

	if (waiter)
		ipc_finish(waiter, -EPIPE);
	else if (!endpoint->receivers)
		more = drop_event(endpoint);
	spin_unlock_irqrestore(&ipc_lock, flags);
	return more;
}

void
endpoint_hang_up(struct endpoint *endpoint)
{
	while (hang_up_once(endpoint))
		cond_resched();
}

static void
endpoint_opened(struct object *object, u32 rights)
{
	struct endpoint *endpoint = to_endpoint(object);

	endpoint->senders += !!(rights & LODGER_RIGHT_CALL);
	endpoint->receivers += !!(rights & LODGER_RIGHT_RECV);
}

static void
endpoint_closed(struct object *object, u32 rights)
{
	struct endpoint *endpoint = to_endpoint(object);
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);

	endpoint->senders -= !!(rights & LODGER_RIGHT_CALL);
	endpoint->receivers -= !!(rights & LODGER_RIGHT_RECV);
	spin_unlock_irqrestore(&ipc_lock, flags);
	endpoint_hang_up(endpoint);
}

/* Tasks that served it may live on. */
static void
forget_servers(struct endpoint *endpoint)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);

	while (!list_empty(&endpoint->servers)) {
		stop_serving(list_first(&endpoint->servers, struct ipc_task,
					serves_link));
		spin_unlock_irqrestore(&ipc_lock, flags);
		flags = spin_lock_irqsave(&ipc_lock);
	}
	spin_unlock_irqrestore(&ipc_lock, flags);
}

static void
endpoint_release(struct object *object)
{
	struct endpoint *endpoint = to_endpoint(object);

	ASSERT(!endpoint->bitmap && list_empty(&endpoint->receiving));
	ASSERT(!endpoint->senders && !endpoint->receivers && !endpoint->bound);
	forget_servers(endpoint);
	kfree(endpoint);
}

const struct object_ops endpoint_ops = {
	.type = LODGER_ENDPOINT,
	.opened = endpoint_opened,
	.closed = endpoint_closed,
	.release = endpoint_release,
};

/* ---- Making ----------------------------------------------------------- */

enum {
	ENDPOINT_RIGHTS = LODGER_RIGHT_CALL | LODGER_RIGHT_RECV |
			  LODGER_RIGHT_DUPLICATE | LODGER_RIGHT_TRANSFER,
};

long
native_endpoint_create(void)
{
	static atomic64_t last_id;
	struct endpoint *endpoint = kzalloc(sizeof(*endpoint));

	if (!endpoint)
		return -ENOMEM;
	endpoint->id = atomic64_add_return(&last_id, 1);
	object_init(&endpoint->object, &endpoint_ops);
	for (unsigned prio = 0; prio < NR_PRIORITIES; prio++)
		list_init(&endpoint->callers[prio]);
	list_init(&endpoint->receiving);
	list_init(&endpoint->events);
	list_init(&endpoint->servers);
	return handle_create(&endpoint->object, ENDPOINT_RIGHTS);
}
