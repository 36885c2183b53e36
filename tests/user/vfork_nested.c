// linux-oracle
/* vfork: the child lives in the parent's memory, the parent sleeps until the
 * child exits or execs; three levels deep. */
#include "tests/user/check.h"

#include <sys/auxv.h>

static volatile int events;   /* order of what happened, as decimal digits */
static volatile int deepest;

static void
event(int digit)
{
	events = events * 10 + digit;
}

static void level(int depth);

static void __attribute__((noinline))
level(int depth)
{
	pid_t pid;

	event(depth);
	deepest = depth;
	if (depth == 3)
		return;
	pid = vfork();
	if (pid == 0) {
		level(depth + 1);
		_exit(depth + 1);
	}
	event(depth);
	if (pid < 0 || WEXITSTATUS(status_of(pid)) != depth + 1)
		event(9);
}

/* The child stays in the vfork window until the parent could have run. */
static void
parent_sleeps(void)
{
	volatile int parent_ran = 0, seen = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		for (int i = 0; i < 1000; i++) {
			sched_yield();
			seen |= parent_ran;
		}
		_exit(0);
	}
	parent_ran = 1;
	status_of(pid);
	check(!seen, "the parent does not run while the child has its memory");
}

static void
exec_wakes_parent(void)
{
	char *self = (char *)getauxval(AT_EXECFN);
	char *args[] = { self, "wait-for-kill", NULL };
	pid_t pid = vfork();
	int status;

	if (pid == 0) {
		execv(self, args);
		_exit(1);
	}
	/* The child lives on for ever: we are here because it called exec. */
	check(waitpid(pid, &status, WNOHANG) == 0,
	      "the parent goes on when the child execs");
	kill(pid, SIGKILL);
	check_equal(status_of(pid), KILLED(SIGKILL), "and outlives it");
}

static void
failed_exec_stays(void)
{
	char *args[] = { "none", NULL };
	volatile int error = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		execv("/no/such/program", args);
		error = errno;
		_exit(3);
	}
	check_equal(status_of(pid), EXITED(3), "a failed exec ends nothing");
	show_expect("exec of a missing file", -error, -ENOENT);
}

static void
death_wakes_parent(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		kill(getpid(), SIGKILL);
	check_equal(status_of(pid), KILLED(SIGKILL),
		    "a killed vfork child wakes its parent");
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "wait-for-kill") == 0)
		for (;;)
			sched_yield();
	begin();
	level(0);
	printf("order of events: %d\n", events);
	check_equal(events, 123210, "three levels nest, and end inside out");
	check_equal(deepest, 3, "writes of the deepest child are seen");
	parent_sleeps();
	exec_wakes_parent();
	failed_exec_stays();
	death_wakes_parent();
	return end();
}
