// linux-oracle cpus=1,4,8 timeout=120
/* Threads that all call exec, or end the process, at the same time: exactly
 * one of them decides what becomes of it. */
#include "tests/user/check.h"

#include <pthread.h>
#include <sys/auxv.h>

enum { ROUNDS = 60, THREADS = 4, CODE = 7 };

static pthread_barrier_t barrier;

static void __attribute__((noreturn))
become_code(int code)
{
	char *self = (char *)getauxval(AT_EXECFN), text[8];
	char *args[] = { self, "exit", text, NULL };

	snprintf(text, sizeof(text), "%d", code);
	execv(self, args);
	_exit(99);
}

static void *
exec_at_once(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&barrier);
	become_code(CODE);
}

static void *
exit_at_once(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&barrier);
	_exit(CODE);
}

/* A child whose threads all do @fn; @exits of them end the process instead. */
static int
race(int exits)
{
	pid_t pid = fork_or_die();
	pthread_t thread;

	if (pid == 0) {
		pthread_barrier_init(&barrier, NULL, THREADS);
		for (int i = 1; i < THREADS; i++)
			pthread_create(&thread, NULL,
				       i <= exits ? exit_at_once : exec_at_once,
				       NULL);
		exec_at_once(NULL);
	}
	return status_of(pid);
}

static void
all_end_with_code(int exits, const char *sentence)
{
	int wrong = 0, status;

	for (int i = 0; i < ROUNDS; i++) {
		status = race(exits);
		if (status != EXITED(CODE)) {
			wrong++;
			show_status("a racer", status);
		}
	}
	check_equal(wrong, 0, sentence);
}

int
main(int argc, char **argv)
{
	if (argc > 2)
		return atoi(argv[2]);
	begin();
	all_end_with_code(0, "of threads that exec at once one succeeds");
	all_end_with_code(1, "exec against exit_group: one of them wins");
	return end();
}
