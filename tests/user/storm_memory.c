// cpus=1,4 mem=40M timeout=120
/* Memory runs out, again and again: calls fail, processes die, the system
 * lives on and gets every frame back. */
#include "tests/user/check.h"

#include <pthread.h>

#include "tests/user/rest.h"
#include "tests/user/storm.h"

enum { ROUNDS = 1, MAX_CHILDREN = 2000 };

static _Atomic int *stop;

static void
wait_for_end(void)
{
	await_word(stop, 1);
	_exit(0);
}

/* Forks until it cannot; each child has some pages of its own. */
static int
fork_until_full(uint64_t *state)
{
	int made = 0;

	*stop = 0;
	while (made < MAX_CHILDREN) {
		uint64_t pages = draw(state, 60) + 1;
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0) {
			char *area = private_memory(pages * PAGE);

			for (uint64_t i = 0; i < pages; i++)
				area[i * PAGE] = 1;
			wait_for_end();
		}
		made++;
	}
	return made;
}

static void *
wait_as_thread(void *unused)
{
	(void)unused;
	await_word(stop, 1);
	return NULL;
}

static void __attribute__((noreturn))
full_of_threads(void)
{
	pthread_t thread;
	int made = 0;

	while (made < MAX_CHILDREN &&
	       pthread_create(&thread, NULL, wait_as_thread, NULL) == 0)
		made++;
	_exit(made > 100 ? 0 : 1);
}

static void __attribute__((noreturn))
populate_too_much(void)
{
	size_t size = 256ul << 20;
	char *area = private_memory(size);

	_exit(madvise(area, size, MADV_POPULATE_WRITE) == -1 &&
	      errno == ENOMEM ? 0 : 1);
}

static void __attribute__((noreturn))
touch_too_much(void)
{
	char *area = private_memory(256ul << 20);

	for (size_t i = 0; i < 256ul << 20; i += PAGE)
		area[i] = 1;
	_exit(0);
}

static void
fork_bomb(uint64_t *state)
{
	int made = fork_until_full(state), died = 0, ended = 0, status;

	signal_word(stop, 1);
	while (wait(&status) > 0) {
		ended++;
		died += status == KILLED(SIGSEGV);
	}
	check(made > 50 && made < MAX_CHILDREN, "fork fails in the end");
	check_equal(ended, made, "all children end");
	check(died < made, "and not all for want of memory");
}

int
main(int argc, char **argv)
{
	uint64_t tasks = tasks_now(), seed;
	long before;

	lodger_or_skip();
	begin();
	seed = storm_seed(argc, argv);
	stop = shared_memory(PAGE);
	fork_bomb(&seed);
	before = frames_at_rest(tasks);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t a = fork_or_die(), b;

		if (a == 0)
			populate_too_much();
		b = fork();
		if (b == 0)
			populate_too_much();
		status_of(a);
		if (b > 0)
			status_of(b);
		fork_bomb(&seed);
		if ((a = fork()) == 0)
			touch_too_much();
		check_equal(status_of(a), KILLED(SIGSEGV),
			    "who touches more than there is dies");
		*stop = 0;
		if ((a = fork()) == 0)
			full_of_threads();
		check_equal(status_of(a), EXITED(0),
			    "thread after thread, and then an error");
	}
	check_equal(frames_at_rest(tasks), before, "every frame is back");
	lodger_check_invariants();
	return end();
}
