// linux-oracle
/* When a parent dies first, its children get another one, and nobody waits
 * for them twice. */
#include "tests/user/check.h"

#include <pthread.h>

static _Atomic int *word, *answers;

/* Waits until the parent has changed, and says so. */
static void
orphan(pid_t parent)
{
	while (getppid() == parent)
		sched_yield();
	++*answers;
	futex_wake(answers, 1);
	await_word(word, 1);
	++*answers;
	futex_wake(answers, 1);
	_exit(9);
}

static void
leave_orphans(void *count)
{
	pid_t me = getpid();

	for (int i = 0; i < *(int *)count; i++)
		if (fork_or_die() == 0)
			orphan(me);
	_exit(3);
}

static void
orphans(int count)
{
	*word = 0;
	*answers = 0;
	check_child("a process that leaves its children", leave_orphans,
		    &count, EXITED(3));
	await_word(answers, count);
	check(true, "each has another parent");
	check(wait(NULL) < 0 && errno == ECHILD, "which is not the grandparent");
	signal_word(word, 1);
	await_word(answers, 2 * count);
	check(true, "and lives on until it ends by itself");
}

/* The first thread leaves, the process lives on in the second, its child
 * keeps its parent. */
static void *
second_thread(void *arg)
{
	pid_t me = getpid(), pid;

	(void)arg;
	for (int i = 0; i < 100; i++)
		sched_yield();
	pid = fork_or_die();
	if (pid == 0)
		_exit(getppid() == me ? 6 : 7);
	_exit(WEXITSTATUS(status_of(pid)));
}

static void
leader_leaves(void *arg)
{
	pthread_t thread;

	(void)arg;
	pthread_create(&thread, NULL, second_thread, NULL);
	/* Not pthread_exit(): in the child of a fork, some releases of this C
	 * library leave their thread list locked by it. */
	syscall(SYS_exit, 0);
}

/* Zombies of a dead parent are cleaned up by the new one. */
static void
leave_zombies(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++)
		if (fork_or_die() == 0)
			_exit(i);
	_exit(4);
}

int
main(void)
{
	begin();
	word = shared_memory(PAGE);
	answers = word + 1;
	orphans(1);
	orphans(20);
	check_child("a process without its first thread", leader_leaves, NULL,
		    EXITED(6));
	check_child("a process that leaves zombies", leave_zombies, NULL,
		    EXITED(4));
	return end();
}
