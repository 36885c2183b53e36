// linux-oracle
/* clone in its combinations: who shares memory, who is a thread, who is
 * waited for, which words the kernel writes. */
#include "tests/user/check.h"

enum { STACK_SIZE = 65536 };

static int shared_if_vm; /* is this word one word, or one in each process? */
static _Atomic int *word;
static _Atomic int child_tid, parent_tid;

static long
do_clone(int (*fn)(void *), int flags, void *arg, void *tls)
{
	char *stack = private_memory(STACK_SIZE);
	int tid = clone(fn, stack + STACK_SIZE, flags, arg, &parent_tid, tls,
			&child_tid);

	return tid < 0 ? -errno : tid;
}

static int
write_and_exit(void *arg)
{
	shared_if_vm = (int)(long)arg;
	return 3;
}

static void
processes(void)
{
	long pid = do_clone(write_and_exit, SIGCHLD, (void *)1, NULL);

	check_equal(status_of(pid), EXITED(3), "clone without flags is fork");
	check_equal(shared_if_vm, 0, "memory is copied");
	pid = do_clone(write_and_exit, CLONE_VM | SIGCHLD, (void *)2, NULL);
	check_equal(status_of(pid), EXITED(3),
		    "CLONE_VM alone makes a process, which is waited for");
	check_equal(shared_if_vm, 2, "in the same memory");
	pid = do_clone(write_and_exit, CLONE_VM | CLONE_VFORK | SIGCHLD,
		       (void *)4, NULL);
	check_equal(shared_if_vm, 4,
		    "CLONE_VFORK returns when the child has ended");
	check_equal(status_of(pid), EXITED(3), "and leaves its status");
	pid = do_clone(write_and_exit,
		       CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_VM |
			       SIGCHLD, (void *)5, NULL);
	check_equal(status_of(pid), EXITED(3), "sharing everything but pid");
}

static int
report_identity(void *arg)
{
	int *ids = arg;

	ids[0] = syscall0(SYS_getpid);
	ids[1] = syscall0(SYS_gettid);
	ids[2] = syscall0(SYS_getppid);
	return 0;
}

static void
wait_cleared(void)
{
	int seen;

	while ((seen = child_tid) != 0)
		futex6(&child_tid, FUTEX_WAIT, seen, NULL, NULL, 0);
}

enum {
	THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		 CLONE_THREAD | CLONE_SYSVSEM,
};

static void
threads(void)
{
	int ids[3];
	long tid;

	child_tid = 1;
	tid = do_clone(report_identity,
		       THREAD | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID,
		       ids, NULL);
	wait_cleared();
	check(ids[0] == getpid() && ids[2] == getppid(),
	      "CLONE_THREAD shares pid and parent");
	check(ids[1] == tid && tid != getpid(), "and has a tid of its own");
	check(parent_tid == tid, "CLONE_PARENT_SETTID tells the parent");
	show_expect("waiting for a thread",
		    waitpid(tid, NULL, 0) < 0 ? -errno : 0, -ECHILD);

	tid = do_clone(report_identity, CLONE_VM | SIGCHLD, ids, NULL);
	status_of(tid);
	check(ids[0] == tid && ids[1] == tid && ids[2] == getpid(),
	      "CLONE_VM alone: a pid of its own, and we are its parent");
}

static int
see_child_tid(void *arg)
{
	*(int *)arg = child_tid == syscall0(SYS_gettid);
	return 0;
}

static void
written_words(void)
{
	int good = 0;
	long tid;

	child_tid = 5;
	tid = do_clone(see_child_tid,
		       CLONE_VM | CLONE_CHILD_SETTID | SIGCHLD, &good, NULL);
	status_of(tid);
	check(good && child_tid == tid,
	      "CLONE_CHILD_SETTID writes before the child runs");
	child_tid = 5;
	tid = do_clone(see_child_tid,
		       CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, &good, NULL);
	wait_cleared();
	check(true, "CLONE_CHILD_CLEARTID clears, and wakes");
	status_of(tid);
	child_tid = 5;
	tid = do_clone(see_child_tid, CLONE_CHILD_SETTID | SIGCHLD, &good,
		       NULL);
	status_of(tid);
	check_equal(child_tid, 5, "in copied memory only the child sees it");
	child_tid = 5;
	tid = do_clone(see_child_tid, CLONE_VM | SIGCHLD, &good, NULL);
	status_of(tid);
	check_equal(child_tid, 5, "without the flags nothing is written");
}

static void
set_tid_address(void)
{
	int here;
	long old = syscall3(SYS_set_tid_address, (long)&here, 0, 0);

	check(old == syscall(SYS_gettid), "set_tid_address returns the tid");
	syscall3(SYS_set_tid_address, (long)&child_tid, 0, 0);
}

/* Thread-local storage: fs:0 of the child points where CLONE_SETTLS said. */
static int
read_tls(void *arg)
{
	uint64_t value;

	__asm__ volatile("mov %%fs:0, %0" : "=r"(value));
	*(uint64_t *)arg = value;
	return 0;
}

static void
tls(void)
{
	static uint64_t area[512] = { 0x1122334455667788 };
	uint64_t seen = 0;
	long tid = do_clone(read_tls, CLONE_VM | CLONE_SETTLS | SIGCHLD, &seen,
			    area);

	status_of(tid);
	check(seen == 0x1122334455667788, "CLONE_SETTLS sets the base of fs");
	show_expect("CLONE_SETTLS to a kernel address",
		    do_clone(read_tls, CLONE_VM | CLONE_SETTLS | SIGCHLD,
			     &seen, (void *)0xffff800000000000), -EPERM);
}

/* Two processes in one address space: what one maps, the other can use; one
 * dies, execs or is killed, the other lives on in it. */
static int
map_for_other(void *arg)
{
	*(char **)arg = private_memory(PAGE);
	**(char **)arg = 77;
	return 0;
}

static int
spin(void *arg)
{
	for (;;)
		*(volatile int *)arg = 9;
	return 0;
}

static int
wrong_access(void *arg)
{
	*(volatile int *)arg = 1;
	return 0;
}

static int
try_exec(void *arg)
{
	char *args[] = { "x", NULL };

	execve(arg, args, NULL);
	return 8;
}

static void
life_in_one_space(void)
{
	char *area = NULL;
	long pid = do_clone(map_for_other, CLONE_VM | SIGCHLD, &area, NULL);

	status_of(pid);
	check(area && *area == 77, "memory mapped by the other is here");
	pid = do_clone(spin, CLONE_VM | SIGCHLD, &shared_if_vm, NULL);
	while (*(volatile int *)&shared_if_vm != 9)
		sched_yield();
	kill(pid, SIGKILL);
	check_equal(status_of(pid), KILLED(SIGKILL), "one of two is killed");
	check_equal(*area, 77, "the other keeps its memory");
	pid = do_clone(wrong_access, CLONE_VM | SIGCHLD, (void *)8, NULL);
	check_equal(status_of(pid), KILLED(SIGSEGV), "one of two faults");
	check_equal(*area, 77, "the other lives on");
	pid = do_clone(try_exec, CLONE_VM | SIGCHLD, "/no/such", NULL);
	check_equal(status_of(pid), EXITED(8),
		    "a failed exec in shared memory");
}

/* A child that shares memory forks: its child gets a copy. */
static int
fork_inside(void *arg)
{
	long pid = syscall0(SYS_fork);

	(void)arg;
	if (pid == 0) {
		shared_if_vm = 100;
		syscall3(SYS_exit_group, 6, 0, 0);
	}
	return WEXITSTATUS(status_of(pid));
}

static void
fork_of_clone(void)
{
	long pid;

	shared_if_vm = 0;
	pid = do_clone(fork_inside, CLONE_VM | SIGCHLD, NULL, NULL);
	check_equal(status_of(pid), EXITED(6), "a child that shares forks");
	check_equal(shared_if_vm, 0, "and the copy is a copy");
}

static void
refusals(void)
{
	show_expect("CLONE_THREAD without CLONE_SIGHAND",
		    do_clone(write_and_exit, CLONE_VM | CLONE_THREAD, NULL,
			     NULL), -EINVAL);
	show_expect("CLONE_SIGHAND without CLONE_VM",
		    do_clone(write_and_exit, CLONE_SIGHAND | SIGCHLD, NULL,
			     NULL), -EINVAL);
	show_expect("CLONE_THREAD without CLONE_VM",
		    do_clone(write_and_exit, CLONE_SIGHAND | CLONE_THREAD,
			     NULL, NULL), -EINVAL);
}

int
main(void)
{
	begin();
	word = shared_memory(PAGE);
	processes();
	threads();
	written_words();
	set_tid_address();
	tls();
	life_in_one_space();
	fork_of_clone();
	refusals();
	return end();
}
