/*
 * Personalities: who answers what the kernel does not have. What servers are
 * promised is in kernel/abi_personality.h, the picture in docs/personality.md.
 *
 * A process's personality changes only while it has one thread, which does it,
 * or none. So a thread may look at its own without a lock, and all calls in
 * flight went to where the personality is now.
 */
#pragma once

#include "kernel/base/errno.h"
#include "kernel/process.h"

struct ipc_task;
struct regs;

/* ---- Processes that come and go ---------------------------------------- */

/* @child, not yet known to anyone, gets the caller's personality; -ENOMEM. The
 * second takes it back, without a word to the server. */
int personality_inherit(struct process *child);
void personality_forget(struct process *child);
/* The endpoint behind the caller's handle @number becomes the personality of
 * @process, which has none, and no thread. Errors are personality_set's. */
int personality_give(struct process *process, u32 number);

/* Asks the server whether the child may be, which has inherited it, with clone's
 * @flags. 0, or fork's negative errno. */
int personality_fork(const struct process *child, u64 flags);

/* The end of @process, which nobody can have waited for yet: its server is
 * told. Returns what personality_put() is for, once no lock is held. */
struct endpoint *personality_end(struct process *process);
void personality_put(struct endpoint *endpoint);

/* ---- Calls ------------------------------------------------------------- */

/* The current system call is the personality's, which is not NULL. Sets the
 * result in @regs. In kernel/ipc/fast.c. */
void personality_dispatch(struct regs *regs);
/* The same, for calls that are the kernel's with other arguments; -ENOSYS: there
 * is none. */
long personality_call(void);

/* Is it a code that the way back to user mode turns into another call, or
 * -EINTR? ERESTARTNOINTR: interrupted before the server had received it. */
static inline bool
is_restart(long result)
{
	return result == -ERESTARTSYS || result == -ERESTARTNOINTR ||
	       result == -ERESTARTNOHAND || result == -ERESTART_RESTARTBLOCK;
}
/* The current system call's result, after ipc_reflect() has come to @outcome. */
long personality_result(struct ipc_task *me, long outcome);

long native_personality_set(u32 number);
long native_personality_signal(u32 number, u32 whom, int id, int signal,
			       int from);

/* ---- Ways that lead back: ipc_lock held --------------------------------- */

/* Would the caller's own calls come to @endpoint, from which it is about to
 * receive? */
bool would_serve_itself(struct endpoint *endpoint);
/* Is there nobody but the caller's process who could receive there? */
bool only_own_receivers(const struct endpoint *endpoint);
/* Do calls that go to @from come to @to? Only if the way is at most 8 long. */
bool leads_to(struct endpoint *from, const struct endpoint *to);
