// cpus=1,2,4 timeout=60
/* A number stands for what it stands for now, though the kernel remembers where
 * a thread's last one was: closed, given again, with fewer rights, by another
 * thread at the same time; and a call answered by who did not receive it. */
#include "tests/user/check.h"

#include <pthread.h>
#include <sched.h>

#include "user/include/ipc.h"

enum { ROUNDS = 2000, EXCHANGES = 2000, CALLERS = 3 };

static unsigned endpoints[2]; /* whose servers answer with 0 and 1 */
static unsigned number;	      /* as another thread changes it */
static int stop;

/* Of many: told only when it is wrong. */
static void
always(bool ok, const char *what)
{
	if (!ok)
		check(false, what);
}

static struct ipc
words_alone(void)
{
	return (struct ipc){ .timeout = LODGER_FOREVER };
}

static long
call(unsigned handle)
{
	struct ipc ipc = words_alone();
	long label = ipc_call(handle, 7, &ipc);

	return label < 0 ? label : (long)ipc.words[0];
}

static void *
serve(void *arg)
{
	long own = (long)arg;
	struct ipc ipc = words_alone();
	long result = ipc_recv(endpoints[own], &ipc);

	while (result >= 0) {
		ipc.words[0] = (uint64_t)own;
		result = ipc_reply_recv(ipc_reply_handle(result), 0,
					endpoints[own], &ipc);
	}
	check_equal(result, -EPIPE, "a server's last receive");
	return NULL;
}

/* ---- One after the other ------------------------------------------------ */

static void
next_is(long handle)
{
	always(handle == number, "the number that was closed last");
}

static void
one_thread(void)
{
	struct ipc ipc = words_alone();

	number = lodger_handle_duplicate(endpoints[0], LODGER_RIGHT_CALL, 0);
	for (int i = 0; i < 3; i++)
		check_equal(call(number), 0, "the first endpoint");
	lodger_handle_close(number);
	check_equal(call(number), -EBADF, "a call by no handle");
	next_is(lodger_handle_duplicate(endpoints[1], LODGER_RIGHT_CALL, 0));
	check_equal(call(number), 1, "the second endpoint");
	lodger_handle_close(number);
	next_is(lodger_handle_duplicate(endpoints[0], LODGER_RIGHT_RECV, 0));
	check_equal(call(number), -EPERM, "a call without the right");
	lodger_handle_close(number);
	next_is(lodger_notification_create());
	check_equal(call(number), -EINVAL, "a call to a notification");
	check_equal(lodger_signal(number, 5), 0, "signal");
	check_equal(ipc_wait(number, &ipc), 0, "wait");
	check_equal(ipc.words[0], 5, "its bits");
	lodger_handle_close(number);
	check_equal(lodger_signal(number, 5), -EBADF, "signal by no handle");
	check_equal(ipc_wait(number, &ipc), -EBADF, "wait by no handle");
	next_is(lodger_handle_duplicate(endpoints[0], LODGER_RIGHT_CALL, 0));
	check_equal(lodger_signal(number, 5), -EINVAL, "signal an endpoint");
	check_equal(call(0), -EBADF, "a call by number 0");
	check_equal(lodger_signal(0, 5), -EBADF, "signal by number 0");
	check_equal(call(~0u), -EBADF, "a call by the largest number");
	lodger_handle_close(number);
}

/* ---- At the same time --------------------------------------------------- */

static void *
keep_calling(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		long result = call(number);
		long signalled = lodger_signal(number, 1);

		always(result == 0 || result == 1 || result == -EBADF ||
		       result == -EINVAL || result == -EPERM,
		       "what a call comes to");
		always(signalled == 0 || signalled == -EBADF ||
		       signalled == -EINVAL || signalled == -EPIPE,
		       "what a signal comes to");
	}
	return NULL;
}

static void
two_threads(void)
{
	pthread_t caller;

	pthread_create(&caller, NULL, keep_calling, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		next_is(i % 3 == 2 ? lodger_notification_create()
			: lodger_handle_duplicate(endpoints[i % 3],
						  LODGER_RIGHT_CALL, 0));
		if (i % 50 == 0)
			sched_yield();
		lodger_handle_close(number);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(caller, NULL);
}

/* ---- Answered by others ------------------------------------------------- */

static unsigned shared;	 /* an endpoint with two servers */
static unsigned in_hand; /* a reply handle that waits to be exchanged; or 0 */

/* Each leaves what it received, and answers what another one left. */
static void *
answer_others(void *arg)
{
	struct ipc ipc = words_alone();
	long result = ipc_recv(shared, &ipc);

	(void)arg;
	while (result >= 0) {
		unsigned other = __atomic_exchange_n(
			&in_hand, ipc_reply_handle(result), __ATOMIC_ACQ_REL);

		ipc.words[0] = 9;
		result = other ? ipc_reply_recv(other, 0, shared, &ipc)
			       : ipc_recv(shared, &ipc);
	}
	check_equal(result, -EPIPE, "an exchanging server's last receive");
	return NULL;
}

static void *
keep_asking(void *arg)
{
	(void)arg;
	for (int i = 0; i < EXCHANGES; i++)
		always(call(shared) == 9, "an answer by anybody");
	return NULL;
}

/* Somebody's call is always left over: a third one answers it. */
static void
answer_left_over(void)
{
	unsigned mine = __atomic_exchange_n(&in_hand, 0, __ATOMIC_ACQ_REL);
	struct ipc ipc = words_alone();

	ipc.words[0] = 9;
	if (mine)
		always(ipc_reply(mine, 0, &ipc) == 0, "a third one's answer");
	sched_yield();
}

static void
exchanged(void)
{
	pthread_t thread, callers[CALLERS];

	shared = (unsigned)lodger_endpoint_create();
	for (int i = 0; i < 2; i++)
		pthread_create(&thread, NULL, answer_others, NULL);
	for (int i = 0; i < CALLERS; i++)
		pthread_create(&callers[i], NULL, keep_asking, NULL);
	for (int i = 0; i < CALLERS; i++)
		while (pthread_tryjoin_np(callers[i], NULL) != 0)
			answer_left_over();
	check_equal(lodger_check_invariants(), 0, "all is counted");
}

int
main(void)
{
	pthread_t threads[2];

	for (long i = 0; i < 2; i++) {
		endpoints[i] = (unsigned)lodger_endpoint_create();
		pthread_create(&threads[i], NULL, serve, (void *)i);
	}
	one_thread();
	two_threads();
	exchanged();
	return 0;
}
