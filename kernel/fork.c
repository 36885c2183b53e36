/* fork, vfork and clone. Read Linux: kernel/fork.c, copy_process. */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "kernel/clone.h"
#include "kernel/ipc/ipc.h"
#include "kernel/personality.h"
#include "kernel/signal.h"
#include "kernel/trace.h"
#include "mm/mm.h"
#include "mm/usercopy.h"

/* Accepted and without effect: files are the Unix server's, and what musl passes
 * by habit. */
#define CLONE_IGNORED \
	(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_DETACHED)

#define CLONE_KNOWN                                                        \
	(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_VFORK |           \
	 CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |         \
	 CLONE_CHILD_CLEARTID | CLONE_IGNORED)

static int
check_flags(u64 flags)
{
	if (flags & ~(u64)CLONE_KNOWN)
		return -EINVAL;
	if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
		return -EINVAL;
	return 0;
}

/*
 * A process whose calls a server answers must leave ids and memory for servers:
 * without these, nobody could answer it, or be started again. And each task that
 * there is may yet need some pages, those that fork has left shared. Read Linux:
 * max_threads.
 */
static bool
too_many_tasks(void)
{
	enum { IDS_LEFT = 1024, PAGES_EACH = 16 };

	return current->process->personality &&
	       (nr_tasks() >= PID_MAX - IDS_LEFT ||
		memory_is_low(nr_tasks() * PAGES_EACH));
}

/* The child's registers: the parent's, but for result, stack and TLS. */
static int
copy_registers(struct task *child, const struct clone_args *args)
{
	int err = arch_task_copy(child);

	if (err)
		return err;
	arch_task_init(child, NULL, NULL, task_regs(current));
	regs_set_result(task_regs(child), 0);
	if (args->stack)
		regs_set_sp(task_regs(child), args->stack);
	if (args->flags & CLONE_SETTLS)
		return arch_set_fs_base(child, args->tls);
	return 0;
}

static void
inherit(struct task *child, const struct clone_args *args)
{
	struct task *me = current;

	child->prio = own_priority(me);
	child->affinity = me->affinity;
	child->sigmask = me->sigmask;
	if ((args->flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM)
		child->altstack = me->altstack; /* its memory is its own */
	if (args->flags & CLONE_CHILD_SETTID)
		child->set_child_tid = args->child_tid;
	if (args->flags & CLONE_CHILD_CLEARTID)
		child->clear_child_tid = args->child_tid;
}

/* Makes the child known: from here on it can be found, signalled and waited
 * for. A parent that is being killed gets no more children: the killer may
 * have walked the list of threads already. */
static int
publish(struct task *child, struct process *process)
{
	struct process *mine = current->process;
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	tid_t tid = current->kill_signal ? -EINTR : alloc_tid();

	if (tid > 0) {
		child->tid = tid;
		if (process != mine) {
			process->pid = tid;
			process_attach(process, mine);
		}
		thread_attach(child, process);
		child->signal_work = process->stop_signal != 0;
	}
	spin_unlock_irqrestore(&pid_lock, flags);
	return tid < 0 ? tid : 0;
}

/* Builds the child in full, but does not let it run. NULL with *err. */
static struct task *
copy_process(const struct clone_args *args, int *err)
{
	bool thread = args->flags & CLONE_THREAD;
	struct process *process = current->process;
	struct task *child = task_alloc(current->name);

	*err = -ENOMEM;
	if (!child)
		return NULL;
	if (!thread)
		process = process_alloc(current->process->name);
	if (!process)
		goto free_task;
	inherit(child, args);
	if (!thread) {
		process->exit_signal = args->exit_signal;
		*err = sighand_fork(process, args->flags);
		if (*err)
			goto free_process;
	}
	*err = copy_registers(child, args);
	if (*err)
		goto free_process;
	*err = thread ? 0 : personality_inherit(process);
	if (*err)
		goto free_process;
	*err = copy_mm(child, args->flags & CLONE_VM);
	if (*err)
		goto forget_personality;
	*err = publish(child, process);
	if (!*err)
		return child;

	uncopy_mm(child);
forget_personality:
	if (!thread)
		personality_forget(process);
free_process:
	if (!thread)
		process_free(process);
free_task:
	task_free(child);
	return NULL;
}

void
undo_clone(struct task *child)
{
	struct process *process = child->process;
	struct endpoint *personality;
	irq_flags_t flags;

	transition_begin();
	handles_close_all(process);
	flags = spin_lock_irqsave(&pid_lock);
	personality = personality_end(process);
	thread_detach(child);
	flush_signals(&process->pending, ~0ul);
	process_detach(process);
	wake_up_all(&process->parent->changed);
	spin_unlock_irqrestore(&pid_lock, flags);
	personality_put(personality);
	uncopy_mm(child);
	process_free(process);
	task_free(child);
	transition_end();
}

/*
 * vfork: the parent sleeps until the child leaves the common address space.
 * A parent that is killed does not wait any longer; the child then must not
 * complete() what was on its stack.
 */
static void
wait_for_vfork(struct completion *done, tid_t tid)
{
	irq_flags_t flags;
	struct task *child;

	if (wait_event_killable(&done->queue, READ_ONCE(done->done)))
		return;
	flags = spin_lock_irqsave(&pid_lock);
	child = find_task(tid);
	if (child && child->vfork_done == done)
		child->vfork_done = NULL;
	spin_unlock_irqrestore(&pid_lock, flags);
}

long
do_clone(const struct clone_args *args)
{
	struct completion vfork_done;
	struct task *child;
	tid_t tid;
	int err = check_flags(args->flags);

	if (err)
		return err;
	if (too_many_tasks())
		return -EAGAIN;
	transition_begin();
	child = copy_process(args, &err);
	transition_end();
	if (!child)
		return err;
	if (!(args->flags & CLONE_THREAD))
		err = personality_fork(child->process, args->flags);
	if (err) {
		undo_clone(child);
		return err;
	}
	tid = child->tid;
	trace(TRACE_FORK, child->mm, (u64)tid, CALLER);
	if ((args->flags & CLONE_PARENT_SETTID) &&
	    put_user_u32(args->parent_tid, (u32)tid))
		(void)0; /* as in Linux: the child exists all the same */
	if (args->flags & CLONE_VFORK) {
		completion_init(&vfork_done);
		child->vfork_done = &vfork_done;
	}
	wake_up_new_task(child); /* from here on it may be gone */
	if (args->flags & CLONE_VFORK)
		wait_for_vfork(&vfork_done, tid);
	return tid;
}
