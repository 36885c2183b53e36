/* See user/include/lodger.h. */
#include "user/include/lodger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/include/syscall_inline.h"

long
lodger_klog_write(const char *text, size_t len)
{
	return syscall3(LODGER_klog_write, (long)text, len, 0);
}

long
lodger_mm_stat(uint64_t id, struct lodger_mm_stat *buf)
{
	return syscall3(LODGER_mm_stat, id, (long)buf, 0);
}

long
lodger_mm_list(uint64_t *ids, size_t n)
{
	return syscall3(LODGER_mm_list, (long)ids, n, 0);
}

long
lodger_task_stat(int tid, struct lodger_task_stat *buf)
{
	return syscall3(LODGER_task_stat, tid, (long)buf, 0);
}

long
lodger_task_list(int *tids, size_t n)
{
	return syscall3(LODGER_task_list, (long)tids, n, 0);
}

long
lodger_cpu_stat(unsigned cpu, struct lodger_cpu_stat *buf)
{
	return syscall3(LODGER_cpu_stat, cpu, (long)buf, 0);
}

long
lodger_sys_stat(struct lodger_sys_stat *buf)
{
	return syscall3(LODGER_sys_stat, (long)buf, 0, 0);
}

long
lodger_trace_control(enum lodger_trace_op op, uint64_t arg)
{
	return syscall3(LODGER_trace_control, op, arg, 0);
}

long
lodger_fail(int alloc_class, unsigned nth)
{
	return syscall3(LODGER_fail, alloc_class, nth, 0);
}

long
lodger_fail_happened(void)
{
	return syscall0(LODGER_fail_happened);
}

long
lodger_check_invariants(void)
{
	return syscall0(LODGER_check_invariants);
}

long
lodger_quiesce(void)
{
	return syscall0(LODGER_quiesce);
}

long
lodger_verdict(unsigned ports, int code)
{
	return syscall3(LODGER_verdict, ports, code, 0);
}

long
lodger_guest(enum lodger_guest_op op, unsigned cpu)
{
	return syscall3(LODGER_guest, op, cpu, 0);
}

long
lodger_hold(unsigned cpu, enum lodger_hold_point point)
{
	return syscall3(LODGER_hold, cpu, point, 0);
}

long
lodger_cpu_online(unsigned cpu, int online)
{
	return syscall3(LODGER_cpu_online, cpu, online, 0);
}

long
lodger_kthread_ping(void)
{
	return syscall0(LODGER_kthread_ping);
}

int
lodger_find_kthread(const char *name)
{
	enum { MAX_TASKS = 256 };
	int tids[MAX_TASKS];
	long n = lodger_task_list(tids, MAX_TASKS);
	struct lodger_task_stat stat;

	for (long i = 0; i < n && i < MAX_TASKS; i++)
		if (lodger_task_stat(tids[i], &stat) == 0 && stat.is_kthread &&
		    strcmp(stat.name, name) == 0)
			return stat.tid;
	return 0;
}

void
lodger_or_skip(void)
{
	struct lodger_sys_stat stat;

	if (lodger_sys_stat(&stat) == 0)
		return;
	puts("skip: not Lodger");
	exit(77);
}
