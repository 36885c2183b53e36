// cpus=2,4,8 timeout=60 append="invariants=20"
/* Threads push each other from CPU to CPU while they sleep, run, block and
 * end; nobody is lost, and who may only run on one CPU runs there. */
#include "tests/user/check.h"

#include <pthread.h>

#include "tests/user/storm.h"
#include "user/include/lodger.h"

enum { THREADS = 6, GENERATIONS = 25, STEPS = 30 };

static _Atomic int tids[THREADS];
static unsigned nr_cpus;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int begun, done; /* changes of others' affinity */
static _Atomic int elsewhere, looked;

static long
set_affinity(int tid, uint64_t mask)
{
	return syscall3(SYS_sched_setaffinity, tid, sizeof(mask), (long)&mask);
}

/* Only where nobody else changed anything meanwhile, it is certain who is where. */
static void
go_to(int cpu)
{
	const int before = begun;
	const bool alone = done == before;
	struct lodger_task_stat stat;

	set_affinity(0, 1ul << cpu);
	lodger_task_stat(0, &stat);
	if (!alone || begun != before)
		return;
	looked++;
	elsewhere += stat.cpu != cpu || stat.affinity != 1ul << cpu;
}

static void
send_away(int tid, uint64_t mask)
{
	begun++;
	set_affinity(tid, mask);
	done++;
}

static void *
thread_main(void *arg)
{
	uint64_t state = (uint64_t)arg;
	int slot = draw(&state, THREADS);

	tids[slot] = syscall0(SYS_gettid);
	for (int i = 0; i < STEPS; i++) {
		struct timespec time = { 0, (long)draw(&state, 100000) };

		switch (draw(&state, 7)) {
		case 0: go_to((int)draw(&state, nr_cpus)); break;
		case 1: nanosleep(&time, NULL); break;
		case 2:
			pthread_mutex_lock(&mutex);
			sched_yield();
			pthread_mutex_unlock(&mutex);
			break;
		case 3: sched_yield(); break;
		case 4: lodger_kthread_ping(); break;
		default:
			send_away(tids[draw(&state, THREADS)],
				  draw(&state, 1ul << nr_cpus) | 1);
		}
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	struct lodger_sys_stat stat;
	pthread_t threads[THREADS];
	uint64_t seed;

	lodger_or_skip();
	begin();
	seed = storm_seed(argc, argv);
	lodger_sys_stat(&stat);
	nr_cpus = stat.nr_cpus;
	for (int i = 0; i < GENERATIONS; i++) {
		for (int j = 0; j < THREADS; j++)
			pthread_create(&threads[j], NULL, thread_main,
				       (void *)(draw(&seed, 1ul << 30) | 1));
		for (int j = 0; j < THREADS; j++)
			pthread_join(threads[j], NULL);
	}
	check(looked > 0, "some were looked at");
	check_equal(elsewhere, 0, "a bound thread is on its CPU");
	return end();
}
