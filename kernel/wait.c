/* Collecting children that have ended, and hearing of those that stopped or
 * went on: wait4() and waitid(). Read Linux: kernel/exit.c, do_wait. */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/signal.h"
#include "mm/usercopy.h"

enum {
	WNOHANG = 1,
	WUNTRACED = 2,	/* waitid: WSTOPPED */
	WEXITED = 4,
	WCONTINUED = 8,
	WNOWAIT = 0x01000000,
	WNOTHREAD = 0x20000000,
	WALL = 0x40000000,
	WCLONE = (int)0x80000000,
	WAIT4_OPTIONS = WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL |
			WCLONE,
	WAITID_OPTIONS = WAIT4_OPTIONS | WEXITED | WNOWAIT,
};

enum { P_ALL, P_PID, P_PGID };

enum { LOWEST = (int)0x80000000 };

enum { RUSAGE_SIZE = 144 }; /* bytes of Linux's struct rusage */

/* A wait: what it asks for, and what it found. */
struct wait {
	int which;		/* P_* */
	tid_t id;
	int options;
	bool any;		/* there is a child that is meant */
	tid_t pid;		/* of the one found; 0: none */
	int code;		/* CLD_* */
	int status;		/* as wait4() says it */
	struct process *ended;	/* to be freed; NULL: it is still there */
};

/* Children made by clone with another signal than SIGCHLD are only meant with
 * __WCLONE or __WALL. */
static bool
is_meant(const struct process *child, const struct wait *wait)
{
	if (wait->which == P_PID && child->pid != wait->id)
		return false;
	if (wait->which == P_PGID && child->pgid != wait->id)
		return false;
	if (wait->options & WALL)
		return true;
	return (child->exit_signal != SIGCHLD) == !!(wait->options & WCLONE);
}

static int
code_of_end(int status)
{
	if (!(status & 0x7f))
		return CLD_EXITED;
	return status & 0x80 ? CLD_DUMPED : CLD_KILLED;
}

/* What there is to say of @child, if it was asked for; CLD_*, or 0. */
static int
event_of(const struct process *child, int options, int *status)
{
	*status = child->exit_status;
	if (child->ended)
		return options & WEXITED ? code_of_end(*status) : 0;
	*status = child->stop_signal << 8 | 0x7f;
	if (child->event == CHILD_STOPPED && (options & WUNTRACED))
		return CLD_STOPPED;
	*status = 0xffff;
	if (child->event == CHILD_CONTINUED && (options & WCONTINUED))
		return CLD_CONTINUED;
	return 0;
}

/* It is not to be found by the next wait. */
static void
use_up(struct process *child, struct wait *wait)
{
	child->event = CHILD_QUIET;
	if (!child->ended)
		return;
	process_detach(child);
	wait->ended = child;
}

/* Is the wait over? It is when nobody is meant, too. */
static bool
look(struct wait *wait)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct process *child;

	wait->any = false;
	list_for_each(child, &current->process->children, sibling) {
		if (!is_meant(child, wait))
			continue;
		wait->any = true;
		wait->code = event_of(child, wait->options, &wait->status);
		if (!wait->code)
			continue;
		wait->pid = child->pid;
		if (!(wait->options & WNOWAIT))
			use_up(child, wait);
		break;
	}
	spin_unlock_irqrestore(&pid_lock, flags);
	return wait->pid || !wait->any || (wait->options & WNOHANG);
}

/* 0: found, or there is nothing yet and WNOHANG. */
static int
wait_for_child(struct wait *wait)
{
	struct process *me = current->process;
	bool over = wait_event_interruptible(&me->changed, look(wait));

	if (wait->ended)
		process_free(wait->ended);
	if (!over)
		return -ERESTARTSYS;
	return wait->any ? 0 : -ECHILD;
}

/* ---- wait4 ------------------------------------------------------------ */

/* The four forms: one process, any, the caller's group, another group. */
static void
set_target(struct wait *wait, tid_t pid)
{
	if (pid > 0) {
		wait->which = P_PID;
		wait->id = pid;
	} else if (pid != -1) {
		wait->which = P_PGID;
		wait->id = pid ? -pid : current->process->pgid;
	}
}

long
do_wait(tid_t pid, uaddr_t status, int options, uaddr_t rusage)
{
	struct wait wait = { .options = options | WEXITED };
	int err;

	if (options & ~WAIT4_OPTIONS)
		return -EINVAL;
	if (pid == LOWEST) /* no group has the opposite number */
		return -ESRCH;
	set_target(&wait, pid);
	err = wait_for_child(&wait);
	if (err || !wait.pid)
		return err;
	if (status && put_user_u32(status, (u32)wait.status))
		return -EFAULT;
	if (rusage && clear_user(rusage, RUSAGE_SIZE))
		return -EFAULT;
	return wait.pid;
}

/* ---- waitid ----------------------------------------------------------- */

/* As in SIGCHLD's siginfo. */
static int
plain_status(const struct wait *wait)
{
	switch (wait->code) {
	case CLD_EXITED:
	case CLD_STOPPED:
		return wait->status >> 8 & 0xff;
	case CLD_CONTINUED:
		return SIGCONT;
	default:
		return wait->status & 0x7f;
	}
}

long
sys_waitid(int which, tid_t id, uaddr_t uinfo, int options, uaddr_t rusage)
{
	struct wait wait = { .which = which, .id = id, .options = options };
	struct kernel_siginfo info = { 0 };
	int err;

	if ((options & ~WAITID_OPTIONS) ||
	    !(options & (WEXITED | WUNTRACED | WCONTINUED)))
		return -EINVAL;
	if (which < P_ALL || which > P_PGID || (which == P_PID && id <= 0) ||
	    (which == P_PGID && id < 0))
		return -EINVAL;
	if (which == P_PGID && id == 0)
		wait.id = current->process->pgid;
	err = wait_for_child(&wait);
	if (err)
		return err;
	if (wait.pid) {
		info.signo = SIGCHLD;
		info.code = wait.code;
		info.pid = wait.pid;
		info.status = plain_status(&wait);
	}
	if (rusage && clear_user(rusage, RUSAGE_SIZE))
		return -EFAULT;
	/* Unlike a handler's, this one ends after the status. */
	return uinfo ? copy_to_user(uinfo, &info,
				    offsetof(struct kernel_siginfo, utime))
		     : 0;
}

/* ---- init ------------------------------------------------------------- */

long
kernel_wait(int *status)
{
	struct wait wait = { .options = WALL | WEXITED };
	int err = wait_for_child(&wait);

	*status = wait.status;
	return err ? err : wait.pid;
}

bool
orphans_to_collect(void)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct process *child;
	bool found = false;

	list_for_each(child, &init_process->children, sibling)
		found |= child->ended;
	spin_unlock_irqrestore(&pid_lock, flags);
	return found;
}
