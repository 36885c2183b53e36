// cpus=1,4 timeout=60
/* Who receives with no slot free gets its message all the same: the table
 * grows, for the reply handle and for what the message carries. At its full
 * size recv says so, and the call waits until a handle is closed. */
#include "tests/user/partners.h"
#include "tests/user/rest.h"

enum {
	CHUNK = 64, /* a table grows by so many */
	MOST_HANDLES = 4095,
	HANDLES = LODGER_MESSAGE_HANDLES,
};

static unsigned endpoint;

/* Makes handles until @last, which is the last of a chunk, so that all of the
 * table as it is now are taken. */
static void
take_all_up_to(long last)
{
	long handle;

	do
		handle = lodger_notification_create();
	while (handle > 0 && handle < last);
	check_equal(handle, last, "the last slot is taken");
}

static void
begin_table(void)
{
	endpoint = (unsigned)lodger_endpoint_create();
	take_all_up_to(CHUNK - 1);
}

/* ---- Words, which need a slot for the reply handle ---------------------- */

static void
answer(long received, unsigned label)
{
	struct ipc ipc = WORDS_ALONE;

	show_expect("the call that is received", received < 0 ? received
		    : (long)ipc_label(received), label);
	if (received < 0)
		_exit(1); /* the caller would wait for ever */
	check_equal(ipc_reply(ipc_reply_handle(received), label + 1, &ipc), 0,
		    "and answered");
}

static void
the_call_waits(void)
{
	struct call call = { .label = 1 };
	struct ipc ipc = WORDS_ALONE;
	long received;

	begin_table();
	call.endpoint = endpoint;
	start_call(&call);
	received = ipc_recv(endpoint, &ipc);
	check_equal(ipc_reply_handle(received), CHUNK, "a slot more");
	answer(received, 1);
	check_equal(end_call(&call), 2, "the caller has its answer");
}

static void *
receive(void *tid)
{
	struct ipc ipc = WORDS_ALONE;

	*(_Atomic int *)tid = (int)syscall0(SYS_gettid);
	answer(ipc_recv(endpoint, &ipc), 1);
	return NULL;
}

static void
the_receiver_waits(void)
{
	struct ipc ipc = WORDS_ALONE;
	_Atomic int tid = 0;
	pthread_t thread;

	begin_table();
	pthread_create(&thread, NULL, receive, (void *)&tid);
	wait_until_asleep(&tid);
	check_equal(ipc_call(endpoint, 1, &ipc), 2, "a call is answered");
	pthread_join(thread, NULL);
}

/* ---- Handles, which need a slot each ------------------------------------ */

/* Notifications with bits 1, 2, 4, 8. */
static int
send_handles(unsigned handle)
{
	struct lodger_message message = { .nr_send = HANDLES };
	struct ipc ipc = { .message = &message, .timeout = LODGER_FOREVER };

	for (unsigned i = 0; i < HANDLES; i++) {
		message.send_handles[i] = (uint32_t)lodger_notification_create();
		lodger_signal(message.send_handles[i], 1 << i);
	}
	return ipc_call(handle, 1, &ipc) == 2 ? 0 : 1;
}

static void
check_handles(const struct lodger_message *message)
{
	struct ipc ipc = WORDS_ALONE;

	check_equal(message->nr_recv, HANDLES, "four handles came");
	for (unsigned i = 0; i < message->nr_recv; i++) {
		check_equal(ipc_wait(message->recv_handles[i], &ipc), 0,
			    "one of them");
		check_equal((long)ipc.words[0], 1 << i, "is the right one");
	}
}

static long
receive_handles(struct lodger_message *message)
{
	struct ipc ipc = { .message = message, .timeout = LODGER_FOREVER };

	*message = (struct lodger_message){ .nr_recv = HANDLES };
	return ipc_recv(endpoint, &ipc);
}

static unsigned
for_a_child(void)
{
	return (unsigned)duplicate(endpoint, LODGER_RIGHT_CALL |
				   LODGER_RIGHT_TRANSFER, 0);
}

static int slots; /* so many are free */

/* With 4 there is one for each handle that comes, but none for the reply's. */
static void
handles_come(void)
{
	struct lodger_message message;
	long received;
	pid_t pid;

	begin_table();
	pid = child_with(for_a_child(), send_handles);
	take_all_up_to(2 * CHUNK - 1);
	for (int i = 0; i < slots; i++)
		lodger_handle_close((unsigned)(CHUNK + i));
	received = receive_handles(&message);
	check_handles(&message);
	answer(received, 1);
	check_equal(status_of(pid), 0, "the caller has its answer");
}

/* ---- The full size ------------------------------------------------------ */

static void
words_wait(void)
{
	struct call first = { .endpoint = endpoint, .label = 1 };
	struct call second = { .endpoint = endpoint, .label = 3 };
	struct ipc ipc = WORDS_ALONE;
	long received;

	start_call(&first);
	start_call(&second);
	show_expect("recv, and no slot", ipc_recv(endpoint, &ipc), -EMFILE);
	lodger_handle_close(1000);
	received = ipc_recv(endpoint, &ipc);
	check_equal(ipc_reply_handle(received), 1000, "the only slot");
	check_equal(ipc_label(received), 1, "the first call waited");
	received = ipc_reply_recv(1000, 2, endpoint, &ipc);
	check_equal(ipc_reply_handle(received), 1000, "is used again");
	answer(received, 3);
	check_equal(end_call(&first), 2, "the first caller has its answer");
	check_equal(end_call(&second), 4, "the second one, too");
}

static void
handles_wait(unsigned to_others)
{
	pid_t pid = child_with(to_others, send_handles);
	struct lodger_message message;

	/* to_others has left, and 1000 is free. */
	for (unsigned i = 1001; i < 1000 + HANDLES - 1; i++)
		lodger_handle_close(i);
	show_expect("recv, and a slot for each handle, but for the reply's",
		    receive_handles(&message), -EMFILE);
	lodger_handle_close(2000);
	answer(receive_handles(&message), 1);
	check_handles(&message);
	check_equal(status_of(pid), 0, "the caller has its answer");
}

static void
no_more_chunks(void)
{
	unsigned to_others;

	begin_table();
	to_others = for_a_child();
	take_all_up_to(MOST_HANDLES);
	words_wait();
	handles_wait(to_others);
}

int
main(void)
{
	begin_counted();
	/* Each in a child, whose table is empty. */
	check_apart("a call waits", the_call_waits);
	check_apart("a receiver waits", the_receiver_waits);
	for (slots = 0; slots <= HANDLES; slots++)
		check_apart("handles come", handles_come);
	leaves_nothing(no_more_chunks);
	return end();
}
