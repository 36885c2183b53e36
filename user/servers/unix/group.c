/*
 * kill for more than one process. A process that is just being forked is told,
 * too: either the server has heard of it, and it is in the list; or its parent
 * is told, and then the kernel undoes the fork, which begins again after the
 * signal.
 */
#include "user/servers/unix/group.h"

#include <errno.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/process.h"

int
group_kill(int group, int sig)
{
	struct process *process;
	int result = -ESRCH;

	for_each_process(process) {
		struct os_task task;

		if (os_task(process->pid, &task) || task.pgid != group)
			continue;
		if (os_kill(process->pid, sig) == 0)
			result = 0;
	}
	return result;
}

/* All that came with the first shell, but the caller. */
static int
kill_all(int but, int sig)
{
	struct process *process;
	int result = -ESRCH;

	for_each_process(process) {
		if (process->pid != but && os_kill(process->pid, sig) == 0)
			result = 0;
	}
	return result;
}

long
sys_kill(struct call *call)
{
	int pid = (int)call->args[0], sig = (int)call->args[1];

	if (sig < 0 || sig > LINUX_NR_SIGNALS)
		return -EINVAL;
	if (pid > 0)
		return os_kill(pid, sig);
	if (pid == 0)
		return group_kill(process_group(call->process->pid), sig);
	if (pid == -1)
		return kill_all(call->process->pid, sig);
	return pid == INT32_MIN ? -ESRCH : group_kill(-pid, sig);
}
