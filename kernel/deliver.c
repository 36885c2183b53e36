/*
 * Delivering signals: what happens on the way to user mode when there is
 * something to look at. One signal a call: exit_to_user() comes again as long
 * as there is more. Read Linux: kernel/signal.c, get_signal;
 * arch/x86/kernel/signal.c.
 */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/printk.h"
#include "kernel/signal.h"

enum { SYS_restart_syscall = 219 };

/* ---- Which one -------------------------------------------------------- */

static int
next_signal(struct task *me, struct kernel_siginfo *info)
{
	u64 wanted = ~me->sigmask;
	int signal = dequeue_signal(&me->pending, wanted, info);

	return signal ? signal
		      : dequeue_signal(&me->process->pending, wanted, info);
}

/* The action is copied: another thread may change it as soon as the lock is
 * let go. */
static void
take_action(struct process *process, struct signal_frame *frame)
{
	struct k_sigaction *action =
		&process->sighand->actions[frame->info.signo - 1];

	frame->action = *action;
	if (action->flags & SA_RESETHAND)
		action->handler = SIG_DFL;
}

/* Does what needs no handler, stops included. False: there is nothing left, or
 * the caller is to die. True: *frame is for a handler. */
static bool
get_signal(struct signal_frame *frame)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct task *me = current;
	struct process *process = me->process;
	int signal = 0;

	while (!me->kill_signal) {
		if (process->stop_signal) {
			stop_here(&flags);
			continue;
		}
		signal = next_signal(me, &frame->info);
		if (!signal || action_of(process, signal)->handler > SIG_IGN)
			break;
		if (signal_is_ignored(process, signal))
			continue;
		if (!(SIGNAL_BIT(signal) & SIGNALS_STOP))
			deliver_fatal(process, signal);
		else if (signal == SIGSTOP || !group_is_orphaned(process->pgid))
			stop_begin(process, signal);
	}
	if (me->kill_signal)
		signal = 0;
	if (signal)
		take_action(process, frame);
	recalc_signal_work();
	spin_unlock_irqrestore(&pid_lock, flags);
	return signal;
}

/* ---- System calls that were interrupted ------------------------------- */

/* No handler runs: nobody is to notice. */
static void
restart_unnoticed(struct regs *regs)
{
	switch (regs_result(regs)) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
		regs_restart(regs, regs_syscall(regs));
		break;
	case -ERESTART_RESTARTBLOCK:
		regs_restart(regs, SYS_restart_syscall);
		break;
	}
}

/* What the handler will return to. */
static void
restart_after(struct regs *regs, const struct k_sigaction *action)
{
	switch (regs_result(regs)) {
	case -ERESTARTSYS:
		if (action->flags & SA_RESTART)
			regs_restart(regs, regs_syscall(regs));
		else
			regs_set_result(regs, -EINTR);
		break;
	case -ERESTARTNOINTR:
		regs_restart(regs, regs_syscall(regs));
		break;
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		regs_set_result(regs, -EINTR);
		break;
	}
}

long
sys_restart_syscall(void)
{
	struct restart_block *restart = &current->restart;

	return restart->fn ? restart->fn(restart) : -EINTR;
}

/* ---- The frame -------------------------------------------------------- */

/* Where the frame goes; 0: the alternate stack is too small for it. */
static uaddr_t
find_place(const struct regs *regs, const struct k_sigaction *action)
{
	const struct altstack *stack = &current->altstack;
	bool there = on_altstack(stack, regs_sp(regs));
	uaddr_t top = 0, at;

	if ((action->flags & SA_ONSTACK) && stack->size && !there) {
		top = stack->sp + stack->size;
		there = true;
	}
	at = arch_signal_frame_at(regs, top);
	return there && at - stack->sp > stack->size ? 0 : at;
}

static int
enter_handler(struct regs *regs, struct signal_frame *frame)
{
	struct task *me = current;
	uaddr_t at = find_place(regs, &frame->action);
	int err;

	frame->mask = me->restore_sigmask ? me->saved_sigmask : me->sigmask;
	frame->altstack = me->altstack;
	err = at ? arch_enter_handler(regs, at, frame) : -EFAULT;
	if (!err && (me->altstack.flags & SS_AUTODISARM))
		me->altstack = (struct altstack){ .flags = SS_DISABLE };
	return err;
}

/* SIGSEGV for a frame that cannot be written, or was not a good one; a handler
 * of SIGSEGV whose own frame is the trouble would not help. */
static void
bad_frame(int signal, const char *what)
{
	struct kernel_siginfo info = { .signo = SIGSEGV, .code = SI_KERNEL };
	irq_flags_t flags;

	if (signal != SIGSEGV && !force_signal(&info))
		return;
	pr_info("%s[%d]: %s, killed by signal %d", current->name,
		current->tid, what, SIGSEGV);
	flags = spin_lock_irqsave(&pid_lock);
	deliver_fatal(current->process, SIGSEGV);
	spin_unlock_irqrestore(&pid_lock, flags);
}

static void
handle_signal(struct regs *regs, struct signal_frame *frame)
{
	struct task *me = current;
	u64 mask = me->sigmask | frame->action.mask;

	if (regs_in_syscall(regs))
		restart_after(regs, &frame->action);
	if (enter_handler(regs, frame)) {
		bad_frame(frame->info.signo, "no stack for a signal's frame");
		return;
	}
	if (!(frame->action.flags & SA_NODEFER))
		mask |= SIGNAL_BIT(frame->info.signo);
	me->restore_sigmask = false;
	set_sigmask(mask);
}

void
deliver_signals(struct regs *regs)
{
	struct task *me = current;
	struct signal_frame frame;

	if (get_signal(&frame)) {
		handle_signal(regs, &frame);
		return;
	}
	if (regs_in_syscall(regs))
		restart_unnoticed(regs);
	if (me->restore_sigmask) {
		me->restore_sigmask = false;
		set_sigmask(me->saved_sigmask);
	}
}

/* All of the frame comes from the user: nothing of it is used unchecked, and
 * nothing is changed unless all of it is good. */
long
sys_rt_sigreturn(void)
{
	struct task *me = current;
	struct regs *regs = task_regs(me);
	struct signal_frame frame;

	me->restart.fn = NULL;
	if (arch_leave_handler(regs, &frame)) {
		bad_frame(0, "bad frame in sigreturn");
		return 0;
	}
	(void)set_altstack(&frame.altstack, regs_sp(regs));
	set_sigmask(frame.mask);
	return regs_result(regs);
}

/* ---- Exceptions ------------------------------------------------------- */

void
user_exception(struct regs *regs, const struct kernel_siginfo *info,
	       const char *what)
{
	struct task *me = current;

	if (force_signal(info))
		pr_info("%s[%d]: %s at ip %lx sp %lx, killed by signal %d",
			me->name, me->tid, what, regs_ip(regs), regs_sp(regs),
			info->signo);
}
