/*
 * The parts of a message that are not in registers. A receiver reserves the
 * slots for incoming handles beforehand, so that moving them cannot fail for
 * want of room; the sender's are looked at, all of them, before one moves.
 */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/ipc/ipc.h"
#include "mm/mm.h"
#include "mm/remote.h"
#include "mm/usercopy.h"
#include "sched/reaper.h"

/* ---- Beginning and end, by its owner ---------------------------------- */

static int
check_sizes(const struct lodger_message *message)
{
	if (message->send_len > LODGER_BUFFER_MAX ||
	    message->recv_len > LODGER_BUFFER_MAX ||
	    message->nr_send > LODGER_MESSAGE_HANDLES ||
	    message->nr_recv > LODGER_MESSAGE_HANDLES)
		return -EMSGSIZE;
	return 0;
}

static void
free_slots(struct ipc_task *me, u32 from)
{
	for (u32 i = from; i < me->handles_room; i++)
		handle_unreserve(current->process, me->message.recv_handles[i]);
	me->handles_room = 0;
}

static int
reserve_slots(struct ipc_task *me)
{
	struct lodger_message *message = &me->message;
	u32 room = message->nr_recv;

	for (me->handles_room = 0; me->handles_room < room;) {
		long slot = handle_reserve(current->process);

		if (slot < 0) {
			free_slots(me, 0);
			return (int)slot;
		}
		message->recv_handles[me->handles_room++] = (u32)slot;
	}
	return 0;
}

int
message_begin(struct ipc_task *me, uaddr_t addr)
{
	struct lodger_message *message = &me->message;
	int err;

	if (copy_from_user(message, addr, sizeof(*message)))
		return -EFAULT;
	err = check_sizes(message);
	if (!err)
		err = reserve_slots(me);
	if (err)
		return err;
	me->got_len = 0;
	me->got_handles = 0;
	message->peer_room = 0;
	me->has_message = true;
	return 0;
}

/* What came is of no use to a program that cannot be told of it. */
static void
throw_away(struct ipc_task *me, long result)
{
	for (u32 i = 0; i < me->got_handles; i++)
		native_handle_close(me->message.recv_handles[i]);
	if (result >> 32)
		native_handle_close((u32)(result >> 32));
}

/* A call that has room for nothing: its message is as it was. What receives
 * learns of its caller's room, too. */
static bool
has_nothing_to_tell(const struct ipc_task *me)
{
	return regs_syscall(me->regs) == LODGER_call &&
	       !me->message.recv_len && !me->message.nr_recv;
}

long
message_end(struct ipc_task *me, uaddr_t addr, long result)
{
	struct lodger_message *message = &me->message;

	me->has_message = false;
	free_slots(me, me->got_handles);
	if (result < 0 || has_nothing_to_tell(me))
		return result;
	message->recv_len = me->got_len;
	message->nr_recv = me->got_handles;
	if (!copy_to_user(addr, message, sizeof(*message)))
		return result;
	throw_away(me, result);
	return -EFAULT;
}

/* ---- Between the two -------------------------------------------------- */

/* The other side's address space stays for the one operation; should all of
 * its own users have left by then, the reaper tears it down. */
static int
copy_buffer(struct ipc_task *from, struct ipc_task *to, struct mm *theirs,
	    struct ipc_task **at_fault)
{
	const struct lodger_message *source = &from->message;
	bool writes = from->task == current;
	bool remote = false;
	int err;

	if (writes)
		err = mm_copy_out(theirs, to->message.recv_buf,
				  source->send_buf, source->send_len, &remote);
	else
		err = mm_copy_in(theirs, source->send_buf,
				 to->message.recv_buf, source->send_len,
				 &remote);
	*at_fault = remote == writes ? to : from;
	return err;
}

/* ipc_lock held, and let go for the copy, which may sleep. The claimed side
 * cannot leave, so its address space has a user now. */
static int
transfer_buffer(struct ipc_task *from, struct ipc_task *to,
		struct ipc_task **at_fault)
{
	struct task *other = from->task == current ? to->task : from->task;
	struct mm *theirs = other->mm;
	int err;

	if (!mmget_not_zero(theirs, current))
		panic("task %d waits in IPC, and nobody lives in its mm %lu",
		      other->tid, theirs->id);
	spin_unlock(&ipc_lock);
	arch_irq_enable();
	err = copy_buffer(from, to, theirs, at_fault);
	mmput_by_reaper(theirs, current);
	arch_irq_disable();
	spin_lock(&ipc_lock);
	return err;
}

static int
check_handle(const struct ipc_task *from, u32 i)
{
	const u32 *numbers = from->message.send_handles;
	struct handle *handle = find_handle(from->task->process->handles,
					    numbers[i]);

	if (!handle)
		return -EBADF;
	if (!(handle->rights & LODGER_RIGHT_TRANSFER))
		return -EPERM;
	for (u32 j = 0; j < i; j++)
		if (numbers[j] == numbers[i])
			return -EINVAL;
	return 0;
}

static int
transfer_handles(struct ipc_task *from, struct ipc_task *to)
{
	u32 n = from->message.nr_send;

	for (u32 i = 0; i < n; i++) {
		int err = check_handle(from, i);

		if (err)
			return err;
	}
	for (u32 i = 0; i < n; i++)
		handle_move(from->task->process->handles,
			    from->message.send_handles[i],
			    to->task->process->handles,
			    to->message.recv_handles[i]);
	return 0;
}

static bool
has_room(const struct ipc_task *from, const struct ipc_task *to)
{
	return to->has_message &&
	       from->message.send_len <= to->message.recv_len &&
	       from->message.nr_send <= to->handles_room;
}

int
message_transfer(struct ipc_task *from, struct ipc_task *to,
		 struct ipc_task **at_fault)
{
	int err = 0;

	*at_fault = from;
	if (!has_room(from, to))
		return -EMSGSIZE;
	if (from->message.send_len)
		err = transfer_buffer(from, to, at_fault);
	if (err)
		return err;
	*at_fault = from;
	err = transfer_handles(from, to);
	if (err)
		return err;
	to->got_len = from->message.send_len;
	to->got_handles = from->message.nr_send;
	return 0;
}
