/*
 * What must be true of handles and of those who wait for one another, whenever
 * the world stands still. As in invariants.c the sums are taken anew: from all
 * tables, and from all tasks.
 *
 *	J1  an object's references are its handles, and what tasks, bindings and
 *	    personalities hold
 *	J2  an endpoint's senders and receivers are the handles with the right,
 *	    and personalities; a notification's signallers and waiters likewise
 *	J3  nobody waits without hope: for a call that was received there is a
 *	    reply handle; for one in the queue, a receiver; for a receiver,
 *	    somebody to hear
 *	J4  an endpoint has no callers, or events, and receivers waiting at the
 *	    same time; nor events when nobody can receive
 *	J5  a server's debts are the calls that it received, and what it was
 *	    lent is what their callers say
 *	J6  who has a personality has a record for its end; calls that go there
 *	    lead to no endpoint that the process itself serves
 *	J7  a reflected call is at its process's personality; what asks for its
 *	    end is posted there, once, while it has no answer
 */
#include "kernel/base/assert.h"
#include "kernel/invariants.h"
#include "kernel/ipc/notification.h"
#include "kernel/objects/console.h"
#include "kernel/objects/interrupt.h"
#include "kernel/objects/process_object.h"
#include "kernel/personality.h"

static u64 epoch;

static const char *
type_name(const struct object *object)
{
	static const char *const names[] = {
		[LODGER_ENDPOINT] = "endpoint",
		[LODGER_REPLY] = "reply",
		[LODGER_NOTIFICATION] = "notification",
		[LODGER_MM] = "mm",
		[LODGER_BUILDING] = "building",
		[LODGER_MEMORY] = "memory object",
		[LODGER_PORTS] = "port range",
		[LODGER_INTERRUPT] = "interrupt",
		[LODGER_PROCESS] = "process",
	};

	return names[object->ops->type];
}

/* ---- Sums ------------------------------------------------------------- */

static void add_object(struct object *object);

static void
add_ref(struct object *object)
{
	if (object->check.epoch != epoch) {
		object->check.epoch = epoch;
		object->check.refs = 0;
		object->check.rights[0] = object->check.rights[1] = 0;
	}
	object->check.refs++;
}

/* An interrupt, a process or the log that signals counts as a handle with
 * SIGNAL. */
static void
add_signaller(struct notification *notification)
{
	if (!notification)
		return;
	add_object(&notification->object);
	notification->object.check.rights[0]++;
}

/* What an object that was met for the first time refers to. */
static void
add_bound(struct object *object)
{
	if (object->ops == &notification_ops && to_notification(object)->bound)
		add_object(&to_notification(object)->bound->object);
	if (object->ops == &interrupt_ops)
		add_signaller(interrupt_bound(object));
	if (object->ops == &process_ops)
		add_signaller(process_watcher(object));
}

static void
add_object(struct object *object)
{
	add_ref(object);
	if (object->check.refs == 1)
		add_bound(object);
}

static void
add_handle(const struct handle *handle)
{
	struct object *object = handle->object;
	u32 rights = handle->rights;

	add_object(object);
	object->check.rights[0] +=
		!!(rights & (LODGER_RIGHT_CALL | LODGER_RIGHT_SIGNAL));
	object->check.rights[1] +=
		!!(rights & (LODGER_RIGHT_RECV | LODGER_RIGHT_WAIT));
}

typedef void (*handle_fn)(const struct handle *handle);

static void
for_each_handle(const struct handle_table *table, handle_fn fn)
{
	for (u32 i = 0; i < table->nr_chunks << HANDLE_CHUNK_SHIFT; i++)
		if (handle_slot(table, i)->object)
			fn(handle_slot(table, i));
}

/* Each process once: by its first thread. */
static struct process *
process_of(const struct task *task)
{
	struct process *process = task->process;

	if (!process || list_first(&process->threads, struct task,
				   thread_link) != task)
		return NULL;
	return process;
}

static void
add_process(const struct process *process)
{
	struct endpoint *personality = process->personality;

	if (process->handles)
		for_each_handle(process->handles, add_handle);
	if (!personality)
		return;
	add_ref(&personality->object);
	personality->object.check.rights[0]++;
}

static void
add_debt(const struct reply *reply)
{
	struct ipc_task *server = reply->server;

	if (server->check.epoch != epoch) {
		server->check.epoch = epoch;
		server->check.debts = 0;
		server->check.lent_bits = 0;
	}
	server->check.debts++;
	if (reply->lent != NR_PRIORITIES)
		server->check.lent_bits |= 1ul << reply->lent;
}

static bool
add_task(struct task *task, void *unused)
{
	const struct process *process = process_of(task);

	(void)unused;
	if (process)
		add_process(process);
	if (task->ipc)
		add_ref(&task->ipc->reply->object);
	if (task->ipc && task->ipc->reply->server)
		add_debt(task->ipc->reply);
	return true;
}

/* ---- Each object ------------------------------------------------------ */

static void
check_rights(const struct object *object, unsigned first, unsigned second)
{
	if (object->check.rights[0] != first ||
	    object->check.rights[1] != second)
		panic("J2: an %s counts %u and %u handles with its rights, "
		      "but %u and %u have them", type_name(object), first,
		      second, object->check.rights[0],
		      object->check.rights[1]);
}

static void
check_endpoint(struct endpoint *endpoint)
{
	check_rights(&endpoint->object, endpoint->senders,
		     endpoint->receivers);
	if (endpoint->bitmap && !list_empty(&endpoint->receiving))
		panic("J4: callers and receivers wait at one endpoint");
	if (!(endpoint->bitmap & EVENTS_WAIT) != list_empty(&endpoint->events) ||
	    !endpoint->nr_events != list_empty(&endpoint->events))
		panic("J4: an endpoint does not know whether it has events");
	if (!endpoint->receivers && !list_empty(&endpoint->events))
		panic("J4: events wait where nobody can receive");
}

static void
check_object(struct object *object)
{
	if (object->refs != object->check.refs)
		panic("J1: a %s has %u references, but %u handles and others "
		      "refer to it", type_name(object), object->refs,
		      object->check.refs);
	if (object->ops == &endpoint_ops)
		check_endpoint(to_endpoint(object));
	if (object->ops == &notification_ops)
		check_rights(object, to_notification(object)->signallers,
			     to_notification(object)->waiters);
}

static void
check_handle(const struct handle *handle)
{
	check_object(handle->object);
}

/* ---- Each process ----------------------------------------------------- */

static void
check_way(struct endpoint *personality, const struct process *process)
{
	const struct task *task;

	list_for_each(task, &process->threads, thread_link)
		if (task->ipc && task->ipc->serves &&
		    leads_to(personality, task->ipc->serves))
			panic("J6: calls of process %d (%s) come back to it",
			      process->pid, process->name);
}

static void
check_process(const struct process *process)
{
	struct endpoint *personality = process->personality;

	if (process->handles)
		for_each_handle(process->handles, check_handle);
	if (!personality != !process->exit_event)
		panic("J6: process %d (%s) has a personality, or a record for "
		      "its end, but not both", process->pid, process->name);
	if (!personality)
		return;
	check_object(&personality->object);
	check_way(personality, process);
}

/* ---- Each task -------------------------------------------------------- */

static bool
has_hope(const struct ipc_task *ipc)
{
	const struct reply *reply = ipc->reply;

	switch (ipc->phase) {
	case IPC_QUEUED:
		return ipc->endpoint->receivers > 0;
	case IPC_TAKEN:
		return reply->caller == ipc && reply->object.refs == 2;
	case IPC_RECEIVING:
		return can_hear(ipc->serves);
	default:
		return true;
	}
}

static void
check_debts(const struct task *task, const struct ipc_task *ipc)
{
	bool met = ipc->check.epoch == epoch;
	unsigned debts = met ? ipc->check.debts : 0;
	u64 lent = met ? ipc->check.lent_bits : 0;

	if (ipc->debts != debts || ipc->lent_bits != lent)
		panic("J5: task %d (%s) has %u debts and was lent 0x%lx, but "
		      "%u callers wait for it and lend 0x%lx", task->tid,
		      task->name, ipc->debts, ipc->lent_bits, debts, lent);
}

static void
check_reflected(const struct task *task, const struct ipc_task *ipc)
{
	const struct endpoint *personality = task->process->personality;
	const struct endpoint *asked = ipc->cancel.endpoint;

	if (ipc->phase == IPC_QUEUED && ipc->reflected &&
	    ipc->endpoint != personality)
		panic("J7: task %d (%s) does not call its personality",
		      task->tid, task->name);
	if (asked && (asked != personality || ipc->phase != IPC_TAKEN ||
		      !ipc->reflected || ipc->may_cancel))
		panic("J7: task %d (%s) asks to cancel a call in phase %d",
		      task->tid, task->name, ipc->phase);
}

static bool
check_task(struct task *task, void *unused)
{
	const struct process *process = process_of(task);

	(void)unused;
	if (process)
		check_process(process);
	if (task->ipc)
		check_debts(task, task->ipc);
	if (task->ipc)
		check_reflected(task, task->ipc);
	if (task->ipc && !has_hope(task->ipc))
		panic("J3: task %d (%s) waits in phase %d for a partner that "
		      "will not come", task->tid, task->name,
		      task->ipc->phase);
	return true;
}

void
check_ipc(void)
{
	epoch++;
	add_signaller(log_watcher());
	task_for_each(add_task, NULL);
	task_for_each(check_task, NULL);
}
