// cpus=1,4,8 timeout=120 append="invariants=20"
/* Processes with threads that exec, exit, end the group, fork, vfork and sleep,
 * all at random, while others kill them: each ends in one of the ways it can,
 * and nothing of it is left. */
#include "tests/user/check.h"

#include <pthread.h>
#include <sys/auxv.h>

#include "tests/user/rest.h"
#include "tests/user/storm.h"

enum { WORKERS = 3, ROUNDS = 40, THREADS = 4, CODE = 5 };

static void
sleep_ns(uint64_t ns)
{
	struct timespec time = { 0, (long)ns };

	nanosleep(&time, NULL);
}

static void
exec_self(void)
{
	char *self = (char *)getauxval(AT_EXECFN);
	char *args[] = { self, "1", "exit", NULL };

	execv(self, args);
}

/* A vfork child: ends by exec, by exit, or by a killer. */
static void
have_child(uint64_t *state)
{
	uint64_t end = draw(state, 4);
	pid_t pid = end < 3 ? vfork() : fork();

	if (pid == 0) {
		if (end == 0)
			exec_self();
		for (int i = 0; end == 1 && i < 50; i++)
			sched_yield();
		_exit(CODE);
	}
	if (draw(state, 2))
		kill(pid, SIGKILL);
	if (draw(state, 2))
		waitpid(pid, NULL, 0);
}

static void *
thread_main(void *arg)
{
	uint64_t state = (uint64_t)arg;

	for (;;) {
		switch (draw(&state, 12)) {
		case 0: exec_self(); break;
		case 1: _exit(CODE);
		case 2: return NULL;
		case 3: have_child(&state); break;
		case 4: sleep_ns(draw(&state, 300000)); break;
		case 5: {
			char *area = private_memory(8 * PAGE);

			madvise(area, 8 * PAGE, MADV_POPULATE_WRITE);
			munmap(area, 8 * PAGE);
			break;
		}
		case 6: {
			pthread_t thread;

			if (pthread_create(&thread, NULL, thread_main,
					   (void *)(draw(&state, 1ul << 30) | 1)) == 0)
				pthread_detach(thread);
			break;
		}
		default: sched_yield();
		}
	}
}

static void __attribute__((noreturn))
victim(uint64_t seed)
{
	pthread_t thread;

	for (int i = 1; i < THREADS; i++)
		pthread_create(&thread, NULL, thread_main,
			       (void *)(draw(&seed, 1ul << 30) | 1));
	thread_main((void *)(draw(&seed, 1ul << 30) | 1));
	pthread_exit(NULL);
}

static bool
round_of(uint64_t *state)
{
	uint64_t seed = draw(state, 1ul << 30) * 2 + 1;
	uint64_t patience = draw(state, 1000000);
	pid_t pid = fork_or_die();
	int status;

	if (pid == 0)
		victim(seed);
	sleep_ns(patience);
	for (int i = draw(state, 3); i > 0; i--)
		syscall3(SYS_tkill, pid + (long)draw(state, 4), SIGTERM, 0);
	kill(pid, SIGKILL);
	status = status_of(pid);
	if (status == EXITED(CODE) || status == EXITED(0) ||
	    status == KILLED(SIGKILL) || status == KILLED(SIGTERM))
		return true;
	show_status("a victim", status);
	return false;
}

/* tkill by guess may hit a worker: then another takes its place. */
static bool
worker(uint64_t state)
{
	bool good = true;

	for (int i = 0; i < ROUNDS; i++)
		good &= round_of(&state);
	return good;
}

static bool
storm(uint64_t seed)
{
	pid_t pids[WORKERS];
	bool good = true;

	for (int i = 0; i < WORKERS; i++) {
		pids[i] = fork_or_die();
		if (pids[i] == 0) {
			uint64_t old = ~0ul; /* SIGTERM does not end us */
			syscall6(SYS_rt_sigprocmask, SIG_BLOCK, (long)&old, 0,
				 8, 0, 0);
			_exit(!worker(seed + 2 * i));
		}
	}
	for (int i = 0; i < WORKERS; i++)
		good &= status_of(pids[i]) == EXITED(0);
	return good;
}

int
main(int argc, char **argv)
{
	uint64_t tasks = tasks_now();
	uint64_t seed, all = ~0ul;
	long before;

	if (argc > 2)
		return CODE;
	lodger_or_skip();
	begin();
	seed = storm_seed(argc, argv);
	syscall6(SYS_rt_sigprocmask, SIG_BLOCK, (long)&all, 0, 8, 0, 0);
	storm(seed ^ 0xabcdef);
	before = frames_at_rest(tasks);
	check(storm(seed), "every victim ends in a way that it can end");
	check_equal(frames_at_rest(tasks), before, "every frame is back");
	lodger_check_invariants();
	return end();
}
