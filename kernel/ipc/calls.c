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
#include "kernel/ipc/endpoint.h"
#include "kernel/ipc/notification.h"
#include "mm/slab.h"

/* ---- What the registers say ------------------------------------------- */

static inline u32
handle_of(const struct regs *regs)
{
	return (u32)regs_more(regs, 0);
}

static inline u32
label_of(const struct regs *regs)
{
	return (u32)(regs_more(regs, 0) >> 32);
}

static inline uaddr_t
message_of(const struct regs *regs)
{
	return regs_more(regs, 1);
}

static u64
deadline_of(const struct regs *regs)
{
	u64 timeout = regs_more(regs, 2);
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

	if (reply)
		object_init(&reply->object, &reply_ops);
	return reply;
}

static __noinline struct ipc_task *
make_record(void)
{
	struct ipc_task *me = kzalloc(sizeof(*me));

	if (!me)
		return NULL;
	me->reply = reply_alloc();
	if (!me->reply) {
		kfree(me);
		return NULL;
	}
	me->task = current;
	list_init(&me->link);
	current->ipc = me;
	return me;
}

/* NULL: no memory. */
static inline struct ipc_task *
my_record(struct regs *regs)
{
	struct ipc_task *me = current->ipc;

	if (unlikely(!me))
		me = make_record();
	if (likely(me))
		me->regs = regs;
	return me;
}

/* A server still has a handle for an earlier call, which was given up. */
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

/* ---- call ------------------------------------------------------------- */

/* With @to CLAIMED. On success @to has all but the words. */
static int
send_more(struct ipc_task *me, struct ipc_task *to, irq_flags_t *flags)
{
	struct ipc_task *at_fault;
	int err;

	to->phase = IPC_CLAIMED;
	err = message_transfer(me, to, flags, &at_fault);
	if (!err)
		return 0;
	ipc_finish(to, at_fault == to ? err : -ERETRY);
	return at_fault == to ? -ERETRY : err;
}

/* Hands the call to a receiver or to the queue. ipc_lock held; let go for a
 * buffer. */
static int
begin_call(struct ipc_task *me, const struct handle *handle,
	   irq_flags_t *flags)
{
	struct endpoint *endpoint = to_endpoint(handle->object);
	struct ipc_task *to;
	int err = 0;

	if (!endpoint->receivers)
		return -EPIPE;
	me->badge = handle->badge;
	to = take_receiver(endpoint);
	if (!to) {
		queue_caller(endpoint, me);
		return 0;
	}
	if (unlikely(sends_more(me)))
		err = send_more(me, to, flags);
	if (err)
		return err;
	deliver_call(me, to);
	ipc_finish(to, to->result);
	return 0;
}

static long
call_once(struct ipc_task *me, u64 deadline)
{
	struct handle *handle;
	irq_flags_t flags;
	int err = 0;

	if (unlikely(READ_ONCE(me->reply->object.refs) != 1))
		err = replace_reply(me);
	if (err)
		return err;
	flags = spin_lock_irqsave(&ipc_lock);
	handle = get_handle(handle_of(me->regs), &endpoint_ops,
			    LODGER_RIGHT_CALL);
	err = IS_ERR(handle) ? PTR_ERR(handle)
			     : begin_call(me, handle, &flags);
	spin_unlock_irqrestore(&ipc_lock, flags);
	return err ? err : ipc_sleep(me, deadline);
}

static long
ipc_call(struct ipc_task *me)
{
	u64 deadline = deadline_of(me->regs);
	long result;

	me->label = label_of(me->regs);
	do
		result = call_once(me, deadline);
	while (result == -ERETRY);
	return result;
}

/* ---- recv ------------------------------------------------------------- */

/* A caller that waits in the queue: 0, and *@result is what recv returns. */
static int
accept_call(struct ipc_task *me, struct ipc_task *from, irq_flags_t *flags)
{
	struct ipc_task *at_fault;
	int err;

	if (likely(!sends_more(from))) {
		deliver_call(from, me);
		return 0;
	}
	from->phase = IPC_CLAIMED;
	err = message_transfer(from, me, flags, &at_fault);
	if (!err) {
		deliver_call(from, me);
		wake_up_task(from->task); /* its time may be over by now */
		return 0;
	}
	ipc_finish(from, at_fault == from ? err : -ERETRY);
	return at_fault == from ? -ERETRY : err;
}

/* Takes what is there, or waits: then *waits. ipc_lock held. */
static long
begin_recv(struct ipc_task *me, struct endpoint *endpoint, irq_flags_t *flags,
	   bool *waits)
{
	struct ipc_task *from;
	int err;

	if (endpoint->bound && take_bits(endpoint->bound, me)) {
		regs_set_badge(me->regs, 0);
		return 0;
	}
	from = take_caller(endpoint);
	if (from) {
		err = accept_call(me, from, flags);
		return err ? err : me->result;
	}
	if (!endpoint->receivers || !can_hear(endpoint))
		return -EPIPE;
	me->endpoint = endpoint;
	me->phase = IPC_RECEIVING;
	list_add_tail(&endpoint->receiving, &me->link);
	*waits = true;
	return 0;
}

/* A slot for the reply handle, unless there is one from the last attempt. */
static bool
reserve_reply(struct ipc_task *me)
{
	me->table = current->process->handles;
	if (!me->slot)
		me->slot = handle_take_slot(me->table);
	return me->slot;
}

static long
recv_once(struct ipc_task *me, u32 number, u64 deadline)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle *handle = get_handle(number, &endpoint_ops,
					   LODGER_RIGHT_RECV);
	bool waits = false;
	long result;

	if (IS_ERR(handle))
		result = PTR_ERR(handle);
	else if (unlikely(!reserve_reply(me)))
		result = -EMFILE; /* so far */
	else
		result = begin_recv(me, to_endpoint(handle->object), &flags,
				    &waits);
	spin_unlock_irqrestore(&ipc_lock, flags);
	if (waits)
		return ipc_sleep(me, deadline);
	if (unlikely(result == -EMFILE)) {
		result = handles_grow(current->process);
		return result ? result : -ERETRY;
	}
	return result;
}

static long
receive(struct ipc_task *me, u32 number)
{
	u64 deadline = deadline_of(me->regs);
	long result;

	do
		result = recv_once(me, number, deadline);
	while (result == -ERETRY);
	if (unlikely(me->slot)) {
		handle_unreserve(current->process, me->slot);
		me->slot = 0;
	}
	return result;
}

static long
ipc_recv(struct ipc_task *me)
{
	return receive(me, handle_of(me->regs));
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

/* The caller's wait ends; its own reference on @reply stays. */
static void
finish_call(struct ipc_task *me, struct reply *reply, long result)
{
	struct ipc_task *to = reply->caller;

	if (result >= 0)
		regs_copy_words(to->regs, me->regs);
	reply->caller = NULL;
	use_up(reply, handle_of(me->regs));
	ipc_finish(to, result);
}

/* The server's fault: the caller waits on, unless the handle is gone. */
static void
resume_caller(struct reply *reply, struct ipc_task *to)
{
	if (reply->abandoned) {
		reply->caller = NULL;
		ipc_finish(to, -EPIPE);
		return;
	}
	to->phase = IPC_TAKEN;
	wake_up_task(to->task); /* it may have been told to die */
}

/* With a buffer or handles. The handle may be closed meanwhile: it is no
 * longer what keeps the object. */
static int
reply_more(struct ipc_task *me, struct reply *reply, irq_flags_t *flags)
{
	struct ipc_task *to = reply->caller, *at_fault;
	int err;

	to->phase = IPC_CLAIMED;
	err = message_transfer(me, to, flags, &at_fault);
	if (!err)
		finish_call(me, reply, label_of(me->regs));
	else if (at_fault == to)
		finish_call(me, reply, err);
	else
		resume_caller(reply, to);
	return at_fault == me ? err : 0;
}

/* ipc_lock held. -ESRCH: the caller has given up, which is what made the
 * handle's reference the last one: *dead is the caller's to put. */
static int
answer(struct ipc_task *me, struct reply *reply, irq_flags_t *flags,
       struct reply **dead)
{
	struct ipc_task *to = reply->caller;

	if (unlikely(!to)) {
		object_get(&reply->object);
		use_up(reply, handle_of(me->regs));
		*dead = reply;
		return -ESRCH;
	}
	if (unlikely(to->phase != IPC_TAKEN))
		return -EBUSY;
	if (unlikely(sends_more(me)))
		return reply_more(me, reply, flags);
	finish_call(me, reply, label_of(me->regs));
	return 0;
}

static long
ipc_reply(struct ipc_task *me)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle *handle = get_handle(handle_of(me->regs), &reply_ops,
					   LODGER_RIGHT_REPLY);
	struct reply *dead = NULL;
	int err;

	if (IS_ERR(handle))
		err = PTR_ERR(handle);
	else
		err = answer(me, container_of(handle->object, struct reply,
					      object), &flags, &dead);
	spin_unlock_irqrestore(&ipc_lock, flags);
	if (unlikely(dead))
		object_put(&dead->object);
	return err;
}

static long
ipc_reply_recv(struct ipc_task *me)
{
	long err = ipc_reply(me);

	return err ? err : receive(me, (u32)regs_more(me->regs, 3));
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

static __noinline long
dispatch_message(struct ipc_task *me, message_call_t call)
{
	uaddr_t addr = message_of(me->regs);
	int err = message_begin(me, addr);

	return err ? err : message_end(me, addr, call(me));
}

long
ipc_dispatch(struct regs *regs)
{
	struct ipc_task *me = my_record(regs);
	message_call_t call = message_calls[regs_syscall(regs) - LODGER_call];

	if (unlikely(!me))
		return -ENOMEM;
	if (unlikely(label_of(regs) >> 31))
		return -EINVAL;
	if (unlikely(message_of(regs)))
		return dispatch_message(me, call);
	return call(me);
}
