// timeout=60
/* Notifications: bits are or-ed and none is lost; a wait ends with any; one
 * wait serves for calls and signals; and what happens when a side dies. */
#include "tests/user/partners.h"
#include "tests/user/rest.h"

enum {
	SIGNALLER = LODGER_RIGHT_SIGNAL | LODGER_RIGHT_TRANSFER,
	WAITER = LODGER_RIGHT_WAIT | LODGER_RIGHT_TRANSFER,
};

static struct ipc
words_alone(uint64_t timeout)
{
	return (struct ipc){ .timeout = timeout };
}

/* Bits, or a negative errno. */
static long
bits_of(unsigned notification, uint64_t timeout)
{
	struct ipc ipc = words_alone(timeout);
	long result = ipc_wait(notification, &ipc);

	return result < 0 ? result : (long)ipc.words[0];
}

struct wait {
	unsigned notification;
	_Atomic int tid;
	_Atomic long bits;
	pthread_t thread;
};

static void *
wait_thread(void *arg)
{
	struct wait *wait = arg;

	wait->tid = (int)syscall0(SYS_gettid);
	wait->bits = bits_of(wait->notification, LODGER_FOREVER);
	return NULL;
}

static void
start_wait(struct wait *wait, unsigned notification)
{
	wait->notification = notification;
	wait->tid = 0;
	pthread_create(&wait->thread, NULL, wait_thread, wait);
	wait_until_asleep(&wait->tid);
}

static long
end_wait(struct wait *wait)
{
	pthread_join(wait->thread, NULL);
	return wait->bits;
}

static void
bits_add_up(void)
{
	unsigned notification = lodger_notification_create();

	check_equal(lodger_signal(notification, 1), 0, "a signal");
	lodger_signal(notification, 4);
	lodger_signal(notification, 1ul << 63 | 4);
	check_equal(bits_of(notification, 0), (long)(1ul << 63 | 5),
		    "bits are or-ed");
	show_expect("then there are none", bits_of(notification, 0),
		    -ETIMEDOUT);
	check_equal(lodger_signal(notification, 0), 0, "a signal of nothing");
	show_expect("wakes nobody", bits_of(notification, 0), -ETIMEDOUT);
	lodger_handle_close(notification);
}

static void
any_bit_wakes(void)
{
	unsigned notification = lodger_notification_create();
	struct wait first, second;

	start_wait(&first, notification);
	start_wait(&second, notification);
	lodger_signal(notification, 2);
	check_equal(end_wait(&first), 2, "the first one to wait is woken");
	check(sleeps(second.tid), "and no other");
	lodger_signal(notification, 8);
	check_equal(end_wait(&second), 8, "the second one by the next signal");
	lodger_handle_close(notification);
}

static void
badges_limit_bits(void)
{
	unsigned notification = lodger_notification_create();
	unsigned some = duplicate(notification, SIGNALLER, 0x0f);

	check_equal(lodger_signal(some, 0x05), 0, "bits of the badge");
	show_expect("other bits", lodger_signal(some, 0x10), -EPERM);
	check_equal(bits_of(notification, 0), 0x05, "are not raised");
	show_expect("wait without the right", bits_of(some, 0), -EPERM);
	show_expect("signal to an endpoint",
		    lodger_signal(lodger_endpoint_create(), 1), -EINVAL);
	lodger_handle_close(some);
	lodger_handle_close(notification);
}

/* ---- One wait for calls and signals ------------------------------------ */

static void
a_signal_ends_recv(void)
{
	unsigned endpoint = lodger_endpoint_create();
	unsigned notification = lodger_notification_create();
	struct call call = { .endpoint = endpoint, .label = 3 };
	struct ipc ipc = words_alone(LODGER_FOREVER);
	long got;

	check_equal(lodger_bind(notification, endpoint), 0, "bind");
	show_expect("bind again", lodger_bind(notification, endpoint), -EBUSY);
	lodger_signal(notification, 6);
	check_equal(ipc_recv(endpoint, &ipc), 0, "recv has no reply handle");
	check_equal(ipc.words[0], 6, "but bits");
	check_equal(ipc.badge, 0, "and no badge");
	start_call(&call);
	lodger_signal(notification, 1);
	check_equal(ipc_recv(endpoint, &ipc), 0, "signals come first");
	got = ipc_recv(endpoint, &ipc);
	check_equal(ipc_label(got), 3, "then the call");
	ipc_reply(ipc_reply_handle(got), 0, &ipc);
	end_call(&call);
	check_equal(lodger_bind(notification, 0), 0, "unbind");
	lodger_signal(notification, 1);
	ipc.timeout = 0;
	show_expect("then recv hears calls alone", ipc_recv(endpoint, &ipc),
		    -ETIMEDOUT);
	lodger_handle_close(endpoint);
	lodger_handle_close(notification);
}

static void *
recv_thread(void *arg)
{
	struct call *recv = arg;

	recv->tid = (int)syscall0(SYS_gettid);
	recv->result = ipc_recv(recv->endpoint, &recv->ipc);
	return NULL;
}

static void
start_recv(struct call *recv, unsigned endpoint)
{
	*recv = (struct call){ .endpoint = endpoint,
			       .ipc.timeout = LODGER_FOREVER };
	pthread_create(&recv->thread, NULL, recv_thread, recv);
	wait_until_asleep(&recv->tid);
}

static void
a_signal_wakes_a_receiver(void)
{
	unsigned endpoint = lodger_endpoint_create();
	unsigned notification = lodger_notification_create();
	struct call recv;

	lodger_bind(notification, endpoint);
	start_recv(&recv, endpoint);
	lodger_signal(notification, 0x100);
	check_equal(end_call(&recv), 0, "a receiver that waits is woken");
	check_equal(recv.ipc.words[0], 0x100, "with the bits");
	lodger_bind(notification, 0);
	start_recv(&recv, endpoint);
	lodger_signal(notification, 0x200);
	check(sleeps(recv.tid), "one that is not bound is not");
	lodger_bind(notification, endpoint);
	check_equal(end_call(&recv), 0, "until it is bound");
	lodger_handle_close(notification);
	lodger_handle_close(endpoint);
}

/* ---- A side dies ------------------------------------------------------- */

static void
nobody_signals_any_more(void)
{
	unsigned notification = lodger_notification_create();
	unsigned waits = duplicate(notification, WAITER, 0);
	struct wait wait;

	lodger_signal(notification, 1);
	lodger_handle_close(notification);
	check_equal(bits_of(waits, 0), 1, "bits of a dead signaller are kept");
	show_expect("then there is nothing to wait for",
		    bits_of(waits, LODGER_FOREVER), -EPIPE);
	lodger_handle_close(waits);

	notification = lodger_notification_create();
	waits = duplicate(notification, WAITER, 0);
	start_wait(&wait, waits);
	lodger_handle_close(notification);
	show_expect("the last signaller dies while one waits",
		    end_wait(&wait), -EPIPE);
	lodger_handle_close(waits);
}

static void
nobody_waits_any_more(void)
{
	unsigned notification = lodger_notification_create();
	unsigned signals = duplicate(notification, SIGNALLER, 0);

	lodger_handle_close(notification);
	show_expect("a signal that nobody can wait for",
		    lodger_signal(signals, 1), -EPIPE);
	lodger_handle_close(signals);
}

/* A receiver that nobody can call any more lives from signals alone. */
static void
the_bound_one_dies(void)
{
	unsigned endpoint = lodger_endpoint_create();
	unsigned server = duplicate(endpoint, LODGER_RIGHT_RECV, 0);
	unsigned notification = lodger_notification_create();
	struct call recv;

	lodger_bind(notification, server);
	lodger_handle_close(endpoint);
	start_recv(&recv, server);
	lodger_signal(notification, 1);
	check_equal(end_call(&recv), 0, "no caller is left, a signaller is");
	start_recv(&recv, server);
	lodger_handle_close(notification);
	show_expect("then that one goes too", end_call(&recv), -EPIPE);
	lodger_handle_close(server);
}

static void
the_endpoint_dies_first(void)
{
	unsigned endpoint = lodger_endpoint_create();
	unsigned notification = lodger_notification_create();

	lodger_bind(notification, endpoint);
	lodger_handle_close(endpoint);
	check_equal(lodger_signal(notification, 1), 0,
		    "a signal when the bound endpoint is gone");
	check_equal(bits_of(notification, 0), 1, "is kept for a wait");
	lodger_handle_close(notification);
}

/* ---- None is lost ------------------------------------------------------ */

enum { ROUNDS = 2000, SIGNALLERS = 3 };

static unsigned common;
static _Atomic int answered[SIGNALLERS];

/* Each raises its own bit, and waits until the other side has seen it. */
static void *
signal_rounds(void *arg)
{
	long me = (long)arg;

	for (int i = 0; i < ROUNDS; i++) {
		lodger_signal(common, 1ul << me);
		await_word(&answered[me], i + 1);
	}
	return NULL;
}

static void
none_is_lost(void)
{
	pthread_t threads[SIGNALLERS];
	long seen = 0;

	common = lodger_notification_create();
	for (long i = 0; i < SIGNALLERS; i++) {
		answered[i] = 0;
		pthread_create(&threads[i], NULL, signal_rounds, (void *)i);
	}
	while (seen < SIGNALLERS * ROUNDS) {
		long bits = bits_of(common, LODGER_FOREVER);

		for (int i = 0; i < SIGNALLERS; i++)
			if (bits >> i & 1) {
				seen++;
				signal_word(&answered[i], answered[i] + 1);
			}
	}
	for (int i = 0; i < SIGNALLERS; i++)
		pthread_join(threads[i], NULL);
	show_expect("no signal is seen twice", bits_of(common, 0), -ETIMEDOUT);
	lodger_handle_close(common);
}

static void
all(void)
{
	bits_add_up();
	any_bit_wakes();
	badges_limit_bits();
	a_signal_ends_recv();
	a_signal_wakes_a_receiver();
	nobody_signals_any_more();
	nobody_waits_any_more();
	the_bound_one_dies();
	the_endpoint_dies_first();
	none_is_lost();
}

int
main(void)
{
	begin_counted();
	leaves_nothing(all);
	return end();
}
