// cpus=3 timeout=60
/* Who waits for a kernel thread that does not get to it can be killed: callers
 * of the prefaulter, which is held, and of a pinger whose CPU is kept. */
#include "tests/user/check.h"

#include "tests/user/rest.h"

enum { CONTROL_CPU, HELD_CPU, CALLER_CPU, AREA = 1024 * PAGE, CALLERS = 2 };

/* In memory that is shared after fork. */
static struct {
	_Atomic int calls; /* how many callers are about to call */
	_Atomic int callers[CALLERS];
	_Atomic int second; /* the second one is in its call */
} *common;

static void
stay_on(int tid, unsigned cpu)
{
	unsigned long mask = 1ul << cpu;

	syscall3(SYS_sched_setaffinity, tid, sizeof(mask), (long)&mask);
}

static bool
is_asleep(int tid)
{
	struct lodger_task_stat stat;

	return lodger_task_stat(tid, &stat) == 0 && stat.state == 'S';
}

static void
await_asleep(int tid)
{
	while (!is_asleep(tid))
		sched_yield();
}

static void
await_held(enum lodger_hold_point point)
{
	struct lodger_cpu_stat stat;

	do {
		sched_yield();
		lodger_cpu_stat(HELD_CPU, &stat);
	} while (stat.held_at != point);
}

static void
kill_them(const pid_t *callers, const char *who)
{
	for (int i = CALLERS - 1; i >= 0; i--) {
		kill(callers[i], SIGKILL);
		check_equal(status_of(callers[i]), KILLED(SIGKILL), who);
	}
}

/* ---- The prefaulter ----------------------------------------------------- */

static pid_t
populating_child(void)
{
	pid_t pid = fork_or_die();

	if (pid)
		return pid;
	stay_on(0, CALLER_CPU);
	madvise(private_memory(AREA), AREA, MADV_POPULATE_WRITE);
	_exit(0);
}

static void
killed_while_the_prefaulter_is_held(void)
{
	struct lodger_task_stat task;
	struct lodger_mm_stat mm;
	pid_t callers[CALLERS];
	int prefaulter = lodger_find_kthread("prefaulter");
	uint64_t tasks = tasks_now();
	long before;

	stay_on(prefaulter, HELD_CPU);
	before = frames_at_rest(tasks);
	lodger_hold(HELD_CPU, LODGER_HOLD_ADOPTED);
	callers[0] = populating_child();
	await_held(LODGER_HOLD_ADOPTED);
	callers[1] = populating_child(); /* waits in the queue */
	await_asleep(callers[1]);
	lodger_task_stat(callers[0], &task);
	kill_them(callers, "who waits for the prefaulter is killed");
	lodger_mm_stat(task.mm, &mm);
	check_equal(mm.users, 1, "the prefaulter alone keeps the first one's");
	lodger_hold(HELD_CPU, LODGER_HOLD_NONE);
	while (lodger_mm_stat(task.mm, &mm) == 0 && mm.users > 0)
		sched_yield();
	await_asleep(prefaulter);
	check_equal(frames_at_rest(tasks), before, "every frame is back");
}

/* ---- The pinger --------------------------------------------------------- */

/* The first one asks the pinger, the second one while the first one waits: it
 * has to wait for the first. */
static void __attribute__((noreturn))
ping_for_ever(int i)
{
	for (;;) {
		while (i == 0 ? common->second : !is_asleep(common->callers[0]))
			sched_yield();
		common->second = i;
		lodger_kthread_ping();
		common->second = 0;
	}
}

static pid_t
pinging_child(int i)
{
	pid_t pid = fork_or_die();

	if (pid)
		return pid;
	stay_on(0, HELD_CPU);
	common->callers[i] = getpid();
	common->calls++;
	ping_for_ever(i);
}

/* Dies on the callers' CPU in a moment when all of them wait: the pinger is
 * then behind it, since it must run there too. */
static pid_t
keeper(void)
{
	pid_t pid = fork_or_die();

	if (pid)
		return pid;
	stay_on(0, HELD_CPU);
	while (common->calls < CALLERS || !is_asleep(common->callers[0]) ||
	       !is_asleep(common->callers[1]))
		sched_yield();
	_exit(0);
}

static void
killed_while_the_pinger_does_not_run(void)
{
	pid_t callers[CALLERS], dead;

	lodger_hold(HELD_CPU, LODGER_HOLD_DEAD);
	dead = keeper();
	for (int i = 0; i < CALLERS; i++)
		callers[i] = pinging_child(i);
	await_held(LODGER_HOLD_DEAD);
	status_of(dead);
	for (int i = 0; i < CALLERS; i++) {
		check(is_asleep(callers[i]), "it waits");
		stay_on(callers[i], CALLER_CPU); /* that it can die */
	}
	kill_them(callers, "who waits for the pinger is killed");
	lodger_hold(HELD_CPU, LODGER_HOLD_NONE);
	stay_on(0, HELD_CPU);
	check_equal(lodger_kthread_ping(), 0, "it answers the next one");
}

int
main(void)
{
	lodger_or_skip();
	begin();
	common = shared_memory(PAGE);
	stay_on(0, CONTROL_CPU);
	killed_while_the_prefaulter_is_held();
	killed_while_the_pinger_does_not_run();
	lodger_check_invariants();
	return end();
}
