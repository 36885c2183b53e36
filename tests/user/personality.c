// timeout=60
/* System calls that a server answers: which ones are reflected, with what; what
 * the answers may be; who cannot be whose personality; and what is left when
 * the server is not. */
#include "tests/user/personality.h"

/* ---- What is reflected ------------------------------------------------- */

/* Those of a Unix server; all between LAST_LINUX and the kernel's own. */
static const unsigned servers_calls[] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 18, 19, 20, 21, 22, 23, 32, 33, 40,
	59, 63, 72, 74, 76, 77, 78, 79, 80, 81, 82, 83, 84, 86, 87, 88, 89, 90,
	92, 95, 97, 99, 100, 102, 115, 133, 137, 157, 160, 165, 217, 221, 257,
	258, 260, 262, 263, 264, 265, 266, 267, 268, 269, 280, 292,
	293, 302, 322, 332, 334, 435, 439,
};

enum {
	NR_SERVERS_CALLS = sizeof(servers_calls) / sizeof(servers_calls[0]),
	LAST_LINUX = 511,
	FIRST_OWN = 0x1000,
	NR_CALLS = NR_SERVERS_CALLS + FIRST_OWN - 1 - LAST_LINUX,
};

static unsigned
nth_call(unsigned i)
{
	return i < NR_SERVERS_CALLS ? servers_calls[i]
				    : i - NR_SERVERS_CALLS + LAST_LINUX + 1;
}

static uint64_t
nth_word(unsigned number, unsigned i)
{
	return (number + 1) * 0x9e3779b97f4a7c15 + i * 0x1234567812345;
}

/* All registers are as they were, but for the result. */
static bool
calls_with_six(unsigned number)
{
	uint64_t w[6];
	register uint64_t r10 __asm__("r10") = nth_word(number, 3);
	register uint64_t r8 __asm__("r8") = nth_word(number, 4);
	register uint64_t r9 __asm__("r9") = nth_word(number, 5);
	uint64_t rbx = 77;
	long result;

	w[0] = nth_word(number, 0);
	w[1] = nth_word(number, 1);
	w[2] = nth_word(number, 2);
	__asm__ volatile("syscall"
			 : "=a"(result), "+D"(w[0]), "+S"(w[1]), "+d"(w[2]),
			   "+r"(r10), "+r"(r8), "+r"(r9), "+b"(rbx)
			 : "a"(number)
			 : "rcx", "r11", "memory");
	w[3] = r10;
	w[4] = r8;
	w[5] = r9;
	for (unsigned i = 0; i < 6; i++)
		if (w[i] != nth_word(number, i))
			return false;
	return rbx == 77 && result == (long)nth_word(number, 6);
}

static int
call_all(void)
{
	for (unsigned i = 0; i < NR_CALLS; i++)
		if (!calls_with_six(nth_call(i)))
			return 1;
	return 0;
}

static void
all_numbers(void)
{
	pid_t pid = start_client(call_all);
	bool right = true;

	for (unsigned i = 0; i < NR_CALLS; i++) {
		struct request request = receive();

		right &= request.label == nth_call(i) && request.pid == pid &&
			 request.tid == pid;
		for (unsigned w = 0; w < 6; w++)
			right &= request.words[w] == nth_word(nth_call(i), w);
		answer(&request, LODGER_DONE, nth_word(nth_call(i), 6));
	}
	check(right, "every number comes with six words, pid and tid");
	client_ends(pid, 0, "and goes back with its result, nothing else");
}

static int
call_what_depends(void)
{
	if (syscall6(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, 5, 0) != 123)
		return 1;
	if (mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	    MAP_FAILED)
		return 2;
	if (syscall3(SYS_kill, 0, SIGUSR1, 0) != 124 ||
	    syscall3(SYS_kill, -5, 0, 0) != 125)
		return 3;
	if (syscall3(SYS_kill, 32000, 0, 0) != -ESRCH)
		return 4;
	return syscall0(SYS_getpid) > 0 ? 0 : 5;
}

static void
some_arguments(void)
{
	pid_t pid = start_client(call_what_depends);
	struct request request = receive();

	check(request.label == SYS_mmap && request.words[1] == PAGE &&
	      request.words[4] == 5, "mmap of a file is reflected");
	answer(&request, LODGER_DONE, 123);
	request = receive();
	check(request.label == SYS_kill && request.words[0] == 0 &&
	      request.words[1] == SIGUSR1, "kill of one's own group, too");
	answer(&request, LODGER_DONE, 124);
	request = receive();
	check(request.label == SYS_kill && request.words[0] == -5ul,
	      "and of another");
	answer(&request, LODGER_DONE, 125);
	client_ends(pid, 0, "but not the others");
}

static long
thread_result(long i)
{
	return reflected(i);
}

static void *
calling_thread(void *arg)
{
	return (void *)thread_result((long)arg);
}

static int
call_from_threads(void)
{
	pthread_t threads[3];
	void *result;
	int wrong = 0;

	for (long i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, calling_thread, (void *)i);
	for (long i = 0; i < 3; i++) {
		pthread_join(threads[i], &result);
		wrong += (long)result != 50 + i;
	}
	return wrong;
}

static void
threads_call(void)
{
	pid_t pid = start_client(call_from_threads);
	struct request requests[3];
	bool right = true;

	for (int i = 0; i < 3; i++) {
		requests[i] = receive();
		right &= requests[i].pid == pid && requests[i].tid != pid;
	}
	right &= requests[0].tid != requests[1].tid &&
		 requests[1].tid != requests[2].tid;
	check(right, "threads have their process's personality, and own tids");
	for (int i = 2; i >= 0; i--)
		answer(&requests[i], LODGER_DONE, 50 + requests[i].words[0]);
	client_ends(pid, 0, "each gets its own answer, in any order");
}

/* ---- Answers ----------------------------------------------------------- */

static int
call_twice(void)
{
	return reflected(1) == -7 && reflected(2) == 8 ? 0 : 1;
}

static void
bad_answers(void)
{
	pid_t pid = start_client(call_twice);
	struct lodger_message message = { 0 };
	struct ipc ipc = { .message = &message };
	struct request request = receive();
	unsigned reply = request.reply;

	show_expect("an answer with another label", ipc_reply(reply, 3, &ipc),
		    -EINVAL);
	ipc.message = NULL;
	show_expect("the same without a struct", ipc_reply(reply, 3, &ipc),
		    -EINVAL);
	ipc.message = &message;
	message.nr_send = 1;
	message.send_handles[0] = (unsigned)lodger_mm_create();
	show_expect("EXECUTE to another call than execve",
		    ipc_reply(reply, LODGER_EXECUTE, &ipc), -EINVAL);
	lodger_handle_close(message.send_handles[0]);
	message.nr_send = 0;
	message.send_buf = (uint64_t)&message;
	message.send_len = 1;
	show_expect("a buffer", ipc_reply(reply, LODGER_DONE, &ipc), -EMSGSIZE);
	message.send_len = 0;
	message.nr_send = 1;
	message.send_handles[0] = endpoint;
	show_expect("a handle", ipc_reply(reply, LODGER_DONE, &ipc), -EMSGSIZE);
	check(sleeps(pid), "the caller waits on");
	message.nr_send = 0;
	show_expect("an empty struct", ipc_reply(reply, LODGER_DONE, &ipc), 0);
	show_expect("the answer again", ipc_reply(reply, LODGER_DONE, &ipc),
		    -EBADF);
	client_ends(pid, EXITED(1), "0 was the wrong answer");
	pid = start_client(call_twice);
	serve_one(NUMBER, -7);
	serve_one(NUMBER, 8);
	client_ends(pid, 0, "right ones");
}

/* By which the kernel would make the call again, or call it interrupted. */
static const long kernels_codes[] = { -512, -513, -514, -516 };

static int
call_with_515(void)
{
	return reflected(1) == -515 && reflected(2) == 8 ? 0 : 1;
}

/* In the way of most answers, and in the other. */
static void
codes_within(void)
{
	pid_t pid = start_client(call_with_515);
	struct request request = receive();

	for (int i = 0; i < 4; i++) {
		struct ipc ipc = { .words = { kernels_codes[i] },
				   .timeout = LODGER_FOREVER };

		show_expect("a restart code, reply and receive",
			    ipc_reply_recv(request.reply, LODGER_DONE, endpoint,
					   &ipc), -EINVAL);
		show_expect("reply alone", answer(&request, LODGER_DONE,
						  kernels_codes[i]), -EINVAL);
	}
	check(sleeps(pid), "the caller waits on");
	answer(&request, LODGER_DONE, -515);
	serve_one(NUMBER, 8);
	client_ends(pid, 0, "and sees what is no code");
}

static int
call_once(void)
{
	return reflected(3) == 4 ? 0 : 1;
}

static void
restarts(void)
{
	pid_t pid = start_client(call_once);

	for (unsigned i = 0; i < 3; i++) {
		struct request request = receive();

		if (request.label != NUMBER || request.words[0] != 3)
			check(false, "the same call again");
		answer(&request, LODGER_RESTART, i & 1);
	}
	serve_one(NUMBER, 4);
	client_ends(pid, 0, "without a signal RESTART makes the call again");
}

/* ---- The caller's memory ------------------------------------------------ */

static _Atomic int *shared; /* by tests and their clients */

static int
call_with_memory(void)
{
	static long word = 1234;
	char *area = private_memory(2 * PAGE);
	char *mapped;

	mapped = (char *)syscall3(NUMBER, (long)&word, (long)area, 0);
	if (word != 4321)
		return 1;
	strcpy(mapped, "mine");
	if (strcmp(mapped, "mine") != 0)
		return 2;
	*shared = 1;
	area[0] = 1; /* was unmapped: SIGSEGV */
	return 3;
}

static void
the_callers_memory(void)
{
	pid_t pid = start_client(call_with_memory);
	struct request request = receive();
	uint64_t word = request.words[0], area = request.words[1];
	unsigned reply = request.reply;
	long value = 0, where;

	*shared = 0;
	check(lodger_mm_read(reply, word, &value, 8) == 8 && value == 1234,
	      "the server reads its caller's memory");
	value = 4321;
	check_equal(lodger_mm_write(reply, word, &value, 8), 8, "writes");
	where = lodger_mm_map(reply, 0, PAGE, PROT_READ | PROT_WRITE);
	check(where > 0, "maps");
	check_equal(lodger_mm_protect(reply, area + PAGE, PAGE, PROT_NONE), 0,
		    "protects");
	show_expect("as its caller finds",
		    lodger_mm_write(reply, area + PAGE, &value, 8), -EFAULT);
	check_equal(lodger_mm_unmap(reply, area, PAGE), 0, "unmaps");
	answer(&request, LODGER_DONE, where);
	show_expect("until it has answered",
		    lodger_mm_map(reply, 0, PAGE, PROT_READ), -EBADF);
	client_ends(pid, SIGSEGV, "what was unmapped is gone");
	check_equal(*shared, 1, "what was mapped was there");
}

static int
call_in_person(unsigned handle)
{
	struct ipc ipc = WORDS_ALONE;

	return ipc_call(handle, 5, &ipc) == 0 ? 0 : 1;
}

static void
an_ordinary_call_gives_less(void)
{
	pid_t pid = child_with(duplicate(endpoint, CALLER, 0), call_in_person);
	struct request request = receive();

	show_expect("mm_map for an ordinary call",
		    lodger_mm_map(request.reply, 0, PAGE, PROT_READ), -EPERM);
	answer(&request, 0, 0);
	check_equal(status_of(pid), 0, "which is answered");
}

/* ---- Setting it --------------------------------------------------------- */

static void *
wait_for_word(void *word)
{
	await_word(word, 1);
	return NULL;
}

static void
refusals(void)
{
	unsigned notification = lodger_notification_create();
	unsigned receiver = duplicate(endpoint, LODGER_RIGHT_RECV, 0);
	unsigned other = lodger_endpoint_create();
	unsigned caller = duplicate(other, LODGER_RIGHT_CALL, 0);
	_Atomic int word = 0;
	pthread_t thread;

	show_expect("no such handle", lodger_personality_set(999), -EBADF);
	show_expect("no endpoint", lodger_personality_set(notification),
		    -EINVAL);
	show_expect("without CALL", lodger_personality_set(receiver), -EPERM);
	show_expect("one's own endpoint", lodger_personality_set(endpoint),
		    -EDEADLK);
	lodger_handle_close(other);
	show_expect("where nobody can receive", lodger_personality_set(caller),
		    -EPIPE);
	pthread_create(&thread, NULL, wait_for_word, (void *)&word);
	show_expect("with a second thread", lodger_personality_set(endpoint),
		    -EBUSY);
	signal_word(&word, 1);
	pthread_join(thread, NULL);
	/* It has told so, and then it goes. */
	while (lodger_personality_set(0) == -EBUSY)
		sched_yield();
	show_expect("none, of none", lodger_personality_set(0), 0);
	show_expect("without one", reflected(1), -ENOSYS);
	lodger_handle_close(notification);
	lodger_handle_close(receiver);
	lodger_handle_close(caller);
}

static int
set_another(unsigned handle)
{
	if (lodger_personality_set(handle) || lodger_personality_set(handle) ||
	    reflected(1) != 2 || lodger_personality_set(0) ||
	    reflected(1) != -ENOSYS)
		return 1;
	return 0;
}

static void
it_is_exchanged(void)
{
	pid_t pid = child_with(duplicate(endpoint, CALLER, 0), set_another);

	expect_exit(pid, 0);
	serve_one(NUMBER, 2);
	expect_exit(pid, 0);
	check_equal(status_of(pid), 0,
		    "another personality: the server hears of an end");
}

static int
come_and_go(unsigned handle)
{
	int times = 0;
	long result;

	while ((result = lodger_personality_set(handle)) == 0 &&
	       times < 5000) {
		lodger_personality_set(0);
		times++;
	}
	if (result != -EAGAIN || times != 4096)
		return 1;
	signal_word(shared, 1);
	await_word(shared, 2);
	return lodger_personality_set(handle) == 0 && reflected(1) == 2 ? 0 : 2;
}

static void
no_server_is_drowned(void)
{
	struct request request;
	pid_t pid;

	*shared = 0;
	pid = child_with(duplicate(endpoint, CALLER, 0), come_and_go);
	await_word(shared, 1);
	for (int i = 0; i < 4096; i++)
		expect_exit(pid, 0);
	check(!receive_within(0, &request), "4,096 events wait, and no more");
	signal_word(shared, 2);
	serve_one(NUMBER, 2);
	client_ends(pid, 0, "received, there is room again");
}

/* ---- Ways that lead back ------------------------------------------------ */

enum { OUT = 1, IN = 2 }; /* handles of a client that is to serve, too */

/* Tells when it has its personality, and waits until it has handle IN. */
static bool
gets_both(unsigned out)
{
	if (lodger_personality_set(out) != 0)
		return false;
	signal_word(shared, 1);
	await_word(shared, 2);
	return true;
}

static pid_t
start_middle(int (*fn)(unsigned), unsigned out, unsigned in)
{
	pid_t pid;

	*shared = 0;
	pid = child_with(out, fn);
	await_word(shared, 1);
	if (lodger_handle_give(pid, in) != IN)
		check(false, "handle_give");
	signal_word(shared, 2);
	return pid;
}

/* Begins to serve. */
static int
middle(unsigned out)
{
	struct ipc ipc = { .timeout = 0 };

	if (!gets_both(out) || ipc_recv(IN, &ipc) != -ETIMEDOUT)
		return 1;
	signal_word(shared, 3);
	await_word(shared, 4);
	return 0;
}

/* Whoever prints must have none. */
static long
set_for_a_moment(unsigned handle)
{
	long result = lodger_personality_set(handle);

	lodger_personality_set(0);
	return result;
}

/* It receives from `endpoint`; or nobody does now, but this process could. */
static void
a_way_of_two(bool receives)
{
	unsigned theirs = lodger_endpoint_create();
	unsigned caller = duplicate(theirs, LODGER_RIGHT_CALL, 0), own = endpoint;
	struct request request;
	pid_t pid;

	endpoint = lodger_endpoint_create();
	if (receives)
		receive_within(0, &request);
	pid = start_middle(middle, duplicate(endpoint, CALLER, 0), theirs);
	await_word(shared, 3);
	show_expect(receives ? "a personality whose server calls where we serve"
			     : "or where we could", lodger_personality_set(caller),
		    -EDEADLK);
	lodger_handle_close(endpoint);
	if (!receives)
		show_expect("if not", set_for_a_moment(caller), 0);
	signal_word(shared, 4);
	check_equal(status_of(pid), 0, "the one in the middle ends");
	lodger_handle_close(caller);
	endpoint = own;
}

static int
is_refused(unsigned out)
{
	struct ipc ipc = { .timeout = 0 };

	return gets_both(out) && ipc_recv(IN, &ipc) == -EDEADLK ? 0 : 1;
}

/* Two, each of which calls the other. The second is not to serve. */
static void
recv_is_refused(void)
{
	unsigned x = lodger_endpoint_create(), y = lodger_endpoint_create();
	pid_t first = start_middle(middle, duplicate(y, CALLER, 0),
				   duplicate(x, SERVER, 0)), second;

	await_word(shared, 3);
	second = start_middle(is_refused, duplicate(x, CALLER, 0),
			      duplicate(y, SERVER, 0));
	check_equal(status_of(second), 0, "who calls them cannot serve those "
		    "whom he calls");
	signal_word(shared, 4);
	check_equal(status_of(first), 0, "the other one can");
	lodger_handle_close(x);
	lodger_handle_close(y);
}

/* A way of n servers, each of which calls the one before. */
static void
a_long_way(unsigned n, long expected)
{
	unsigned before = lodger_endpoint_create(), next;
	pid_t pids[10];

	for (unsigned i = 0; i < n; i++) {
		next = lodger_endpoint_create();
		pids[i] = start_middle(middle, duplicate(before, CALLER, 0),
				       duplicate(next, SERVER, 0));
		await_word(shared, 3);
		lodger_handle_close(before);
		before = duplicate(next, CALLER | LODGER_RIGHT_DUPLICATE, 0);
		lodger_handle_close(next);
	}
	printf("%u, one after the other, ", n);
	show_expect("and a personality", set_for_a_moment(before), expected);
	lodger_handle_close(before);
	signal_word(shared, 4);
	for (unsigned i = 0; i < n; i++)
		check_equal(status_of(pids[i]), 0, "one ends");
}

static int
has_the_last_handle(unsigned out)
{
	struct ipc ipc = { .timeout = 0 };

	if (!gets_both(out) || ipc_recv(IN, &ipc) != -EDEADLK)
		return 1;
	return reflected(1) == -EDEADLK ? 0 : 2;
}

static void
the_handle_travels(void)
{
	unsigned other = lodger_endpoint_create();
	unsigned caller = duplicate(other, LODGER_RIGHT_CALL, 0);
	struct ipc ipc = WORDS_ALONE;
	pid_t pid = start_middle(has_the_last_handle,
				 duplicate(other, CALLER, 0), other);

	check_equal(status_of(pid), 0, "who gets the last handle to receive "
		    "his own calls can neither receive nor wait for them");
	show_expect("then nobody can", ipc_call(caller, 0, &ipc), -EPIPE);
	lodger_handle_close(caller);
}

/* Its server calls it: the circle is found when it closes. */
static int
serve_by_calling(unsigned out)
{
	struct ipc ipc = WORDS_ALONE;
	long got;

	if (!gets_both(out))
		return 1;
	got = ipc_recv(IN, &ipc);
	ipc.words[0] = reflected(7); /* to its caller */
	return ipc_reply(ipc_reply_handle(got), 0, &ipc);
}

static void
a_circle_of_calls(void)
{
	unsigned other = lodger_endpoint_create();
	struct ipc ipc = WORDS_ALONE;
	struct request request;
	pid_t pid;

	receive_within(0, &request); /* from now on we serve there */
	pid = start_middle(serve_by_calling, duplicate(endpoint, CALLER, 0),
			   duplicate(other, SERVER, 0));
	check_equal(ipc_call(other, 0, &ipc), 0, "the server calls its client");
	show_expect("whose calls it would have to answer", ipc.words[0],
		    -EDEADLK);
	expect_exit(pid, 0);
	check_equal(status_of(pid), 0, "it ends");
	lodger_handle_close(other);
}

/* ---- Without a server --------------------------------------------------- */

static int
serve_and_die(unsigned handle)
{
	struct ipc ipc = WORDS_ALONE;

	return ipc_recv(handle, &ipc) > 0 ? 0 : 1;
}

static int
serve_twice(unsigned handle)
{
	struct ipc ipc = WORDS_ALONE;
	long got = ipc_recv(handle, &ipc);

	ipc.words[0] = 20;
	got = ipc_reply_recv(ipc_reply_handle(got), LODGER_DONE, handle, &ipc);
	ipc.words[0] = 21;
	return ipc_reply(ipc_reply_handle(got), LODGER_DONE, &ipc);
}

static int
outlive_a_server(void)
{
	if (reflected(1) != -EIO)
		return 1;
	signal_word(shared, 1);
	return reflected(2) == 20 && reflected(3) == 21 ? 0 : 2;
}

static void
a_supervisor_restarts(void)
{
	pid_t client, server;

	*shared = 0;
	server = child_with(duplicate(endpoint, SERVER, 0), serve_and_die);
	client = start_client(outlive_a_server);
	check_equal(status_of(server), 0, "the server dies");
	await_word(shared, 1);
	server = child_with(duplicate(endpoint, SERVER, 0), serve_twice);
	check_equal(status_of(server), 0, "another one answers");
	client_ends(client, 0, "one call failed, with EIO; no other");
}

static int
have_none(void)
{
	if (reflected(1) != -EIO)
		return 1;
	if (reflected(2) != -ENOSYS || syscall0(SYS_fork) != -ENOSYS)
		return 2;
	return 0;
}

static void
nobody_receives(void)
{
	unsigned mine = endpoint;
	struct request request;
	pid_t pid;

	endpoint = lodger_endpoint_create();
	pid = start_client(have_none);
	request = receive();
	lodger_handle_close(endpoint);
	check(sleeps(pid), "a call is with who can still answer it");
	lodger_handle_close(request.reply);
	check_equal(status_of(pid), 0, "then EIO; and then ENOSYS, and no fork");
	endpoint = mine;
}

static int
wait_in_vain(void)
{
	return reflected(1) == -ENOSYS ? 0 : 1;
}

static void
a_queue_is_sent_home(void)
{
	unsigned mine = endpoint;
	pid_t pid;

	endpoint = lodger_endpoint_create();
	pid = start_client(wait_in_vain);
	wait_until_it_calls(pid);
	lodger_handle_close(endpoint);
	check_equal(status_of(pid), 0, "a call in the queue: ENOSYS");
	endpoint = mine;
}

/* ---- The whole ---------------------------------------------------------- */

static void
all(void)
{
	endpoint = lodger_endpoint_create();
	all_numbers();
	some_arguments();
	threads_call();
	bad_answers();
	codes_within();
	restarts();
	the_callers_memory();
	an_ordinary_call_gives_less();
	refusals();
	it_is_exchanged();
	no_server_is_drowned();
	a_way_of_two(true);
	a_way_of_two(false);
	recv_is_refused();
	a_long_way(7, 0);
	a_long_way(8, -EDEADLK);
	the_handle_travels();
	a_circle_of_calls();
	a_supervisor_restarts();
	nobody_receives();
	a_queue_is_sent_home();
	lodger_handle_close(endpoint);
}

int
main(void)
{
	begin_counted();
	shared = shared_memory(PAGE);
	leaves_nothing(all);
	return end();
}
