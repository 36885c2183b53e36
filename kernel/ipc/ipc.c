/*
 * Waiting for a partner, and giving up. See kernel/ipc/ipc.h.
 *
 * A partner wakes a waiter under ipc_lock, and every task takes that lock once
 * more before it ends: so a waiter need not, and yet cannot be gone while it
 * is being woken.
 */
#include "kernel/ipc/ipc.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/ipc/inherit.h"
#include "kernel/process.h"
#include "mm/slab.h"

/* ---- The end of a wait ------------------------------------------------- */

/* Off whatever list it is on. False: a partner is at work on the message, and
 * will end the wait, or wake us when it is done. */
static bool
leave(struct ipc_task *me)
{
	switch (me->phase) {
	case IPC_QUEUED:
		unqueue_caller(me);
		return true;
	case IPC_TAKEN:
		me->reply->caller = NULL;
		settle(me->reply);
		withdraw_event(&me->cancel);
		return true;
	case IPC_RECEIVING:
	case IPC_WAITING:
		list_unlink(&me->link);
		return true;
	default:
		return false;
	}
}

/* ---- The reply object ------------------------------------------------- */

/* The server closes the handle, or dies, without an answer. */
static void
reply_closed(struct object *object, u32 rights)
{
	struct reply *reply = container_of(object, struct reply, object);
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct ipc_task *caller = reply->caller;

	(void)rights;
	reply->abandoned = true;
	if (caller && caller->phase == IPC_TAKEN) {
		leave(caller);
		ipc_finish(caller, caller->reflected ? -EIO : -EPIPE);
	}
	spin_unlock_irqrestore(&ipc_lock, flags);
}

static void
reply_release(struct object *object)
{
	struct reply *reply = container_of(object, struct reply, object);

	ASSERT(!reply->caller && !reply->server);
	kfree(reply);
}

const struct object_ops reply_ops = {
	.type = LODGER_REPLY,
	.closed = reply_closed,
	.release = reply_release,
};

/* ---- Waiting ---------------------------------------------------------- */

/* Its server has the call, and is asked to answer it. */
static void
ask_to_cancel(struct ipc_task *me)
{
	me->may_cancel = false;
	me->cancel.label = LODGER_CANCEL;
	me->cancel.badge = me->badge;
	post_event(me->task->process->personality, &me->cancel);
}

static void
give_up(struct ipc_task *me, long why)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);

	if (why == -ERESTARTNOINTR && me->phase == IPC_TAKEN) {
		ask_to_cancel(me);
	} else if (leave(me)) {
		me->result = why;
		me->phase = IPC_IDLE;
	}
	spin_unlock_irqrestore(&ipc_lock, flags);
}

static int
reason_to_give_up(const struct ipc_task *me, u64 deadline)
{
	if (READ_ONCE(current->kill_signal))
		return -EINTR;
	if (me->may_cancel && signal_pending(current))
		return -ERESTARTNOINTR;
	if (deadline != ~0ul && arch_time_ns() >= deadline)
		return -ETIMEDOUT;
	return 0;
}

/* Claimed with its time over, it sleeps until the partner wakes it. */
long
ipc_sleep(struct ipc_task *me, u64 deadline)
{
	for (;;) {
		int why;

		set_current_state(TASK_SLEEPING);
		if (load_acquire(&me->phase) == IPC_IDLE)
			break;
		why = reason_to_give_up(me, deadline);
		if (!why) {
			schedule_until(deadline);
			continue;
		}
		give_up(me, why);
		if (load_acquire(&me->phase) == IPC_IDLE)
			break;
		schedule();
	}
	set_current_state(TASK_RUNNABLE);
	return me->result;
}

/* The common case: @next takes over this CPU, or whoever is next, and the next
 * thing to happen here is that somebody has ended our wait. A deadline needs a
 * timer. */
long
ipc_sleep_after(struct ipc_task *me, u64 deadline, struct ipc_task *next,
		irq_flags_t flags)
{
	if (deadline == ~0ul && next) {
		switch_to_sleeper(next->task, &ipc_lock);
	} else if (deadline == ~0ul) {
		switch_to_next(&ipc_lock);
	} else {
		if (next)
			wake_up_task(next->task);
		spin_unlock(&ipc_lock);
	}
	arch_irq_restore(flags);
	return likely(load_acquire(&me->phase) == IPC_IDLE)
	       ? me->result
	       : ipc_sleep(me, deadline);
}

/* ---- The end ---------------------------------------------------------- */

void
ipc_task_exit(void)
{
	struct ipc_task *me = current->ipc;
	irq_flags_t flags;

	if (!me)
		return;
	ASSERT(me->phase == IPC_IDLE && !me->reflected && !me->building);
	object_put(&me->reply->object);
	flags = spin_lock_irqsave(&ipc_lock);
	stop_serving(me);
	current->ipc = NULL;
	me->task = NULL;
	if (!me->debts)
		kfree(me);
	spin_unlock_irqrestore(&ipc_lock, flags);
}
