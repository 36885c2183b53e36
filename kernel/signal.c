/*
 * Signals as far as they end things: without handlers a signal either kills
 * the whole process or does nothing. A blocked one waits.
 */
#include "kernel/signal.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/printk.h"
#include "kernel/personality.h"
#include "kernel/process.h"
#include "mm/usercopy.h"

#define SIGNAL_BIT(n) (1ul << ((n) - 1))

/* Ignored unless somebody asks; and stopping, which nothing can do yet. */
#define IGNORED                                                           \
	(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | \
	 SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGSTOP) |                     \
	 SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))

#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

/* Wakes @task wherever it sleeps killably, or on its way to user mode. */
static void
tell_to_die(struct task *task, int signal)
{
	if (!task->kill_signal)
		WRITE_ONCE(task->kill_signal, signal);
	wake_up_task(task);
	kick_task(task);
}

void
kill_threads(struct process *process, const struct task *spare)
{
	struct task *task;

	list_for_each(task, &process->threads, thread_link) {
		if (task != spare)
			tell_to_die(task, SIGKILL);
	}
}

/* @signal kills: one thread takes the whole group down on its way out. */
static void
deliver_fatal(struct process *process, int signal)
{
	struct task *task;

	if (process->group_exit)
		return;
	process->group_exit = true;
	process->exit_status = signal;
	list_for_each(task, &process->threads, thread_link)
		tell_to_die(task, signal);
}

void
send_signal_to_task(struct task *task, int signal)
{
	u64 bit = SIGNAL_BIT(signal);

	if (!task->process || (bit & IGNORED))
		return;
	/* One on its way out receives no more, nor does it pass them on. */
	if (task->process == init_process || READ_ONCE(task->exiting))
		return;
	if (task->sigmask & bit & ~UNBLOCKABLE)
		task->pending |= bit;
	else
		deliver_fatal(task->process, signal);
}

void
send_signal_to_process(struct process *process, int signal)
{
	u64 bit = SIGNAL_BIT(signal);
	struct task *task;

	if ((bit & IGNORED) || process == init_process)
		return;
	list_for_each(task, &process->threads, thread_link) {
		if (!(task->sigmask & bit & ~UNBLOCKABLE)) {
			deliver_fatal(process, signal);
			return;
		}
	}
	process->pending |= bit;
}

/* A signal that was blocked may have become deliverable. pid_lock held. */
static void
recheck_pending(struct task *me)
{
	u64 ready = (me->pending | me->process->pending) & ~me->sigmask;

	if (ready)
		deliver_fatal(me->process, __builtin_ctzl(ready) + 1);
}

/* ---- System calls ----------------------------------------------------- */

static bool
valid_signal(int signal)
{
	return signal >= 0 && signal <= NR_SIGNALS;
}

long
sys_kill(int pid, int signal)
{
	irq_flags_t flags;
	struct process *process;

	if (!valid_signal(signal))
		return -EINVAL;
	if (pid <= 0)
		return personality_call(); /* groups are the server's */
	flags = spin_lock_irqsave(&pid_lock);
	process = find_process(pid);
	if (process && signal)
		send_signal_to_process(process, signal);
	spin_unlock_irqrestore(&pid_lock, flags);
	return process ? 0 : -ESRCH;
}

/* @tgid -1: any. pid_lock held. */
static long
signal_task_locked(int tgid, int tid, int signal)
{
	struct task *task = find_task(tid);
	/* A kernel thread has an id, but no group. */
	struct process *process = task ? task->process : find_process(tid);

	if (!task && !process)
		return -ESRCH;
	if (tgid != -1 && (!process || process->pid != tgid))
		return -ESRCH;
	if (task && signal)
		send_signal_to_task(task, signal);
	return 0;
}

static long
signal_task(int tgid, int tid, int signal)
{
	irq_flags_t flags;
	long err;

	if (!valid_signal(signal) || tid <= 0)
		return -EINVAL;
	flags = spin_lock_irqsave(&pid_lock);
	err = signal_task_locked(tgid, tid, signal);
	spin_unlock_irqrestore(&pid_lock, flags);
	return err;
}

long
sys_tkill(int tid, int signal)
{
	return signal_task(-1, tid, signal);
}

long
sys_tgkill(int tgid, int tid, int signal)
{
	if (tgid <= 0)
		return -EINVAL;
	return signal_task(tgid, tid, signal);
}

static void
set_mask(u64 mask)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);

	current->sigmask = mask & ~UNBLOCKABLE;
	recheck_pending(current);
	spin_unlock_irqrestore(&pid_lock, flags);
}

long
sys_rt_sigprocmask(int how, uaddr_t set, uaddr_t old, size_t size)
{
	u64 before = current->sigmask;
	u64 mask;

	if (size != sizeof(mask))
		return -EINVAL;
	if (set) {
		if (copy_from_user(&mask, set, sizeof(mask)))
			return -EFAULT;
		if (how == SIG_BLOCK)
			mask |= before;
		else if (how == SIG_UNBLOCK)
			mask = before & ~mask;
		else if (how != SIG_SETMASK)
			return -EINVAL;
		set_mask(mask);
	}
	if (old && copy_to_user(old, &before, sizeof(before)))
		return -EFAULT;
	return 0;
}

/* ---- Exceptions ------------------------------------------------------- */

void
user_exception(struct regs *regs, int signal, const char *what)
{
	struct task *me = current;
	irq_flags_t flags;

	pr_info("%s[%d]: %s at ip %lx sp %lx, killed by signal %d", me->name,
		me->tid, what, regs_ip(regs), regs_sp(regs), signal);
	flags = spin_lock_irqsave(&pid_lock);
	deliver_fatal(me->process, signal);
	spin_unlock_irqrestore(&pid_lock, flags);
}

/* Told to die: with the whole group, whose status is set already, or alone,
 * because a sibling calls exec. */
static void __noreturn
die(void)
{
	struct process *process = current->process;

	do_exit(process->group_exit ? process->exit_status : SIGKILL);
}

void
exit_to_user(struct regs *regs)
{
	(void)regs;
	while (READ_ONCE(current->kill_signal) ||
	       READ_ONCE(this_cpu()->need_resched)) {
		arch_irq_enable();
		if (READ_ONCE(current->kill_signal))
			die();
		schedule();
		arch_irq_disable();
	}
}
