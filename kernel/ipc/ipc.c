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
#include "kernel/ipc/endpoint.h"
#include "mm/slab.h"

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
		reply->caller = NULL;
		ipc_finish(caller, -EPIPE);
	}
	spin_unlock_irqrestore(&ipc_lock, flags);
}

static void
reply_release(struct object *object)
{
	struct reply *reply = container_of(object, struct reply, object);

	ASSERT(!reply->caller);
	kfree(reply);
}

const struct object_ops reply_ops = {
	.type = LODGER_REPLY,
	.closed = reply_closed,
	.release = reply_release,
};

/* ---- Waiting ---------------------------------------------------------- */

void
ipc_finish(struct ipc_task *ipc, long result)
{
	DEBUG_ASSERT(spin_held(&ipc_lock));
	ipc->result = result;
	store_release(&ipc->phase, IPC_IDLE);
	wake_up_task(ipc->task);
}

void
deliver_call(struct ipc_task *from, struct ipc_task *to)
{
	struct reply *reply = from->reply;

	regs_copy_words(to->regs, from->regs);
	regs_set_badge(to->regs, from->badge);
	to->result = (long)((u64)to->slot << 32 | from->label);
	if (to->has_message && from->has_message)
		to->message.peer_room = from->message.recv_len;
	reply->caller = from;
	reply->abandoned = false;
	from->phase = IPC_TAKEN;
	handle_install(to->table, to->slot, &reply->object,
		       LODGER_RIGHT_REPLY | LODGER_RIGHT_TRANSFER, 0);
	to->slot = 0;
}

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
		return true;
	case IPC_RECEIVING:
	case IPC_WAITING:
		list_del(&me->link);
		return true;
	default:
		return false;
	}
}

static void
give_up(struct ipc_task *me, long why)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);

	if (leave(me)) {
		me->result = why;
		me->phase = IPC_IDLE;
	}
	spin_unlock_irqrestore(&ipc_lock, flags);
}

static int
reason_to_give_up(u64 deadline)
{
	if (READ_ONCE(current->kill_signal))
		return -EINTR;
	if (deadline != ~0ul && arch_time_ns() >= deadline)
		return -ETIMEDOUT;
	return 0;
}

static enum ipc_phase
phase_of(const struct ipc_task *me)
{
	return load_acquire(&me->phase);
}

/* Claimed with its time over, it sleeps until the partner wakes it. */
long
ipc_sleep(struct ipc_task *me, u64 deadline)
{
	for (;;) {
		int why;

		set_current_state(TASK_SLEEPING);
		if (phase_of(me) == IPC_IDLE)
			break;
		why = reason_to_give_up(deadline);
		if (!why) {
			schedule_until(deadline);
			continue;
		}
		give_up(me, why);
		if (phase_of(me) == IPC_IDLE)
			break;
		schedule();
	}
	set_current_state(TASK_RUNNABLE);
	return me->result;
}

/* ---- The end ---------------------------------------------------------- */

void
ipc_task_exit(void)
{
	struct ipc_task *me = current->ipc;

	if (!me)
		return;
	ASSERT(me->phase == IPC_IDLE);
	current->ipc = NULL;
	/* Takes the lock: see above. */
	object_put(&me->reply->object);
	kfree(me);
}
