// timeout=180
/* A storm: servers and clients in several processes, calls with buffers and
 * handles, good and bad, with timeouts of all lengths, while a killer kills
 * and replaces any of them. No answer is wrong, nobody hangs, the invariants
 * hold, and at the end nothing is left. */
#include "tests/user/partners.h"
#include "tests/user/rest.h"
#include "tests/user/storm.h"

enum {
	FRONT = 1, BACK, ALARM, NR_GIVEN = 3, /* handles in each process */
	SERVERS = 3, CLIENTS = 4, PROCESSES = SERVERS + CLIENTS,
	THREADS = 2,
	KILLS = 60,
	ROOM = 3 * PAGE,
	FREE_HANDLES = LODGER_RIGHT_CALL | LODGER_RIGHT_RECV |
		       LODGER_RIGHT_TRANSFER | LODGER_RIGHT_DUPLICATE,
};

enum job { ECHO, DROP, DELAY, FORWARD, WRONG_ANSWER, NR_JOBS };

struct counts {
	_Atomic long answered, failed, wrong, signals;
};

static struct counts *counts;
static void *const nowhere = (void *)0x10000000000;

/* ---- Servers ---------------------------------------------------------- */

static void
close_what_came(struct lodger_message *message)
{
	for (unsigned i = 0; i < message->nr_recv; i++)
		lodger_handle_close(message->recv_handles[i]);
}

/* To the back, and its answer is the answer. */
static void
forward(struct ipc *ipc)
{
	struct ipc inner = { .timeout = 2 * MILLISECOND };
	long result;

	inner.words[0] = ipc->words[0];
	result = ipc_call(BACK, ECHO, &inner);
	ipc->words[0] = inner.words[0];
	ipc->words[1] = result < 0 ? 1 : 0;
}

/* Is @reply still there? Another thread's may have its number otherwise. */
static bool
still_there(long result)
{
	return result < 0 && result != -ESRCH;
}

/* Returns whether there is an answer to give. */
static bool
serve(enum job job, unsigned reply, bool front, struct ipc *ipc)
{
	ipc->words[1] = 0;
	switch (job) {
	case DROP:
		lodger_handle_close(reply);
		return false;
	case FORWARD:
		if (front) {
			forward(ipc);
			return true;
		}
		break;
	case DELAY:
		for (int i = 0; i < 20; i++)
			sched_yield();
		break;
	case WRONG_ANSWER:
		*ipc->message = (struct lodger_message){
			.send_buf = (uint64_t)nowhere, .send_len = 10,
			.nr_send = 1, .send_handles = { 4000 },
		};
		if (!still_there(ipc_reply(reply, 0, ipc)))
			return false;
		break;
	default:
		break;
	}
	ipc->words[0]++;
	return true;
}

static void *
server(void *arg)
{
	static _Thread_local unsigned char buf[ROOM];
	unsigned endpoint = arg ? BACK : FRONT;

	for (;;) {
		struct lodger_message message = { .recv_buf = (uint64_t)buf,
						  .recv_len = ROOM,
						  .nr_recv = 4 };
		struct ipc ipc = { .message = &message,
				   .timeout = 5 * MILLISECOND };
		long got = ipc_recv(endpoint, &ipc);
		unsigned reply = ipc_reply_handle(got);
		size_t len = message.recv_len;

		if (got < 0)
			continue;
		if (!reply) {
			counts->signals++;
			continue;
		}
		close_what_came(&message);
		if (!serve(ipc_label(got), reply, !arg, &ipc))
			continue;
		message = (struct lodger_message){
			.send_buf = (uint64_t)buf,
			.send_len = len < message.peer_room ? len : 0,
		};
		if (still_there(ipc_reply(reply, 0, &ipc)))
			lodger_handle_close(reply);
	}
	return NULL;
}

/* ---- Clients ---------------------------------------------------------- */

static void
one_call(uint64_t *random, unsigned char *buf)
{
	uint64_t word = draw(random, 1ul << 30), lengths = draw(random, ROOM);
	struct lodger_message message = {
		.send_buf = (uint64_t)(draw(random, 20) ? buf : nowhere),
		.send_len = lengths,
		.recv_buf = (uint64_t)(draw(random, 20) ? buf : nowhere),
		.recv_len = draw(random, ROOM),
		.nr_recv = draw(random, 5),
	};
	struct ipc ipc = { .words = { word }, .timeout = LODGER_FOREVER };
	long result;

	if (draw(random, 2))
		ipc.timeout = draw(random, 3 * MILLISECOND);
	if (draw(random, 2))
		ipc.message = &message;
	if (draw(random, 4) == 0) {
		message.nr_send = 1 + draw(random, 2);
		message.send_handles[0] = lodger_endpoint_create();
		message.send_handles[1] = lodger_handle_duplicate(
			BACK, LODGER_RIGHT_CALL | LODGER_RIGHT_TRANSFER, 0);
	}
	result = ipc_call(draw(random, 2) ? FRONT : BACK,
			  draw(random, NR_JOBS), &ipc);
	if (result < 0)
		counts->failed++;
	else if (!ipc.words[1] && ipc.words[0] != word + 1)
		counts->wrong++;
	else
		counts->answered++;
	/* Those that did not go. */
	for (unsigned i = 0; i < message.nr_send; i++)
		lodger_handle_close(message.send_handles[i]);
}

static void *
client(void *seed)
{
	unsigned char *buf = private_memory(ROOM);
	uint64_t random = (uint64_t)seed;

	for (;;) {
		one_call(&random, buf);
		if (draw(&random, 4) == 0)
			lodger_signal(ALARM, 1ul << draw(&random, 64));
	}
	return NULL;
}

/* ---- Processes that come and go ---------------------------------------- */

static void
run_process(unsigned which, uint64_t seed)
{
	pthread_t thread;

	for (unsigned i = 1; i < THREADS; i++)
		pthread_create(&thread, NULL,
			       which < SERVERS ? server : client,
			       which < SERVERS ? (void *)(long)(which & 1)
					       : (void *)(seed + i));
	if (which < SERVERS)
		server((void *)(long)(which & 1));
	else
		client((void *)seed);
}

static pid_t pids[PROCESSES];

static void
start_process(unsigned which, uint64_t seed)
{
	unsigned mine = which < SERVERS
			? LODGER_RIGHT_RECV | LODGER_RIGHT_CALL
			: LODGER_RIGHT_CALL;
	_Atomic int *word = shared_memory(PAGE);
	pid_t pid = fork_or_die();

	if (pid == 0) {
		await_word(word, 1);
		munmap((void *)word, PAGE);
		run_process(which, seed);
		_exit(1);
	}
	for (unsigned handle = 1; handle <= NR_GIVEN; handle++) {
		unsigned rights = handle == ALARM ? LODGER_RIGHT_SIGNAL : mine;
		long copy = duplicate(handle, rights | LODGER_RIGHT_TRANSFER |
					      LODGER_RIGHT_DUPLICATE, 0);

		if (lodger_handle_give(pid, copy) != handle)
			check(false, "handle_give");
	}
	signal_word(word, 1);
	munmap((void *)word, PAGE);
	pids[which] = pid;
}

static void
stop_process(unsigned which)
{
	kill(pids[which], SIGKILL);
	if (status_of(pids[which]) != SIGKILL)
		check(false, "a killed process");
}

/* The whole story once; its handles are 1, 2 and 3. */
static void
storm(uint64_t seed)
{
	uint64_t random = seed;
	long before = 0;

	lodger_endpoint_create();
	lodger_endpoint_create();
	lodger_notification_create();
	lodger_bind(ALARM, FRONT);
	for (unsigned i = 0; i < PROCESSES; i++)
		start_process(i, draw(&random, 1ul << 30) + 1);
	for (int i = 0; i < KILLS; i++) {
		unsigned which = draw(&random, PROCESSES);

		/* Some calls between two kills. */
		while (counts->answered + counts->failed < before + 40)
			sched_yield();
		before = counts->answered + counts->failed;
		stop_process(which);
		lodger_check_invariants();
		start_process(which, draw(&random, 1ul << 30) + 1);
	}
	for (unsigned i = 0; i < PROCESSES; i++)
		stop_process(i);
	for (unsigned handle = 1; handle <= NR_GIVEN; handle++)
		lodger_handle_close(handle);
}

static void
storm_in_child(void *seed)
{
	storm(*(uint64_t *)seed);
	_exit(wrong_results ? 1 : 0);
}

int
main(int argc, char **argv)
{
	uint64_t seed = storm_seed(argc, argv), next = seed + 1;

	begin_counted();
	counts = shared_memory(PAGE);
	twice_leaves_nothing(storm_in_child, &seed, &next);
	check_equal(counts->wrong, 0, "no answer was wrong");
	check(counts->answered > 100 && counts->failed > 100 &&
	      counts->signals > 10, "many were right, many failed");
	fprintf(stderr, "%ld answered, %ld failed, %ld signals\n",
		counts->answered, counts->failed, counts->signals);
	return end();
}
