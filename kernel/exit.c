/* The end of tasks and processes. Read Linux: kernel/exit.c, do_exit. */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/exit.h"
#include "kernel/hold.h"
#include "kernel/ipc/ipc.h"
#include "kernel/objects/process_object.h"
#include "kernel/personality.h"
#include "kernel/signal.h"
#include "kernel/trace.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "sched/kthread.h"
#include "sched/reaper.h"

/* The vfork parent may go on: this task is about to leave its mm. The lock
 * excludes a parent that gives up waiting (wait_for_vfork). */
static void
complete_vfork(struct task *me)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct completion *done = me->vfork_done;

	me->vfork_done = NULL;
	if (done)
		complete(done);
	spin_unlock_irqrestore(&pid_lock, flags);
}

/*
 * The last things that need the old address space, at exit and at exec: locks
 * that die with us, the word that a joiner waits for, the vfork parent. Before
 * users goes down, so a woken parent may still see it one higher.
 */
void
mm_release(void)
{
	struct task *me = current;

	exit_robust_list();
	if (me->clear_child_tid && mm_users(me->mm) > 1) {
		if (put_user_u32(me->clear_child_tid, 0) == 0)
			futex_wake(me->clear_child_tid, false, 1, ~0u);
	}
	me->clear_child_tid = 0;
	complete_vfork(me);
}

/* init takes over the children of a process that ends. */
static void
reparent_children(struct process *process)
{
	struct process *child, *tmp;

	list_for_each_safe(child, tmp, &process->children, sibling) {
		list_del(&child->sibling);
		child->parent = init_process;
		child->exit_signal = SIGCHLD;
		list_add_tail(&init_process->children, &child->sibling);
		group_lost_parent(child, process, NULL);
	}
	wake_up_all(&init_process->changed);
}

/* What the parent hears of the end. */
static void
report_end(struct process *process)
{
	int status = process->exit_status;

	if (status & 0x7f)
		notify_parent(process, CLD_KILLED, status & 0x7f);
	else
		notify_parent(process, CLD_EXITED, status >> 8);
}

/* The last thread is gone: what is left is a status for the parent. True: not
 * even that, as the parent does not want it. */
static bool
end_process(struct process *process)
{
	bool unwanted;

	reparent_children(process);
	group_lost_parent(process, process->parent, process);
	flush_signals(&process->pending, ~0ul);
	sighand_put(process);
	process->ended = true;
	if (process->object)
		process_object_ended(process->object, process->exit_status);
	process->object = NULL;
	if (!process->parent)
		return false;
	unwanted = parent_ignores_end(process);
	if (unwanted)
		process_detach(process);
	report_end(process);
	return unwanted;
}

/* @me is no thread of @process any more. */
static bool
forget_thread(struct process *process, struct task *me)
{
	thread_detach(me);
	if (process->nr_threads == 0)
		return end_process(process);
	retarget_signals(process);
	stop_check(process);
	wake_up_all(&process->changed); /* an exec may wait for us */
	return false;
}

static void
leave_process(struct task *me, int status)
{
	struct process *process = me->process;
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct endpoint *personality = NULL;
	bool unwanted;

	reaper_expect();
	if (!process->group_exit)
		process->exit_status = status; /* the last one's counts */
	if (me->tid == process->pid)
		process->leader_affinity = me->affinity;
	if (process->nr_threads == 1) /* before the parent can know */
		personality = personality_end(process);
	unwanted = forget_thread(process, me);
	spin_unlock_irqrestore(&pid_lock, flags);
	personality_put(personality);
	if (unwanted)
		process_free(process);
}

/* Handles close before the parent can see that the process has ended. */
static void
ipc_exit(void)
{
	struct process *process = current->process;

	ipc_task_exit();
	if (atomic_add_return(&process->live, -1) == 0)
		handles_close_all(process);
}

void
do_exit(int status)
{
	struct task *me = current;

	if (me->process == init_process)
		panic("init ends");
	WRITE_ONCE(me->exiting, true);
	trace(TRACE_EXIT, me->mm, (u64)status, CALLER);
	if (me->mm) {
		mm_release();
		exit_mm();
	}
	ipc_exit();
	leave_process(me, status);
	hold_point(LODGER_HOLD_DEAD);
	task_exit();
}

void
do_group_exit(int status)
{
	struct process *process = current->process;
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);

	if (process->group_exit) {
		status = process->exit_status;
	} else {
		process->group_exit = true;
		process->exit_status = status;
		kill_threads(process, current);
	}
	spin_unlock_irqrestore(&pid_lock, flags);
	do_exit(status);
}

static bool
alone(struct process *process)
{
	return READ_ONCE(process->nr_threads) == 1;
}

/* The caller's id becomes the pid, whoever had it. */
static void
become_leader(struct task *me)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);

	unhash_task(me);
	me->tid = me->process->pid;
	hash_task(me);
	spin_unlock_irqrestore(&pid_lock, flags);
}

/* Of two threads that exec at once the first one here kills the other, which
 * then must not kill the first. */
static void
kill_siblings(struct process *process)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);

	if (!current->kill_signal)
		kill_threads(process, current);
	spin_unlock_irqrestore(&pid_lock, flags);
}

int
end_other_threads(void)
{
	struct process *process = current->process;
	int err = sighand_unshare();

	if (err)
		return err;
	if (!alone(process)) {
		kill_siblings(process);
		wait_event_killable(&process->changed, alone(process));
	}
	if (READ_ONCE(current->kill_signal))
		return -EINTR;
	become_leader(current);
	return 0;
}
