// linux-oracle
/*
 * Everything at once: four processes do random things, in a random order that
 * their seeds decide, a fixed number of times: fork, clone, vfork, exec,
 * exit, kill, map, unmap. Whatever order the machine chooses, each knows what
 * its children must answer. On Lodger every frame must be back at the end.
 *
 * soak [seed [operations]]
 */
#include "tests/user/check.h"

#include <pthread.h>
#include <sys/auxv.h>

#include "tests/user/rest.h"
#include "tests/user/storm.h"

enum { WORKERS = 4, OPERATIONS = 150, DEEPEST = 3, MAX_PAGES = 64 };

static _Atomic int *orphans; /* how many have ended */

/* A child's own stream of numbers. */
static uint64_t
new_seed(uint64_t *state)
{
	return draw(state, 1ul << 31) * 2 + 1;
}

static bool run(uint64_t seed, int operations, int depth);

/* Unmaps a piece, then what is left on its two sides. Not all at once: another
 * thread may have got the piece meanwhile. */
static bool
unmap_in_pieces(char *area, uint64_t pages, uint64_t *state)
{
	uint64_t at = draw(state, pages), n = draw(state, pages - at) + 1;
	uint64_t end = at + n;

	return munmap(area + at * PAGE, n * PAGE) == 0 &&
	       (at == 0 || munmap(area, at * PAGE) == 0) &&
	       (end == pages ||
		munmap(area + end * PAGE, (pages - end) * PAGE) == 0);
}

static bool
map_and_unmap(uint64_t *state)
{
	uint64_t pages = draw(state, MAX_PAGES) + 1;
	char *area = private_memory(pages * PAGE);
	bool good = true;

	for (int i = 0; i < 8; i++) {
		uint64_t at = draw(state, pages);

		good &= area[at * PAGE] == 0 || area[at * PAGE] == (char)at;
		area[at * PAGE] = at;
	}
	return good & unmap_in_pieces(area, pages, state);
}

static bool
protect_and_fault(uint64_t *state)
{
	char *area = private_memory(PAGE);
	pid_t pid;
	bool good;

	area[0] = draw(state, 100);
	mprotect(area, PAGE, PROT_READ);
	pid = fork_or_die();
	if (pid == 0) {
		*(volatile char *)area = 1;
		_exit(0);
	}
	good = status_of(pid) == KILLED(SIGSEGV);
	munmap(area, PAGE);
	return good;
}

static bool
populate(uint64_t *state)
{
	unsigned long size = (draw(state, MAX_PAGES) + 1) * PAGE;
	char *area = private_memory(size);
	bool good = madvise(area, size, MADV_POPULATE_WRITE) == 0 &&
		    area[size - 1] == 0;

	munmap(area, size);
	return good;
}

static bool
fork_and_wait(uint64_t *state, int depth)
{
	uint64_t seed = new_seed(state);
	int operations = draw(state, 6) + 1;
	pid_t pid = fork_or_die();

	if (pid == 0)
		_exit(run(seed, operations, depth - 1) ? 11 : 12);
	return status_of(pid) == EXITED(11);
}

/* Several children, waited for in another order than they were made in. */
static bool
brood(uint64_t *state, int depth)
{
	enum { N = 4 };
	pid_t pids[N];
	bool good = true;

	for (int i = 0; i < N; i++) {
		uint64_t seed = new_seed(state);

		pids[i] = fork_or_die();
		if (pids[i] == 0)
			_exit(run(seed, 2, depth - 1) ? 20 + i : 0);
	}
	for (int i = N - 1; i >= 0; i--)
		good &= status_of(pids[i]) == EXITED(20 + i);
	return good;
}

static void *
thread_main(void *arg)
{
	uint64_t state = (uint64_t)arg;
	bool good = true;

	for (int i = 0; i < 5; i++) {
		good &= map_and_unmap(&state);
		sched_yield();
	}
	return (void *)(long)good;
}

static bool
threads(uint64_t *state)
{
	enum { N = 3 };
	pthread_t ids[N];
	bool good = true;
	void *result;

	for (int i = 0; i < N; i++)
		if (pthread_create(&ids[i], NULL, thread_main,
				   (void *)new_seed(state)) != 0)
			return false;
	for (int i = 0; i < N; i++) {
		pthread_join(ids[i], &result);
		good &= result != NULL;
	}
	return good;
}

/* A process that ends while its threads run. */
static bool
threads_left_behind(uint64_t *state)
{
	pid_t pid = fork_or_die();
	pthread_t thread;

	if (pid == 0) {
		for (int i = 0; i < 3; i++)
			pthread_create(&thread, NULL, thread_main,
				       (void *)new_seed(state));
		_exit(13);
	}
	return status_of(pid) == EXITED(13);
}

static bool
vfork_and_exit(uint64_t *state)
{
	int code = draw(state, 200);
	pid_t pid = vfork();

	if (pid == 0)
		_exit(code);
	return status_of(pid) == EXITED(code);
}

static bool
exec_and_exit(uint64_t *state)
{
	char *self = (char *)getauxval(AT_EXECFN), code[8];
	char *args[] = { self, "exit", code, NULL };
	int number = draw(state, 200);
	pid_t pid;

	snprintf(code, sizeof(code), "%d", number);
	pid = draw(state, 2) ? vfork() : fork();
	if (pid == 0) {
		execv(self, args);
		_exit(255);
	}
	return status_of(pid) == EXITED(number);
}

static bool
leave_an_orphan(uint64_t *state)
{
	uint64_t seed = new_seed(state);
	pid_t pid = fork_or_die();

	if (pid == 0) {
		if (fork_or_die() == 0) {
			map_and_unmap(&seed);
			++*orphans;
			futex_wake(orphans, 1);
			_exit(0);
		}
		_exit(14);
	}
	return status_of(pid) == EXITED(14);
}

static bool
kill_one(uint64_t *state)
{
	uint64_t seed = new_seed(state);
	pid_t pid = fork_or_die();

	if (pid == 0)
		for (;;)
			map_and_unmap(&seed);
	for (int i = draw(state, 4); i > 0; i--)
		sched_yield();
	kill(pid, SIGKILL);
	return status_of(pid) == KILLED(SIGKILL);
}

static int
share_memory(void *arg)
{
	++*(volatile int *)arg;
	return 15;
}

static bool
clone_with_memory(uint64_t *state)
{
	char *stack = private_memory(4 * PAGE);
	volatile int word = draw(state, 100);
	int before = word;
	pid_t pid = clone(share_memory, stack + 4 * PAGE, CLONE_VM | SIGCHLD,
			  (void *)&word);
	bool good = status_of(pid) == EXITED(15) && word == before + 1;

	munmap(stack, 4 * PAGE);
	return good;
}

/* To one of the CPUs that this process may use, or to all of them. */
static bool
move(uint64_t *state)
{
	static cpu_set_t all;
	cpu_set_t one;
	int n, which;

	if (CPU_COUNT(&all) == 0)
		sched_getaffinity(0, sizeof(all), &all);
	n = CPU_COUNT(&all);
	which = draw(state, 1000000) % (n + 1);
	if (which == n)
		return sched_setaffinity(0, sizeof(all), &all) == 0;
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all) && which-- == 0)
			CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one) == 0;
}

static bool
one_operation(uint64_t which, uint64_t *state, int depth)
{
	switch (which) {
	case 0: return map_and_unmap(state);
	case 1: return protect_and_fault(state);
	case 2: return populate(state);
	case 3: return threads(state);
	case 4: return threads_left_behind(state);
	case 5: return vfork_and_exit(state);
	case 6: return exec_and_exit(state);
	case 7: return kill_one(state);
	case 8: return clone_with_memory(state);
	case 9: return move(state);
	case 10: return fork_and_wait(state, depth);
	case 11: return brood(state, depth);
	default: return leave_an_orphan(state);
	}
}

static bool
run(uint64_t seed, int operations, int depth)
{
	for (int i = 0; i < operations; i++) {
		uint64_t which = draw(&seed, depth > 0 ? 13 : 10);

		if (one_operation(which, &seed, depth))
			continue;
		printf("operation %llu (see one_operation) failed, errno %d\n",
		       (unsigned long long)which, errno);
		return false;
	}
	return true;
}

static bool
workers(uint64_t seed, int operations)
{
	pid_t pids[WORKERS];
	bool good = true;

	for (int i = 0; i < WORKERS; i++) {
		pids[i] = fork_or_die();
		if (pids[i] == 0)
			_exit(run(seed * 1000 + 2 * i + 1, operations,
				  DEEPEST) ? 0 : 1);
	}
	for (int i = 0; i < WORKERS; i++)
		good &= status_of(pids[i]) == EXITED(0);
	return good;
}

int
main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	int operations = argc > 2 ? atoi(argv[2]) : OPERATIONS;
	bool here = on_lodger();
	uint64_t tasks = tasks_now();
	long before = 0, after = 0;

	if (argc > 2 && strcmp(argv[1], "exit") == 0)
		return atoi(argv[2]);
	begin();
	printf("seed %llu, %d processes, %d operations each\n",
	       (unsigned long long)seed, WORKERS, operations);
	orphans = shared_memory(PAGE);
	workers(seed, 5); /* in peace: caches fill */
	if (here)
		before = frames_at_rest(tasks);
	check(workers(seed, operations), "every child answers as it must");
	if (here)
		after = frames_at_rest(tasks);
	check_equal(after, before, "every frame is back");
	if (here)
		lodger_check_invariants();
	return end();
}
