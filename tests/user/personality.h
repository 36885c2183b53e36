/*
 * A test that is itself the server, one step at a time: it starts processes
 * whose personality is `endpoint`, receives what they call, looks at it, and
 * answers as it likes. Those must not print: write would come here.
 */
#pragma once

#include "tests/user/partners.h"
#include "tests/user/rest.h"

enum {
	SERVER = LODGER_RIGHT_RECV | LODGER_RIGHT_TRANSFER,
	CALLER = LODGER_RIGHT_CALL | LODGER_RIGHT_TRANSFER,
	NUMBER = 1000, /* of a system call that there is not */
};

static unsigned endpoint;

struct request {
	unsigned label;
	unsigned reply; /* 0: an event */
	int pid, tid;
	uint64_t words[6];
};

/* False: nothing came in that time, in nanoseconds. */
static inline bool
receive_within(uint64_t timeout, struct request *request)
{
	struct ipc ipc = { .timeout = timeout };
	long got = ipc_recv(endpoint, &ipc);

	if (got < 0)
		return false;
	request->label = ipc_label(got);
	request->reply = ipc_reply_handle(got);
	request->pid = ipc.badge >> 32;
	request->tid = (int)ipc.badge;
	memcpy(request->words, ipc.words, sizeof(ipc.words));
	return true;
}

static inline struct request
receive(void)
{
	struct request request = { 0 };

	if (!receive_within(LODGER_FOREVER, &request))
		check(false, "recv");
	return request;
}

static inline long
answer(const struct request *request, unsigned label, uint64_t word)
{
	struct ipc ipc = { .words = { word } };

	return ipc_reply(request->reply, label, &ipc);
}

/* Receives what must be a call with that number, and gives its result. */
static inline void
serve_one(unsigned number, uint64_t result)
{
	struct request request = receive();

	if (request.label != number || !request.reply)
		check_equal(request.label, number, "the next call");
	if (answer(&request, LODGER_DONE, result) != 0)
		check(false, "reply");
}

static inline void
expect_exit(int pid, int status)
{
	struct request request = receive();

	if (request.label != LODGER_EXIT || request.reply ||
	    request.pid != pid || request.tid != 0 ||
	    (int)request.words[0] != pid || (int)request.words[1] != status)
		check(false, "an exit is told, with pid and status");
}

/* ---- Clients ---------------------------------------------------------- */

static int (*client_body)(void);
static _Atomic int *client_runs;

static inline int
client_main(unsigned handle)
{
	if (lodger_personality_set(handle) != 0)
		return 99;
	lodger_handle_close(handle);
	*client_runs = 1;
	return client_body();
}

/* A child that runs @body with the personality, and exits with its result. */
static inline pid_t
start_client(int (*body)(void))
{
	if (!client_runs)
		client_runs = shared_memory(PAGE);
	*client_runs = 0;
	client_body = body;
	return child_with(duplicate(endpoint, CALLER, 0), client_main);
}

/* Returns when the client that was started last sleeps in its first call. */
static inline void
wait_until_it_calls(pid_t pid)
{
	while (!*client_runs || !sleeps(pid))
		sched_yield();
}

/* It ends like that, and the server is told. */
static inline void
client_ends(pid_t pid, int status, const char *sentence)
{
	expect_exit(pid, status);
	check_equal(status_of(pid), status, sentence);
}

/* A call with the number and words that a client is to remember. */
static inline long
reflected(long word)
{
	return syscall3(NUMBER, word, 0, 0);
}
