// linux-oracle
/* sched_setaffinity: a task runs only where it may, and goes there at once. */
#include "tests/user/check.h"

#include <pthread.h>

enum { MAX_CPU = 1024 };

static int cpus[MAX_CPU]; /* those we may use */
static int nr_cpus;

/* What the kernel says of @tid: that CPU and no other. */
static bool
only_on(pid_t tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	return sched_getaffinity(tid, sizeof(set), &set) == 0 &&
	       CPU_COUNT(&set) == 1 && CPU_ISSET(cpu, &set);
}

static int
set_one(pid_t tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(tid, sizeof(set), &set);
}

static void
find_cpus(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (int i = 0; i < MAX_CPU; i++)
		if (CPU_ISSET(i, &set))
			cpus[nr_cpus++] = i;
	check(nr_cpus > 0, "at the start at least one CPU is allowed");
}

static void
inherits(void *arg)
{
	_exit(only_on(0, *(int *)arg) ? 0 : 1);
}

static void
each_in_turn(void)
{
	bool good = true, inherited = true;

	for (int i = 0; i < nr_cpus; i++) {
		good &= set_one(0, cpus[i]) == 0 && only_on(0, cpus[i]);
		inherited &= in_child(inherits, &cpus[i]) == EXITED(0);
	}
	check(good, "every allowed CPU can be chosen");
	check(inherited, "a child inherits the choice");
}

static _Atomic long *spins;

static void
spin(void *arg)
{
	(void)arg;
	for (;;)
		++*spins;
}

/* A running process is sent from CPU to CPU and makes progress on each. */
static void
send_another(void)
{
	pid_t pid = fork_or_die();
	bool good = true;

	if (pid == 0)
		spin(NULL);
	for (int round = 0; round < 20; round++) {
		int cpu = cpus[round % nr_cpus];
		long before;

		good &= set_one(pid, cpu) == 0 && only_on(pid, cpu);
		before = *spins;
		while (*spins == before)
			sched_yield();
	}
	check(good, "another process can be sent to any CPU");
	kill(pid, SIGKILL);
	check_equal(status_of(pid), KILLED(SIGKILL), "and killed there");
}

static void *
choose(void *arg)
{
	set_one(0, *(int *)arg);
	return (void *)(long)only_on(0, *(int *)arg);
}

static void
threads_choose_alone(void)
{
	int first = cpus[0], last = cpus[nr_cpus - 1];
	pthread_t thread;
	void *result;

	set_one(0, first);
	pthread_create(&thread, NULL, choose, &last);
	pthread_join(thread, &result);
	check(result != NULL && only_on(0, first),
	      "a thread chooses for itself alone");
}

static void
dead_child_errors(void)
{
	pid_t pid = fork_or_die();

	if (pid == 0)
		_exit(0);
	status_of(pid);
	show_expect("setaffinity of a process that is gone",
		    set_one(pid, cpus[0]) < 0 ? -errno : 0, -ESRCH);
}

static void
errors(void)
{
	unsigned long mask[16] = { 0 };

	show_expect("setaffinity to no CPU",
		    syscall3(SYS_sched_setaffinity, 0, 128, (long)mask),
		    -EINVAL);
	show_expect("setaffinity of nothing",
		    syscall3(SYS_sched_setaffinity, 0, 0, (long)mask),
		    -EINVAL);
	mask[15] = 1ul << 63;
	show_expect("setaffinity to a CPU that is not there",
		    syscall3(SYS_sched_setaffinity, 0, 128, (long)mask),
		    -EINVAL);
	show_expect("setaffinity from a bad address",
		    syscall3(SYS_sched_setaffinity, 0, 128, 8), -EFAULT);
	show_expect("getaffinity to a bad address",
		    syscall3(SYS_sched_getaffinity, 0, 128, 8), -EFAULT);
	show_expect("getaffinity of an odd length",
		    syscall3(SYS_sched_getaffinity, 0, 9, (long)mask),
		    -EINVAL);
	show_expect("getaffinity of nobody",
		    syscall3(SYS_sched_getaffinity, 0x3fffffff, 128,
			     (long)mask), -ESRCH);
	check(syscall3(SYS_sched_getaffinity, 0, 128, (long)mask) > 0,
	      "getaffinity returns how many bytes it wrote");
}

int
main(void)
{
	begin();
	spins = shared_memory(PAGE);
	find_cpus();
	each_in_turn();
	send_another();
	threads_choose_alone();
	dead_child_errors();
	errors();
	return end();
}
