/* Whose terminal it is: sessions, groups, and the signals that sort them out. */
#include <errno.h>

#include "user/servers/unix/call.h"
#include "user/servers/unix/process.h"
#include "user/servers/unix/tty.h"

void
tty_signal(struct tty *tty, int sig)
{
	if (tty->group)
		os_signal(OS_GROUP, tty->group, sig, 0);
}

/* ---- The background ------------------------------------------------- */

/* A group that nobody in its session could continue must not stop. */
static bool
is_orphaned(int group, int session)
{
	struct process *process;

	for_each_process(process) {
		struct os_task task, parent;

		if (os_task(process->pid, &task) || task.pgid != group)
			continue;
		if (os_task(task.ppid, &parent) == 0 &&
		    parent.sid == session && parent.pgid != group)
			return false;
	}
	return true;
}

int
tty_check_job(struct tty *tty, struct call *call, int sig)
{
	struct os_task task;
	u64 bit = 1ull << (sig - 1);

	if (!tty->session || os_task(call->tid, &task))
		return 0;
	if (task.sid != tty->session || task.pgid == tty->group)
		return 0;
	if ((task.sig_blocked | task.sig_ignored) & bit)
		return sig == LINUX_SIGTTIN ? -EIO : 0;
	if (is_orphaned(task.pgid, task.sid))
		return -EIO;
	os_signal(OS_GROUP, task.pgid, sig, 0);
	return -ERESTARTSYS;
}

/* ---- Coming and going ----------------------------------------------- */

void
tty_hang_up(struct tty *tty)
{
	int group = tty->group;

	tty->session = tty->group = 0;
	tty->hangups++;
	wake(&tty->queue);
	if (!group)
		return;
	os_signal(OS_GROUP, group, LINUX_SIGHUP, 0);
	os_signal(OS_GROUP, group, LINUX_SIGCONT, 0);
}

void
tty_leader_exits(int pid)
{
	if (console_tty.session == pid)
		tty_hang_up(&console_tty);
}

struct tty *
tty_of(struct call *call)
{
	struct tty *tty = &console_tty;

	if (!tty->session ||
	    process_session(call->process->pid) != tty->session)
		return NULL;
	return tty;
}

int
tty_acquire(struct tty *tty, struct call *call, bool steal)
{
	struct os_task task;

	if (os_task(call->process->pid, &task))
		return -EPERM;
	if (tty->session == task.sid && task.sid == task.pid)
		return 0;
	if (task.sid != task.pid || (tty->session && !steal))
		return -EPERM;
	tty->session = task.sid;
	tty->group = task.pgid;
	return 0;
}

int
tty_release(struct tty *tty, struct call *call)
{
	if (tty_of(call) != tty)
		return -ENOTTY;
	if (process_session(call->process->pid) != call->process->pid)
		return 0;
	tty_hang_up(tty);
	return 0;
}

/* A group of the caller's session, which must have this terminal. */
int
tty_set_group(struct tty *tty, struct call *call, int group)
{
	struct process *process;
	int err;

	if (tty_of(call) != tty)
		return -ENOTTY;
	if (group < 0)
		return -EINVAL;
	err = tty_check_job(tty, call, LINUX_SIGTTOU);
	if (err)
		return err;
	for_each_process(process) {
		struct os_task task;

		if (os_task(process->pid, &task) || task.pgid != group)
			continue;
		if (task.sid != tty->session)
			return -EPERM;
		tty->group = group;
		return 0;
	}
	return -ESRCH;
}
