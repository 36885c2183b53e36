// cpus=3 mem=32M timeout=60
/* Memory is full, and much of it is stacks of dead tasks that the reaper has
 * not come to: fork, clone and exec wait for it instead of failing, and who
 * waits can be killed. A guest keeps the reaper from its CPU. */
#include "tests/user/check.h"

#include <sys/auxv.h>

#include "user/include/lodger.h"

enum {
	CONTROL_CPU, REAPER_CPU, CALLER_CPU,
	DEAD = 64, /* more than may stay mapped for later use */
	TOO_MUCH = 256 << 20,
	CALLER_STACK = 4096,
};

/* In shared memory, which no fork makes copy-on-write. */
static struct {
	_Atomic int go;
	_Atomic int calls; /* is about to make its call */
	_Atomic long result;
} *common;

static char *area; /* what is eaten */
static int reaper;

static void
stay_on(int tid, unsigned cpu)
{
	unsigned long mask = 1ul << cpu;

	syscall3(SYS_sched_setaffinity, tid, sizeof(mask), (long)&mask);
}

/* What is written later is ours alone before memory is full. */
static void
touch_own_pages(void)
{
	volatile char here[4 * PAGE];

	for (size_t i = 0; i < sizeof(here); i += PAGE)
		here[i] = 1;
	errno = 0;
}

/* ---- The callers ------------------------------------------------------- */

static long
call_fork(void)
{
	long pid = syscall0(SYS_fork);

	if (pid == 0)
		syscall3(SYS_exit_group, 0, 0, 0);
	if (pid > 0)
		status_of((pid_t)pid);
	return pid;
}

static long
call_clone(void)
{
	static char stack[CALLER_STACK] __attribute__((aligned(16)));
	const long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			   CLONE_THREAD | CLONE_SYSVSEM;
	long tid = syscall6(SYS_clone, flags, (long)(stack + sizeof(stack)), 0,
			    0, 0, 0);

	if (tid == 0)
		syscall3(SYS_exit, 0, 0, 0);
	return tid;
}

static long
call_exec(void)
{
	char *self = (char *)getauxval(AT_EXECFN);
	char *args[] = { self, "end", NULL };

	return syscall3(SYS_execve, (long)self, (long)args, (long)environ);
}

/* Ends with 0 when the call did not fail. */
static pid_t
start_caller(long (*call)(void))
{
	pid_t pid = fork_or_die();

	if (pid)
		return pid;
	stay_on(0, CALLER_CPU);
	touch_own_pages();
	await_word(&common->go, 1);
	common->calls = 1;
	common->result = call();
	_exit(common->result < 0);
}

/* ---- The scene --------------------------------------------------------- */

static void
pile_up_the_dead(void)
{
	for (int i = 0; i < DEAD; i++) {
		pid_t pid = fork_or_die();

		if (pid == 0)
			_exit(0);
		status_of(pid);
	}
	touch_own_pages();
}

/* True when it sleeps in its call; false when it came back from it. */
static bool
falls_asleep(pid_t pid)
{
	struct lodger_task_stat stat;

	common->go = 1;
	futex_wake(&common->go, 1);
	do {
		sched_yield();
		if (lodger_task_stat(pid, &stat) != 0 || stat.state == 'Z')
			return false;
	} while (!common->calls || stat.state != 'S');
	return true;
}

static void
scene(long (*call)(void), bool killed, const char *sleeps, const char *ends)
{
	pid_t pid;
	bool asleep, full;
	int status;

	common->go = common->calls = 0;
	check_equal(lodger_guest(LODGER_GUEST_RUN, REAPER_CPU), 0,
		    "the reaper does not run");
	pid = start_caller(call);
	pile_up_the_dead();
	full = madvise(area, TOO_MUCH, MADV_POPULATE_WRITE) == -1 &&
	       errno == ENOMEM;
	asleep = falls_asleep(pid);
	if (killed)
		kill(pid, SIGKILL);
	else
		lodger_guest(LODGER_GUEST_LEAVE, REAPER_CPU);
	status = status_of(pid);
	if (killed)
		lodger_guest(LODGER_GUEST_LEAVE, REAPER_CPU);
	madvise(area, TOO_MUCH, MADV_DONTNEED);
	check(full, "memory is full");
	check(asleep, sleeps);
	check_equal(status, killed ? KILLED(SIGKILL) : EXITED(0), ends);
}

int
main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return 0; /* after exec */
	lodger_or_skip();
	begin();
	common = shared_memory(PAGE);
	area = private_memory(TOO_MUCH);
	reaper = lodger_find_kthread("reaper");
	stay_on(0, CONTROL_CPU);
	stay_on(reaper, REAPER_CPU);
	scene(call_fork, false, "fork waits", "and works once it has run");
	scene(call_clone, false, "clone waits", "and works once it has run");
	scene(call_exec, false, "exec waits", "and works once it has run");
	scene(call_fork, true, "fork waits", "and can be killed meanwhile");
	check_equal(lodger_check_invariants(), 0, "the invariants hold");
	return end();
}
