// timeout=60
/* Buffers and handles in messages: they arrive whole, between address spaces
 * and inside one, whatever state the pages are in; and whoever is at fault, of
 * the two sides, is the one who is told. */
#include "tests/user/partners.h"
#include "tests/user/rest.h"

enum {
	SERVER = LODGER_RIGHT_RECV | LODGER_RIGHT_TRANSFER,
	CALLER = LODGER_RIGHT_CALL | LODGER_RIGHT_TRANSFER,
	MOST = LODGER_BUFFER_MAX,
	CLASS_USER = 0,
	QUIT = 99,
};

static unsigned endpoint;

static struct lodger_message
sending(const void *buf, size_t len)
{
	return (struct lodger_message){ .send_buf = (uint64_t)buf,
					.send_len = len };
}

static void
room_for(struct lodger_message *message, void *buf, size_t len)
{
	message->recv_buf = (uint64_t)buf;
	message->recv_len = len;
}

static void
fill(unsigned char *buf, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (unsigned char)(i * 7 + (i >> 8) + seed);
}

static bool
filled(const unsigned char *buf, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		if (buf[i] != (unsigned char)(i * 7 + (i >> 8) + seed))
			return false;
	return true;
}

/* ---- A server that answers with what it got, each byte one more -------- */

static int
buffer_server(unsigned handle)
{
	static unsigned char buf[MOST + 64];
	struct lodger_message message = { 0 };
	struct ipc ipc = { .message = &message, .timeout = LODGER_FOREVER };
	long got;

	/* At an odd place, so that pages do not match. */
	room_for(&message, buf + 13, MOST);
	got = ipc_recv(handle, &ipc);
	while (got > 0 && ipc_label(got) != QUIT) {
		size_t len = message.recv_len;

		for (size_t i = 0; i < len; i++)
			buf[13 + i]++;
		message = sending(buf + 13, len);
		room_for(&message, buf + 13, MOST);
		got = ipc_reply_recv(ipc_reply_handle(got), 0, handle, &ipc);
	}
	ipc.message = NULL;
	return got > 0 && ipc_reply(ipc_reply_handle(got), 0, &ipc) == 0 ? 0
									 : 1;
}

static void *
buffer_thread(void *unused)
{
	(void)unused;
	return (void *)(long)buffer_server(endpoint);
}

static bool
comes_back(unsigned char *out, unsigned char *in, size_t len)
{
	struct lodger_message message = sending(out, len);
	struct ipc ipc = { .message = &message, .timeout = LODGER_FOREVER };

	fill(out, len, 5);
	room_for(&message, in, len);
	return ipc_call(endpoint, 0, &ipc) == 0 && message.recv_len == len &&
	       filled(in, len, 6);
}

static void
quit_server(void)
{
	struct ipc ipc = WORDS_ALONE;

	check_equal(ipc_call(endpoint, QUIT, &ipc), 0, "the server ends");
}

static void
sizes(const char *who)
{
	static const size_t lengths[] = { 0, 1, 7, 8, 100, 4095, 4096, 4097,
					  10000, MOST - 1, MOST };
	unsigned char *out = private_memory(MOST + PAGE);
	unsigned char *in = private_memory(MOST + PAGE);
	bool right = true;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		for (unsigned shift = 0; shift < 9; shift += 4)
			right &= comes_back(out + shift, in + PAGE - shift,
					    lengths[i]);
	printf("%s: ", who);
	check(right, "buffers of all sizes go, and come back");
	munmap(out, MOST + PAGE);
	munmap(in, MOST + PAGE);
}

/* Fresh pages, pages shared copy-on-write with a child, read-only ones. */
static void
states_of_pages(void)
{
	unsigned char *out = private_memory(4 * PAGE);
	unsigned char *in = private_memory(4 * PAGE);
	_Atomic int *word = shared_memory(PAGE);
	struct lodger_message message = sending(out, 4 * PAGE);
	struct ipc ipc = { .message = &message, .timeout = LODGER_FOREVER };
	pid_t pid;

	room_for(&message, in, 4 * PAGE);
	check_equal(ipc_call(endpoint, 0, &ipc), 0, "pages nobody touched");
	check(out[0] == 0 && in[0] == 1 && in[4 * PAGE - 1] == 1,
	      "are read as zeroes, and made to write to");
	fill(out, 4 * PAGE, 5);
	pid = fork_or_die();
	if (pid == 0) {
		await_word(word, 1);
		_exit(in[0] == 1 && in[PAGE] == 1 && in[4 * PAGE - 1] == 1
		      ? 0 : 1);
	}
	room_for(&message, in, 4 * PAGE);
	check_equal(ipc_call(endpoint, 0, &ipc), 0, "after fork");
	check(filled(in, 4 * PAGE, 6), "the caller has the answer");
	signal_word(word, 1);
	check_equal(status_of(pid), 0, "and the child its old pages");
	mprotect(out, 4 * PAGE, PROT_READ);
	room_for(&message, in, 4 * PAGE);
	check_equal(ipc_call(endpoint, 0, &ipc), 0, "from read-only pages");
	munmap(out, 4 * PAGE);
	munmap(in, 4 * PAGE);
	munmap((void *)word, PAGE);
}

/* ---- A call for ever may go the fast way, one with a timeout never does -- */

static void
both_ways(const char *what, unsigned handle, unsigned label,
	  const struct lodger_message *message, long expected)
{
	static const uint64_t timeouts[] = { LODGER_FOREVER, 1000000ull * MILLISECOND };
	bool alike = true;

	for (int i = 0; i < 2; i++) {
		struct lodger_message mine = message ? *message
			: (struct lodger_message){ 0 };
		struct ipc ipc = { .words = { 3, 4, 5, 6, 7, 8 + i },
				   .message = message ? &mine : NULL,
				   .timeout = timeouts[i] };
		long result = ipc_call(handle, label, &ipc);

		if (result != expected)
			printf("timeout %d: %ld\n", i, result);
		alike &= result == expected && ipc.words[0] == 3 &&
			 ipc.words[5] == 8u + i &&
			 (result || mine.recv_len == mine.send_len);
	}
	check(alike, what);
}

static void
fast_and_general(void)
{
	static unsigned char out[PAGE], in[PAGE];
	struct lodger_message none = { 0 };
	struct lodger_message good = sending(out, 100);
	struct lodger_message long_one = sending(out, MOST + 1);
	struct lodger_message nowhere = sending((void *)8, 100);
	unsigned bits = (unsigned)lodger_notification_create();
	unsigned deaf = duplicate(endpoint, SERVER, 0);

	room_for(&good, in, PAGE);
	both_ways("words", endpoint, 0, NULL, 0);
	both_ways("an empty message", endpoint, 0, &none, 0);
	both_ways("a buffer", endpoint, 0, &good, 0);
	both_ways("a label too long", endpoint, 1u << 31, NULL, -EINVAL);
	both_ways("and with a buffer", endpoint, 1u << 31, &good, -EINVAL);
	both_ways("no handle", 4000, 0, &good, -EBADF);
	both_ways("no endpoint", bits, 0, &good, -EINVAL);
	both_ways("no right to call", deaf, 0, &good, -EPERM);
	both_ways("a buffer too long", endpoint, 0, &long_one, -EMSGSIZE);
	both_ways("a buffer nowhere", endpoint, 0, &nowhere, -EFAULT);
	lodger_handle_close(bits);
	lodger_handle_close(deaf);
}

static void
buffers_between(void)
{
	pid_t pid = child_with(duplicate(endpoint, SERVER, 0), buffer_server);
	pthread_t thread;

	sizes("a process");
	fast_and_general();
	states_of_pages();
	quit_server();
	check_equal(status_of(pid), 0, "in time");
	pthread_create(&thread, NULL, buffer_thread, NULL);
	sizes("a thread");
	states_of_pages();
	quit_server();
	pthread_join(thread, NULL);
}

/* ---- Faults, seen from both sides -------------------------------------- */

static void *const nowhere = (void *)0x10000000000; /* not mapped */

static void
the_caller_cannot_send(void)
{
	struct lodger_message message = sending(nowhere, 100), room = { 0 };
	struct call call = { .endpoint = endpoint, .ipc.message = &message };
	unsigned char buf[100];
	struct ipc ipc = { .message = &room, .timeout = MILLISECOND };

	start_call(&call);
	room_for(&room, buf, 100);
	show_expect("recv of it", ipc_recv(endpoint, &ipc), -ETIMEDOUT);
	show_expect("a call with a bad buffer, queued", end_call(&call),
		    -EFAULT);
}

static void *
recv_one(void *arg)
{
	struct call *recv = arg;

	recv->tid = (int)syscall0(SYS_gettid);
	recv->result = ipc_recv(recv->endpoint, &recv->ipc);
	return NULL;
}

/* A thread that receives, into @buf. */
static void
start_recv(struct call *recv, struct lodger_message *message, void *buf,
	   size_t len)
{
	room_for(message, buf, len);
	*recv = (struct call){ .endpoint = endpoint,
			       .ipc = { .message = message,
					.timeout = LODGER_FOREVER } };
	pthread_create(&recv->thread, NULL, recv_one, recv);
	wait_until_asleep(&recv->tid);
}

static void
the_receiver_waits_on(void)
{
	struct lodger_message bad = sending(nowhere, 100), room = { 0 };
	struct lodger_message longer;
	unsigned char buf[100];
	struct call recv;
	struct ipc ipc = { .message = &bad, .timeout = LODGER_FOREVER };

	start_recv(&recv, &room, buf, sizeof(buf));
	show_expect("a call with a bad buffer, at once",
		    ipc_call(endpoint, 0, &ipc), -EFAULT);
	longer = sending(buf, sizeof(buf) + 1);
	ipc.message = &longer;
	show_expect("a call with too long a buffer",
		    ipc_call(endpoint, 0, &ipc), -EMSGSIZE);
	wait_until_asleep(&recv.tid);
	ipc.message = NULL;
	ipc.timeout = MILLISECOND;
	show_expect("the next call", ipc_call(endpoint, 3, &ipc), -ETIMEDOUT);
	check_equal(ipc_label(end_call(&recv)), 3, "is received");
	lodger_handle_close(ipc_reply_handle(recv.result));
}

static void
the_receiver_is_at_fault(void)
{
	unsigned char buf[100];
	struct lodger_message out = sending(buf, 100), room = { 0 };
	struct call call = { .endpoint = endpoint, .ipc.message = &out };
	struct ipc ipc = { .message = &room, .timeout = LODGER_FOREVER };
	struct call recv;
	long got;

	fill(buf, 100, 1);
	start_call(&call);
	room_for(&room, nowhere, 100);
	show_expect("recv into a bad buffer", ipc_recv(endpoint, &ipc),
		    -EFAULT);
	room_for(&room, buf, 100);
	got = ipc_recv(endpoint, &ipc);
	check(got > 0 && room.recv_len == 100, "the call waits for another");
	ipc.message = NULL;
	ipc_reply(ipc_reply_handle(got), 0, &ipc);
	check_equal(end_call(&call), 0, "and is answered");

	start_recv(&recv, &room, nowhere, 100);
	start_call(&call);
	show_expect("the same, recv first", end_call(&recv), -EFAULT);
	room_for(&room, buf, 100);
	ipc.message = &room;
	got = ipc_recv(endpoint, &ipc);
	check(got > 0, "the call went to the queue");
	lodger_handle_close(ipc_reply_handle(got));
	show_expect("whose end", end_call(&call), -EPIPE);
}

static void
faults_in_answers(void)
{
	unsigned char buf[100];
	struct lodger_message room = { 0 }, answer;
	struct call call = { .endpoint = endpoint, .ipc.message = &room };
	struct ipc ipc = WORDS_ALONE;
	unsigned reply;

	room_for(&room, buf, 100);
	start_call(&call);
	reply = ipc_reply_handle(ipc_recv(endpoint, &ipc));
	ipc.message = &answer;
	answer = sending(nowhere, 50);
	show_expect("an answer from a bad buffer", ipc_reply(reply, 0, &ipc),
		    -EFAULT);
	answer = sending(buf, 101);
	show_expect("an answer that is too long", ipc_reply(reply, 0, &ipc),
		    -EMSGSIZE);
	answer = sending(buf, MOST + 1);
	show_expect("one that nobody may send", ipc_reply(reply, 0, &ipc),
		    -EMSGSIZE);
	wait_until_asleep(&call.tid);
	check(true, "the caller waits on");
	answer = sending(buf, 50);
	check_equal(ipc_reply(reply, 4, &ipc), 0, "a good answer");
	check_equal(end_call(&call), 4, "arrives");
	check_equal(room.recv_len, 50, "with its length");

	room_for(&room, nowhere, 100);
	start_call(&call);
	ipc.message = NULL;
	reply = ipc_reply_handle(ipc_recv(endpoint, &ipc));
	ipc.message = &answer;
	check_equal(ipc_reply(reply, 4, &ipc), 0,
		    "an answer to where nothing is");
	show_expect("is the caller's fault", end_call(&call), -EFAULT);
}

static void
bad_structs(void)
{
	struct ipc ipc = { .message = nowhere, .timeout = LODGER_FOREVER };
	struct lodger_message message = { .nr_send = 5 };
	struct lodger_message *readonly = private_memory(PAGE);
	struct call call = { .endpoint = endpoint };

	show_expect("a message at a bad address", ipc_call(endpoint, 0, &ipc),
		    -EFAULT);
	ipc.message = &message;
	show_expect("five handles", ipc_call(endpoint, 0, &ipc), -EMSGSIZE);
	message = (struct lodger_message){ .nr_recv = ~0u };
	show_expect("room for very many", ipc_recv(endpoint, &ipc), -EMSGSIZE);
	readonly->nr_recv = 4;
	mprotect(readonly, PAGE, PROT_READ);
	ipc.message = readonly;
	start_call(&call);
	show_expect("recv that cannot say what came",
		    ipc_recv(endpoint, &ipc), -EFAULT);
	show_expect("its call", end_call(&call), -EPIPE);
	munmap(readonly, PAGE);
}

/* ---- Handles ---------------------------------------------------------- */

/* Gets an endpoint, calls it with label 55, and answers what that said. */
static int
go_between(unsigned handle)
{
	struct lodger_message message = { .nr_recv = 4 };
	struct ipc ipc = { .message = &message, .timeout = LODGER_FOREVER };
	long got = ipc_recv(handle, &ipc);
	unsigned reply = ipc_reply_handle(got);
	long answer;

	if (got < 0 || message.nr_recv != 2)
		return 1;
	ipc.message = NULL;
	answer = ipc_call(message.recv_handles[0], 55, &ipc);
	message = (struct lodger_message){
		.nr_send = 1, .send_handles = { message.recv_handles[1] }
	};
	ipc.message = &message;
	return ipc_reply(reply, (unsigned)answer, &ipc) == 0 ? 0 : 2;
}

static void
handles_travel(void)
{
	unsigned other = lodger_endpoint_create();
	unsigned notification = lodger_notification_create();
	unsigned sent = duplicate(other, CALLER, 0x77);
	struct lodger_message message = {
		.nr_send = 2, .send_handles = { sent, notification },
		.nr_recv = 1,
	};
	struct call call = { .endpoint = endpoint, .ipc.message = &message };
	struct lodger_handle_stat stat;
	struct ipc ipc = WORDS_ALONE;
	pid_t pid = child_with(duplicate(endpoint, SERVER, 0), go_between);
	long got;

	start_call(&call);
	got = ipc_recv(other, &ipc);
	check_equal(ipc_label(got), 55, "a process calls what it was sent");
	check_equal(ipc.badge, 0x77, "with the badge it was sent with");
	ipc_reply(ipc_reply_handle(got), 66, &ipc);
	check_equal(end_call(&call), 66, "and answers");
	check_equal(status_of(pid), 0, "and ends");
	show_expect("what was sent has left", lodger_handle_close(sent),
		    -EBADF);
	check(message.nr_recv == 1 &&
	      lodger_handle_stat(message.recv_handles[0], &stat) == 0 &&
	      stat.type == LODGER_NOTIFICATION, "one came back");
	lodger_handle_close(message.recv_handles[0]);
	lodger_handle_close(other);
}

/* @message, with handles, to a receiver that takes @room of them. */
static long
send_to_room(struct lodger_message *message, unsigned room)
{
	struct lodger_message taken = { .nr_recv = room };
	struct call call = { .endpoint = endpoint, .ipc.message = message };
	struct ipc ipc = { .message = &taken, .timeout = 20 * MILLISECOND };
	long got;

	start_call(&call);
	got = ipc_recv(endpoint, &ipc);
	for (unsigned i = 0; got > 0 && i < taken.nr_recv; i++)
		lodger_handle_close(taken.recv_handles[i]);
	if (got > 0) {
		ipc.message = NULL;
		ipc_reply(ipc_reply_handle(got), taken.nr_recv, &ipc);
	}
	return end_call(&call);
}

static void
handles_refused(void)
{
	unsigned good = lodger_endpoint_create();
	unsigned bound = lodger_handle_duplicate(good, LODGER_RIGHT_CALL, 0);
	struct lodger_handle_stat stat;
	struct lodger_message message = { .nr_send = 2,
					  .send_handles = { good, 77 } };

	show_expect("one of two handles is none", send_to_room(&message, 4),
		    -EBADF);
	message.send_handles[1] = bound;
	show_expect("one may not travel", send_to_room(&message, 4), -EPERM);
	message.send_handles[1] = good;
	show_expect("one twice", send_to_room(&message, 4), -EINVAL);
	message.send_handles[1] = lodger_endpoint_create();
	show_expect("room for one only", send_to_room(&message, 1), -EMSGSIZE);
	check(lodger_handle_stat(good, &stat) == 0,
	      "after all that the good one is still here");
	check_equal(send_to_room(&message, 2), 2, "with room both go");
	show_expect("and are gone", lodger_handle_close(good), -EBADF);
	lodger_handle_close(bound);
}

/* The handle with which the last receiver receives travels away in a call to
 * that endpoint: the receiver then waits for ever, were it not told. */
static void
an_endpoint_through_itself(void)
{
	unsigned mine = lodger_endpoint_create();
	struct lodger_message message = { .nr_send = 1,
					  .send_handles = { mine } };
	struct lodger_message taken = { .nr_recv = 4 };
	struct call call = { .endpoint = mine, .ipc.message = &message };
	struct ipc ipc = { .message = &taken, .timeout = LODGER_FOREVER };

	start_call(&call);
	check(ipc_recv(mine, &ipc) > 0, "an endpoint travels through itself");
	lodger_handle_close(taken.recv_handles[0]);
	ipc.message = NULL;
	check_equal(ipc_call(mine, 0, &ipc), -EBADF, "and is gone");
	for (unsigned handle = 1; handle < 64; handle++)
		if (handle != endpoint)
			lodger_handle_close(handle);
	show_expect("its caller", end_call(&call), -EPIPE);
}

/* ---- Memory runs out -------------------------------------------------- */

static void
no_memory_for_a_page(void)
{
	unsigned char *fresh = private_memory(PAGE);
	struct lodger_message out = sending(fresh, PAGE), room = { 0 };
	struct ipc ipc = { .message = &out, .timeout = LODGER_FOREVER };
	struct call recv;

	memset(fresh, 1, PAGE);
	room_for(&room, private_memory(PAGE), PAGE);
	start_recv(&recv, &room, (void *)room.recv_buf, PAGE);
	lodger_fail(CLASS_USER, 1);
	ipc.timeout = 20 * MILLISECOND;
	show_expect("a call, no memory for the receiver's page",
		    ipc_call(endpoint, 0, &ipc), -ETIMEDOUT);
	show_expect("the receiver", end_call(&recv), -ENOMEM);
}

/* ---- The whole -------------------------------------------------------- */

static void
all(void)
{
	struct lodger_sys_stat sys;

	endpoint = lodger_endpoint_create();
	buffers_between();
	the_caller_cannot_send();
	the_receiver_waits_on();
	the_receiver_is_at_fault();
	faults_in_answers();
	bad_structs();
	handles_travel();
	handles_refused();
	an_endpoint_through_itself();
	lodger_sys_stat(&sys);
	if (sys.debug)
		no_memory_for_a_page();
}

int
main(void)
{
	begin_counted();
	leaves_nothing(all);
	return end();
}
