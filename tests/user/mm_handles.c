// timeout=120
/* Address spaces behind handles: what they count, what can be done through
 * them, and what is answered when nobody lives there any more, or is leaving
 * at this moment, in every order. */
#include "tests/user/partners.h"
#include "tests/user/rest.h"

enum {
	READS = LODGER_RIGHT_READ | LODGER_RIGHT_STAT | LODGER_RIGHT_TRANSFER,
	WHERE = 0x10000000, /* in what is built */
	CLASS_SLAB = 2, CLASS_TABLE = 1,
	ROUNDS = 150,
};

static struct lodger_mm_stat
info(unsigned handle)
{
	struct lodger_mm_stat stat = { 0 };

	if (lodger_mm_info(handle, &stat) != 0)
		check(false, "mm_info of a good handle");
	return stat;
}

/* When no idle CPU stands there. */
static void
check_counts(unsigned handle, int users, int count, const char *what)
{
	struct lodger_mm_stat stat;

	lodger_quiesce();
	stat = info(handle);
	check_equal(stat.users * 100 + stat.count, users * 100 + count, what);
}

/* ---- Through a handle on oneself --------------------------------------- */

static void
one_s_own(void)
{
	unsigned handle = lodger_mm_open();
	unsigned second = duplicate(handle, READS, 0);
	unsigned char text[100], copy[100];
	long area;

	check_counts(handle, 1, 2, "two handles, one pin: 1/2");
	memset(text, 7, sizeof(text));
	check_equal(lodger_mm_read(handle, (uint64_t)text, copy, 100), 100,
		    "read");
	check(memcmp(text, copy, 100) == 0, "what is there");
	area = lodger_mm_map(handle, 0, 3 * PAGE, PROT_READ | PROT_WRITE);
	check(area > 0, "map");
	check_equal(lodger_mm_write(handle, area + PAGE - 50, text, 100), 100,
		    "write");
	check(((char *)area)[PAGE] == 7 && ((char *)area)[2 * PAGE] == 0,
	      "where it was meant");
	check_equal(lodger_mm_protect(handle, area, PAGE, PROT_READ), 0,
		    "protect");
	show_expect("write to what is protected",
		    lodger_mm_write(handle, area, text, 100), -EFAULT);
	check_equal(lodger_mm_unmap(handle, area, 3 * PAGE), 0, "unmap");
	show_expect("read from what is gone",
		    lodger_mm_read(handle, area, copy, 100), -EFAULT);
	show_expect("read to nowhere",
		    lodger_mm_read(handle, (uint64_t)text, (void *)8, 100),
		    -EFAULT);
	show_expect("write without the right",
		    lodger_mm_write(second, (uint64_t)text, copy, 100),
		    -EPERM);
	show_expect("map without the right",
		    lodger_mm_map(second, 0, PAGE, PROT_READ), -EPERM);
	show_expect("read of no handle",
		    lodger_mm_read(99, (uint64_t)text, copy, 1), -EBADF);
	lodger_handle_close(second);
	check_counts(handle, 1, 2, "one handle closed: 1/2");
	second = lodger_mm_open();
	check_counts(handle, 1, 3, "opened again: 1/3");
	lodger_handle_close(second);
	lodger_handle_close(handle);
}

static void
wrong_types(void)
{
	unsigned endpoint = lodger_endpoint_create();
	unsigned handle = lodger_mm_open();
	struct lodger_mm_stat stat;
	char byte;

	show_expect("read through an endpoint",
		    lodger_mm_read(endpoint, 0x1000, &byte, 1), -EINVAL);
	show_expect("info of an endpoint", lodger_mm_info(endpoint, &stat),
		    -EINVAL);
	show_expect("exec into what others live in",
		    lodger_mm_exec(handle, 0x1000, 0x1000, NULL), -EINVAL);
	lodger_handle_close(endpoint);
	lodger_handle_close(handle);
}

/* ---- A client, and a server that looks at it --------------------------- */

struct shared {
	_Atomic int step, client;
	uint64_t secret;
	uint64_t where; /* the client's secret */
};

static struct shared *shared;

/* Sends a handle on itself to endpoint 1, then waits to be told to end. */
static int
client(unsigned endpoint)
{
	static uint64_t secret;
	struct lodger_message message = { .nr_send = 1 };
	struct ipc ipc = { .message = &message, .timeout = LODGER_FOREVER };

	secret = shared->secret;
	shared->where = (uint64_t)&secret;
	message.send_handles[0] = lodger_mm_open();
	if (ipc_call(endpoint, 0, &ipc) != 0)
		return 1;
	await_word(&shared->step, 1);
	return 0;
}

/* A client and the handle that it sends. */
static pid_t
start_client(unsigned endpoint, unsigned *handle)
{
	unsigned theirs = duplicate(endpoint, LODGER_RIGHT_CALL |
				    LODGER_RIGHT_TRANSFER, 0);
	struct lodger_message message = { .nr_recv = 1 };
	struct ipc ipc = { .message = &message, .timeout = LODGER_FOREVER };
	pid_t pid;
	long got;

	shared->step = 0;
	pid = child_with(theirs, client);
	got = ipc_recv(endpoint, &ipc);
	*handle = message.recv_handles[0];
	ipc.message = NULL;
	ipc_reply(ipc_reply_handle(got), 0, &ipc);
	return pid;
}

static void
nobody_lives_there(unsigned handle)
{
	uint64_t word;

	show_expect("read", lodger_mm_read(handle, shared->where, &word, 8),
		    -ESRCH);
	show_expect("write", lodger_mm_write(handle, shared->where, &word, 8),
		    -ESRCH);
	show_expect("map", lodger_mm_map(handle, 0, PAGE, PROT_READ), -ESRCH);
	show_expect("unmap", lodger_mm_unmap(handle, WHERE, PAGE), -ESRCH);
	show_expect("protect", lodger_mm_protect(handle, WHERE, PAGE,
						 PROT_READ), -ESRCH);
}

static void
before_and_after_the_end(void)
{
	unsigned endpoint = lodger_endpoint_create(), handle;
	struct lodger_mm_stat stat;
	pid_t pid = start_client(endpoint, &handle);
	uint64_t word = 0, id = info(handle).id;

	lodger_mm_read(handle, shared->where, &word, 8);
	check(word == shared->secret, "a client's memory is read");
	check_counts(handle, 1, 2, "it is 1/2, no more for the reading");
	signal_word(&shared->step, 1);
	check_equal(status_of(pid), 0, "the client ends");
	nobody_lives_there(handle);
	lodger_quiesce();
	stat = info(handle);
	check(stat.users == 0 && stat.count == 1 && stat.torn_down &&
	      stat.resident == 0 && stat.id == id,
	      "the struct is kept, 0/1, the contents are gone");
	check_equal(lodger_handle_close(handle), 0, "close");
	show_expect("then nothing is left", lodger_mm_stat(id, &stat),
		    -ESRCH);
	lodger_handle_close(endpoint);
}

/* The client is dead, and its CPU still stands on its address space. */
static void
a_zombie_that_is_borrowed(void)
{
	unsigned endpoint = lodger_endpoint_create(), handle;
	struct lodger_cpu_stat cpu;
	struct lodger_mm_stat stat;
	uint64_t here = 1, there = 2, all = ~0ul, id;
	pid_t pid;

	syscall3(SYS_sched_setaffinity, 0, sizeof(here), (long)&here);
	pid = start_client(endpoint, &handle);
	id = info(handle).id;
	syscall3(SYS_sched_setaffinity, pid, sizeof(there), (long)&there);
	lodger_hold(1, LODGER_HOLD_DEAD);
	signal_word(&shared->step, 1);
	do
		lodger_cpu_stat(1, &cpu);
	while (cpu.held_at != LODGER_HOLD_DEAD);
	check_counts(handle, 0, 2, "dead, borrowed and pinned: 0/2");
	nobody_lives_there(handle);
	lodger_check_invariants();
	lodger_handle_close(handle);
	check(lodger_mm_stat(id, &stat) == 0 && stat.count == 1,
	      "the handle closed: 0/1, the borrower's");
	lodger_hold(1, LODGER_HOLD_NONE);
	status_of(pid);
	lodger_quiesce();
	show_expect("the borrower gone", lodger_mm_stat(id, &stat), -ESRCH);
	lodger_handle_close(endpoint);
	syscall3(SYS_sched_setaffinity, 0, sizeof(all), (long)&all);
}

/* The client ends while the server reads: the right word, or -ESRCH. */
static void
while_it_ends(void)
{
	unsigned endpoint = lodger_endpoint_create(), handle;
	int right = 0, gone = 0, wrong = 0;

	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = start_client(endpoint, &handle);
		long result;

		for (int reads = i % 8; reads > 0; reads--)
			sched_yield();
		if (i % 2)
			signal_word(&shared->step, 1);
		else
			kill(pid, SIGKILL);
		do {
			uint64_t word = 0;

			result = lodger_mm_read(handle, shared->where, &word,
						8);
			if (result == 8 && word == shared->secret)
				right++;
			else if (result == -ESRCH)
				gone++;
			else
				wrong++;
		} while (result == 8);
		if (i % 3)
			lodger_handle_close(handle);
		status_of(pid);
		if (i % 3 == 0)
			lodger_handle_close(handle);
	}
	check_equal(wrong, 0, "a read while it ends is right, or -ESRCH");
	check_equal(gone, ROUNDS, "each client is gone in the end");
	fprintf(stderr, "%d right reads\n", right);
	lodger_handle_close(endpoint);
}

/* ---- Through a reply handle -------------------------------------------- */

static int
call_and_compare(unsigned endpoint)
{
	static uint64_t word = 0x1111;
	struct ipc ipc = { .words = { (uint64_t)&word, getpid() },
			   .timeout = LODGER_FOREVER };

	return ipc_call(endpoint, 0, &ipc) == 0 && word == 0x2222 ? 0 : 1;
}

static void
a_caller_s_memory(void)
{
	unsigned endpoint = lodger_endpoint_create();
	struct ipc ipc = WORDS_ALONE;
	struct lodger_task_stat task;
	struct lodger_mm_stat stat;
	uint64_t word = 0;
	unsigned reply;
	pid_t pid;

	pid = child_with(duplicate(endpoint, LODGER_RIGHT_CALL |
				   LODGER_RIGHT_TRANSFER, 0),
			 call_and_compare);
	reply = ipc_reply_handle(ipc_recv(endpoint, &ipc));
	check_equal(lodger_mm_read(reply, ipc.words[0], &word, 8), 8,
		    "read through a reply handle");
	check_equal(word, 0x1111, "the caller's word");
	word = 0x2222;
	check_equal(lodger_mm_write(reply, ipc.words[0], &word, 8), 8,
		    "write through it");
	while (lodger_task_stat(pid, &task) != 0 || task.on_cpu)
		sched_yield();
	lodger_quiesce(); /* no lazy CPU stands there */
	lodger_mm_stat(task.mm, &stat);
	check(stat.users == 1 && stat.count == 1,
	      "the caller waits, and is 1/1");
	show_expect("map through it",
		    lodger_mm_map(reply, 0, PAGE, PROT_READ), -EPERM);
	ipc_reply(reply, 0, &ipc);
	check_equal(status_of(pid), 0, "the caller finds what was written");
	show_expect("read through it after the answer",
		    lodger_mm_read(reply, ipc.words[0], &word, 8), -EBADF);

	pid = child_with(duplicate(endpoint, LODGER_RIGHT_CALL |
				   LODGER_RIGHT_TRANSFER, 0),
			 call_and_compare);
	reply = ipc_reply_handle(ipc_recv(endpoint, &ipc));
	kill(pid, SIGKILL);
	status_of(pid);
	show_expect("read of a killed caller",
		    lodger_mm_read(reply, ipc.words[0], &word, 8), -ESRCH);
	lodger_handle_close(reply);
	lodger_handle_close(endpoint);
}

/* ---- Building ---------------------------------------------------------- */

/* exit_group(42) */
static const unsigned char program[] = {
	0xbf, 42, 0, 0, 0,	/* mov edi, 42 */
	0xb8, 231, 0, 0, 0,	/* mov eax, SYS_exit_group */
	0x0f, 0x05,		/* syscall */
};

static unsigned
build(void)
{
	unsigned handle = lodger_mm_create();

	check_counts(handle, 1, 1, "a new address space is 1/1");
	check_equal(lodger_mm_map(handle, WHERE, 2 * PAGE,
				  PROT_READ | PROT_WRITE), WHERE, "map");
	check_equal(lodger_mm_write(handle, WHERE, program, sizeof(program)),
		    sizeof(program), "fill");
	check_equal(lodger_mm_protect(handle, WHERE, PAGE,
				      PROT_READ | PROT_EXEC), 0, "protect");
	return handle;
}

static void
built_and_dropped(void)
{
	unsigned handle = build();
	uint64_t id = info(handle).id;
	struct lodger_mm_stat stat;

	show_expect("a second building handle",
		    lodger_handle_duplicate(handle, READS, 0), -EPERM);
	lodger_check_invariants();
	lodger_handle_close(handle);
	show_expect("closed, it is gone", lodger_mm_stat(id, &stat), -ESRCH);
}

static void
built_and_entered(void *unused)
{
	unsigned handle = build();

	(void)unused;
	show_expect("exec at no user address",
		    lodger_mm_exec(handle, ~0ul, WHERE, NULL), -EINVAL);
	lodger_mm_exec(handle, WHERE, WHERE + 2 * PAGE, NULL);
	_exit(1);
}

static void *
wait_for_ever(void *word)
{
	await_word(word, 1);
	return NULL;
}

static void
entered_by_one_of_many(void *arg)
{
	static _Atomic int word;
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, wait_for_ever, (void *)&word);
	built_and_entered(arg);
}

/* Built by one, entered by another. */
static int
enter_what_comes(unsigned endpoint)
{
	struct lodger_message message = { .nr_recv = 1 };
	struct ipc ipc = { .message = &message, .timeout = LODGER_FOREVER };
	long got = ipc_recv(endpoint, &ipc);

	ipc.message = NULL;
	ipc_reply(ipc_reply_handle(got), 0, &ipc);
	lodger_mm_exec(message.recv_handles[0], WHERE, WHERE + 2 * PAGE, NULL);
	return 1;
}

static void
built_for_another(void)
{
	unsigned endpoint = lodger_endpoint_create(), handle = build();
	struct lodger_message message = { .nr_send = 1,
					  .send_handles = { handle } };
	struct ipc ipc = { .message = &message, .timeout = LODGER_FOREVER };
	pid_t pid = child_with(duplicate(endpoint, LODGER_RIGHT_RECV |
					 LODGER_RIGHT_TRANSFER, 0),
			       enter_what_comes);

	check_equal(ipc_call(endpoint, 0, &ipc), 0, "a building handle sent");
	check_equal(status_of(pid), EXITED(42), "is entered by another");
	lodger_handle_close(endpoint);
}

static void
left_to_exit(void *unused)
{
	(void)unused;
	build();
	lodger_mm_open();
	_exit(0);
}

static void
no_memory(void *unused)
{
	static const int classes[] = { CLASS_SLAB, CLASS_TABLE };
	unsigned failures = 0;

	(void)unused;
	for (int i = 0; i < 2; i++)
		for (unsigned nth = 1;; nth++) {
			long handle;

			lodger_fail(classes[i], nth);
			handle = lodger_mm_create();
			if (!lodger_fail_happened()) {
				lodger_handle_close(handle);
				break;
			}
			if (handle != -ENOMEM)
				_exit(1);
			failures++;
		}
	_exit(failures >= 3 ? 0 : 2);
}

/* ---- The whole --------------------------------------------------------- */

static void
all(void)
{
	struct lodger_sys_stat sys;

	one_s_own();
	wrong_types();
	before_and_after_the_end();
	while_it_ends();
	a_caller_s_memory();
	built_and_dropped();
	check_child("built and entered", built_and_entered, NULL, EXITED(42));
	check_child("by one of four threads", entered_by_one_of_many, NULL,
		    EXITED(42));
	built_for_another();
	check_child("left to exit", left_to_exit, NULL, EXITED(0));
	lodger_sys_stat(&sys);
	if (sys.nr_cpus > 1)
		a_zombie_that_is_borrowed();
	if (sys.debug)
		check_child("no memory, at each place", no_memory, NULL,
			    EXITED(0));
}

int
main(void)
{
	begin_counted();
	shared = shared_memory(PAGE);
	shared->secret = 0x5ec2e7;
	leaves_nothing(all);
	return end();
}
