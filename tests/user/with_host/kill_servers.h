/* Kills the console server and its drivers, as a seed says; and says what is in
 * use. For the program in place of the Unix server, and for one under the shell. */
#pragma once

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/include/objects.h"

enum { MAX_TASKS = 1024, MEMORY_LINE = 96 };

/* The servers' tasks by name. 0: it is not there at the moment. */
static int
find_task(const char *name)
{
	static int tids[MAX_TASKS];
	struct lodger_task_stat stat;
	long n = lodger_task_list(tids, MAX_TASKS);

	for (long i = 0; i < n && i < MAX_TASKS; i++)
		if (lodger_task_stat(tids[i], &stat) == 0 &&
		    stat.state != 'Z' && stat.state != 'D' &&
		    strcmp(stat.name, name) == 0)
			return stat.pid;
	return 0;
}

/* Once it is there; and until it is not. */
static void
kill_server(const char *name)
{
	int pid;

	while ((pid = find_task(name)) == 0 || kill(pid, SIGKILL) != 0)
		usleep(500);
	while (find_task(name) == pid)
		usleep(500);
}

static void
kill_servers(unsigned seed, int kills)
{
	static const char *const names[] = { "serial", "keyboard", "screen",
					     "console" };

	for (int i = 0; i < kills; i++) {
		usleep(rand_r(&seed) % 20000);
		kill_server(names[rand_r(&seed) % 4]);
	}
}

/* Once all servers wait again; the length of the line. */
static int
describe_memory(char line[MEMORY_LINE])
{
	struct lodger_sys_stat stat;
	long frames;

	while (!find_task("serial") || !find_task("keyboard") ||
	       !find_task("screen") || !find_task("console"))
		usleep(1000);
	usleep(100000);
	frames = lodger_quiesce();
	lodger_check_invariants();
	lodger_sys_stat(&stat);
	return snprintf(line, MEMORY_LINE,
			"\r\nmemory %ld, %llu tasks, %llu mms\r\n", frames,
			(unsigned long long)stat.nr_tasks,
			(unsigned long long)stat.nr_mms);
}
