// timeout=60
/* Priorities travel along calls: a server runs as well as its best caller, over
 * several calls, whether received or in the queue; and a circle of calls is
 * refused instead of waited in. */
#include "tests/user/partners.h"

enum { LOW = 24, MIDDLE = 20, HIGH = 12, VERY_HIGH = 10, DEPTH = 10 };

static int
prio_of(int tid)
{
	struct lodger_task_stat stat = { 0 };

	if (lodger_task_stat(tid, &stat) != 0)
		check(false, "task_stat");
	return (int)stat.prio;
}

/* ---- A server of priority LOW, told what to do by the main thread ------ */

/* Receives once, does what @next says, answers. */
struct server {
	unsigned endpoint;
	unsigned next;		/* calls this one before it answers; 0: none */
	_Atomic int tid, received, go;
	_Atomic long result;	/* of its own call */
	_Atomic int prio_after;
	pthread_t thread;
};

static void *
serve_once(void *arg)
{
	struct server *server = arg;
	struct ipc ipc = WORDS_ALONE;
	long got;

	lodger_set_priority(0, LOW);
	server->tid = (int)syscall0(SYS_gettid);
	got = ipc_recv(server->endpoint, &ipc);
	signal_word(&server->received, 1);
	if (server->next)
		server->result = ipc_call(server->next, 0, &ipc);
	else
		await_word(&server->go, 1);
	ipc_reply(ipc_reply_handle(got), 0, &ipc);
	server->prio_after = prio_of(0);
	return NULL;
}

static void
start_server(struct server *server, unsigned endpoint, unsigned next)
{
	*server = (struct server){ .endpoint = endpoint, .next = next };
	pthread_create(&server->thread, NULL, serve_once, server);
	wait_until_asleep(&server->tid);
}

static void
let_go(struct server *server)
{
	signal_word(&server->go, 1);
	pthread_join(server->thread, NULL);
}

static void
while_it_serves(void)
{
	unsigned endpoint = lodger_endpoint_create();
	struct call call = { .endpoint = endpoint, .prio = HIGH };
	struct server server;

	start_server(&server, endpoint, 0);
	check_equal(prio_of(server.tid), LOW, "a server has its own priority");
	start_call(&call);
	await_word(&server.received, 1);
	check_equal(prio_of(server.tid), HIGH, "its caller's while it serves");
	let_go(&server);
	end_call(&call);
	check_equal(server.prio_after, LOW, "and its own after the answer");
	lodger_handle_close(endpoint);
}

static void
from_the_queue(void)
{
	unsigned endpoint = lodger_endpoint_create();
	struct call first = { .endpoint = endpoint, .prio = MIDDLE };
	struct call second = { .endpoint = endpoint, .prio = HIGH,
			       .ipc.timeout = 2000 * MILLISECOND };
	struct server server;

	start_server(&server, endpoint, 0);
	start_call(&first);
	await_word(&server.received, 1);
	check_equal(prio_of(server.tid), MIDDLE, "one caller");
	start_call(&second);
	check_equal(prio_of(server.tid), HIGH, "a better one in the queue");
	show_expect("which gives up", end_call(&second), -ETIMEDOUT);
	check_equal(prio_of(server.tid), MIDDLE, "the first one again");
	let_go(&server);
	end_call(&first);
	lodger_handle_close(endpoint);
}

/* caller -> s[0] -> s[1] -> ... -> s[DEPTH - 1], all of them LOW. */
static void
through_a_chain(void)
{
	struct server servers[DEPTH];
	unsigned endpoints[DEPTH];
	struct call low, high;
	bool all_low = true;

	for (int i = 0; i < DEPTH; i++)
		endpoints[i] = lodger_endpoint_create();
	for (int i = 0; i < DEPTH; i++)
		start_server(&servers[i], endpoints[i],
			     i < DEPTH - 1 ? endpoints[i + 1] : 0);
	low = (struct call){ .endpoint = endpoints[0], .prio = LOW };
	high = (struct call){ .endpoint = endpoints[0], .prio = HIGH };
	start_call(&low);
	await_word(&servers[DEPTH - 1].received, 1);
	for (int i = 0; i < DEPTH; i++)
		all_low &= prio_of(servers[i].tid) == LOW;
	check(all_low, "a chain of calls, all low");
	start_call(&high);
	check_equal(prio_of(servers[0].tid), HIGH, "one better in the queue");
	check_equal(prio_of(servers[7].tid), HIGH, "counts eight calls deep");
	check_equal(prio_of(servers[8].tid), LOW, "and no deeper");
	let_go(&servers[DEPTH - 1]);
	end_call(&low);
	for (int i = 0; i < DEPTH - 1; i++)
		pthread_join(servers[i].thread, NULL);
	lodger_handle_close(endpoints[0]); /* the call in the queue */
	show_expect("the one in the queue", end_call(&high), -EPIPE);
	for (int i = 1; i < DEPTH; i++)
		lodger_handle_close(endpoints[i]);
}

/* A caller that is raised while it waits raises its server. */
static void
raised_while_waiting(void)
{
	unsigned endpoint = lodger_endpoint_create();
	struct call call = { .endpoint = endpoint, .prio = MIDDLE };
	struct server server;

	start_server(&server, endpoint, 0);
	start_call(&call);
	await_word(&server.received, 1);
	lodger_set_priority(call.tid, VERY_HIGH);
	check_equal(prio_of(server.tid), VERY_HIGH,
		    "a caller is raised, and its server with it");
	let_go(&server);
	check_equal(server.prio_after, LOW, "for the time of the call");
	end_call(&call);
	lodger_handle_close(endpoint);
}

static void *
child_priority(void *unused)
{
	(void)unused;
	return (void *)(long)prio_of(0);
}

/* A server that clones while it serves does not pass on what is lent. */
static void *
cloning_server(void *arg)
{
	struct server *server = arg;
	struct ipc ipc = WORDS_ALONE;
	pthread_t thread;
	void *prio;
	long got;

	lodger_set_priority(0, LOW);
	server->tid = (int)syscall0(SYS_gettid);
	got = ipc_recv(server->endpoint, &ipc);
	pthread_create(&thread, NULL, child_priority, NULL);
	pthread_join(thread, &prio);
	ipc.words[0] = (uint64_t)prio;
	ipc_reply(ipc_reply_handle(got), 0, &ipc);
	return NULL;
}

static void
what_is_lent_is_not_inherited(void)
{
	struct server server = { .endpoint = lodger_endpoint_create() };
	struct call call = { .endpoint = server.endpoint, .prio = HIGH,
			     .ipc.timeout = LODGER_FOREVER };

	pthread_create(&server.thread, NULL, cloning_server, &server);
	wait_until_asleep(&server.tid);
	pthread_create(&call.thread, NULL, call_thread, &call);
	end_call(&call);
	check_equal(call.ipc.words[0], LOW,
		    "a thread made while serving is LOW");
	pthread_join(server.thread, NULL);
	lodger_handle_close(server.endpoint);
}

/* ---- Whose turn it is after an answer ----------------------------------- */

static struct {
	unsigned endpoint;
	_Atomic int go, bystander;
	_Atomic unsigned n;
	char order[3]; /* who ran after the answer */
} turn;

/* While it has a call, somebody else becomes able to run; then it answers and
 * waits. The second call ends it. */
static void *
waking_server(void *unused)
{
	struct ipc ipc = WORDS_ALONE;
	long got;

	lodger_set_priority(0, HIGH);
	got = ipc_recv(turn.endpoint, &ipc);
	signal_word(&turn.go, 1);
	got = ipc_reply_recv(ipc_reply_handle(got), 0, turn.endpoint, &ipc);
	ipc_reply(ipc_reply_handle(got), 0, &ipc);
	return unused;
}

static void *
bystander(void *unused)
{
	lodger_set_priority(0, MIDDLE);
	turn.bystander = (int)syscall0(SYS_gettid);
	await_word(&turn.go, 1);
	turn.order[turn.n++] = 'B';
	return unused;
}

static void *
turn_caller(void *prio)
{
	struct ipc ipc = WORDS_ALONE;

	lodger_set_priority(0, (unsigned)(long)prio);
	ipc_call(turn.endpoint, 0, &ipc);
	turn.order[turn.n++] = 'C';
	return NULL;
}

static void
turn_of(long caller_prio, const char *sentence)
{
	void *(*const bodies[])(void *) = { waking_server, bystander,
					    turn_caller };
	struct ipc ipc = WORDS_ALONE;
	pthread_t threads[3];

	memset(&turn, 0, sizeof(turn));
	turn.endpoint = lodger_endpoint_create();
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			wait_until_asleep(&turn.bystander);
		pthread_create(&threads[i], NULL, bodies[i],
			       (void *)caller_prio);
	}
	pthread_join(threads[1], NULL);
	pthread_join(threads[2], NULL);
	ipc_call(turn.endpoint, 0, &ipc);
	pthread_join(threads[0], NULL);
	check(strcmp(turn.order, "BC") == 0, sentence);
	lodger_handle_close(turn.endpoint);
}

/* On one CPU, where only one can be first. */
static void
turns(void)
{
	uint64_t all[16], first[16] = { 1 };

	syscall3(SYS_sched_getaffinity, 0, sizeof(all), (long)all);
	syscall3(SYS_sched_setaffinity, 0, sizeof(first), (long)first);
	turn_of(MIDDLE, "who waited longer runs before the one answered");
	turn_of(LOW, "who is better, too");
	syscall3(SYS_sched_setaffinity, 0, sizeof(all), (long)all);
}

/* ---- Circles ----------------------------------------------------------- */

static void
circles(void)
{
	unsigned a = lodger_endpoint_create(), b = lodger_endpoint_create();
	struct server first, second, itself;
	struct ipc ipc = WORDS_ALONE;

	start_server(&first, a, b);
	start_server(&second, b, a);
	check_equal(ipc_call(a, 0, &ipc), 0, "a calls b, b calls a");
	pthread_join(first.thread, NULL);
	pthread_join(second.thread, NULL);
	show_expect("the second call", second.result, -EDEADLK);
	check_equal(first.result, 0, "the first one is answered");
	start_server(&itself, a, a);
	check_equal(ipc_call(a, 0, &ipc), 0, "a calls a");
	pthread_join(itself.thread, NULL);
	show_expect("that call", itself.result, -EDEADLK);
	lodger_handle_close(a);
	lodger_handle_close(b);
}

static void
refusals(void)
{
	show_expect("better than anything", lodger_set_priority(0, 8), -EINVAL);
	show_expect("worse than anything", lodger_set_priority(0, 31),
		    -EINVAL);
	show_expect("another process's", lodger_set_priority(1, 16), -ESRCH);
	check_equal(lodger_set_priority(0, 14), 0, "one's own");
	check_equal(prio_of(0), 14, "is what it is");
}

int
main(void)
{
	lodger_or_skip();
	begin();
	refusals();
	/* Behind all others, so that they run while this thread looks on. */
	lodger_set_priority(0, LODGER_PRIO_LAST);
	while_it_serves();
	from_the_queue();
	through_a_chain();
	raised_while_waiting();
	what_is_lent_is_not_inherited();
	turns();
	circles();
	return end();
}
