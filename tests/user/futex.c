// linux-oracle
/* futex: waiting, waking, moving waiters, bit sets, deadlines, and the
 * difference between private and shared words. */
#include "tests/user/check.h"

#include <pthread.h>

static _Atomic int *word, *other, *done;

static const struct timespec soon = { 0, 3000000 };

static long
call(_Atomic int *at, int op, long value, const void *timeout,
     _Atomic int *at2, long value3)
{
	return futex6(at, op, value, timeout, at2, value3);
}

/* A machine under load may be out of threads: that is to be seen as such. */
static void
start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	int err = pthread_create(thread, NULL, fn, arg);

	if (err) {
		printf("pthread_create: %s\n", strerror(err));
		exit(2);
	}
}

/* Wakes until one has been woken: the waiter may not sleep yet. */
static void
wake_one(_Atomic int *at, int op, long bits)
{
	while (call(at, op, 1, NULL, NULL, bits) == 0)
		sched_yield();
}

static void *
wait_thread(void *op)
{
	long result = call(word, (int)(long)op, 0, NULL, NULL, ~0);

	++*done;
	return (void *)result;
}

static void
wait_and_wake(const char *name, int flag)
{
	pthread_t threads[4];
	void *result;
	bool good = true;

	printf("%s words:\n", name);
	*word = 0;
	*done = 0;
	for (int i = 0; i < 4; i++)
		start(&threads[i], wait_thread,
		      (void *)(long)(FUTEX_WAIT | flag));
	for (int i = 0; i < 4; i++)
		wake_one(word, FUTEX_WAKE | flag, 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		good &= result == NULL;
	}
	check(good, "each waiter returns 0");
	check_equal(*done, 4, "each wake wakes exactly one");
	show_expect("wake of nobody", call(word, FUTEX_WAKE | flag, 10, NULL,
					   NULL, 0), 0);
	*word = 1;
	show_expect("wait for a word that has changed",
		    call(word, FUTEX_WAIT | flag, 0, NULL, NULL, 0), -EAGAIN);
	show_expect("wait that nobody ends",
		    call(word, FUTEX_WAIT | flag, 1, &soon, NULL, 0),
		    -ETIMEDOUT);
}

static void *
wait_bits(void *bits)
{
	long result = call(word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE, 0, NULL,
			   NULL, (long)bits);

	return (void *)result;
}

static void
bit_sets(void)
{
	pthread_t one, two;

	*word = 0;
	start(&one, wait_bits, (void *)1);
	start(&two, wait_bits, (void *)2);
	wake_one(word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE, 2);
	pthread_join(two, NULL);
	show_expect("wake with bits that nobody waits for",
		    call(word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE, 9, NULL,
			 NULL, 4), 0);
	wake_one(word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE, 1);
	pthread_join(one, NULL);
	check(true, "each waiter is woken by its own bit");
	show_expect("wait with no bits",
		    call(word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), -EINVAL);
	show_expect("wake with no bits",
		    call(word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), -EINVAL);
}

static void
deadline_in(struct timespec *time, clockid_t clock, long ns)
{
	clock_gettime(clock, time);
	time->tv_nsec += ns;
	if (time->tv_nsec >= 1000000000) {
		time->tv_nsec -= 1000000000;
		time->tv_sec++;
	}
}

/* WAIT takes a duration, WAIT_BITSET a point in time. */
static void
deadlines(void)
{
	struct timespec time = { 0, 0 };

	*word = 0;
	show_expect("wait of no duration",
		    call(word, FUTEX_WAIT, 0, &time, NULL, 0), -ETIMEDOUT);
	time.tv_sec = 1;
	show_expect("wait until a time long past",
		    call(word, FUTEX_WAIT_BITSET, 0, &time, NULL, ~0),
		    -ETIMEDOUT);
	deadline_in(&time, CLOCK_MONOTONIC, 3000000);
	show_expect("wait until a time by the monotonic clock",
		    call(word, FUTEX_WAIT_BITSET, 0, &time, NULL, ~0),
		    -ETIMEDOUT);
	deadline_in(&time, CLOCK_REALTIME, 3000000);
	show_expect("wait until a time by the wall clock",
		    call(word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0,
			 &time, NULL, ~0), -ETIMEDOUT);
	time.tv_nsec = 1000000000;
	show_expect("wait with too many nanoseconds",
		    call(word, FUTEX_WAIT, 0, &time, NULL, 0), -EINVAL);
	time.tv_nsec = -1;
	show_expect("wait with negative nanoseconds",
		    call(word, FUTEX_WAIT, 0, &time, NULL, 0), -EINVAL);
	time.tv_nsec = 0;
	time.tv_sec = -1;
	show_expect("wait with negative seconds",
		    call(word, FUTEX_WAIT, 0, &time, NULL, 0), -EINVAL);
}

/* Three wait on word; one is woken, two are moved; those two are then woken
 * on the other word. */
static void
requeue(const char *name, int op)
{
	enum { N = 3 };
	pthread_t threads[N];
	int woken = 0, moved = 0;

	printf("%s:\n", name);
	*word = 0;
	*done = 0;
	for (int i = 0; i < N; i++)
		start(&threads[i], wait_thread,
		      (void *)(FUTEX_WAIT | FUTEX_PRIVATE));
	/* The result of both forms counts those woken and those moved. */
	while (woken + moved < N) {
		int n = call(word, op | FUTEX_PRIVATE, woken ? 0 : 1,
			     (void *)10, other, 0);

		if (n > 0 && !woken) {
			woken = 1;
			n--;
		}
		moved += n;
		sched_yield();
	}
	check_equal(moved, N - 1, "one woken, two moved");
	show_expect("nobody is left on the first word",
		    call(word, FUTEX_WAKE | FUTEX_PRIVATE, 10, NULL, NULL, 0),
		    0);
	show_expect("two wait on the second",
		    call(other, FUTEX_WAKE | FUTEX_PRIVATE, 10, NULL, NULL, 0),
		    2);
	for (int i = 0; i < N; i++)
		pthread_join(threads[i], NULL);
	check_equal(*done, N, "all have returned");
}

static void
wait_in_child(void *op)
{
	/* Two ways to end: woken (0), or after a while (ETIMEDOUT). */
	static const struct timespec while_ = { 0, 50000000 };

	signal_word(done, 1);
	_exit(-call(word, (int)(long)op, 0, &while_, NULL, 0));
}

/* A shared word is found by its page, through any mapping; a private one
 * belongs to one address space. */
static void
between_processes(void)
{
	pid_t pid;

	*word = 0;
	*done = 0;
	pid = fork_or_die();
	if (pid == 0)
		_exit(-call(word, FUTEX_WAIT, 0, NULL, NULL, 0));
	wake_one(word, FUTEX_WAKE, 0);
	check_equal(status_of(pid), EXITED(0),
		    "a shared word wakes another process");

	pid = fork_or_die();
	if (pid == 0)
		wait_in_child((void *)(FUTEX_WAIT | FUTEX_PRIVATE));
	await_word(done, 1);
	for (int i = 0; i < 100; i++) {
		if (call(word, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL, 0))
			check(false, "a private wake found another process");
		sched_yield();
	}
	check_equal(status_of(pid), EXITED(ETIMEDOUT),
		    "a private word does not");
}

static void
waits_in_copied_memory(void *arg)
{
	_Atomic int *private = arg;

	*private = 0;
	_exit(-call(private, FUTEX_WAIT, 0, &soon, NULL, 0));
}

static void
errors(void)
{
	_Atomic int *none = (_Atomic int *)8;
	_Atomic int *kernel = (_Atomic int *)0xffff800000000000;
	_Atomic int *odd = (_Atomic int *)((char *)word + 1);

	show_expect("wait at an unmapped address",
		    call(none, FUTEX_WAIT, 0, NULL, NULL, 0), -EFAULT);
	show_expect("wait at a kernel address",
		    call(kernel, FUTEX_WAIT, 0, NULL, NULL, 0), -EFAULT);
	show_expect("wait at an odd address",
		    call(odd, FUTEX_WAIT, 0, NULL, NULL, 0), -EINVAL);
	show_expect("wake at an odd address",
		    call(odd, FUTEX_WAKE, 1, NULL, NULL, 0), -EINVAL);
	show_expect("wait with a bad timeout",
		    call(word, FUTEX_WAIT, 0, (void *)8, NULL, 0), -EFAULT);
	show_expect("unknown operation",
		    call(word, 99, 0, NULL, NULL, 0), -ENOSYS);
	*word = 7;
	show_expect("compare and requeue of a changed word",
		    call(word, FUTEX_CMP_REQUEUE, 1, (void *)1, other, 8),
		    -EAGAIN);
	show_expect("requeue of a negative number",
		    call(word, FUTEX_REQUEUE, -1, (void *)1, other, 0),
		    -EINVAL);
}

int
main(void)
{
	begin();
	word = shared_memory(PAGE);
	other = word + 1;
	done = word + 2;
	wait_and_wake("private", FUTEX_PRIVATE);
	wait_and_wake("shared", 0);
	bit_sets();
	deadlines();
	requeue("requeue", FUTEX_REQUEUE);
	requeue("compare and requeue", FUTEX_CMP_REQUEUE);
	between_processes();
	check_child("a shared wait in copied memory stands alone",
		    waits_in_copied_memory, private_memory(PAGE),
		    EXITED(ETIMEDOUT));
	errors();
	return end();
}
