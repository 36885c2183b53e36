/*
 * The calls that carry messages; kernel/abi_ipc.h says what they promise.
 *
 * Each is a loop around one attempt: the attempt takes ipc_lock once, finds
 * its handle, and either completes with a partner that waits already, or
 * begins to wait. -ERETRY is a partner's way to say: that was not about you,
 * begin again.
 */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/ipc/deliver.h"
#include "kernel/ipc/notification.h"
#include "kernel/personality.h"
#include "mm/slab.h"

/* ---- What the registers say ------------------------------------------- */

static u64
deadline_of(const struct regs *regs)
{
	u64 timeout = timeout_of(regs);
	u64 now;

	if (likely(timeout == LODGER_FOREVER))
		return ~0ul;
	now = arch_time_ns();
	return timeout > ~0ul - now ? ~0ul : now + timeout;
}

/* ---- The caller's own record ------------------------------------------ */

static struct reply *
reply_alloc(void)
{
	struct reply *reply = kzalloc(sizeof(*reply));

	if (reply) {
		object_init(&reply->object, &reply_ops);
		reply->lent = NR_PRIORITIES;
	}
	return reply;
}

struct ipc_task *
ipc_make_record(void)
{
	struct ipc_task *me = kzalloc(sizeof(*me));
	irq_flags_t flags;

	if (!me)
		return NULL;
	me->reply = reply_alloc();
	if (!me->reply) {
		kfree(me);
		return NULL;
	}
	me->task = current;
	me->own_prio = current->prio;
	me->regs = task_regs(current);
	handle_place_init(&me->calls);
	handle_place_init(&me->receives);
	handle_place_init(&me->signals);
	handle_place_init(&me->answers);
	flags = spin_lock_irqsave(&ipc_lock);
	current->ipc = me;
	spin_unlock_irqrestore(&ipc_lock, flags);
	return me;
}

static int
replace_reply(struct ipc_task *me)
{
	struct reply *reply = reply_alloc();
	struct reply *old = me->reply;

	if (!reply)
		return -ENOMEM;
	me->reply = reply;
	object_put(&old->object);
	return 0;
}

/* ---- What they have in common ------------------------------------------ */

/* An attempt: what has to be done when its locked part is over. */
struct attempt {
	irq_flags_t flags;
	struct ipc_task *woken; /* its wait is over: to be woken */
	struct reply *dead;	/* the last reference, to be put */
	bool waits;		/* begins to wait itself */
};

static inline void
begin(struct attempt *attempt)
{
	attempt->woken = NULL;
	attempt->dead = NULL;
	attempt->waits = false;
	attempt->flags = spin_lock_irqsave(&ipc_lock);
}

/* Ends the locked part, and waits if that was the outcome. */
static inline long
finish(struct ipc_task *me, struct attempt *attempt, u64 deadline, long result)
{
	if (likely(attempt->waits))
		return ipc_sleep_after(me, deadline, attempt->woken,
				       attempt->flags);
	if (attempt->woken)
		wake_up_task(attempt->woken->task);
	spin_unlock_irqrestore(&ipc_lock, attempt->flags);
	return result;
}

/* ---- call ------------------------------------------------------------- */

int
ipc_send_more(struct ipc_task *me, struct ipc_task *to)
{
	struct ipc_task *at_fault;
	int err;

	to->phase = IPC_CLAIMED;
	err = message_transfer(me, to, &at_fault);
	if (!err)
		return 0;
	ipc_finish(to, at_fault == to ? err : -ERETRY);
	return at_fault == to ? -ERETRY : err;
}

static __noinline int
wait_in_queue(struct ipc_task *me, struct endpoint *endpoint)
{
	if (would_deadlock(me, endpoint) ||
	    (me->reflected && only_own_receivers(endpoint)))
		return -EDEADLK;
	queue_caller(endpoint, me);
	return 0;
}

/* Hands the call to a receiver or to the queue. ipc_lock held; let go for a
 * buffer. */
static inline int
begin_call(struct ipc_task *me, struct endpoint *endpoint, u64 badge,
	   struct attempt *attempt)
{
	struct ipc_task *to;
	int err = 0;

	if (unlikely(!endpoint->receivers))
		return -EPIPE;
	me->badge = badge;
	to = take_receiver(endpoint);
	if (unlikely(!to))
		err = wait_in_queue(me, endpoint);
	else if (unlikely(sends_more(me)))
		err = ipc_send_more(me, to);
	if (unlikely(err))
		return err;
	attempt->waits = true;
	if (likely(to)) {
		attempt->woken = to;
		ipc_end(to, deliver_call(me, to));
	}
	return 0;
}

/* A server may still have a handle for an earlier call, which was given up. */
static inline int
own_reply(struct ipc_task *me)
{
	return likely(READ_ONCE(me->reply->object.refs) == 1)
	       ? 0 : replace_reply(me);
}

static inline long
call_once(struct ipc_task *me, u64 deadline)
{
	struct attempt attempt;
	struct handle *handle;
	int err = own_reply(me);

	if (unlikely(err))
		return err;
	begin(&attempt);
	handle = get_handle(handle_of(me->regs), &endpoint_ops,
			    LODGER_RIGHT_CALL);
	err = unlikely(IS_ERR(handle))
	      ? PTR_ERR(handle)
	      : begin_call(me, to_endpoint(handle->object), handle->badge,
			   &attempt);
	return finish(me, &attempt, deadline, err);
}

static long
ipc_call(struct ipc_task *me)
{
	u64 deadline = deadline_of(me->regs);
	long result;

	me->label = label_of(me->regs);
	do
		result = call_once(me, deadline);
	while (unlikely(result == -ERETRY));
	return result;
}

/* Words alone: it is never to be begun again. */
long
ipc_reflect_general(struct ipc_task *me)
{
	struct attempt attempt;
	int err = own_reply(me);

	if (err)
		return err;
	begin(&attempt);
	err = begin_call(me, current->process->personality, me->badge,
			 &attempt);
	return finish(me, &attempt, ~0ul, err);
}

/* ---- recv ------------------------------------------------------------- */

/* A caller that waited in the queue, with a buffer or handles. */
static long
accept_more(struct ipc_task *me, struct ipc_task *from,
	    struct attempt *attempt)
{
	struct ipc_task *at_fault;
	long result;
	int err;

	/* The lock is let go: nobody can be owed a wake-up meanwhile. */
	if (attempt->woken)
		wake_up_task(attempt->woken->task);
	attempt->woken = NULL;
	from->phase = IPC_CLAIMED;
	err = message_transfer(from, me, &at_fault);
	if (!err) {
		result = deliver_call(from, me);
		wake_up_task(from->task); /* its time may be over by now */
		return result;
	}
	ipc_finish(from, at_fault == from ? err : -ERETRY);
	return at_fault == from ? -ERETRY : err;
}

/* A slot for the reply handle, unless there is one from the last attempt. */
static inline bool
reserve_reply(struct ipc_task *me)
{
	if (!me->slot) {
		me->slot = handle_take_slot(current->process->handles);
		if (me->slot)
			handle_locate(&me->answers, me->slot);
	}
	return me->slot;
}

/* Takes what is there, or begins to wait. ipc_lock held. */
static inline long
begin_recv(struct ipc_task *me, u32 number, struct attempt *attempt)
{
	struct handle *handle = get_handle(number, &endpoint_ops,
					   LODGER_RIGHT_RECV);
	struct endpoint *endpoint;
	struct ipc_task *from;

	if (unlikely(IS_ERR(handle)))
		return PTR_ERR(handle);
	if (unlikely(!reserve_reply(me)))
		return -EMFILE; /* so far: receive() */
	endpoint = to_endpoint(handle->object);
	if (unlikely(me->serves != endpoint)) {
		if (unlikely(would_serve_itself(endpoint)))
			return -EDEADLK;
		start_serving(me, endpoint);
	}
	if (unlikely(endpoint->bitmap & EVENTS_WAIT))
		return receive_event(endpoint, me);
	if (endpoint->bound && take_bits(endpoint->bound, me)) {
		regs_set_badge(me->regs, 0);
		return 0;
	}
	from = take_caller(endpoint);
	if (unlikely(from))
		return sends_more(from) ? accept_more(me, from, attempt)
					: deliver_call(from, me);
	if (unlikely(!can_hear(endpoint)))
		return -EPIPE;
	me->phase = IPC_RECEIVING;
	list_add_tail(&endpoint->receiving, &me->link);
	attempt->waits = true;
	return 0;
}

static long
recv_once(struct ipc_task *me, u32 number, u64 deadline)
{
	struct attempt attempt;
	long result;

	begin(&attempt);
	result = begin_recv(me, number, &attempt);
	return finish(me, &attempt, deadline, result);
}

/* After the first attempt has come to @result: until there is a better one. */
static __noinline long
receive_again(struct ipc_task *me, u32 number, u64 deadline, long result)
{
	int err = 0;

	while (!err && (result == -ERETRY || result == -EMFILE)) {
		if (result == -EMFILE)
			err = handles_grow(current->process);
		result = err ? err : recv_once(me, number, deadline);
	}
	if (me->slot) {
		handle_unreserve(current->process, me->slot);
		me->slot = 0;
	}
	return result;
}

long
ipc_receive_end(struct ipc_task *me, long result)
{
	return receive_again(me, endpoint_of(me->regs), ~0ul, result);
}

static long
ipc_recv(struct ipc_task *me)
{
	u64 deadline = deadline_of(me->regs);
	u32 number = handle_of(me->regs);
	long result = recv_once(me, number, deadline);

	if (unlikely(me->slot || result == -EMFILE))
		result = receive_again(me, number, deadline, result);
	return result;
}

/* ---- reply ------------------------------------------------------------ */

/* The reply handle is used up, if it still is where it was. */
static void
use_up(struct reply *reply, u32 number)
{
	struct handle_table *table = current->process->handles;
	struct handle *handle = find_handle(table, number);

	if (!handle || handle->object != &reply->object)
		return;
	handle_free_slot(table, number);
	reply->object.refs--; /* not the last: see who calls */
}

/* The caller's own reference on @reply stays. */
static void
finish_call(struct ipc_task *me, struct reply *reply, long result,
	    struct attempt *attempt)
{
	use_up(reply, handle_of(me->regs));
	attempt->woken = reply->caller;
	settle(reply);
	end_call(me, reply, result);
}

/* The server's fault: the caller waits on, unless the handle is gone. */
static void
resume_caller(struct reply *reply, struct ipc_task *to)
{
	if (reply->abandoned) {
		reply->caller = NULL;
		settle(reply);
		ipc_finish(to, -EPIPE);
		return;
	}
	to->phase = IPC_TAKEN;
	wake_up_task(to->task); /* it may have been told to die */
}

/* With a buffer or handles. The handle may be closed meanwhile: it is no
 * longer what keeps the object. */
static int
reply_more(struct ipc_task *me, struct reply *reply, struct attempt *attempt)
{
	struct ipc_task *to = reply->caller, *at_fault;
	int err;

	to->phase = IPC_CLAIMED;
	reply->abandoned = false;
	err = message_transfer(me, to, &at_fault);
	if (!err)
		finish_call(me, reply, label_of(me->regs), attempt);
	else if (at_fault == to)
		finish_call(me, reply, err, attempt);
	else
		resume_caller(reply, to);
	return at_fault == me ? err : 0;
}

/* The caller has given up: perhaps the handle's reference is the last one. */
static int
reply_to_nobody(struct ipc_task *me, struct reply *reply,
		struct attempt *attempt)
{
	object_get(&reply->object);
	use_up(reply, handle_of(me->regs));
	attempt->dead = reply;
	return -ESRCH;
}

/* ipc_lock held. */
static inline int
begin_reply(struct ipc_task *me, struct attempt *attempt)
{
	struct handle *handle = get_handle(handle_of(me->regs), &reply_ops,
					   LODGER_RIGHT_REPLY);
	struct reply *reply;

	if (unlikely(IS_ERR(handle)))
		return PTR_ERR(handle);
	reply = container_of(handle->object, struct reply, object);
	if (unlikely(!reply->caller))
		return reply_to_nobody(me, reply, attempt);
	if (unlikely(reply->caller->phase != IPC_TAKEN))
		return -EBUSY;
	if (unlikely(reply->caller->reflected)) {
		int err = check_answer(me, reply->caller);

		if (err)
			return err;
	} else if (unlikely(sends_more(me))) {
		return reply_more(me, reply, attempt);
	}
	finish_call(me, reply, label_of(me->regs), attempt);
	return 0;
}

static long
ipc_reply(struct ipc_task *me)
{
	struct attempt attempt;
	long result;

	begin(&attempt);
	result = finish(me, &attempt, 0, begin_reply(me, &attempt));
	if (unlikely(attempt.dead))
		object_put(&attempt.dead->object);
	return result;
}

static long
ipc_reply_recv(struct ipc_task *me)
{
	u64 deadline = deadline_of(me->regs);
	u32 number = endpoint_of(me->regs);
	struct attempt attempt;
	long result;

	begin(&attempt);
	result = begin_reply(me, &attempt);
	if (likely(!result))
		result = begin_recv(me, number, &attempt);
	result = finish(me, &attempt, deadline, result);
	if (unlikely(attempt.dead))
		object_put(&attempt.dead->object);
	if (unlikely(me->slot || result == -EMFILE))
		result = receive_again(me, number, deadline, result);
	return result;
}

/* ---- wait ------------------------------------------------------------- */

static long
ipc_wait(struct ipc_task *me)
{
	return ipc_wait_bits(me, handle_of(me->regs), deadline_of(me->regs));
}

/* ---- All of them ------------------------------------------------------ */

typedef long (*message_call_t)(struct ipc_task *me);

static const message_call_t message_calls[] = {
	[LODGER_call - LODGER_call] = ipc_call,
	[LODGER_recv - LODGER_call] = ipc_recv,
	[LODGER_reply - LODGER_call] = ipc_reply,
	[LODGER_reply_recv - LODGER_call] = ipc_reply_recv,
	[LODGER_wait - LODGER_call] = ipc_wait,
};

long
ipc_general(struct ipc_task *me)
{
	if (label_of(me->regs) >> 31)
		return -EINVAL;
	return message_calls[regs_syscall(me->regs) - LODGER_call](me);
}
