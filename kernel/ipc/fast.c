/*
 * The way that most messages take: no timeout, and a partner who waits. The
 * words go from one task's saved registers to the other's, and the CPU with
 * them; so does what a call's buffer and handles carry. Nothing here is decided
 * otherwise than in calls.c; whatever is not the common case goes there, and
 * finds nothing changed. tests/user/ipc_message.c compares the two ways.
 */
#include "kernel/base/errno.h"
#include "kernel/ipc/deliver.h"
#include "kernel/ipc/notification.h"
#include "kernel/native.h"
#include "kernel/personality.h"

/* A label of 31 bits, for ever? */
static inline bool
is_plain(const struct regs *regs)
{
	return timeout_of(regs) == LODGER_FOREVER &&
	       (s64)regs_more(regs, 0) >= 0;
}

static inline bool
has_bits(const struct endpoint *endpoint)
{
	return endpoint->bound && endpoint->bound->bits;
}

/* Nobody took over the CPU, or a signal has woken us. */
static __noinline long
wait_on(struct ipc_task *me)
{
	arch_irq_enable();
	return ipc_sleep(me, ~0ul);
}

/* After a switch, with interrupts off: how the wait ended. */
static inline long
wait_result(struct ipc_task *me)
{
	return likely(load_acquire(&me->phase) == IPC_IDLE) ? me->result
							    : wait_on(me);
}

/* The general way for @me, which holds nothing but ipc_lock. */
static __noinline void
not_so_fast(struct ipc_task *me)
{
	spin_unlock(&ipc_lock);
	arch_irq_enable();
	regs_set_result(me->regs, ipc_general(me));
	end_injection(regs_syscall(me->regs));
}

/* A call that is made now ends with the switch: somebody waits for it, and
 * inherits nothing; and no server has a handle for an earlier call, which was
 * given up. */
static inline bool
can_call(const struct ipc_task *me, const struct endpoint *endpoint)
{
	return likely(!list_empty(&endpoint->receiving)) &&
	       likely(me->reply->object.refs == 1) &&
	       likely(!lends(me, list_first(&endpoint->receiving,
					    struct ipc_task, link)));
}

/* The handle that @regs call, if that can be done now; or NULL. */
static inline struct handle *
callable(const struct regs *regs, struct ipc_task *me)
{
	struct handle *handle = quick_handle(&me->calls, handle_of(regs),
					     LODGER_RIGHT_CALL);

	return likely(handle) && can_call(me, to_endpoint(handle->object))
		       ? handle
		       : NULL;
}

static inline long
make_call(struct ipc_task *me, struct endpoint *endpoint, u32 label, u64 badge)
{
	struct ipc_task *to = take_receiver(endpoint);

	ipc_end(to, deliver_words(me, to, label, badge));
	switch_to_sleeper(to->task, &ipc_lock);
	return wait_result(me);
}

static __noinline void
refused(struct ipc_task *me, long err)
{
	if (err == -ERETRY)
		return not_so_fast(me);
	spin_unlock(&ipc_lock);
	arch_irq_enable();
	regs_set_result(me->regs, err);
	end_injection(LODGER_call);
}

/* With a message: the copy may let a caller of a better priority come. */
static __noinline void
fast_call_more(const struct regs *regs, struct ipc_task *me)
{
	struct handle *handle;
	struct ipc_task *to;
	int err = 0;

	spin_lock(&ipc_lock);
	handle = callable(regs, me);
	if (unlikely(!handle))
		return not_so_fast(me);
	me->label = label_of(regs);
	me->badge = handle->badge;
	to = take_receiver(to_endpoint(handle->object));
	if (sends_more(me))
		err = ipc_send_more(me, to);
	if (unlikely(err))
		return refused(me, err);
	ipc_end(to, deliver_call(me, to));
	switch_to_sleeper(to->task, &ipc_lock);
	regs_set_result(me->regs, wait_result(me));
	end_injection(LODGER_call);
}

static __noinline void
fast_call(const struct regs *regs, struct ipc_task *me)
{
	struct handle *handle;
	long result;

	spin_lock(&ipc_lock);
	handle = callable(regs, me);
	if (unlikely(!handle))
		return not_so_fast(me);
	result = make_call(me, to_endpoint(handle->object), label_of(regs),
			   handle->badge);
	regs_set_result(me->regs, result);
	end_injection(LODGER_call);
}

/* Of a call that the kernel makes; nobody else can change the caller's
 * personality. Interrupts are off. */
static __always_inline long
reflect(struct ipc_task *me, u32 label, bool may_cancel)
{
	const struct process *process = me->task->process;
	struct endpoint *endpoint = process->personality;
	long result;

	me->label = label;
	me->badge = (u64)process->pid << 32 | (u32)me->task->tid;
	me->reflected = true;
	me->may_cancel = may_cancel;
	spin_lock(&ipc_lock);
	if (likely(can_call(me, endpoint))) {
		result = make_call(me, endpoint, label, me->badge);
	} else {
		spin_unlock(&ipc_lock);
		arch_irq_enable();
		result = ipc_reflect_general(me);
	}
	me->reflected = false;
	me->may_cancel = false;
	return result;
}

long
ipc_reflect(struct ipc_task *me, u32 label, bool may_cancel)
{
	long result;

	arch_irq_disable();
	result = reflect(me, label, may_cancel);
	arch_irq_enable();
	return result;
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

/* Will the wait for the next call at @endpoint begin at once? */
static inline bool
can_receive(const struct ipc_task *me, const struct endpoint *endpoint)
{
	return likely(!endpoint->bitmap) && likely(!has_bits(endpoint)) &&
	       likely(endpoint->senders) && likely(me->serves == endpoint);
}

/* The caller of @reply waits for @me alone, who was lent nothing. */
static inline bool
can_answer(const struct ipc_task *me, const struct reply *reply,
	   const struct regs *regs)
{
	return likely(reply->server == me) &&
	       likely(reply->lent == NR_PRIORITIES) &&
	       likely(reply->caller->phase == IPC_TAKEN) &&
	       likely(!reply->caller->reflected || is_plain_result(regs));
}

/* The reply handle's slot is the one for the next call, too. */
static __noinline void
fast_reply_recv(const struct regs *regs, struct ipc_task *me)
{
	struct handle *handle, *recv;
	struct endpoint *endpoint;
	struct ipc_task *to;
	struct reply *reply;
	long result;

	spin_lock(&ipc_lock);
	recv = quick_handle(&me->receives, endpoint_of(regs),
			    LODGER_RIGHT_RECV);
	handle = quick_handle(&me->answers, handle_of(regs),
			      LODGER_RIGHT_REPLY);
	if (unlikely(!handle) || unlikely(!recv))
		return not_so_fast(me);
	reply = container_of(handle->object, struct reply, object);
	endpoint = to_endpoint(recv->object);
	if (unlikely(!can_receive(me, endpoint)) ||
	    unlikely(!can_answer(me, reply, regs)))
		return not_so_fast(me);
	to = reply->caller;
	handle->object = NULL;
	handle->rights = 0;
	reply->object.refs--;
	me->slot = handle_of(regs);
	settle_own(me, reply);
	end_call(me, reply, label_of(regs));
	me->phase = IPC_RECEIVING;
	list_add_tail(&endpoint->receiving, &me->link);
	switch_to_sleeper(to->task, &ipc_lock);
	result = wait_result(me);
	/* It did not end with a call? */
	if (unlikely(me->slot))
		result = ipc_receive_end(me, result);
	regs_set_result(me->regs, result);
	end_injection(LODGER_reply_recv);
}

static __noinline void
fast_wait(const struct regs *regs, struct ipc_task *me)
{
	struct notification *notification;
	struct handle *handle;

	spin_lock(&ipc_lock);
	handle = quick_handle(&me->receives, handle_of(regs),
			      LODGER_RIGHT_WAIT);
	if (unlikely(!handle))
		return not_so_fast(me);
	notification = to_notification(handle->object);
	if (unlikely(notification->bits) ||
	    unlikely(!notification->signallers))
		return not_so_fast(me);
	me->phase = IPC_WAITING;
	list_add_tail(&notification->waiting, &me->link);
	switch_to_next(&ipc_lock);
	regs_set_result(me->regs, wait_result(me));
	end_injection(LODGER_wait);
}

/* The caller's first, or no common case. Interrupts are on. */
static long
general(struct regs *regs)
{
	struct ipc_task *me = current->ipc;
	uaddr_t addr = message_of(regs);
	long result;

	if (!me)
		me = ipc_make_record();
	if (!me)
		return -ENOMEM;
	if (!addr)
		return ipc_general(me);
	result = message_begin(me, addr);
	return result ? result : message_end(me, addr, ipc_general(me));
}

static __noinline void
dispatch_general(struct regs *regs)
{
	arch_irq_enable();
	regs_set_result(regs, general(regs));
	end_injection(regs_syscall(regs));
}

/* After message_begin(). */
static inline void
message_call(struct regs *regs, struct ipc_task *me)
{
	bool replies = regs_syscall(regs) == LODGER_reply_recv;

	arch_irq_disable();
	if (regs_syscall(regs) == LODGER_call)
		return fast_call_more(regs, me);
	if (replies && likely(!sends_more(me)))
		return fast_reply_recv(regs, me);
	spin_lock(&ipc_lock);
	not_so_fast(me);
}

static __noinline void
dispatch_message(struct regs *regs, struct ipc_task *me)
{
	uaddr_t addr = message_of(regs);
	long result;

	arch_irq_enable();
	result = message_begin(me, addr);
	if (likely(!result)) {
		message_call(regs, me);
		arch_irq_enable();
		result = message_end(me, addr, regs_result(regs));
	}
	regs_set_result(regs, result);
}

void
ipc_dispatch(struct regs *regs)
{
	struct ipc_task *me = current->ipc;

	if (unlikely(!me) || unlikely(!is_plain(regs)))
		dispatch_general(regs);
	else if (unlikely(message_of(regs)))
		dispatch_message(regs, me);
	else if (regs_syscall(regs) == LODGER_call)
		fast_call(regs, me);
	else if (regs_syscall(regs) == LODGER_reply_recv)
		fast_reply_recv(regs, me);
	else if (regs_syscall(regs) == LODGER_wait)
		fast_wait(regs, me);
	else
		dispatch_general(regs);
}

static __noinline void
first_reflected(struct regs *regs)
{
	arch_irq_enable();
	regs_set_result(regs, personality_call());
	end_injection(regs_syscall(regs));
}

static __noinline void
other_answer(struct ipc_task *me, long outcome)
{
	u64 number = regs_syscall(me->regs);

	arch_irq_enable();
	regs_set_result(me->regs, personality_result(me, outcome));
	end_injection(number);
}

void
personality_dispatch(struct regs *regs)
{
	struct ipc_task *me = current->ipc;
	u64 number = regs_syscall(regs);
	long outcome;

	if (unlikely(!me))
		return first_reflected(regs);
	outcome = reflect(me, (u32)number, true);
	if (unlikely(outcome != LODGER_DONE))
		return other_answer(me, outcome);
	regs_set_result(regs, (long)me->answer[0]);
	end_injection(number);
}
