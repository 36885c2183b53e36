// timeout=60
/* Calls and answers: what arrives, who comes first, and how a wait ends when
 * the partner does not come, gives up, or dies. */
#include "tests/user/partners.h"
#include "tests/user/rest.h"

enum {
	CALLER = LODGER_RIGHT_CALL | LODGER_RIGHT_TRANSFER,
	SERVER = LODGER_RIGHT_RECV | LODGER_RIGHT_TRANSFER,
};

static unsigned endpoint;

/* ---- What arrives ----------------------------------------------------- */

/* Answers each call with its words, each one more, and label + 1; ends with
 * label 99. */
static int
echo_server(unsigned handle)
{
	struct ipc ipc = WORDS_ALONE;
	long got = ipc_recv(handle, &ipc);

	while (got > 0 && ipc_label(got) != 99) {
		for (int i = 0; i < 6; i++)
			ipc.words[i]++;
		got = ipc_reply_recv(ipc_reply_handle(got), ipc_label(got) + 1,
				     handle, &ipc);
	}
	if (got < 0)
		return (int)-got;
	ipc.words[0] = ipc.badge;
	return ipc_reply(ipc_reply_handle(got), 0, &ipc) == 0 ? 0 : 1;
}

static void *
echo_thread(void *handle)
{
	return (void *)(long)echo_server(*(unsigned *)handle);
}

static bool
echoes(unsigned handle, uint64_t seed)
{
	struct ipc ipc = WORDS_ALONE;
	unsigned label = seed & 0xfffffff;
	bool right;

	for (int i = 0; i < 6; i++)
		ipc.words[i] = seed * (i + 1);
	right = ipc_call(handle, label, &ipc) == label + 1;
	for (int i = 0; i < 6; i++)
		right &= ipc.words[i] == seed * (i + 1) + 1;
	return right;
}

static void
ask_echo(unsigned handle, const char *who)
{
	struct ipc ipc = WORDS_ALONE;
	bool right = true;

	for (uint64_t i = 0; i < 200; i++)
		right &= echoes(handle, i * 0x9e3779b97f4a7c15);
	printf("%s: ", who);
	check(right, "six words and a label go, and come back");
	check_equal(ipc_call(handle, 99, &ipc), 0, "the last call");
	check_equal(ipc.words[0], 0x1234, "the server is told the badge");
}

static void
a_thread_answers(void)
{
	unsigned client = duplicate(endpoint, CALLER, 0x1234);
	pthread_t thread;

	pthread_create(&thread, NULL, echo_thread, &endpoint);
	ask_echo(client, "a thread");
	pthread_join(thread, NULL);
	lodger_handle_close(client);
}

static void
a_process_answers(void)
{
	unsigned client = duplicate(endpoint, CALLER, 0x1234);
	pid_t pid = child_with(duplicate(endpoint, SERVER, 0), echo_server);

	ask_echo(client, "a process");
	check_equal(status_of(pid), 0, "the server ends");
	lodger_handle_close(client);
}

/* Answers each call with the badge that came with it. */
static void *
badge_server(void *unused)
{
	struct ipc ipc = WORDS_ALONE;
	long got = ipc_recv(endpoint, &ipc);

	(void)unused;
	while (got > 0 && ipc_label(got) != 99) {
		ipc.words[0] = ipc.badge;
		got = ipc_reply_recv(ipc_reply_handle(got), 0, endpoint, &ipc);
	}
	ipc_reply(ipc_reply_handle(got), 0, &ipc);
	return NULL;
}

static void
each_call_has_its_badge(void)
{
	unsigned clients[3] = { duplicate(endpoint, CALLER, 11),
				duplicate(endpoint, CALLER, 22),
				duplicate(endpoint, CALLER, 0) };
	static const uint64_t badges[3] = { 11, 22, 0 };
	struct ipc ipc = WORDS_ALONE;
	pthread_t thread;
	bool right = true;

	pthread_create(&thread, NULL, badge_server, NULL);
	for (int i = 0; i < 60; i++) {
		ipc_call(clients[i % 3], 0, &ipc);
		right &= ipc.words[0] == badges[i % 3];
	}
	check(right, "each call has the badge of the handle it was made with");
	ipc_call(endpoint, 99, &ipc);
	pthread_join(thread, NULL);
	for (int i = 0; i < 3; i++)
		lodger_handle_close(clients[i]);
}

static int
calling_child(unsigned handle)
{
	for (uint64_t i = 0; i < 200; i++)
		if (!echoes(handle, i + 1000))
			return 1;
	return 0;
}

static void
many_call_at_once(void)
{
	pid_t callers[4];
	struct ipc ipc = WORDS_ALONE;
	pthread_t threads[2];
	bool right = true;

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, echo_thread, &endpoint);
	for (int i = 0; i < 4; i++)
		callers[i] = child_with(duplicate(endpoint, CALLER, i + 1),
					calling_child);
	for (int i = 0; i < 4; i++)
		right &= status_of(callers[i]) == 0;
	check(right, "four processes call two threads");
	for (int i = 0; i < 2; i++)
		ipc_call(endpoint, 99, &ipc);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

/* ---- Whose turn ------------------------------------------------------- */

static void
best_priority_first(void)
{
	static const unsigned prios[] = { 20, 18, 20, 17, 18, 25 };
	static const unsigned order[] = { 3, 1, 4, 0, 2, 5 };
	struct call calls[6] = { 0 };
	struct ipc ipc = WORDS_ALONE;
	bool right = true;

	lodger_set_priority(0, 26); /* behind all of them */
	for (unsigned i = 0; i < 6; i++) {
		calls[i] = (struct call){ .endpoint = endpoint, .label = i,
					  .prio = prios[i] };
		start_call(&calls[i]);
	}
	for (unsigned i = 0; i < 6; i++) {
		long got = ipc_recv(endpoint, &ipc);

		right &= ipc_label(got) == order[i];
		ipc_reply(ipc_reply_handle(got), 0, &ipc);
	}
	for (unsigned i = 0; i < 6; i++)
		right &= end_call(&calls[i]) == 0;
	lodger_set_priority(0, LODGER_PRIO_DEFAULT);
	check(right, "callers are served by priority, then in their order");
}

/* ---- Wrong arguments -------------------------------------------------- */

static void
refusals(void)
{
	unsigned notification = lodger_notification_create();
	unsigned caller = duplicate(endpoint, CALLER, 0);
	unsigned server = duplicate(endpoint, SERVER, 0);
	struct ipc ipc = WORDS_ALONE;

	show_expect("call of no handle", ipc_call(50, 0, &ipc), -EBADF);
	show_expect("call of a notification", ipc_call(notification, 0, &ipc),
		    -EINVAL);
	show_expect("call without the right", ipc_call(server, 0, &ipc),
		    -EPERM);
	show_expect("recv without the right", ipc_recv(caller, &ipc), -EPERM);
	show_expect("recv from a notification", ipc_recv(notification, &ipc),
		    -EINVAL);
	show_expect("reply to an endpoint", ipc_reply(endpoint, 0, &ipc),
		    -EINVAL);
	show_expect("reply to nobody", ipc_reply(50, 0, &ipc), -EBADF);
	show_expect("wait for an endpoint", ipc_wait(endpoint, &ipc), -EINVAL);
	show_expect("a label of 32 bits", ipc_call(endpoint, 1u << 31, &ipc),
		    -EINVAL);
	show_expect("reply_recv with a bad reply",
		    ipc_reply_recv(50, 0, endpoint, &ipc), -EBADF);
	lodger_handle_close(notification);
	lodger_handle_close(caller);
	lodger_handle_close(server);
}

static void
a_reply_works_once(void)
{
	struct call call = { .endpoint = endpoint, .label = 5 };
	struct lodger_handle_stat stat;
	struct ipc ipc = WORDS_ALONE;
	unsigned reply;

	start_call(&call);
	reply = ipc_reply_handle(ipc_recv(endpoint, &ipc));
	check(lodger_handle_stat(reply, &stat) == 0 &&
	      stat.type == LODGER_REPLY, "recv makes a reply handle");
	show_expect("which cannot be duplicated",
		    lodger_handle_duplicate(reply, LODGER_RIGHT_REPLY, 0),
		    -EPERM);
	check_equal(ipc_reply(reply, 7, &ipc), 0, "an answer");
	check_equal(end_call(&call), 7, "arrives");
	show_expect("a second answer", ipc_reply(reply, 7, &ipc), -EBADF);
}

/* ---- Time runs out ---------------------------------------------------- */

static void
timeouts(void)
{
	unsigned notification = lodger_notification_create();
	struct ipc ipc = { .timeout = MILLISECOND };
	struct call call = { .endpoint = endpoint };
	unsigned reply;

	call.ipc.timeout = 1000 * MILLISECOND;
	show_expect("call, nobody receives", ipc_call(endpoint, 0, &ipc),
		    -ETIMEDOUT);
	show_expect("recv, nobody calls", ipc_recv(endpoint, &ipc),
		    -ETIMEDOUT);
	show_expect("wait, nobody signals", ipc_wait(notification, &ipc),
		    -ETIMEDOUT);
	ipc.timeout = 0;
	show_expect("call without waiting", ipc_call(endpoint, 0, &ipc),
		    -ETIMEDOUT);
	show_expect("recv without waiting", ipc_recv(endpoint, &ipc),
		    -ETIMEDOUT);
	ipc.timeout = LODGER_FOREVER;
	start_call(&call);
	reply = ipc_reply_handle(ipc_recv(endpoint, &ipc));
	show_expect("call, received and not answered", end_call(&call),
		    -ETIMEDOUT);
	show_expect("the late answer", ipc_reply(reply, 0, &ipc), -ESRCH);
	show_expect("used up its handle", ipc_reply(reply, 0, &ipc), -EBADF);
	lodger_handle_close(notification);
}

/* ---- Partners that go away -------------------------------------------- */

static void
no_receiver_is_left(void)
{
	unsigned mine = lodger_endpoint_create();
	unsigned server = duplicate(mine, SERVER, 0);
	unsigned client = duplicate(mine, CALLER, 0);
	struct call calls[3];
	struct ipc ipc = WORDS_ALONE;
	bool right = true;

	for (int i = 0; i < 3; i++) {
		calls[i] = (struct call){ .endpoint = client };
		start_call(&calls[i]);
	}
	lodger_handle_close(mine);
	for (int i = 0; i < 3; i++)
		right &= sleeps(calls[i].tid);
	check(right, "callers wait while somebody may receive");
	lodger_handle_close(server);
	for (int i = 0; i < 3; i++)
		right &= end_call(&calls[i]) == -EPIPE;
	check(right, "and get -EPIPE when nobody may");
	show_expect("the next call", ipc_call(client, 0, &ipc), -EPIPE);
	lodger_handle_close(client);
}

static void *
recv_thread(void *arg)
{
	struct call *call = arg;

	call->tid = (int)syscall0(SYS_gettid);
	call->result = ipc_recv(call->endpoint, &call->ipc);
	return NULL;
}

static void
no_caller_is_left(void)
{
	unsigned mine = lodger_endpoint_create();
	struct call recv = { .endpoint = duplicate(mine, SERVER, 0),
			     .ipc = WORDS_ALONE };
	struct ipc ipc = WORDS_ALONE;

	pthread_create(&recv.thread, NULL, recv_thread, &recv);
	wait_until_asleep(&recv.tid);
	lodger_handle_close(mine);
	show_expect("a receiver when nobody may call", end_call(&recv),
		    -EPIPE);
	show_expect("the next one", ipc_recv(recv.endpoint, &ipc), -EPIPE);
	lodger_handle_close(recv.endpoint);
}

static void
the_answer_is_dropped(void)
{
	struct call call = { .endpoint = endpoint };
	struct ipc ipc = WORDS_ALONE;

	start_call(&call);
	lodger_handle_close(ipc_reply_handle(ipc_recv(endpoint, &ipc)));
	show_expect("a call whose reply handle is closed", end_call(&call),
		    -EPIPE);
}

static int
receive_and_die(unsigned handle)
{
	struct ipc ipc = WORDS_ALONE;

	ipc_recv(handle, &ipc);
	return 0;
}

static _Atomic int *received; /* shared */

static int
receive_and_hang(unsigned handle)
{
	struct ipc ipc = WORDS_ALONE;

	ipc_recv(handle, &ipc);
	signal_word(received, 1);
	return ipc_recv(handle, &ipc) < 0;
}

static void
the_server_dies(void)
{
	unsigned mine = lodger_endpoint_create();
	struct ipc ipc = WORDS_ALONE;
	struct call call = { .endpoint = mine };
	pid_t pid = child_with(duplicate(mine, SERVER, 0), receive_and_die);

	show_expect("a call whose server exits", ipc_call(mine, 0, &ipc),
		    -EPIPE);
	status_of(pid);
	received = shared_memory(PAGE);
	pid = child_with(duplicate(mine, SERVER, 0), receive_and_hang);
	start_call(&call);
	await_word(received, 1);
	kill(pid, SIGKILL);
	show_expect("a call whose server is killed", end_call(&call), -EPIPE);
	munmap((void *)received, PAGE);
	status_of(pid);
	lodger_handle_close(mine);
}

static int
call_once(unsigned handle)
{
	struct ipc ipc = WORDS_ALONE;

	return ipc_call(handle, 1, &ipc) == 0 ? 0 : 1;
}

static void
wait_for_sleep(pid_t pid)
{
	while (!sleeps(pid))
		sched_yield();
}

static void
the_caller_is_killed(void)
{
	struct ipc ipc = { .timeout = 0 };
	pid_t pid = child_with(duplicate(endpoint, CALLER, 0), call_once);
	unsigned reply;

	wait_for_sleep(pid);
	kill(pid, SIGKILL);
	check_equal(status_of(pid), SIGKILL, "a caller in the queue is killed");
	show_expect("it is not received", ipc_recv(endpoint, &ipc),
		    -ETIMEDOUT);
	ipc.timeout = LODGER_FOREVER;
	pid = child_with(duplicate(endpoint, CALLER, 0), call_once);
	reply = ipc_reply_handle(ipc_recv(endpoint, &ipc));
	kill(pid, SIGKILL);
	check_equal(status_of(pid), SIGKILL, "one that was received, too");
	show_expect("the answer to it", ipc_reply(reply, 0, &ipc), -ESRCH);
}

/* ---- The whole -------------------------------------------------------- */

static void
all(void)
{
	endpoint = lodger_endpoint_create();
	a_thread_answers();
	a_process_answers();
	each_call_has_its_badge();
	many_call_at_once();
	best_priority_first();
	refusals();
	a_reply_works_once();
	timeouts();
	no_receiver_is_left();
	no_caller_is_left();
	the_answer_is_dropped();
	the_server_dies();
	the_caller_is_killed();
	lodger_handle_close(endpoint);
}

int
main(void)
{
	begin_counted();
	leaves_nothing(all);
	return end();
}
