/*
 * What the files of signals share. How others send them is in
 * kernel/process.h; the design is told in docs/signals.md.
 *
 * All of it is under pid_lock: actions, masks, pending sets, stops.
 */
#pragma once

#include "kernel/process.h"

/* A process's actions, made when the first one is set. */
struct sighand {
	atomic_t refs;		/* processes: CLONE_SIGHAND shares it */
	struct k_sigaction actions[NR_SIGNALS];
};

/* What was sent along with a signal that is pending. */
struct sigqueue {
	struct list link;	/* sigpending.queue */
	struct kernel_siginfo info;
};

#define SIGNALS_STOP                                                   \
	(SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | \
	 SIGNAL_BIT(SIGTTOU))
#define SIGNALS_UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

/* altstack.flags. */
enum { SS_ONSTACK = 1, SS_DISABLE = 2 };
#define SS_AUTODISARM (1u << 31)

enum { SIGINFO_SIZE = 128 }; /* Linux's, in user memory */

/* ---- Actions: sigaction.c --------------------------------------------- */

/* @child is new; with CLONE_SIGHAND in @flags it shares its parent's actions,
 * the current process's, else it has a copy. -ENOMEM. */
int sighand_fork(struct process *child, u64 flags);
/* Before exec: actions that another process shares are not to be changed. */
int sighand_unshare(void);
/* exec: handlers are gone, what was ignored still is. */
void signals_exec(struct task *me);
void sighand_put(struct process *process);

/* ---- Sending: signal.c ------------------------------------------------ */

/* The current action. pid_lock held for all of these. */
const struct k_sigaction *action_of(const struct process *process, int signal);
bool signal_is_ignored(const struct process *process, int signal);

/* @task NULL: to the process. -EAGAIN: too many are waiting for a sender to
 * whom each one counts. */
int send_signal(struct process *process, struct task *task,
		const struct kernel_siginfo *info);
/* To the current task for what it has just done: if it cannot be handled, it
 * kills. Returns whether it does. */
bool force_signal(const struct kernel_siginfo *info);
/* @signal kills: all threads take its process down. */
void deliver_fatal(struct process *process, int signal);

/* Takes the next signal in @wanted, NULL-safe for none: 0. */
int dequeue_signal(struct sigpending *pending, u64 wanted,
		   struct kernel_siginfo *info);
void flush_signals(struct sigpending *pending, u64 signals);

/* Masked for good or, while rt_sigtimedwait() waits for them, not. */
static inline u64
blocked_signals(const struct task *task)
{
	return task->sigmask & ~task->sigwait;
}

/* @task has something to look at on its way to user mode. */
void signal_wake(struct task *task);
/* Is there (still) something for the current task? */
void recalc_signal_work(void);
/* The current task's mask; others see to what it does not take any more. */
void set_sigmask(u64 mask);
/* Threads that could take what is pending for @process hear of it. */
void retarget_signals(struct process *process);

/* ---- Stopping, and telling the parent: stop.c ------------------------- */

/* All threads of @process stop on their way to user mode. */
void stop_begin(struct process *process, int signal);
/* The current one does. pid_lock is let go meanwhile. */
void stop_here(irq_flags_t *flags);
/* A thread has stopped, or has left: is it the last one that was awaited? */
void stop_check(struct process *process);
/* SIGCONT. */
void stop_end(struct process *process);

/* Nobody could continue the group: but for SIGSTOP, stops by default do not
 * happen in it. */
bool group_is_orphaned(tid_t pgid);
/* @member's group has lost what @parent was to it: if it is orphaned now, and
 * has stopped, it gets SIGHUP and SIGCONT. @but: a member that ends, or NULL. */
void group_lost_parent(const struct process *member,
		       const struct process *parent, const struct process *but);

/* SIGCHLD, or what the child was made with, to the parent of @child, and an
 * end of its wait. @code: CLD_*. */
void notify_parent(struct process *child, int code, int status);
/* Has the parent of @child said that it will not wait? */
bool parent_ignores_end(const struct process *child);

/* ---- Delivering: deliver.c -------------------------------------------- */

/* Makes the current task ready for user mode: stops, dies, or has one handler
 * entered or one call restarted. */
void deliver_signals(struct regs *regs);

/* Is @sp on it? It grows down, so an empty one's is its end. */
static inline bool
on_altstack(const struct altstack *stack, uaddr_t sp)
{
	return !(stack->flags & SS_AUTODISARM) && sp > stack->sp &&
	       sp - stack->sp <= stack->size;
}

/* The current task's stack, with sigaltstack()'s errors. @sp: where it is. */
int set_altstack(const struct altstack *new, uaddr_t sp);

/* ---- System calls ----------------------------------------------------- */

long sys_kill(int pid, int signal);
long sys_tkill(int tid, int signal);
long sys_tgkill(int tgid, int tid, int signal);
long sys_rt_sigqueueinfo(int pid, int signal, uaddr_t info);
long sys_rt_sigaction(int signal, uaddr_t new, uaddr_t old, size_t size);
long sys_rt_sigprocmask(int how, uaddr_t set, uaddr_t old, size_t size);
long sys_rt_sigpending(uaddr_t set, size_t size);
long sys_rt_sigtimedwait(uaddr_t set, uaddr_t info, uaddr_t timeout,
			 size_t size);
long sys_rt_sigsuspend(uaddr_t mask, size_t size);
/* The server's, but for the mask. */
long sys_ppoll(uaddr_t fds, u64 n, uaddr_t timeout, uaddr_t mask, size_t size);
long sys_pselect6(u64 n, uaddr_t in, uaddr_t out, uaddr_t except,
		  uaddr_t timeout, uaddr_t mask);
long sys_pause(void);
long sys_sigaltstack(uaddr_t new, uaddr_t old);
long sys_rt_sigreturn(void);
long sys_restart_syscall(void);
