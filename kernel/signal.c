/*
 * Sending signals: to whom, what becomes of them, and who is told. What the
 * receiver does with them is in deliver.c. Read Linux: kernel/signal.c,
 * prepare_signal, complete_signal.
 */
#include "kernel/signal.h"

#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "kernel/base/errno.h"
#include "mm/slab.h"

/* Without a handler nothing happens. */
#define IGNORED_BY_DEFAULT                                                \
	(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | \
	 SIGNAL_BIT(SIGWINCH))

/* What an instruction has caused comes before what others sent. */
#define SYNCHRONOUS                                                      \
	(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | \
	 SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSYS))

enum { MAX_QUEUED = 256 }; /* signals with what was sent along, in one set */

/* ---- Pending sets ----------------------------------------------------- */

/* Standard signals are there once: the first counts. Without room, or memory,
 * only what was sent along is lost, except to a sender who was promised more. */
static int
enqueue(struct sigpending *pending, const struct kernel_siginfo *info)
{
	u64 bit = SIGNAL_BIT(info->signo);
	struct sigqueue *entry = NULL;

	if (info->signo < SIGRTMIN && (pending->signals & bit))
		return 0;
	if (pending->length < MAX_QUEUED)
		entry = kmalloc(sizeof(*entry));
	if (entry) {
		entry->info = *info;
		list_add_tail(&pending->queue, &entry->link);
		pending->length++;
	} else if (info->signo >= SIGRTMIN && info->code != SI_USER) {
		return -EAGAIN;
	}
	pending->signals |= bit;
	return 0;
}

static void
free_entry(struct sigpending *pending, struct sigqueue *entry)
{
	list_unlink(&entry->link);
	pending->length--;
	kfree(entry);
}

void
flush_signals(struct sigpending *pending, u64 signals)
{
	struct sigqueue *entry, *tmp;

	if (!(pending->signals & signals))
		return;
	pending->signals &= ~signals;
	list_for_each_safe(entry, tmp, &pending->queue, link) {
		if (signals & SIGNAL_BIT(entry->info.signo))
			free_entry(pending, entry);
	}
}

/* Takes the first @signal; it stays pending if there is another one. */
static void
take_signal(struct sigpending *pending, int signal,
	    struct kernel_siginfo *info)
{
	struct sigqueue *entry, *tmp, *first = NULL;
	bool more = false;

	list_for_each_safe(entry, tmp, &pending->queue, link) {
		if (entry->info.signo != signal)
			continue;
		more = first != NULL;
		if (more)
			break;
		first = entry;
	}
	*info = (struct kernel_siginfo){ .signo = signal, .code = SI_USER };
	if (first) {
		*info = first->info;
		free_entry(pending, first);
	}
	if (!more)
		pending->signals &= ~SIGNAL_BIT(signal);
}

int
dequeue_signal(struct sigpending *pending, u64 wanted,
	       struct kernel_siginfo *info)
{
	u64 ready = pending->signals & wanted;

	DEBUG_ASSERT(spin_held(&pid_lock));
	if (!ready)
		return 0;
	if (ready & SYNCHRONOUS)
		ready &= SYNCHRONOUS;
	take_signal(pending, (int)first_bit(ready) + 1, info);
	return info->signo;
}

/* ---- Waking ----------------------------------------------------------- */

/* Wherever it sleeps, or on its way to user mode. A sleep that signals do not
 * end goes on: every sleeper looks at what it waits for. */
void
signal_wake(struct task *task)
{
	DEBUG_ASSERT(spin_held(&pid_lock));
	WRITE_ONCE(task->signal_work, true);
	if (task == current)
		return;
	wake_up_task(task);
	kick_task(task);
}

void
recalc_signal_work(void)
{
	struct task *me = current;
	struct process *process = me->process;
	u64 pending = me->pending.signals | process->pending.signals;

	DEBUG_ASSERT(spin_held(&pid_lock));
	WRITE_ONCE(me->signal_work, me->kill_signal || process->stop_signal ||
					    (pending & ~blocked_signals(me)));
}

void
retarget_signals(struct process *process)
{
	struct task *task;

	DEBUG_ASSERT(spin_held(&pid_lock));
	list_for_each(task, &process->threads, thread_link) {
		if (process->pending.signals & ~blocked_signals(task))
			signal_wake(task);
	}
}

void
set_sigmask(u64 mask)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct task *me = current;
	u64 dropped = mask & ~me->sigmask;

	me->sigmask = mask & ~SIGNALS_UNBLOCKABLE;
	if (me->process->pending.signals & dropped)
		retarget_signals(me->process);
	recalc_signal_work();
	spin_unlock_irqrestore(&pid_lock, flags);
}

/* ---- Killing ---------------------------------------------------------- */

static void
tell_to_die(struct task *task, int signal)
{
	if (!task->kill_signal)
		WRITE_ONCE(task->kill_signal, signal);
	if (task->stopped)
		task->process->nr_stopped--;
	WRITE_ONCE(task->stopped, false);
	signal_wake(task);
}

void
kill_threads(struct process *process, const struct task *spare)
{
	struct task *task;

	DEBUG_ASSERT(spin_held(&pid_lock));
	list_for_each(task, &process->threads, thread_link) {
		if (task != spare)
			tell_to_die(task, SIGKILL);
	}
}

void
deliver_fatal(struct process *process, int signal)
{
	struct task *task;

	DEBUG_ASSERT(spin_held(&pid_lock));
	if (process->group_exit)
		return;
	process->group_exit = true;
	process->exit_status = signal;
	process->event = CHILD_QUIET;
	list_for_each(task, &process->threads, thread_link)
		tell_to_die(task, signal);
}

/* ---- Sending ---------------------------------------------------------- */

const struct k_sigaction *
action_of(const struct process *process, int signal)
{
	static const struct k_sigaction by_default;

	DEBUG_ASSERT(spin_held(&pid_lock));
	return process->sighand ? &process->sighand->actions[signal - 1]
				: &by_default;
}

bool
signal_is_ignored(const struct process *process, int signal)
{
	uaddr_t handler = action_of(process, signal)->handler;

	return handler == SIG_IGN ||
	       (handler == SIG_DFL &&
		(SIGNAL_BIT(signal) & IGNORED_BY_DEFAULT));
}

/* Would @task take it now? A stopped one has to be continued first. */
static bool
can_take(const struct task *task, u64 bit)
{
	return !(blocked_signals(task) & bit) && !READ_ONCE(task->exiting) &&
	       !task->stopped;
}

/* Of the threads that would take it one that has nothing else to do; NULL:
 * none would. */
static struct task *
choose_thread(struct process *process, u64 bit)
{
	struct task *task, *busy = NULL;

	list_for_each(task, &process->threads, thread_link) {
		if (!can_take(task, bit))
			continue;
		if (!task->signal_work)
			return task;
		if (!busy)
			busy = task;
	}
	return busy;
}

/* A stop takes back a continue that nobody has seen yet; a continue every
 * stop, and has its effect at once, even if masked or ignored. */
static void
cancel_opposite(struct process *process, u64 bit)
{
	u64 opposite = 0;
	struct task *task;

	if (bit & SIGNALS_STOP)
		opposite = SIGNAL_BIT(SIGCONT);
	else if (bit & SIGNAL_BIT(SIGCONT))
		opposite = SIGNALS_STOP;
	else
		return;
	flush_signals(&process->pending, opposite);
	list_for_each(task, &process->threads, thread_link)
		flush_signals(&task->pending, opposite);
	if (opposite == SIGNALS_STOP)
		stop_end(process);
}

/* A masked one may get a handler before it is unmasked. */
static bool
is_dropped(const struct process *process, const struct task *task, int signal)
{
	const struct task *asked =
		task ? task : list_first(&process->threads, struct task,
					 thread_link);

	return signal_is_ignored(process, signal) &&
	       !(asked->sigmask & SIGNAL_BIT(signal));
}

static bool
is_fatal(const struct process *process, const struct task *target, u64 bit,
	 int signal)
{
	return action_of(process, signal)->handler == SIG_DFL &&
	       !(bit & (SIGNALS_STOP | IGNORED_BY_DEFAULT)) &&
	       !(target->sigwait & bit);
}

/* One on its way out receives no more, nor does it pass them on. */
static bool
is_leaving(const struct process *process, const struct task *task)
{
	return process->group_exit || list_empty(&process->threads) ||
	       (task && READ_ONCE(task->exiting));
}

int
send_signal(struct process *process, struct task *task,
	    const struct kernel_siginfo *info)
{
	u64 bit = SIGNAL_BIT(info->signo);
	struct task *target = task;
	int err;

	DEBUG_ASSERT(spin_held(&pid_lock));
	if (process == init_process || is_leaving(process, task))
		return 0;
	if (info->signo == SIGKILL) {
		deliver_fatal(process, SIGKILL);
		return 0;
	}
	cancel_opposite(process, bit);
	if (is_dropped(process, task, info->signo))
		return 0;
	err = enqueue(task ? &task->pending : &process->pending, info);
	if (err)
		return err;
	if (!task)
		target = choose_thread(process, bit);
	if (!target || !can_take(target, bit))
		return 0;
	if (is_fatal(process, target, bit, info->signo))
		deliver_fatal(process, info->signo);
	else
		signal_wake(target);
	return 0;
}

void
send_signal_to_process(struct process *process, int signal)
{
	struct kernel_siginfo info = { .signo = signal, .code = SI_KERNEL };

	DEBUG_ASSERT(spin_held(&pid_lock));
	(void)send_signal(process, NULL, &info);
}

bool
force_signal(const struct kernel_siginfo *info)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct task *me = current;
	bool handled = action_of(me->process, info->signo)->handler > SIG_IGN &&
		       !(me->sigmask & SIGNAL_BIT(info->signo));

	if (handled)
		(void)enqueue(&me->pending, info);
	else
		deliver_fatal(me->process, info->signo);
	recalc_signal_work();
	spin_unlock_irqrestore(&pid_lock, flags);
	return !handled;
}

/* ---- On the way to user mode ------------------------------------------ */

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
	while (signal_pending(current) ||
	       READ_ONCE(this_cpu()->need_resched)) {
		arch_irq_enable();
		if (READ_ONCE(current->kill_signal))
			die();
		if (signal_pending(current))
			deliver_signals(regs);
		if (READ_ONCE(this_cpu()->need_resched))
			schedule();
		arch_irq_disable();
	}
}
