/*
 * What must be true of signals whenever the world stands still.
 *
 *	K1  a pending set has a bit for each entry of its queue
 *	K2  a task that has something to do on its way to user mode knows: it is
 *	    to die, to stop, or has a signal of its own that it does not mask
 *	K3  no signal sent to a process is left to nobody: if threads would take
 *	    it, one of them knows
 *	K4  nr_stopped is the number of threads that have stopped; a stopped one
 *	    is to stop
 */
#include "kernel/base/assert.h"
#include "kernel/invariants.h"
#include "kernel/signal.h"

static void
check_pending(const struct sigpending *pending, tid_t id)
{
	const struct sigqueue *entry;
	unsigned length = 0;

	list_for_each(entry, &pending->queue, link) {
		if (!(pending->signals & SIGNAL_BIT(entry->info.signo)))
			panic("K1: signal %d is queued for %d, but not "
			      "pending", entry->info.signo, id);
		length++;
	}
	if (length != pending->length)
		panic("K1: %u signals are queued for %d, it counts %u", length,
		      id, pending->length);
}

static void
check_task(const struct task *task)
{
	const struct process *process = task->process;
	u64 ready = task->pending.signals & ~blocked_signals(task);

	check_pending(&task->pending, task->tid);
	if (!task->signal_work && !task->exiting &&
	    (task->kill_signal || ready || process->stop_signal))
		panic("K2: %s[%d] is not told: kill %d, stop %d, ready %lx",
		      task->name, task->tid, task->kill_signal,
		      process->stop_signal, ready);
	if (task->stopped && !process->stop_signal)
		panic("K4: %s[%d] has stopped, but is to go on", task->name,
		      task->tid);
}

/* Those of @process that a thread would take, and those that one will. */
static void
check_process(const struct process *process)
{
	const struct task *task;
	u64 wanted = 0, seen = 0;
	unsigned stopped = 0;

	check_pending(&process->pending, process->pid);
	list_for_each(task, &process->threads, thread_link) {
		u64 open = process->pending.signals & ~blocked_signals(task);

		check_task(task);
		stopped += task->stopped;
		if (task->exiting)
			continue;
		wanted |= open;
		seen |= task->signal_work ? open : 0;
	}
	if (wanted & ~seen)
		panic("K3: signals %lx of process %d are left to nobody",
		      wanted & ~seen, process->pid);
	if (stopped != process->nr_stopped)
		panic("K4: %u threads of process %d have stopped, it counts "
		      "%u", stopped, process->pid, process->nr_stopped);
}

void
check_signals(void)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	const struct process *process;

	list_for_each(process, &processes, all_link)
		check_process(process);
	spin_unlock_irqrestore(&pid_lock, flags);
}
