// cpus=1,4 mem=40M timeout=120
/* Memory runs out in several ways, again and again: calls fail, processes die,
 * the system lives on and gets every frame back. */
#include "tests/user/check.h"

#include <pthread.h>

#include "tests/user/rest.h"
#include "tests/user/storm.h"

enum { ROUNDS = 2, MAX_CHILDREN = 2000, TOO_MUCH = 256 << 20 };

/* In shared memory, which no fork makes copy-on-write. */
static struct {
	_Atomic int go, stop;
	_Atomic int full; /* scenes that met the end of memory */
} *common;

/* ---- Scenes: each may die for want of memory at any touch -------------- */

static void
wait_for_stop(void)
{
	await_word(&common->stop, 1);
	_exit(0);
}

/* Each child has some pages of its own, and keeps them. */
static void
forks(uint64_t seed)
{
	for (int i = 0; i < MAX_CHILDREN; i++) {
		uint64_t pages = draw(&seed, 60) + 1;
		pid_t pid = fork();

		if (pid < 0) {
			common->full++;
			return;
		}
		if (pid == 0) {
			char *area = private_memory(pages * PAGE);

			for (uint64_t j = 0; j < pages; j++)
				area[j * PAGE] = 1;
			wait_for_stop();
		}
	}
}

static void *
wait_as_thread(void *unused)
{
	(void)unused;
	await_word(&common->stop, 1);
	return NULL;
}

static void
threads(uint64_t seed)
{
	pthread_t thread;

	(void)seed;
	for (int i = 0; i < MAX_CHILDREN; i++) {
		if (pthread_create(&thread, NULL, wait_as_thread, NULL)) {
			common->full++;
			return;
		}
	}
}

/* Three at once, through one prefaulter. */
static void
populates(uint64_t seed)
{
	char *area = private_memory(TOO_MUCH);

	(void)seed;
	fork();
	fork();
	if (madvise(area, TOO_MUCH, MADV_POPULATE_WRITE) == -1 &&
	    errno == ENOMEM)
		common->full++;
}

static void
touches(uint64_t seed)
{
	char *area = private_memory(TOO_MUCH);

	(void)seed;
	common->full++; /* there is no later */
	for (size_t i = 0; i < TOO_MUCH; i += PAGE)
		area[i] = 1;
	_exit(1);
}

/* A program's children, each in an exec that may fail for want of memory. */
static void
execs(uint64_t seed)
{
	char *args[] = { "/tests/storm_memory", "wait", NULL };

	(void)seed;
	for (int i = 0; i < MAX_CHILDREN; i++) {
		pid_t pid = vfork();

		if (pid == 0) {
			execv(args[0], args);
			_exit(1);
		}
		if (pid < 0) {
			common->full++;
			return;
		}
	}
}

/* ---- The frame --------------------------------------------------------- */

/* Everybody that a scene left behind ends: by the word, or by a signal. */
static void
clear(uint64_t tasks)
{
	static int tids[MAX_CHILDREN + 64];

	signal_word(&common->stop, 1);
	while (tasks_now() > tasks) {
		long n = lodger_task_list(tids, MAX_CHILDREN + 64);

		for (long i = 0; i < n && i < MAX_CHILDREN + 64; i++) {
			struct lodger_task_stat stat;

			if (lodger_task_stat(tids[i], &stat) == 0 &&
			    stat.ppid == 1 && stat.pid > getpid())
				kill(stat.pid, SIGKILL);
		}
		sched_yield();
	}
}

static void
scene(const char *what, void (*play)(uint64_t), uint64_t seed)
{
	uint64_t tasks = tasks_now();
	int before = common->full, status;
	pid_t pid;

	common->go = common->stop = 0;
	pid = fork_or_die();
	if (pid == 0) {
		await_word(&common->go, 1);
		play(seed);
		_exit(0);
	}
	/* What we touch later is ours again before memory is short. */
	clear(tasks + 1);
	common->stop = 0;
	signal_word(&common->go, 1);
	status = status_of(pid);
	clear(tasks);
	check(common->full > before || status == KILLED(SIGSEGV), what);
}

int
main(int argc, char **argv)
{
	uint64_t tasks = tasks_now(), seed;
	long before = 0;

	if (argc > 1 && strcmp(argv[1], "wait") == 0)
		for (;;) /* until killed */
			sleep(1000);
	lodger_or_skip();
	begin();
	seed = storm_seed(argc, argv);
	common = shared_memory(PAGE);
	for (int i = 0; i < ROUNDS; i++) {
		scene("fork after fork", forks, seed + i);
		scene("thread after thread", threads, 0);
		scene("populating too much, by several", populates, 0);
		scene("touching too much", touches, 0);
		scene("exec after exec", execs, 0);
		if (i == 0)
			before = frames_at_rest(tasks);
	}
	check_equal(frames_at_rest(tasks), before, "every frame is back");
	lodger_check_invariants();
	return end();
}
