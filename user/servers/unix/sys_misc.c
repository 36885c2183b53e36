/* Who, where, how much: small calls without a home of their own. */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/load.h"
#include "user/servers/unix/process.h"
#include "user/servers/unix/release.h"

/* ---- Users: there is root ------------------------------------------- */

long
sys_get_id(struct call *call)
{
	(void)call;
	return 0;
}

/* As in Linux where a namespace knows no other number. */
long
sys_set_id(struct call *call)
{
	return arg32(call, 0) == 0 ? 0 : -EINVAL;
}

long
sys_set_two_ids(struct call *call)
{
	for (unsigned i = 0; i < 2; i++) {
		if (arg32(call, i) != 0 && arg32(call, i) != ~0u)
			return -EINVAL;
	}
	return 0;
}

long
sys_set_three_ids(struct call *call)
{
	if (arg32(call, 2) != 0 && arg32(call, 2) != ~0u)
		return -EINVAL;
	return sys_set_two_ids(call);
}

long
sys_get_three_ids(struct call *call)
{
	static const u32 root = 0;
	int err = 0;

	for (int i = 0; i < 3 && !err; i++)
		err = copy_out(call, call->args[i], &root, sizeof(root));
	return err;
}

/* setfsuid and setfsgid answer what it was before. */
long
sys_set_fs_id(struct call *call)
{
	(void)call;
	return 0;
}

long
sys_getgroups(struct call *call)
{
	return (int)call->args[0] < 0 ? -EINVAL : 0;
}

long
sys_setgroups(struct call *call)
{
	return arg32(call, 0) > 65536 ? -EINVAL : 0;
}

/* ---- Names ---------------------------------------------------------- */

static struct linux_utsname names = {
	.sysname = "Linux",
	.nodename = "lodger",
	.release = RELEASE,
	.version = VERSION,
	.machine = "x86_64",
	.domainname = "(none)",
};

long
sys_uname(struct call *call)
{
	return copy_out(call, call->args[0], &names, sizeof(names));
}

static long
set_system_name(struct call *call, char *name, size_t size)
{
	char text[65];
	u64 len = call->args[1];
	int err;

	if (len >= size)
		return -EINVAL;
	err = copy_in(call, text, call->args[0], len);
	if (err)
		return err;
	memset(name, 0, size);
	memcpy(name, text, len);
	return 0;
}

long
sys_sethostname(struct call *call)
{
	return set_system_name(call, names.nodename, sizeof(names.nodename));
}

long
sys_setdomainname(struct call *call)
{
	return set_system_name(call, names.domainname, sizeof(names.domainname));
}

/* ---- prctl ---------------------------------------------------------- */

static long
get_own_name(struct call *call)
{
	struct os_task task = { 0 };
	const char *name = call->process->name;

	if (!name[0] && os_task(call->tid, &task) == 0)
		name = task.name;
	return copy_out(call, call->args[1], name, sizeof(task.name));
}

static long
set_own_name(struct call *call)
{
	char name[16];
	long len = copy_in_string(call, name, call->args[1], sizeof(name));

	if (len < 0 && len != -ENAMETOOLONG)
		return len;
	name[sizeof(name) - 1] = 0;
	memcpy(call->process->name, name, sizeof(name));
	return 0;
}

long
sys_prctl(struct call *call)
{
	switch (arg32(call, 0)) {
	case PR_SET_NAME:
		return set_own_name(call);
	case PR_GET_NAME:
		return get_own_name(call);
	case PR_GET_DUMPABLE:
		return 1;
	default:
		return -EINVAL;
	}
}

/* ---- Limits --------------------------------------------------------- */

static int
set_limit(struct process *process, unsigned which,
	  const struct linux_rlimit *limit)
{
	if (limit->soft > limit->hard)
		return -EINVAL;
	if (which == RLIMIT_NOFILE && limit->hard > 1024)
		return -EPERM; /* there is no room for more */
	process->limits[which] = *limit;
	return 0;
}

static struct process *
process_or_caller(struct call *call, int pid)
{
	return pid ? process_find(pid) : call->process;
}

long
sys_prlimit64(struct call *call)
{
	struct process *process = process_or_caller(call, (int)call->args[0]);
	u64 which = (u32)call->args[1];
	struct linux_rlimit old, new;
	int err = 0;

	if (which >= NR_RLIMITS)
		return -EINVAL;
	if (call->args[2])
		err = copy_in(call, &new, call->args[2], sizeof(new));
	if (err)
		return err;
	if (!process)
		return -ESRCH;
	old = process->limits[which];
	if (call->args[2])
		err = set_limit(process, (unsigned)which, &new);
	if (!err && call->args[3])
		err = copy_out(call, call->args[3], &old, sizeof(old));
	return err;
}

long
sys_getrlimit(struct call *call)
{
	u64 which = (u32)call->args[0];

	if (which >= NR_RLIMITS)
		return -EINVAL;
	return copy_out(call, call->args[1], &call->process->limits[which],
			sizeof(struct linux_rlimit));
}

long
sys_setrlimit(struct call *call)
{
	u64 which = (u32)call->args[0];
	struct linux_rlimit limit;
	int err;

	if (which >= NR_RLIMITS)
		return -EINVAL;
	err = copy_in(call, &limit, call->args[1], sizeof(limit));
	return err ? err : set_limit(call->process, (unsigned)which, &limit);
}

/* ---- The time of day ------------------------------------------------ */

long
sys_gettimeofday(struct call *call)
{
	u64 now = os_realtime();
	struct linux_timeval time = to_timeval(now);
	static const s32 zone[2];
	int err = 0;

	if (call->args[0])
		err = copy_out(call, call->args[0], &time, sizeof(time));
	if (!err && call->args[1])
		err = copy_out(call, call->args[1], zone, sizeof(zone));
	return err;
}

long
sys_time(struct call *call)
{
	s64 now = (s64)(os_realtime() / 1000000000);
	int err = 0;

	if (call->args[0])
		err = copy_out(call, call->args[0], &now, sizeof(now));
	return err ? err : now;
}

/* ---- Used time, machine --------------------------------------------- */

static u64
own_time(struct call *call)
{
	struct os_task task;

	return os_task(call->process->pid, &task) ? 0 : task.cpu_time;
}

/* All of it counts as time in user mode: the kernel does not tell them
 * apart. */
long
sys_getrusage(struct call *call)
{
	struct linux_rusage usage = { 0 };

	switch ((int)call->args[0]) {
	case RUSAGE_SELF:
	case 1: /* RUSAGE_THREAD */
		usage.utime = to_timeval(own_time(call));
		break;
	case RUSAGE_CHILDREN:
		usage.utime = to_timeval(call->process->children_time);
		break;
	default:
		return -EINVAL;
	}
	return copy_out(call, call->args[1], &usage, sizeof(usage));
}

long
sys_times(struct call *call)
{
	s64 times[4] = { (s64)(own_time(call) / NS_PER_TICK), 0,
			 (s64)(call->process->children_time / NS_PER_TICK), 0 };
	int err = call->args[0] ? copy_out(call, call->args[0], times,
					   sizeof(times))
				: 0;

	return err ? err : (long)(os_now() / NS_PER_TICK);
}

long
sys_sysinfo(struct call *call)
{
	struct linux_sysinfo info = { .mem_unit = 1 };
	struct os_machine machine;

	os_machine(&machine);
	info.uptime = (s64)(os_now() / 1000000000);
	load_averages(info.loads, NULL);
	info.totalram = machine.memory;
	info.freeram = machine.memory_free;
	info.procs = (u16)machine.nr_tasks;
	return copy_out(call, call->args[0], &info, sizeof(info));
}
