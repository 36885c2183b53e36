/* What a process wants done about each signal. Read Linux: kernel/signal.c,
 * do_sigaction. */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "kernel/clone.h"
#include "kernel/signal.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

#define SA_KNOWN                                                          \
	((u64)(u32)(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_RESTORER | \
		    SA_ONSTACK | SA_RESTART | SA_NODEFER) | SA_RESETHAND)

/* ---- Tables of actions ------------------------------------------------ */

/* All default, or @from's. NULL: no memory. */
static struct sighand *
sighand_alloc(const struct sighand *from)
{
	struct sighand *sighand = kmalloc(sizeof(*sighand));

	if (!sighand)
		return NULL;
	if (from)
		memcpy(sighand, from, sizeof(*sighand));
	else
		memset(sighand, 0, sizeof(*sighand));
	atomic_set(&sighand->refs, 1);
	return sighand;
}

void
sighand_put(struct process *process)
{
	struct sighand *sighand = process->sighand;

	process->sighand = NULL;
	if (sighand && atomic_add_return(&sighand->refs, -1) == 0)
		kfree(sighand);
}

/* The current process has a table of its own when this returns 0: another
 * thread may have made it meanwhile. */
static int
sighand_make(void)
{
	struct process *process = current->process;
	struct sighand *sighand;
	irq_flags_t flags;

	if (READ_ONCE(process->sighand))
		return 0;
	sighand = sighand_alloc(NULL);
	if (!sighand)
		return -ENOMEM;
	flags = spin_lock_irqsave(&pid_lock);
	if (!process->sighand) {
		process->sighand = sighand;
		sighand = NULL;
	}
	spin_unlock_irqrestore(&pid_lock, flags);
	kfree(sighand);
	return 0;
}

int
sighand_fork(struct process *child, u64 flags)
{
	struct process *parent = current->process;

	if (flags & CLONE_SIGHAND) {
		int err = sighand_make();

		if (err)
			return err;
		child->sighand = parent->sighand;
		atomic_inc(&child->sighand->refs);
	} else if (parent->sighand) {
		child->sighand = sighand_alloc(parent->sighand);
		if (!child->sighand)
			return -ENOMEM;
	}
	return 0;
}

int
sighand_unshare(void)
{
	struct process *process = current->process;
	struct sighand *sighand = process->sighand, *own;
	irq_flags_t flags;

	if (!sighand || atomic_read(&sighand->refs) == 1)
		return 0;
	own = sighand_alloc(sighand);
	if (!own)
		return -ENOMEM;
	flags = spin_lock_irqsave(&pid_lock);
	sighand_put(process);
	process->sighand = own;
	spin_unlock_irqrestore(&pid_lock, flags);
	return 0;
}

void
signals_exec(struct task *me)
{
	struct sighand *sighand = me->process->sighand;
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);

	for (unsigned i = 0; sighand && i < NR_SIGNALS; i++) {
		struct k_sigaction *action = &sighand->actions[i];
		uaddr_t handler = action->handler;

		*action = (struct k_sigaction){
			.handler = handler == SIG_IGN ? SIG_IGN : SIG_DFL,
		};
	}
	me->altstack = (struct altstack){ 0 };
	me->restart.fn = NULL;
	spin_unlock_irqrestore(&pid_lock, flags);
}

/* ---- The system call -------------------------------------------------- */

/* What is ignored from now on is not pending either. */
static void
forget_ignored(struct process *process, int signal)
{
	struct task *task;

	if (!signal_is_ignored(process, signal))
		return;
	flush_signals(&process->pending, SIGNAL_BIT(signal));
	list_for_each(task, &process->threads, thread_link)
		flush_signals(&task->pending, SIGNAL_BIT(signal));
}

static void
set_action(int signal, const struct k_sigaction *new)
{
	struct process *process = current->process;
	struct k_sigaction *action;
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);

	action = &process->sighand->actions[signal - 1];
	*action = *new;
	action->flags &= SA_KNOWN;
	action->mask &= ~SIGNALS_UNBLOCKABLE;
	forget_ignored(process, signal);
	spin_unlock_irqrestore(&pid_lock, flags);
}

static struct k_sigaction
get_action(int signal)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct k_sigaction action = *action_of(current->process, signal);

	spin_unlock_irqrestore(&pid_lock, flags);
	return action;
}

long
sys_rt_sigaction(int signal, uaddr_t unew, uaddr_t uold, size_t size)
{
	struct k_sigaction new, old;
	int err;

	if (size != sizeof(new.mask))
		return -EINVAL;
	if (unew && copy_from_user(&new, unew, sizeof(new)))
		return -EFAULT;
	if (signal < 1 || signal > NR_SIGNALS)
		return -EINVAL;
	if (unew && (SIGNAL_BIT(signal) & SIGNALS_UNBLOCKABLE))
		return -EINVAL;
	old = get_action(signal);
	if (unew) {
		err = sighand_make();
		if (err)
			return err;
		set_action(signal, &new);
	}
	if (uold && copy_to_user(uold, &old, sizeof(old)))
		return -EFAULT;
	return 0;
}
