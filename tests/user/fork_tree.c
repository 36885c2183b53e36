// linux-oracle
/* A tree of processes: each knows its parent, its status climbs up. */
#include "tests/user/check.h"

enum { DEPTH = 6 };

static _Atomic int *nodes;

/* Returns the number of nodes below and including this one. */
static int
grow(int depth, pid_t parent)
{
	int sum = 1, status;
	pid_t pid;

	if (getppid() != parent)
		_exit(255);
	++*nodes;
	if (depth == 0)
		return 1;
	for (int i = 0; i < 2; i++) {
		pid_t me = getpid();

		pid = fork_or_die();
		if (pid == 0)
			_exit(grow(depth - 1, me));
		status = status_of(pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) == 255)
			_exit(255);
		sum += WEXITSTATUS(status);
	}
	return sum;
}

/* All children of one parent at once, waited for in any order. */
static void
a_row_of_children(void)
{
	enum { N = 50 };
	bool seen[N] = { false };
	int status, count = 0;

	for (int i = 0; i < N; i++)
		if (fork_or_die() == 0)
			_exit(i);
	while (wait(&status) > 0) {
		seen[WEXITSTATUS(status)] = true;
		count++;
	}
	check_equal(count, N, "fifty children are waited for");
	check_equal(errno, ECHILD, "and then there are none left");
	for (int i = 0; i < N; i++)
		if (!seen[i])
			check(false, "each exit status arrives once");
}

/* A chain: every process forks the next, the last one's status comes back. */
static int
chain(int links)
{
	pid_t pid;

	if (links == 0)
		return 42;
	pid = fork_or_die();
	if (pid == 0)
		_exit(chain(links - 1));
	return WEXITSTATUS(status_of(pid));
}

int
main(void)
{
	begin();
	nodes = shared_memory(PAGE);
	check_equal(grow(DEPTH, getppid()), (2 << DEPTH) - 1,
		    "a binary tree of depth 6 reports all its nodes");
	check_equal(*nodes, (2 << DEPTH) - 1, "and each node ran once");
	a_row_of_children();
	check_equal(chain(30), 42, "a status climbs a chain of 30 processes");
	return end();
}
