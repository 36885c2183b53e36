// linux-oracle
/* The C library's threads: 200 of them, mutexes, condition variables, joins,
 * thread-local storage. */
#include "tests/user/check.h"

#include <pthread.h>

enum { N = 200, ROUNDS = 100 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long total, arrived;
static __thread long mine = 7;

static pthread_t
start(void *(*fn)(void *), long arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	if (pthread_create(&thread, &attr, fn, (void *)arg) != 0) {
		perror("pthread_create");
		exit(2);
	}
	return thread;
}

static void *
add(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		total++;
		pthread_mutex_unlock(&lock);
	}
	mine += (long)arg;
	return (void *)mine;
}

static void
adders(void)
{
	pthread_t threads[N];
	void *result;
	bool good = true;

	for (long i = 0; i < N; i++)
		threads[i] = start(add, i);
	for (long i = 0; i < N; i++) {
		pthread_join(threads[i], &result);
		good &= (long)result == i + 7;
	}
	check_equal(total, N * ROUNDS, "200 threads add under a mutex");
	check(good, "each has thread-local storage of its own");
	check_equal(mine, 7, "and the main thread keeps its own");
}

/* All wait for the last one, by condition variable. */
static void *
meet(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	if (++arrived == N)
		pthread_cond_broadcast(&changed);
	while (arrived < N)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void
meeting(void)
{
	pthread_t threads[N];

	for (long i = 0; i < N; i++)
		threads[i] = start(meet, i);
	for (long i = 0; i < N; i++)
		pthread_join(threads[i], NULL);
	check_equal(arrived, N, "200 threads meet at a condition variable");
}

/* Strict alternation of two threads. */
static int turn;

static void *
ping_pong(void *arg)
{
	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&lock);
		while (turn % 2 != (int)(long)arg)
			pthread_cond_wait(&changed, &lock);
		turn++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void
alternation(void)
{
	pthread_t a = start(ping_pong, 0), b = start(ping_pong, 1);

	pthread_join(a, NULL);
	pthread_join(b, NULL);
	check_equal(turn, 1000, "two threads alternate 1000 times");
}

static void
timed_wait(void)
{
	struct timespec until;
	int error;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 5000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&lock);
	do
		error = pthread_cond_timedwait(&changed, &lock, &until);
	while (error == 0);
	pthread_mutex_unlock(&lock);
	check_equal(error, ETIMEDOUT, "a timed wait ends by its deadline");
}

static void *
identity(void *arg)
{
	pid_t *ids = arg;

	ids[0] = getpid();
	ids[1] = syscall(SYS_gettid);
	return NULL;
}

static void
identities(void)
{
	pid_t ids[2];
	pthread_t thread;

	pthread_create(&thread, NULL, identity, ids);
	pthread_join(thread, NULL);
	check(ids[0] == getpid(), "a thread has its process's pid");
	check(ids[1] != getpid(), "and a tid of its own");
	check(syscall(SYS_gettid) == getpid(), "the first thread's is the pid");
}

/* Stacks come and go; a thread that exits leaves the others alone. */
static void
many_generations(void)
{
	for (int i = 0; i < 2000; i++)
		pthread_join(start(meet, 0), NULL);
	check_equal(arrived, N + 2000, "2000 threads one after another");
}

int
main(void)
{
	begin();
	adders();
	meeting();
	alternation();
	timed_wait();
	identities();
	many_generations();
	return end();
}
