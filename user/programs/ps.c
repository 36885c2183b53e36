/*
 * All tasks. A kernel thread has no address space of its own: `mm` is `-`,
 * and while it runs, `uses` is the one that it borrows.
 */
#include <stdio.h>

#include "user/include/help.h"
#include "user/include/lodger.h"

enum { MAX_TASKS = 4096 };

static const char help[] =
	"ps: all tasks, kernel threads too\n"
	"\n"
	"st        R runs or could, S sleeps, T stopped, D dead, Z ended, N never ran;\n"
	"          * it is on a CPU now\n"
	"mm        the address space it lives in; - for a kernel thread\n"
	"uses      the one it uses: its own, or the one it borrows\n"
	"switches  how often it was switched to\n";

static int tids[MAX_TASKS];

static void
id_or_dash(int64_t id, char *text, size_t size)
{
	if (id < 0)
		snprintf(text, size, "-");
	else
		snprintf(text, size, "%lld", (long long)id);
}

static void
show(const struct lodger_task_stat *task)
{
	char mm[24], uses[24];

	id_or_dash(task->mm, mm, sizeof(mm));
	id_or_dash(task->active_mm, uses, sizeof(uses));
	printf("%6d %6d %6d  %c%c %4d %4u %6s %6s %9llu %11.3f  %s%s%s\n",
	       task->tid, task->pid, task->ppid, task->state,
	       task->on_cpu ? '*' : ' ', task->cpu, task->prio, mm, uses,
	       (unsigned long long)task->switches, task->cpu_time_ns / 1e6,
	       task->is_kthread ? "[" : "", task->name,
	       task->is_kthread ? "]" : "");
}

int
main(int argc, char **argv)
{
	struct lodger_task_stat task;
	long n;

	only_help_option(argc, argv, help);
	lodger_or_skip();
	n = lodger_task_list(tids, MAX_TASKS);
	puts("   tid    pid   ppid  st  cpu prio     mm   uses  switches"
	     "      CPU ms  name");
	for (long i = 0; i < n && i < MAX_TASKS; i++)
		if (lodger_task_stat(tids[i], &task) == 0)
			show(&task);
	if (n > MAX_TASKS)
		printf("and %ld more\n", n - MAX_TASKS);
	return 0;
}
