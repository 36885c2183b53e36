/*
 * Process groups and sessions: numbers that processes carry, with Linux's rules
 * for changing them. Terminals, and signals to whole groups, are the Unix
 * server's. Read Linux: kernel/sys.c, setpgid and setsid.
 */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/process.h"

/* May the caller @me put @process into the group @pgid? pid_lock held. */
static long
check_setpgid(const struct process *me, const struct process *process,
	      tid_t pgid)
{
	const struct process *member;

	DEBUG_ASSERT(spin_held(&pid_lock));
	if (process != me && process->parent != me)
		return -ESRCH;
	if (process->sid != me->sid)
		return -EPERM;
	if (process != me && process->has_execed)
		return -EACCES;
	if (process->sid == process->pid)
		return -EPERM; /* it leads its session */
	if (pgid == process->pid)
		return 0;
	member = find_group_member(pgid);
	return member && member->sid == me->sid ? 0 : -EPERM;
}

static long
setpgid_locked(tid_t pid, tid_t pgid)
{
	struct process *me = current->process;
	struct process *process = pid ? find_process(pid) : me;
	long err;

	if (!process)
		return find_task(pid) ? -EINVAL : -ESRCH;
	if (!pgid)
		pgid = process->pid;
	err = check_setpgid(me, process, pgid);
	if (!err)
		process->pgid = pgid;
	return err;
}

long
sys_setpgid(tid_t pid, tid_t pgid)
{
	irq_flags_t flags;
	long err;

	if (pgid < 0)
		return -EINVAL;
	flags = spin_lock_irqsave(&pid_lock);
	err = setpgid_locked(pid, pgid);
	spin_unlock_irqrestore(&pid_lock, flags);
	return err;
}

/* Of the process that @pid, a thread's id too, belongs to; 0: the caller's.
 * NULL: there is none. pid_lock held. */
static const struct process *
process_of(tid_t pid)
{
	const struct task *task = pid ? find_task(pid) : current;

	DEBUG_ASSERT(spin_held(&pid_lock));
	return task ? task->process : find_process(pid);
}

long
sys_getpgid(tid_t pid)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	const struct process *process = process_of(pid);
	long pgid = process ? process->pgid : -ESRCH;

	spin_unlock_irqrestore(&pid_lock, flags);
	return pgid;
}

long
sys_getpgrp(void)
{
	return sys_getpgid(0);
}

long
sys_getsid(tid_t pid)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	const struct process *process = process_of(pid);
	long sid = process ? process->sid : -ESRCH;

	spin_unlock_irqrestore(&pid_lock, flags);
	return sid;
}

long
sys_setsid(void)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct process *me = current->process;
	bool leads = find_group_member(me->pid) != NULL;

	if (!leads)
		me->pgid = me->sid = me->pid;
	spin_unlock_irqrestore(&pid_lock, flags);
	return leads ? -EPERM : me->pid;
}
