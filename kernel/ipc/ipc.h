/*
 * What a task is to its partners in IPC. A message stays where it is while its
 * sender waits: in the sender's saved registers, its buffer and its handles.
 * It moves once, when both sides are known.
 *
 *	call:  IDLE -> QUEUED -> TAKEN -> IDLE	(QUEUED only if nobody receives)
 *	recv:  IDLE -> RECEIVING -> IDLE
 *	wait:  IDLE -> WAITING -> IDLE
 *
 * All changes are made under ipc_lock: by the task itself when it begins or
 * gives up, by a partner when it ends the wait. A partner with a buffer to
 * copy, which takes time and may fault, first CLAIMS the other side: that one
 * then cannot give up until the copy is over, be it killed.
 */
#pragma once

#include "kernel/base/assert.h"
#include "kernel/ipc/event.h"
#include "kernel/ipc/handle.h"
#include "kernel/ipc/object.h"

enum ipc_phase {
	IPC_IDLE,	/* waits for nobody; result says how the wait ended */
	IPC_QUEUED,	/* its call is on the endpoint's queue */
	IPC_TAKEN,	/* its call was received, and has no answer yet */
	IPC_RECEIVING,	/* on the endpoint's list of receivers */
	IPC_WAITING,	/* on the notification's list */
	IPC_CLAIMED,	/* a partner copies its message, on either way */
};

/* A result that user mode never sees: begin the operation again. */
enum { ERETRY = 4000 };

struct ipc_task {
	struct task *task;	/* NULL: has ended; debts keep the record */
	enum ipc_phase phase;
	struct regs *regs;	/* the message's words */
	long result;
	u32 label;
	u64 badge;		/* of the handle that it calls through */
	struct list link;	/* of the list that phase names */
	struct endpoint *endpoint; /* QUEUED */
	u8 queued_prio;		/* which of its lists */
	struct reply *reply;	/* for its calls; kept for the next one */

	/* the handles of its last call, receive or wait, and signal */
	struct handle_place calls, receives, signals;

	/* a receiver's */
	u32 slot;		/* reserved for the reply handle; or 0 */
	struct handle_place answers; /* if so, that; or what it answered last */
	struct endpoint *serves; /* received from last; NULL: none */
	struct list serves_link; /* of its servers */

	/* inherit.c */
	u8 own_prio;		/* without what callers lend */
	unsigned debts;		/* calls that it received, not answered */
	u64 lent_bits;		/* bit p: nr_lent[p] is not 0 */
	u16 nr_lent[NR_PRIORITIES];
#ifdef CONFIG_DEBUG
	struct { /* kernel/debug/ipc_invariants.c: recounted */
		u64 epoch, lent_bits;
		unsigned debts;
	} check;
#endif

	/* calls that the kernel makes for its task: see ipc_reflect() */
	bool reflected;		/* this is one */
	bool may_cancel;	/* a signal asks its server to end it, once */
	struct ipc_event cancel;
	u64 answer[4];		/* the registers are to stay as they are */
	struct object *building; /* came with the answer */

	bool has_message;	/* more than registers: */
	struct lodger_message message;
	u32 handles_room;	/* reserved slots in message.recv_handles */
	u32 got_handles;	/* of them, used by what came */
	u64 got_len;
};

struct reply {
	struct object object;
	struct ipc_task *caller; /* NULL: it does not wait any more */
	bool abandoned;		 /* the handle was closed, caller CLAIMED */
	struct ipc_task *server; /* who received it: one of its debts */
	u8 lent;		 /* to the server; NR_PRIORITIES: nothing */
};

extern const struct object_ops reply_ops;

/* Does the message of @ipc have more than words to send? */
static inline bool
sends_more(const struct ipc_task *ipc)
{
	return ipc->has_message &&
	       (ipc->message.send_len || ipc->message.nr_send);
}

/* Ends the wait of @ipc, which is on no list any more. ipc_lock held. The first
 * leaves it to the caller to wake it, before the lock is released. */
static inline void
ipc_end(struct ipc_task *ipc, long result)
{
	DEBUG_ASSERT(spin_held(&ipc_lock));
	ipc->result = result;
	store_release(&ipc->phase, IPC_IDLE);
}

static inline void
ipc_finish(struct ipc_task *ipc, long result)
{
	ipc_end(ipc, result);
	wake_up_task(ipc->task);
}

/* Sleeps until a partner ends the wait that the caller has begun; or gives up:
 * -ETIMEDOUT at @deadline (~0: never), -EINTR when killed. */
long ipc_sleep(struct ipc_task *me, u64 deadline);

/*
 * The same with ipc_lock held, which it releases. @next, unless NULL, is one
 * whose wait the caller has ended: it gets the CPU if it can.
 */
long ipc_sleep_after(struct ipc_task *me, u64 deadline, struct ipc_task *next,
		     irq_flags_t flags);

/* fork's child starts without what callers lend its parent. */
static inline u8
own_priority(const struct task *task)
{
	return task->ipc ? task->ipc->own_prio : task->prio;
}

/* ---- Buffers and handles: message.c ----------------------------------- */

/* Reads what stands at @addr and reserves slots for incoming handles. */
int message_begin(struct ipc_task *me, uaddr_t addr);
/* Writes back what came in, and frees what is left; returns @result, or the
 * error if that was not possible. */
long message_end(struct ipc_task *me, uaddr_t addr, long result);

/*
 * Copies @from's buffer and moves its handles to @to. One of the two is the
 * caller, the other one CLAIMED. ipc_lock is held, and let go for the copy,
 * with interrupts on. On an error nothing has moved, and *at_fault is whose fault it is.
 */
int message_transfer(struct ipc_task *from, struct ipc_task *to,
		     struct ipc_task **at_fault);

/* ---- System calls: calls.c and fast.c --------------------------------- */

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

static inline u64
timeout_of(const struct regs *regs)
{
	return regs_more(regs, 2);
}

/* reply_recv's. */
static inline u32
endpoint_of(const struct regs *regs)
{
	return (u32)regs_more(regs, 3);
}

/* call, recv, reply, reply_recv and wait: those that use all registers. Sets the
 * result in @regs. Interrupts are off, and may be on or off afterwards. */
void ipc_dispatch(struct regs *regs);
/* The same in all generality, for a task that has its record, after
 * message_begin() if there is a message. */
long ipc_general(struct ipc_task *me);

/* Of a call that has more than words: gives that to @to, which is taken off
 * its list. -ERETRY: it was @to's fault, begin again. Another error: @me's.
 * ipc_lock is held, as in message_transfer(). */
int ipc_send_more(struct ipc_task *me, struct ipc_task *to);

/* signal, when its handle serves. False: native_signal() says why not, or makes
 * no record. Interrupts are off and stay so. */
bool signal_dispatch(struct regs *regs);

/* After a reply_recv without a timeout that ended with @result, and with no
 * call: begins again if that is what @result says. */
long ipc_receive_end(struct ipc_task *me, long result);

/* current->ipc, from now on; NULL: no memory. */
struct ipc_task *ipc_make_record(void);

/* The current task ends. */
void ipc_task_exit(void);

/* ---- Calls that the kernel makes: kernel/personality.c ----------------- */

/*
 * Sends @label, and the words in the caller's saved registers, to its process's
 * personality. Result: the answer's label, enum lodger_answer, with its words
 * in me->answer and, for LODGER_EXECUTE, me->building; or
 *
 *	-EPIPE		 nobody can receive there; there was no call
 *	-EIO		 received, and never answered
 *	-EDEADLK	 the server waits for the caller
 *	-ERESTARTNOINTR  a signal came before it was received (@may_cancel)
 *	-EINTR		 the caller is to die
 *	-ENOMEM
 */
long ipc_reflect(struct ipc_task *me, u32 label, bool may_cancel);
/* The same in all generality. */
long ipc_reflect_general(struct ipc_task *me);

/* Who answers a reflected call (to: kernel/abi_personality.h) with what? An
 * errno for the server, or 0. ipc_lock held. */
int check_answer(struct ipc_task *me, struct ipc_task *to);
