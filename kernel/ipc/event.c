/* See kernel/ipc/event.h. */
#include "kernel/ipc/event.h"

#include "kernel/base/assert.h"
#include "kernel/ipc/endpoint.h"
#include "mm/slab.h"

struct ipc_event *
exit_event_alloc(void)
{
	struct ipc_event *event = kzalloc(sizeof(*event));

	if (event)
		event->label = LODGER_EXIT;
	return event;
}

/* The others are part of their task's record. */
static void
finish_event(struct ipc_event *event)
{
	if (event->label == LODGER_EXIT)
		kfree(event);
}

static void
unlink_event(struct ipc_event *event)
{
	struct endpoint *endpoint = event->endpoint;

	list_del(&event->link);
	event->endpoint = NULL;
	endpoint->nr_events--;
	if (list_empty(&endpoint->events))
		endpoint->bitmap &= ~EVENTS_WAIT;
}

static struct ipc_event *
take_event(struct endpoint *endpoint)
{
	struct ipc_event *event = list_first(&endpoint->events,
					     struct ipc_event, link);

	unlink_event(event);
	return event;
}

static long
deliver_event(struct ipc_event *event, struct ipc_task *to)
{
	long result = event->label;

	regs_set_badge(to->regs, event->badge);
	regs_set_word(to->regs, 0, event->words[0]);
	regs_set_word(to->regs, 1, event->words[1]);
	finish_event(event);
	return result;
}

void
post_event(struct endpoint *endpoint, struct ipc_event *event)
{
	struct ipc_task *to = take_receiver(endpoint);

	DEBUG_ASSERT(spin_held(&ipc_lock));
	DEBUG_ASSERT(!event->endpoint);
	if (to) {
		ipc_finish(to, deliver_event(event, to));
	} else if (endpoint->receivers) {
		event->endpoint = endpoint;
		list_add_tail(&endpoint->events, &event->link);
		endpoint->nr_events++;
		endpoint->bitmap |= EVENTS_WAIT;
	} else {
		finish_event(event);
	}
}

void
withdraw_event(struct ipc_event *event)
{
	DEBUG_ASSERT(spin_held(&ipc_lock));
	if (event->endpoint)
		unlink_event(event);
}

long
receive_event(struct endpoint *endpoint, struct ipc_task *to)
{
	DEBUG_ASSERT(spin_held(&ipc_lock));
	return deliver_event(take_event(endpoint), to);
}

bool
drop_event(struct endpoint *endpoint)
{
	DEBUG_ASSERT(spin_held(&ipc_lock));
	if (list_empty(&endpoint->events))
		return false;
	finish_event(take_event(endpoint));
	return true;
}
