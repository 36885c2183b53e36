/*
 * A system call of a program, from its receipt to its answer.
 *
 * What carries it out (sys_*() in calls.h) runs from its beginning to its end
 * without waiting. When there is something to wait for, it returns WAITING
 * after it has put the call into a queue; once the queue is woken, it is run
 * again from its beginning. What it must remember is in the call.
 */
#pragma once

#include "kernel/base/list.h"
#include "user/servers/unix/linux.h"
#include "user/servers/unix/timer.h"

struct file;
struct process;

/* One call in one queue. */
struct wait {
	struct list link;
	struct call *call;
	struct file *file; /* a reference: whose queue it is, if it is one's */
};

struct call {
	struct list link;     /* in process->calls while it waits; or unused */
	struct list ready;    /* in the list of those to be run again */
	struct process *process;
	int tid;
	unsigned number, reply;
	u64 args[6];

	/* Nothing below but @file and @done is set before the call first waits,
	 * or gets a deadline. */
	bool waited;
	bool interrupted;     /* by a signal: must be answered now */
	bool timed_out;	      /* the deadline has passed */
	struct wait wait;     /* of most */
	struct wait *waits;   /* of those who wait for many (poll) */
	unsigned nr_waits, used_waits;
	struct file *file;    /* a reference: what the number stood for */
	struct timer timer;
	u64 deadline;	      /* 0: none yet */
	u64 done;	      /* bytes moved so far */
	struct call *next_spare;
};

/* What a sys_*() returns when the call is not to be answered yet. */
#define WAITING (-4096l)
/* The same of one that was answered in a way of its own (execve). */
#define ANSWERED (-4097l)

/* An argument of 32 bits (int, unsigned, uid_t): as in Linux, what a program has
 * above them in the register means nothing. */
static inline u32
arg32(const struct call *call, unsigned number)
{
	return (u32)call->args[number];
}

/* A fresh one, or NULL. It is the caller's until call_finish(). */
struct call *call_alloc(void);
void call_free(struct call *call);

/*
 * Puts the call into a queue and returns WAITING; or, when it may not wait
 * (any more), what it is to be answered with: -ERESTARTSYS after a signal,
 * -ENOMEM, also when too many wait. It is taken out before it is run again.
 */
long call_wait(struct call *call, struct list *queue);

/*
 * The call has moved a slice of what it was asked to: returns WAITING, and it
 * is run again after the next event, so that others have their turn; or, after
 * a signal, -ERESTARTSYS.
 */
long call_yield(struct call *call);

/* The same for many files: call_wait_begin() makes room for @n,
 * call_wait_also() adds each, call_wait_end() is call_wait(). */
int call_wait_begin(struct call *call, unsigned n);
void call_wait_also(struct call *call, struct file *file);
long call_wait_end(struct call *call);

/* From now on it does not wait longer than until then. */
int call_set_deadline(struct call *call, u64 deadline);

/* All calls in the queue are run again, in the order in which they came. */
void wake(struct list *queue);
/* A signal came for the caller; or its process is about to lose the thread. */
void call_interrupt(struct call *call);
/* Lets go of all it holds; no answer. */
void call_drop(struct call *call);

/* The next one to be run again, now in no queue; NULL: none. */
struct call *call_next_ready(void);
/* Has one yielded? It is among those to be run again from now on. */
bool calls_yielded(void);
void calls_resume(void);

/* ---- The caller's memory -------------------------------------------- */

int copy_in(struct call *call, void *to, u64 from, size_t len);
int copy_out(struct call *call, u64 to, const void *from, size_t len);

/* A string with its 0 into a buffer of @size; its length. -ENAMETOOLONG. */
long copy_in_string(struct call *call, char *to, u64 from, size_t size);
