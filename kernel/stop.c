/*
 * Job control: processes that stop and go on, and what their parents hear of
 * it. Read Linux: kernel/signal.c, do_signal_stop, do_notify_parent.
 *
 * stop_signal is the wish; each thread fulfils it on its way to user mode. One
 * that sleeps where signals do not wake it (in a message, in vfork) has not
 * stopped until it comes out; it executes nothing meanwhile.
 */
#include "kernel/base/assert.h"
#include "kernel/signal.h"

enum { CLOCK_T_NS = 10000000 }; /* Linux counts 100 a second for programs */

void
stop_begin(struct process *process, int signal)
{
	struct task *task;

	DEBUG_ASSERT(spin_held(&pid_lock));
	process->stop_signal = signal;
	list_for_each(task, &process->threads, thread_link)
		signal_wake(task);
}

void
stop_check(struct process *process)
{
	if (!process->stop_signal || process->group_exit ||
	    process->nr_stopped < process->nr_threads)
		return;
	process->event = CHILD_STOPPED;
	notify_parent(process, CLD_STOPPED, process->stop_signal);
}

void
stop_here(irq_flags_t *flags)
{
	struct task *me = current;

	me->stopped = true;
	me->process->nr_stopped++;
	stop_check(me->process);
	spin_unlock_irqrestore(&pid_lock, *flags);
	for (;;) {
		set_current_state(TASK_SLEEPING);
		if (!READ_ONCE(me->stopped))
			break;
		schedule();
	}
	set_current_state(TASK_RUNNABLE);
	*flags = spin_lock_irqsave(&pid_lock);
}

void
stop_end(struct process *process)
{
	struct task *task;

	DEBUG_ASSERT(spin_held(&pid_lock));
	if (!process->stop_signal)
		return;
	process->stop_signal = 0;
	process->nr_stopped = 0;
	list_for_each(task, &process->threads, thread_link) {
		if (!task->stopped)
			continue;
		WRITE_ONCE(task->stopped, false);
		wake_up_task(task);
	}
	process->event = CHILD_CONTINUED;
	notify_parent(process, CLD_CONTINUED, SIGCONT);
}

/* ---- Orphaned groups --------------------------------------------------- */

/* Has the group @pgid no member whose parent could continue it, being in another
 * group of the same session? @but does not count any more. Read Linux:
 * kernel/exit.c, will_become_orphaned_pgrp. */
static bool
is_orphaned(tid_t pgid, const struct process *but)
{
	const struct process *process;

	list_for_each(process, &processes, all_link) {
		const struct process *parent = process->parent;

		if (process->pgid != pgid || process == but || process->ended ||
		    !parent || parent == init_process)
			continue;
		if (parent->pgid != pgid && parent->sid == process->sid)
			return false;
	}
	return true;
}

bool
group_is_orphaned(tid_t pgid)
{
	return is_orphaned(pgid, NULL);
}

static bool
has_stopped_member(tid_t pgid)
{
	const struct process *process;

	list_for_each(process, &processes, all_link) {
		if (process->pgid == pgid && process->stop_signal &&
		    process->nr_stopped == process->nr_threads)
			return true;
	}
	return false;
}

void
group_lost_parent(const struct process *member, const struct process *parent,
		  const struct process *but)
{
	struct process *process;
	tid_t pgid = member->pgid;

	if (!parent || parent->pgid == pgid || parent->sid != member->sid ||
	    !has_stopped_member(pgid) || !is_orphaned(pgid, but))
		return;
	list_for_each(process, &processes, all_link) {
		if (process->pgid != pgid)
			continue;
		send_signal_to_process(process, SIGHUP);
		send_signal_to_process(process, SIGCONT);
	}
}

/* ---- The parent ------------------------------------------------------- */

bool
parent_ignores_end(const struct process *child)
{
	const struct k_sigaction *action = action_of(child->parent, SIGCHLD);

	return child->exit_signal == SIGCHLD &&
	       (action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT));
}

void
notify_parent(struct process *child, int code, int status)
{
	struct process *parent = child->parent;
	bool ended = code != CLD_STOPPED && code != CLD_CONTINUED;
	struct kernel_siginfo info = {
		.signo = ended ? child->exit_signal : SIGCHLD,
		.code = code,
	};

	info.pid = child->pid;
	info.status = status;
	info.utime = (s64)(process_ticks(child) * TICK_NS / CLOCK_T_NS);
	if (info.signo &&
	    (ended || !(action_of(parent, SIGCHLD)->flags & SA_NOCLDSTOP)))
		(void)send_signal(parent, NULL, &info);
	wake_up_all(&parent->changed);
}
