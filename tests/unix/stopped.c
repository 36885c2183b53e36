/* Who waits with a timeout, is stopped, and goes on when it has passed, does not
 * wait for it once more. */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TIMEOUT = 3, ANEW = 2 * TIMEOUT };

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static int
with_poll(void)
{
	return poll(NULL, 0, TIMEOUT * 1000);
}

static int
with_ppoll(void)
{
	struct timespec time = { TIMEOUT, 0 };

	return ppoll(NULL, 0, &time, NULL);
}

static int
with_select(void)
{
	struct timeval time = { TIMEOUT, 0 };

	return select(0, NULL, NULL, NULL, &time);
}

static int
with_pselect(void)
{
	struct timespec time = { TIMEOUT, 0 };

	return pselect(0, NULL, NULL, NULL, &time, NULL);
}

static int
with_nanosleep(void)
{
	struct timespec time = { TIMEOUT, 0 };

	return nanosleep(&time, NULL);
}

static const struct {
	const char *name;
	int (*wait)(void);
} ways[] = {
	{ "poll", with_poll },
	{ "ppoll", with_ppoll },
	{ "select", with_select },
	{ "pselect", with_pselect },
	{ "nanosleep", with_nanosleep },
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

/* Its status: 1, it failed; 2, too early; 3, as late as with the timeout anew. */
static int
child(int way)
{
	double begin = now(), took;

	if (ways[way].wait() != 0)
		return 1;
	took = now() - begin;
	return took < TIMEOUT ? 2 : took < ANEW ? 0 : 3;
}

/* Of all that a child does, only this waits. */
static int
waits(pid_t pid)
{
	char name[32], state = 0;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	file = fopen(name, "r");
	if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		exit(2);
	fclose(file);
	return state == 'S';
}

int
main(void)
{
	pid_t pids[WAYS];
	int status;

	for (int i = 0; i < WAYS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(child(i));
	}
	for (int i = 0; i < WAYS; i++) {
		while (!waits(pids[i]))
			sched_yield();
		kill(pids[i], SIGSTOP);
	}
	for (int i = 0; i < WAYS; i++)
		waitpid(pids[i], &status, WUNTRACED);
	sleep(TIMEOUT);
	for (int i = 0; i < WAYS; i++)
		kill(pids[i], SIGCONT);
	for (int i = 0; i < WAYS; i++) {
		waitpid(pids[i], &status, 0);
		printf("%s: %d\n", ways[i].name, WEXITSTATUS(status));
	}
	return 0;
}
