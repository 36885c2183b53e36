/*
 * The two moments at which a message moves, when all is said and done: the same
 * for the fast path and the others. ipc_lock held.
 */
#pragma once

#include "kernel/ipc/inherit.h"

/* @to gets the words of @from's call, and a handle to answer it with; @from is
 * TAKEN from here on. What recv returns is the result. */
static inline long
deliver_words(struct ipc_task *from, struct ipc_task *to, u32 label, u64 badge)
{
	struct reply *reply = from->reply;
	u32 slot = to->slot;

	DEBUG_ASSERT(to->answers.number == slot);
	regs_copy_words(to->regs, from->regs);
	regs_set_badge(to->regs, badge);
	from->phase = IPC_TAKEN;
	reply->caller = from;
	to->slot = 0;
	handle_fill(to->answers.handle, &reply->object,
		    LODGER_RIGHT_REPLY | LODGER_RIGHT_TRANSFER);
	owe(to, reply);
	return (long)((u64)slot << 32 | label);
}

/* The same with what only the general way has. */
static inline long
deliver_call(struct ipc_task *from, struct ipc_task *to)
{
	long result = deliver_words(from, to, from->label, from->badge);

	if (to->has_message && from->has_message)
		to->message.peer_room = from->message.recv_len;
	if (lends(from, to))
		lend(from->reply, from->task->prio);
	return result;
}

/* The answer to a call that the kernel made for its task. Of LODGER_EXECUTE it
 * has the rest: check_answer(). */
static inline void
take_answer(struct ipc_task *to, const struct regs *regs)
{
	to->answer[0] = regs_arg(regs, 0);
	if (unlikely(to->cancel.endpoint))
		withdraw_event(&to->cancel);
}

/* The caller of @reply, which is settled, gets @me's words, and its wait is
 * over; @result below 0: it gets that alone. It is not woken yet. */
static inline void
end_call(struct ipc_task *me, struct reply *reply, long result)
{
	struct ipc_task *to = reply->caller;

	if (unlikely(to->reflected))
		take_answer(to, me->regs);
	else if (likely(result >= 0))
		regs_copy_words(to->regs, me->regs);
	reply->caller = NULL;
	ipc_end(to, result);
}
