// linux-oracle
/* exit_group, SIGKILL and the last thread's exit end a process whose threads
 * wait in every way there is. */
#include "tests/user/check.h"

#include <pthread.h>

static _Atomic int waiting; /* how many threads are about to block */
static _Atomic int never;   /* nobody wakes this word */

static void *__attribute__((noreturn))
in_futex(void *arg)
{
	(void)arg;
	++waiting;
	for (;;)
		futex_wait(&never, 0);
}

static void *__attribute__((noreturn))
in_private_futex(void *arg)
{
	(void)arg;
	++waiting;
	for (;;)
		futex6(&never, FUTEX_WAIT | FUTEX_PRIVATE, 0, NULL, NULL, 0);
}

static void *__attribute__((noreturn))
in_sleep(void *arg)
{
	struct timespec long_time = { 1000000, 0 };

	(void)arg;
	++waiting;
	for (;;)
		nanosleep(&long_time, NULL);
}

/* A child's life: until its parent is gone. It looks now and then, and leaves
 * the CPU to the others. */
static void __attribute__((noreturn))
outlive(pid_t parent)
{
	struct timespec while_ = { 0, 1000000 };

	while (getppid() == parent)
		syscall3(SYS_nanosleep, (long)&while_, 0, 0);
	_exit(0);
}

static void *
in_wait(void *arg)
{
	pid_t me = getpid();

	(void)arg;
	if (fork_or_die() == 0)
		outlive(me);
	++waiting;
	for (;;)
		wait(NULL);
}

static void *
in_vfork(void *arg)
{
	pid_t me = getpid();

	(void)arg;
	++waiting;
	if (vfork() == 0)
		outlive(me);
	for (;;)
		sched_yield();
}

static void *__attribute__((noreturn))
in_user_mode(void *arg)
{
	(void)arg;
	++waiting;
	for (;;)
		__builtin_ia32_pause();
}

static void *__attribute__((noreturn))
in_yield(void *arg)
{
	(void)arg;
	++waiting;
	for (;;)
		sched_yield();
}

static void *__attribute__((noreturn))
in_faults(void *arg)
{
	(void)arg;
	++waiting;
	for (;;) {
		char *area = private_memory(16 * PAGE);

		for (int i = 0; i < 16; i++)
			area[i * PAGE] = 1;
		munmap(area, 16 * PAGE);
	}
}

static void *
in_join(void *arg)
{
	++waiting;
	pthread_join(*(pthread_t *)arg, NULL);
	return NULL;
}

static void *(*const ways[])(void *) = {
	in_futex, in_private_futex, in_sleep, in_wait,
	in_vfork, in_user_mode,	    in_yield, in_faults,
};

enum { NR_WAYS = sizeof(ways) / sizeof(ways[0]) };

static void
start_all(void)
{
	static pthread_t threads[NR_WAYS + 1];

	for (int i = 0; i < NR_WAYS; i++)
		pthread_create(&threads[i], NULL, ways[i], NULL);
	pthread_create(&threads[NR_WAYS], NULL, in_join, &threads[0]);
	while (waiting < NR_WAYS + 1)
		sched_yield();
	for (int i = 0; i < 50; i++)
		sched_yield();
}

static void
main_thread_exits(void *code)
{
	start_all();
	syscall(SYS_exit_group, *(int *)code);
}

static void *
exit_from_here(void *code)
{
	syscall(SYS_exit_group, *(int *)code);
	return NULL;
}

static void
other_thread_exits(void *code)
{
	pthread_t thread;

	start_all();
	pthread_create(&thread, NULL, exit_from_here, code);
	in_futex(NULL);
}

/* exit (not exit_group) of the first thread leaves the others running. */
static void
first_thread_only(void *code)
{
	pthread_t thread;

	start_all();
	pthread_create(&thread, NULL, exit_from_here, code);
	syscall(SYS_exit, 1);
}

static void
two_at_once(void *code)
{
	pthread_t thread;

	for (int i = 0; i < 8; i++)
		pthread_create(&thread, NULL, exit_from_here, code);
	syscall(SYS_exit_group, *(int *)code);
}

/* The last of several threads decides, by exit, what the process's status
 * is. */
static _Atomic int first_is_gone;

static void *
last_thread(void *arg)
{
	(void)arg;
	while (!first_is_gone)
		sched_yield();
	for (int i = 0; i < 50; i++)
		sched_yield();
	syscall(SYS_exit, 5);
	return NULL;
}

static void
last_exit_counts(void *arg)
{
	pthread_t thread;

	(void)arg;
	pthread_create(&thread, NULL, last_thread, NULL);
	first_is_gone = 1;
	syscall(SYS_exit, 4);
}

static void
killed_while_waiting(void)
{
	_Atomic int *ready = shared_memory(PAGE);
	pid_t pid = fork_or_die();

	if (pid == 0) {
		start_all();
		signal_word(ready, 1);
		in_futex(NULL);
	}
	await_word(ready, 1);
	kill(pid, SIGKILL);
	check_equal(status_of(pid), KILLED(SIGKILL),
		    "SIGKILL ends a process that waits in every way");
}

static void *
faulting_thread(void *arg)
{
	*(volatile int *)arg = 1;
	return NULL;
}

static void
fault_in_thread(void *arg)
{
	pthread_t thread;

	(void)arg;
	start_all();
	pthread_create(&thread, NULL, faulting_thread, (void *)8);
	in_futex(NULL);
}

int
main(void)
{
	int code = 7;

	begin();
	check_child("exit_group by the first thread", main_thread_exits, &code,
		    EXITED(7));
	code = 8;
	check_child("exit_group by another thread", other_thread_exits, &code,
		    EXITED(8));
	code = 9;
	check_child("exit_group after the first thread has left",
		    first_thread_only, &code, EXITED(9));
	code = 10;
	check_child("exit_group by nine threads at once", two_at_once, &code,
		    EXITED(10));
	check_child("exit of one thread after the other", last_exit_counts,
		    NULL, EXITED(5));
	killed_while_waiting();
	check_child("a wrong access by one thread ends all", fault_in_thread,
		    NULL, KILLED(SIGSEGV));
	return end();
}
