/* System calls of signals: masks, waiting, stacks, and sending to one process
 * or thread; groups are the Unix server's. Read Linux: kernel/signal.c. */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "kernel/personality.h"
#include "kernel/signal.h"
#include "kernel/time.h"
#include "mm/usercopy.h"
#include "sched/sched.h"

/* ---- Masks ------------------------------------------------------------ */

enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

static int
get_set(u64 *set, uaddr_t addr, size_t size)
{
	if (size != sizeof(*set))
		return -EINVAL;
	return copy_from_user(set, addr, sizeof(*set));
}

long
sys_rt_sigprocmask(int how, uaddr_t uset, uaddr_t uold, size_t size)
{
	u64 old = current->sigmask;
	u64 mask;

	if (size != sizeof(mask))
		return -EINVAL;
	if (uset) {
		if (copy_from_user(&mask, uset, sizeof(mask)))
			return -EFAULT;
		if (how == SIG_BLOCK)
			mask |= old;
		else if (how == SIG_UNBLOCK)
			mask = old & ~mask;
		else if (how != SIG_SETMASK)
			return -EINVAL;
		set_sigmask(mask);
	}
	if (uold && copy_to_user(uold, &old, sizeof(old)))
		return -EFAULT;
	return 0;
}

long
sys_rt_sigpending(uaddr_t uset, size_t size)
{
	struct task *me = current;
	u64 set = me->pending.signals | READ_ONCE(me->process->pending.signals);

	if (size > sizeof(set))
		return -EINVAL;
	set &= me->sigmask;
	return copy_to_user(uset, &set, size);
}

/* ---- Waiting ---------------------------------------------------------- */

/* Until there is a signal, or @deadline. */
static void
sleep_for_signal(u64 deadline)
{
	for (;;) {
		set_current_state(TASK_SLEEPING);
		if (signal_pending(current) || arch_time_ns() >= deadline)
			break;
		schedule_until(deadline);
	}
	set_current_state(TASK_RUNNABLE);
}

long
sys_pause(void)
{
	sleep_for_signal(~0ul);
	return -ERESTARTNOHAND;
}

/* The old mask comes back with the handler's return, or when there is none. */
long
sys_rt_sigsuspend(uaddr_t uset, size_t size)
{
	u64 mask;
	int err = get_set(&mask, uset, size);

	if (err)
		return err;
	current->saved_sigmask = current->sigmask;
	current->restore_sigmask = true;
	set_sigmask(mask);
	sleep_for_signal(~0ul);
	return -ERESTARTNOHAND;
}

/* The server waits; the mask meanwhile is ours. A signal that it lets in finds
 * the old one in its frame; any other end brings that back first. */
static long
wait_with_mask(uaddr_t uset, size_t size)
{
	u64 mask;
	long result;
	int err = get_set(&mask, uset, size);

	if (err)
		return err;
	current->saved_sigmask = current->sigmask;
	set_sigmask(mask);
	result = personality_call();
	if (is_restart(result)) { /* the server need not have heard of it */
		current->restore_sigmask = true;
		return -ERESTARTNOHAND;
	}
	set_sigmask(current->saved_sigmask);
	return result;
}

long
sys_ppoll(uaddr_t fds, u64 n, uaddr_t timeout, uaddr_t uset, size_t size)
{
	(void)fds, (void)n, (void)timeout;
	return uset ? wait_with_mask(uset, size) : personality_call();
}

long
sys_pselect6(u64 n, uaddr_t in, uaddr_t out, uaddr_t except, uaddr_t timeout,
	     uaddr_t umask)
{
	uaddr_t mask[2] = { 0, 0 }; /* where it is, and its size */

	(void)n, (void)in, (void)out, (void)except, (void)timeout;
	if (umask && copy_from_user(mask, umask, sizeof(mask)))
		return -EFAULT;
	return mask[0] ? wait_with_mask(mask[0], mask[1]) : personality_call();
}

/* One of @set that is pending. From here on, while @waits, they count as
 * unmasked: to be woken for, but not to be handled. */
static int
take_or_wait(u64 set, bool waits, struct kernel_siginfo *info)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct task *me = current;
	int signal = dequeue_signal(&me->pending, set, info);

	if (!signal)
		signal = dequeue_signal(&me->process->pending, set, info);
	me->sigwait = !signal && waits ? set : 0;
	recalc_signal_work();
	spin_unlock_irqrestore(&pid_lock, flags);
	return signal;
}

/* Linux's 128 bytes. */
static int
put_siginfo(uaddr_t addr, const struct kernel_siginfo *info)
{
	if (copy_to_user(addr, info, sizeof(*info)))
		return -EFAULT;
	return clear_user(addr + sizeof(*info),
			  SIGINFO_SIZE - sizeof(*info));
}

long
sys_rt_sigtimedwait(uaddr_t uset, uaddr_t uinfo, uaddr_t timeout, size_t size)
{
	struct kernel_siginfo info;
	u64 set, ns = 0, deadline = ~0ul;
	int signal, err = get_set(&set, uset, size);

	if (!err && timeout)
		err = get_timespec(timeout, &ns);
	if (err)
		return err;
	if (timeout)
		deadline = arch_time_ns() + ns;
	set &= ~SIGNALS_UNBLOCKABLE;
	signal = take_or_wait(set, !timeout || ns, &info);
	if (!signal && (!timeout || ns)) {
		sleep_for_signal(deadline);
		signal = take_or_wait(set, false, &info);
	}
	if (!signal)
		return arch_time_ns() < deadline ? -EINTR : -EAGAIN;
	return uinfo && put_siginfo(uinfo, &info) ? -EFAULT : signal;
}

/* ---- The alternate stack ---------------------------------------------- */

enum { MINSIGSTKSZ = 2048 };

static u32
altstack_state(const struct altstack *stack, uaddr_t sp)
{
	if (!stack->size)
		return SS_DISABLE;
	return on_altstack(stack, sp) ? SS_ONSTACK : 0;
}

int
set_altstack(const struct altstack *new, uaddr_t sp)
{
	struct altstack *mine = &current->altstack;
	u32 mode = new->flags & ~SS_AUTODISARM;

	if (on_altstack(mine, sp))
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode != SS_DISABLE && new->size < MINSIGSTKSZ)
		return -ENOMEM;
	*mine = *new;
	if (mode == SS_DISABLE)
		mine->sp = mine->size = 0;
	return 0;
}

long
sys_sigaltstack(uaddr_t unew, uaddr_t uold)
{
	uaddr_t sp = regs_sp(task_regs(current));
	struct altstack new, old = current->altstack;
	int err = 0;

	old.flags = (old.flags & SS_AUTODISARM) | altstack_state(&old, sp);
	if (unew) {
		if (copy_from_user(&new, unew, sizeof(new)))
			return -EFAULT;
		err = set_altstack(&new, sp);
	}
	if (!err && uold)
		err = copy_to_user(uold, &old, sizeof(old));
	return err;
}

/* ---- Sending ---------------------------------------------------------- */

static struct kernel_siginfo
info_from_me(int signal, int code)
{
	struct kernel_siginfo info = { .signo = signal, .code = code };

	info.pid = current->process->pid;
	return info;
}

static bool
valid_signal(int signal)
{
	return signal >= 0 && signal <= NR_SIGNALS;
}

static long
signal_process(int pid, const struct kernel_siginfo *info)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct task *task = find_task(pid);
	struct process *process = task ? task->process : find_process(pid);
	long err = process ? 0 : -ESRCH;

	if (process && info->signo)
		err = send_signal(process, NULL, info);
	spin_unlock_irqrestore(&pid_lock, flags);
	return err;
}

long
sys_kill(int pid, int signal)
{
	struct kernel_siginfo info = info_from_me(signal, SI_USER);

	if (!valid_signal(signal))
		return -EINVAL;
	if (pid <= 0)
		return personality_call(); /* groups are the server's */
	return signal_process(pid, &info);
}

/* Nobody pretends to be the kernel, or a tkill(), to others. */
long
sys_rt_sigqueueinfo(int pid, int signal, uaddr_t uinfo)
{
	struct kernel_siginfo info;

	if (copy_from_user(&info, uinfo, sizeof(info)))
		return -EFAULT;
	info.signo = signal;
	if ((info.code >= 0 || info.code == SI_TKILL) &&
	    pid != current->process->pid)
		return -EPERM;
	if (!valid_signal(signal))
		return -EINVAL;
	return signal_process(pid, &info);
}

/* @tgid -1: any. pid_lock held. */
static long
signal_task_locked(int tgid, int tid, const struct kernel_siginfo *info)
{
	struct task *task = find_task(tid);
	/* A kernel thread has an id, but no group. */
	struct process *process = task ? task->process : find_process(tid);

	DEBUG_ASSERT(spin_held(&pid_lock));
	if (!task && !process)
		return -ESRCH;
	if (tgid != -1 && (!process || process->pid != tgid))
		return -ESRCH;
	if (task && process && info->signo)
		return send_signal(process, task, info);
	return 0;
}

static long
signal_task(int tgid, int tid, int signal)
{
	struct kernel_siginfo info = info_from_me(signal, SI_TKILL);
	irq_flags_t flags;
	long err;

	if (!valid_signal(signal) || tid <= 0)
		return -EINVAL;
	flags = spin_lock_irqsave(&pid_lock);
	err = signal_task_locked(tgid, tid, &info);
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
