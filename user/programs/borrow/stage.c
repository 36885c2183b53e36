/* See stage.h. */
#include "stage.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tell.h"

enum { MAX_OTHERS = 64, MAX_TASKS = 256 };

/* Tasks of other programs, which are kept off the stage meanwhile: a server that
 * is needed, say, to print this would take an actor's place. */
static struct {
	int tid;
	cpu_set_t set;
} others[MAX_OTHERS];
static unsigned nr_others;
static int observer;

static void
keep_off(int tid)
{
	cpu_set_t set;

	if (sched_getaffinity(tid, sizeof(set), &set) < 0)
		return; /* it has ended */
	others[nr_others].tid = tid;
	others[nr_others].set = set;
	CPU_CLR(LEFT, &set);
	CPU_CLR(RIGHT, &set);
	/* Refused for a kernel thread that is bound: it has work there alone. */
	if (sched_setaffinity(tid, sizeof(set), &set) == 0)
		nr_others++;
}

static void
clear_the_stage(void)
{
	int tids[MAX_TASKS];
	long n = lodger_task_list(tids, MAX_TASKS);
	struct lodger_task_stat stat;

	for (long i = 0; i < n && i < MAX_TASKS && nr_others < MAX_OTHERS; i++)
		if (lodger_task_stat(tids[i], &stat) == 0 &&
		    (stat.is_kthread || stat.pid != observer))
			keep_off(stat.tid);
}

static void
free_the_cpus(void)
{
	for (unsigned cpu = LEFT; cpu <= RIGHT; cpu++) {
		lodger_cpu_online(cpu, true);
		lodger_hold(cpu, LODGER_HOLD_NONE);
		lodger_guest(LODGER_GUEST_LEAVE, cpu);
	}
}

/* However the story ends, nobody stays on the stage who would spin there for
 * ever, and the others may use it again. */
static void
leave_the_stage(void)
{
	if (getpid() != observer)
		return;
	free_the_cpus();
	kill_actors();
	for (unsigned i = 0; i < nr_others; i++)
		sched_setaffinity(others[i].tid, sizeof(others[i].set),
				  &others[i].set);
}

static void
interrupted(int signal)
{
	leave_the_stage();
	_exit(128 + signal);
}

void
set_the_stage(void)
{
	struct lodger_sys_stat stat;

	lodger_or_skip();
	lodger_sys_stat(&stat);
	if (stat.nr_cpus < MIN_CPUS) {
		printf("borrow: needs %d CPUs, this machine has %u. "
		       "Try: make run CPUS=4\n", MIN_CPUS, stat.nr_cpus);
		exit(77);
	}
	actors_init();
	observer = getpid();
	atexit(leave_the_stage);
	signal(SIGINT, interrupted);
	signal(SIGTERM, interrupted);
	free_the_cpus(); /* an earlier run may have been killed */
	clear_the_stage();
	move_to_cpu(0, OBSERVER_CPU);
	pictures_init();
	tell_init();
}

static bool
is_idle(unsigned cpu)
{
	struct lodger_cpu_stat stat = { 0 };

	lodger_cpu_stat(cpu, &stat);
	return stat.current_tid == 0;
}

void
wait_idle(unsigned cpu)
{
	UNTIL(is_idle(cpu), "a CPU does not get idle");
}

void
quiet_stage(void)
{
	wait_idle(LEFT);
	wait_idle(RIGHT);
	check(lodger_quiesce() > 0, "the system does not come to rest");
}

void
scene(void (*perform)(void))
{
	perform();
	free_the_cpus();
	dismiss_actors();
	forget_spaces();
}

void
a_runs(void)
{
	start_process(A, LEFT, SPIN);
	STEP("A runs",
	     ON_LEFT("A", "A"),
"     One user, one count.",
	     { "A", 1, 1 });
}

void
move_prefaulter(unsigned cpu)
{
	int tid = lodger_find_kthread("prefaulter");

	check(tid != 0, "there is no prefaulter");
	move_to_cpu(tid, cpu);
}
