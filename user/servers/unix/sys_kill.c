/* kill, for what the kernel leaves to us: groups, and everybody. */
#include <errno.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/process.h"

long
sys_kill(struct call *call)
{
	int pid = (int)call->args[0], sig = (int)call->args[1];
	int from = call->process->pid;

	if (sig < 0 || sig > LINUX_NR_SIGNALS)
		return -EINVAL;
	if (pid > 0)
		return os_signal(OS_PROCESS, pid, sig, from);
	if (pid == -1)
		return os_signal(OS_OTHERS, from, sig, from);
	if (pid == INT32_MIN)
		return -ESRCH;
	return os_signal(OS_GROUP, pid ? -pid : process_group(from), sig, from);
}
