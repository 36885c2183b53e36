/* More processes than the limit allows: EAGAIN, and nothing is lost. With the
 * argument "endlessly" every process stays, and forks whenever it can. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT = 40, NOBODYS_ID = 54321 };

static void
endlessly(void)
{
	for (;;)
		if (fork() < 0)
			usleep(200 * 1000);
}

/* On Linux the limit is not for root. */
static void
set_limit(int limit)
{
	struct rlimit limits = { limit, LIMIT };

	if (setrlimit(RLIMIT_NPROC, &limits) != 0)
		perror("setrlimit");
	if (setuid(NOBODYS_ID) != 0 && errno != EINVAL)
		perror("setuid");
}

/* How many children there could be; all of them end. */
static int
children(void)
{
	int n = 0, got = 0;
	pid_t pids[2 * LIMIT], pid;

	while (n < 2 * LIMIT && (pid = fork()) >= 0) {
		if (pid == 0)
			for (;;)
				pause();
		pids[n++] = pid;
	}
	printf("fork: %s\n", n < 2 * LIMIT ? strerror(errno) : "no limit");
	for (int i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0)
		got++;
	printf("all are collected: %d\n", got == n);
	return n;
}

int
main(int argc, char **argv)
{
	struct rlimit limits;
	int first;

	if (argc > 1 && strcmp(argv[1], "endlessly") == 0)
		endlessly();
	set_limit(LIMIT);
	getrlimit(RLIMIT_NPROC, &limits);
	printf("limits %d %d\n", (int)limits.rlim_cur, (int)limits.rlim_max);
	first = children();
	printf("some: %d\n", first > LIMIT / 2 && first < LIMIT);
	printf("as many again: %d\n", children() == first);
	limits.rlim_cur = first / 2;
	setrlimit(RLIMIT_NPROC, &limits);
	printf("fewer: %d\n", children() < first);
	return 0;
}
