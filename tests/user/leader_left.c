// linux-oracle
/* A process whose first thread has left, while others live, and one that has
 * ended and was not waited for: the first thread's id still names it, and what
 * is done to it has no effect on the others. */
#include "tests/user/check.h"

#include <pthread.h>

static _Atomic int leader_lives = 1; /* the kernel clears it */

static long
tkill(pid_t tid, int signal)
{
	return syscall3(SYS_tkill, tid, signal, 0);
}

static long
tgkill(pid_t pid, pid_t tid, int signal)
{
	return syscall3(SYS_tgkill, pid, tid, signal);
}

static void
signals(pid_t leader)
{
	pid_t me = (pid_t)syscall0(SYS_gettid);

	show_expect("tkill, no signal", tkill(leader, 0), 0);
	show_expect("tgkill, no signal", tgkill(leader, leader, 0), 0);
	show_expect("tgkill, another group's", tgkill(me, leader, 0), -ESRCH);
	show_expect("tgkill of this thread", tgkill(leader, me, 0), 0);
	show_expect("kill, no signal", syscall3(SYS_kill, leader, 0, 0), 0);
	show_expect("tkill, a bad signal", tkill(leader, 65), -EINVAL);
	show_expect("tkill with SIGTERM", tkill(leader, SIGTERM), 0);
	show_expect("tkill with SIGKILL", tkill(leader, SIGKILL), 0);
	show_expect("tgkill with SIGKILL", tgkill(leader, leader, SIGKILL), 0);
	sched_yield();
	check(true, "this thread lives on");
}

static void
affinities(pid_t leader)
{
	cpu_set_t mine, one, its;
	int cpu = 0;

	CPU_ZERO(&mine);
	CPU_ZERO(&one);
	CPU_ZERO(&its);
	sched_getaffinity(0, sizeof(mine), &mine);
	check_equal(sched_getaffinity(leader, sizeof(its), &its), 0,
		    "its affinity can be asked for");
	check(CPU_EQUAL(&its, &mine), "it is what it was");
	while (!CPU_ISSET(cpu, &mine))
		cpu++;
	CPU_SET(cpu, &one);
	check_equal(sched_setaffinity(leader, sizeof(one), &one), 0,
		    "it can be set");
	sched_getaffinity(leader, sizeof(its), &its);
	check(CPU_EQUAL(&its, &one), "and is what was set");
	sched_getaffinity(0, sizeof(its), &its);
	check(CPU_EQUAL(&its, &mine), "this thread's is unchanged");
	CPU_ZERO(&one);
	check(sched_setaffinity(leader, sizeof(one), &one) == -1 &&
	      errno == EINVAL, "no CPU at all is refused");
}

static void
robust_list(pid_t leader)
{
	uintptr_t head = 1;
	size_t size = 0;

	show_expect("get_robust_list",
		    syscall3(SYS_get_robust_list, leader, (long)&head,
			     (long)&size), 0);
	check(head == 0 && size == 24, "it has none any more");
}

static void *
second_thread(void *unused)
{
	pid_t leader = getpid();

	(void)unused;
	while (leader_lives)
		sched_yield();
	signals(leader);
	affinities(leader);
	robust_list(leader);
	_exit(7);
}

static void
leader_leaves(void *unused)
{
	pthread_t thread;

	(void)unused;
	pthread_create(&thread, NULL, second_thread, NULL);
	syscall3(SYS_set_tid_address, (long)&leader_lives, 0, 0);
	syscall3(SYS_exit, 0, 0, 0);
}

static void
nobody_left(void)
{
	cpu_set_t set;
	pid_t pid = fork_or_die();

	if (pid == 0)
		_exit(3);
	for (int i = 0; i < 1000; i++)
		sched_yield(); /* most likely it has ended: all the same */
	show_expect("tkill of a zombie, no signal", tkill(pid, 0), 0);
	check_equal(sched_getaffinity(pid, sizeof(set), &set), 0,
		    "a zombie has an affinity");
	check_equal(status_of(pid), EXITED(3), "it is waited for");
	show_expect("tkill, no signal", tkill(pid, 0), -ESRCH);
	check(sched_getaffinity(pid, sizeof(set), &set) == -1 &&
	      errno == ESRCH, "now nobody has its id");
}

int
main(void)
{
	begin();
	check_child("the others' process", leader_leaves, NULL, EXITED(7));
	nobody_left();
	return end();
}
