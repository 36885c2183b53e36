// timeout=180
/* A storm of clients that call, fork, exec, and get signals and stops, under a
 * server of two threads that answers, refuses, holds calls back, and builds what
 * is executed; while a killer kills clients, and later the server too. No
 * result is wrong, every end is told, nobody hangs, nothing is left. */
#include "tests/user/personality.h"
#include "tests/user/storm.h"

enum {
	ROOTS = 4, KILLS = 50, MOST_PIDS = 32768, HELD = 6,
	WHERE = 0x10000000,
	/* numbers of calls, and what becomes of them */
	ADD_ONE = NUMBER, READ_MEMORY, AGAIN, HOLD, DROP,
	SYNC = 7, /* an ordinary call */
};

static struct {
	_Atomic int draining, server_runs;
	_Atomic long wrong_call, wrong_result; /* the last ones */
	_Atomic long answered, failed, wrong, forks, execs, cancels, handled;
	_Atomic char lives[MOST_PIDS];
} *shared;

/* ---- The server ----------------------------------------------------------- */

/* Calls that wait for something that does not happen. */
struct held {
	unsigned reply[HELD];
	int tid[HELD];
	unsigned next;
};

/* One call, then exit_group(42). */
static const unsigned char program[] = {
	0xbf, 7, 0, 0, 0,	/* mov edi, 7 */
	0xb8, 0xe8, 3, 0, 0,	/* mov eax, ADD_ONE */
	0x0f, 0x05,		/* syscall */
	0xbf, 42, 0, 0, 0,	/* mov edi, 42 */
	0xb8, 231, 0, 0, 0,	/* mov eax, SYS_exit_group */
	0x0f, 0x05,		/* syscall */
};

static void
reply_to(unsigned reply, unsigned label, uint64_t word)
{
	struct ipc ipc = { .words = { word } };

	if (reply && ipc_reply(reply, label, &ipc) != 0)
		lodger_handle_close(reply);
}

static void
hold(struct held *held, const struct request *request)
{
	unsigned i = held->next++ % HELD;

	reply_to(held->reply[i], LODGER_DONE, 1);
	held->reply[i] = shared->draining ? 0 : request->reply;
	held->tid[i] = request->tid;
	if (shared->draining)
		reply_to(request->reply, LODGER_DONE, 1);
}

static void
answer_held(struct held *held, int tid)
{
	for (unsigned i = 0; i < HELD; i++) {
		if (tid && held->tid[i] != tid)
			continue;
		reply_to(held->reply[i], tid ? LODGER_RESTART : LODGER_DONE, 1);
		held->reply[i] = 0;
	}
}

static void
answer_execve(const struct request *request)
{
	unsigned handle = lodger_mm_create();
	struct lodger_message message = { .nr_send = 1,
					  .send_handles = { handle } };
	struct ipc ipc = { .words = { WHERE, WHERE + 2 * PAGE },
			   .message = &message };

	lodger_mm_map(handle, WHERE, 2 * PAGE, PROT_READ | PROT_WRITE);
	lodger_mm_write(handle, WHERE, program, sizeof(program));
	lodger_mm_protect(handle, WHERE, PAGE, PROT_READ | PROT_EXEC);
	if (ipc_reply(request->reply, LODGER_EXECUTE, &ipc) == 0) {
		shared->execs++;
		return;
	}
	lodger_handle_close(handle);
	reply_to(request->reply, LODGER_DONE, -ENOMEM);
}

static void
answer_fork(const struct request *request, uint64_t *random)
{
	int child = (int)request->words[0];
	struct ipc ipc = { .words = { draw(random, 8) ? 0 : (uint64_t)-EAGAIN } };

	shared->lives[child] = 1;
	if (ipc_reply(request->reply, LODGER_DONE, &ipc) != 0)
		shared->lives[child] = 0;
	shared->forks++;
}

static void
answer_memory(const struct request *request)
{
	uint64_t value = 0;
	long got = lodger_mm_read(request->reply, request->words[0], &value,
				  sizeof(value));

	reply_to(request->reply, LODGER_DONE, got == 8 ? value : (uint64_t)got);
}

static void
serve(const struct request *request, struct held *held, uint64_t *random)
{
	switch (request->label) {
	case LODGER_EXIT:
		shared->lives[request->words[0]] = 0;
		break;
	case LODGER_CANCEL:
		shared->cancels++;
		answer_held(held, request->tid);
		break;
	case LODGER_FORK:
		answer_fork(request, random);
		break;
	case SYS_execve:
		answer_execve(request);
		break;
	case READ_MEMORY:
		answer_memory(request);
		break;
	case HOLD:
		hold(held, request);
		break;
	case DROP:
		lodger_handle_close(request->reply);
		break;
	case AGAIN:
		if (draw(random, 3)) {
			reply_to(request->reply, LODGER_RESTART,
				 draw(random, 2));
			break;
		} /* fall through */
	default:
		reply_to(request->reply, LODGER_DONE, request->words[0] + 1);
	}
}

/* What one thread holds is asked for where anybody receives: each has a turn. */
static void *
server_thread(void *seed)
{
	static struct held held;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	uint64_t random = (uint64_t)seed;
	struct request request;

	shared->server_runs++;
	for (;;) {
		bool got = receive_within(2 * MILLISECOND, &request);

		pthread_mutex_lock(&lock);
		if (got)
			serve(&request, &held, &random);
		else
			answer_held(&held, 0);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static int
server(unsigned handle)
{
	pthread_t thread;

	endpoint = handle;
	pthread_create(&thread, NULL, server_thread, (void *)123457);
	server_thread((void *)7654321);
	return 0;
}

/* ---- Clients --------------------------------------------------------------- */

static void
handler(int signal)
{
	(void)signal;
	shared->handled++;
}

static uint64_t secret = 0x123456789;

static void
is_wrong(unsigned number, long result)
{
	shared->wrong++;
	shared->wrong_call = number;
	shared->wrong_result = result;
}

/* False: there is no server any more. */
static bool
one_call(uint64_t *random)
{
	unsigned number = ADD_ONE + draw(random, 5);
	uint64_t word = draw(random, 1ul << 30);
	long expected = word + 1, result;

	if (number == READ_MEMORY) {
		word = (uint64_t)&secret;
		expected = secret;
	} else if (number == HOLD) {
		expected = 1;
	} else if (number == DROP) {
		expected = -EIO;
	}
	result = syscall3(number, word, 0, 0);
	if (result == expected)
		shared->answered++;
	else if (result == -EIO || result == -EINTR || result == -ENOSYS)
		shared->failed++;
	else
		is_wrong(number, result);
	return result != -ENOSYS;
}

static void
child_life(uint64_t random)
{
	for (unsigned i = draw(&random, 4); i > 0; i--)
		one_call(&random);
	if (draw(&random, 2))
		syscall3(SYS_execve, 0, 0, 0);
	_exit(3);
}

/* A child that is killed by nobody ends as it should. */
static void
one_child(uint64_t *random)
{
	uint64_t seed = draw(random, 1ul << 30) + 1;
	long pid = syscall0(SYS_fork);
	int status = 0;

	if (pid == 0)
		child_life(seed);
	if (pid < 0 || draw(random, 4) == 0)
		return; /* collected with another one, or by init */
	if (draw(random, 4) == 0)
		kill(pid, SIGUSR1);
	while (waitpid(-1, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFSIGNALED(status) && status != EXITED(3) &&
	    status != EXITED(42))
		is_wrong(SYS_wait4, status);
}

static void *
client_loop(void *seed)
{
	uint64_t random = (uint64_t)seed;

	for (;;) {
		if (!one_call(&random))
			_exit(5);
		if (draw(&random, 6) == 0)
			one_child(&random);
		if (draw(&random, 6) == 0)
			kill(getpid(), SIGUSR1);
		if (draw(&random, 200) == 0)
			syscall3(SYS_execve, 0, 0, 0);
	}
	return NULL;
}

static uint64_t seed_of_root;

static int
root(void)
{
	struct sigaction action = { .sa_handler = handler };
	pthread_t thread;

	shared->lives[getpid()] = 1; /* it has its personality */
	action.sa_flags = seed_of_root & 1 ? SA_RESTART : 0;
	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&thread, NULL, client_loop, (void *)(seed_of_root + 9));
	client_loop((void *)seed_of_root);
	return 0;
}

/* ---- The killer ------------------------------------------------------------ */

static pid_t roots[ROOTS], server_pid;

static void
start_root(unsigned i, uint64_t *random)
{
	seed_of_root = draw(random, 1ul << 30) + 1;
	roots[i] = start_client(root);
}

static void
stop_root(unsigned i)
{
	kill(roots[i], SIGKILL);
	status_of(roots[i]);
}

static void
start_server(void)
{
	shared->server_runs = 0;
	server_pid = child_with(duplicate(endpoint, LODGER_RIGHT_RECV |
					  LODGER_RIGHT_CALL |
					  LODGER_RIGHT_TRANSFER, 0), server);
	while (shared->server_runs < 2)
		sched_yield();
}

static void
stop_server(void)
{
	kill(server_pid, SIGKILL);
	status_of(server_pid);
}

/* They may have executed something, and ended. */
static void
replace_those_that_ended(uint64_t *random)
{
	for (unsigned i = 0; i < ROOTS; i++)
		if (waitpid(roots[i], NULL, WNOHANG) == roots[i])
			start_root(i, random);
}

/* Some calls between two blows. */
static void
let_them_work(uint64_t *random)
{
	long before = shared->answered + shared->failed;

	while (shared->answered + shared->failed < before + 30) {
		replace_those_that_ended(random);
		sched_yield();
	}
}

static void
one_blow(uint64_t *random, bool servers_too)
{
	unsigned i = draw(random, ROOTS);

	switch (draw(random, servers_too ? 4 : 3)) {
	case 0:
	case 1:
		stop_root(i);
		lodger_check_invariants();
		start_root(i, random);
		break;
	case 2:
		kill(roots[i], SIGSTOP);
		sched_yield();
		kill(roots[i], SIGCONT);
		break;
	default:
		stop_server();
		lodger_check_invariants();
		start_server();
	}
}

/* With two threads the last end may be told a moment after the task is gone. */
static bool
all_ends_are_told(uint64_t tasks)
{
	static const char none[MOST_PIDS];

	shared->draining = 1;
	while (tasks_now() > tasks)
		sched_yield();
	for (int turns = 0; turns < 10000; turns++) {
		if (memcmp((void *)shared->lives, none, sizeof(none)) == 0)
			return true;
		sched_yield();
	}
	return false;
}

static void
storm(uint64_t seed, bool servers_too)
{
	uint64_t random = seed, tasks;

	memset(shared, 0, sizeof(*shared));
	endpoint = lodger_endpoint_create();
	start_server();
	tasks = tasks_now();
	for (unsigned i = 0; i < ROOTS; i++)
		start_root(i, &random);
	for (int i = 0; i < KILLS; i++) {
		let_them_work(&random);
		one_blow(&random, servers_too);
	}
	for (unsigned i = 0; i < ROOTS; i++)
		stop_root(i);
	if (!servers_too)
		check(all_ends_are_told(tasks), "the server hears of every end");
	stop_server();
	lodger_handle_close(endpoint);
	if (shared->wrong)
		printf("call %ld: %ld\n", shared->wrong_call,
		       shared->wrong_result);
	check_equal(shared->wrong, 0, "no result is wrong");
	check(shared->answered > 300 && shared->failed > 10 &&
	      shared->forks > 30 && shared->execs > 5 && shared->cancels > 0,
	      "much was done");
	fprintf(stderr, "%ld answered, %ld failed, %ld forks, %ld execs, "
		"%ld cancels, %ld handlers\n", shared->answered,
		shared->failed, shared->forks, shared->execs, shared->cancels,
		shared->handled);
}

static void
storm_in_child(void *seed)
{
	storm(*(uint64_t *)seed, *(uint64_t *)seed & 1);
	_exit(wrong_results ? 1 : 0);
}

int
main(int argc, char **argv)
{
	uint64_t clients = storm_seed(argc, argv) & ~1ul;
	uint64_t servers_too = clients + 1;

	begin_counted();
	shared = shared_memory(sizeof(*shared));
	twice_leaves_nothing(storm_in_child, &clients, &servers_too);
	return end();
}
