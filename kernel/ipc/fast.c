/*
 * The way that most messages take: words alone, no timeout, and a partner who
 * waits. The message goes from one task's saved registers to the other's, and
 * the CPU with it. Nothing here is decided otherwise than in calls.c; whatever
 * is not the common case goes there, and finds nothing changed.
 */
#include "kernel/base/errno.h"
#include "kernel/ipc/deliver.h"
#include "kernel/ipc/notification.h"
#include "kernel/native.h"
#include "kernel/personality.h"

/* Words alone, a label of 31 bits, for ever? */
static inline bool
is_plain(const struct regs *regs)
{
	return !message_of(regs) && timeout_of(regs) == LODGER_FOREVER &&
	       (s64)regs_more(regs, 0) >= 0;
}

static inline bool
has_bits(const struct endpoint *endpoint)
{
	return endpoint->bound && endpoint->bound->bits;
}

/* ipc_lock held, interrupts off; both end here. */
static inline long
switch_and_wait(struct ipc_task *me, struct ipc_task *next)
{
	if (likely(switch_to_sleeper(next->task, &ipc_lock))) {
		arch_irq_enable();
		if (likely(load_acquire(&me->phase) == IPC_IDLE))
			return me->result;
		return ipc_sleep(me, ~0ul);
	}
	wake_up_task(next->task);
	spin_unlock(&ipc_lock);
	arch_irq_enable();
	return ipc_sleep(me, ~0ul);
}

static inline long
not_so_fast(struct ipc_task *me)
{
	spin_unlock(&ipc_lock);
	arch_irq_enable();
	return ipc_general(me);
}

static inline long
fast_call(struct ipc_task *me, const struct regs *regs)
{
	struct endpoint *endpoint;
	struct handle *handle;
	struct ipc_task *to;

	arch_irq_disable();
	spin_lock(&ipc_lock);
	handle = quick_handle(current->process->handles, handle_of(regs),
			      LODGER_RIGHT_CALL);
	if (unlikely(!handle))
		return not_so_fast(me);
	endpoint = to_endpoint(handle->object);
	if (unlikely(list_empty(&endpoint->receiving)) ||
	    unlikely(me->reply->object.refs != 1))
		return not_so_fast(me);
	to = take_receiver(endpoint);
	me->label = label_of(regs);
	me->badge = handle->badge;
	ipc_end(to, deliver_call(me, to));
	return switch_and_wait(me, to);
}

/* Of a call that the kernel makes. The same as above, but for where the endpoint
 * comes from; nobody else can change the caller's personality. */
static inline long
fast_reflect(struct ipc_task *me, struct endpoint *endpoint)
{
	struct ipc_task *to;

	arch_irq_disable();
	spin_lock(&ipc_lock);
	if (unlikely(list_empty(&endpoint->receiving)) ||
	    unlikely(me->reply->object.refs != 1)) {
		spin_unlock(&ipc_lock);
		arch_irq_enable();
		return ipc_reflect_general(me);
	}
	to = take_receiver(endpoint);
	ipc_end(to, deliver_call(me, to));
	return switch_and_wait(me, to);
}

static inline long
reflect(struct ipc_task *me, u32 label, bool may_cancel)
{
	const struct process *process = me->task->process;
	long result;

	me->label = label;
	me->badge = (u64)process->pid << 32 | (u32)me->task->tid;
	me->reflected = true;
	me->may_cancel = may_cancel;
	result = fast_reflect(me, process->personality);
	me->reflected = false;
	me->may_cancel = false;
	return result;
}

long
ipc_reflect(struct ipc_task *me, u32 label, bool may_cancel)
{
	return reflect(me, label, may_cancel);
}

/* Most answers to reflected calls; check_answer() looks at the others, which
 * may be restart codes. */
static inline bool
is_plain_result(const struct regs *regs)
{
	return label_of(regs) == LODGER_DONE &&
	       regs_arg(regs, 0) + ERESTART_RESTARTBLOCK >
		       ERESTART_RESTARTBLOCK - ERESTARTSYS;
}

/* The reply handle's slot is the one for the next call, too. */
static inline long
fast_reply_recv(struct ipc_task *me, const struct regs *regs)
{
	const struct handle_table *table;
	struct handle *handle, *recv;
	struct endpoint *endpoint;
	struct ipc_task *to;
	struct reply *reply;

	arch_irq_disable();
	spin_lock(&ipc_lock);
	table = current->process->handles;
	handle = quick_handle(table, handle_of(regs), LODGER_RIGHT_REPLY);
	recv = quick_handle(table, endpoint_of(regs), LODGER_RIGHT_RECV);
	if (unlikely(!handle) || unlikely(!recv))
		return not_so_fast(me);
	reply = container_of(handle->object, struct reply, object);
	endpoint = to_endpoint(recv->object);
	to = reply->caller;
	if (unlikely(!to) || unlikely(to->phase != IPC_TAKEN) ||
	    unlikely(endpoint->bitmap) || unlikely(has_bits(endpoint)) ||
	    unlikely(!endpoint->senders) || unlikely(me->serves != endpoint) ||
	    unlikely(to->reflected && !is_plain_result(regs)))
		return not_so_fast(me);
	handle->object = NULL;
	handle->rights = 0;
	reply->object.refs--;
	me->slot = handle_of(regs);
	end_call(me, reply, label_of(regs));
	me->phase = IPC_RECEIVING;
	list_add_tail(&endpoint->receiving, &me->link);
	return switch_and_wait(me, to);
}

static inline long
fast_wait(struct ipc_task *me, const struct regs *regs)
{
	struct notification *notification;
	struct handle *handle;
	bool woken;

	arch_irq_disable();
	spin_lock(&ipc_lock);
	handle = quick_handle(current->process->handles, handle_of(regs),
			      LODGER_RIGHT_WAIT);
	if (unlikely(!handle))
		return not_so_fast(me);
	notification = to_notification(handle->object);
	if (unlikely(notification->bits) ||
	    unlikely(!notification->signallers))
		return not_so_fast(me);
	me->phase = IPC_WAITING;
	list_add_tail(&notification->waiting, &me->link);
	woken = switch_to_next(&ipc_lock);
	if (unlikely(!woken))
		spin_unlock(&ipc_lock);
	arch_irq_enable();
	if (likely(woken) && likely(load_acquire(&me->phase) == IPC_IDLE))
		return me->result;
	return ipc_sleep(me, ~0ul);
}

/* What a wait in the fast path left, when it did not end with a call. */
static inline long
receive_end(struct ipc_task *me, long result)
{
	return likely(!me->slot) ? result : ipc_receive_end(me, result);
}

static inline long
dispatch(struct ipc_task *me, const struct regs *regs)
{
	if (likely(is_plain(regs))) {
		if (regs_syscall(regs) == LODGER_call)
			return fast_call(me, regs);
		if (regs_syscall(regs) == LODGER_reply_recv)
			return receive_end(me, fast_reply_recv(me, regs));
		if (regs_syscall(regs) == LODGER_wait)
			return fast_wait(me, regs);
	}
	return ipc_general(me);
}

void
ipc_dispatch(struct regs *regs)
{
	struct ipc_task *me = current->ipc;

	if (unlikely(!me))
		me = ipc_make_record();
	regs_set_result(regs, likely(me) ? dispatch(me, regs) : -ENOMEM);
	end_injection(regs_syscall(regs));
}

void
personality_dispatch(struct regs *regs)
{
	struct ipc_task *me = current->ipc;
	u64 number = regs_syscall(regs);
	long outcome;

	if (likely(me)) {
		outcome = reflect(me, (u32)number, true);
		regs_set_result(regs, likely(outcome == LODGER_DONE)
				      ? (long)me->answer[0]
				      : personality_result(me, outcome));
	} else {
		regs_set_result(regs, personality_call());
	}
	end_injection(number);
}
