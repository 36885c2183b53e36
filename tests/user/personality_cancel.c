// timeout=60
/* A signal for a thread whose call a server has: it is asked to answer, once;
 * and whatever it answers, the program sees what Linux would show it: a result,
 * EINTR, or nothing, since the call was made again. */
#include "tests/user/personality.h"

static struct {
	_Atomic int handled, gate;
	_Atomic long result;
} *shared;

static void
handler(int signal)
{
	(void)signal;
	shared->handled++;
}

static void
handle(int signal, int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaction(signal, &action, NULL);
}

/* One call, with a handler for SIGUSR1. */
static int
call_once(int flags)
{
	handle(SIGUSR1, flags);
	shared->result = reflected(3);
	return 0;
}

static int
call_without_restart(void)
{
	return call_once(0);
}

static int
call_with_restart(void)
{
	return call_once(SA_RESTART);
}

static pid_t
start(int (*body)(void))
{
	shared->handled = 0;
	shared->gate = 0;
	shared->result = -1;
	return start_client(body);
}

static void
expect_cancel(const struct request *call)
{
	struct request event = receive();

	if (event.label != LODGER_CANCEL || event.reply ||
	    event.pid != call->pid || event.tid != call->tid)
		check(false, "the server is asked to end the call");
}

static struct request
expect_call(int pid, uint64_t word)
{
	struct request call = receive();

	if (call.label != NUMBER || call.pid != pid || call.words[0] != word)
		check(false, "the call is received");
	return call;
}

/* Has it noticed the signal, and gone to sleep again? */
static void
send_and_wait(int pid, int signal)
{
	struct lodger_task_stat before = { 0 }, after;

	lodger_task_stat(pid, &before);
	kill(pid, signal);
	do {
		sched_yield();
		lodger_task_stat(pid, &after);
	} while (after.switches == before.switches || after.state != 'S');
}

/* ---- A call that was received ------------------------------------------- */

/* The answer @label with @word; then, if it comes @again, 77. */
static void
answered_with(int (*body)(void), unsigned label, uint64_t word, bool again,
	      long expected, const char *sentence)
{
	pid_t pid = start(body);
	struct request call = expect_call(pid, 3);

	kill(pid, SIGUSR1);
	expect_cancel(&call);
	check(!shared->handled, "the handler waits for the answer");
	answer(&call, label, word);
	if (again) {
		call = expect_call(pid, 3);
		check_equal(shared->handled, 1, "it has run by then");
		answer(&call, LODGER_DONE, 77);
	}
	client_ends(pid, 0, sentence);
	show_expect("result", shared->result, expected);
	check_equal(shared->handled, 1, "the handler ran once");
}

static void
answers(void)
{
	answered_with(call_without_restart, LODGER_DONE, 5, false, 5,
		      "what was done before");
	answered_with(call_with_restart, LODGER_DONE, -EINTR, false, -EINTR,
		      "an error");
	answered_with(call_without_restart, LODGER_RESTART, 0, false, -EINTR,
		      "RESTART without SA_RESTART");
	answered_with(call_with_restart, LODGER_RESTART, 0, true, 77,
		      "RESTART with SA_RESTART");
	answered_with(call_with_restart, LODGER_RESTART, 1, false, -EINTR,
		      "RESTART 1, even with SA_RESTART");
	answered_with(call_with_restart, LODGER_RESTART, LODGER_RESTART_WITH,
		      false, -EINTR, "RESTART_WITH is not for handlers");
}

static void
once_for_each_call(void)
{
	pid_t pid = start(call_with_restart);
	struct request call = expect_call(pid, 3);

	kill(pid, SIGUSR1);
	expect_cancel(&call);
	send_and_wait(pid, SIGUSR1);
	kill(pid, SIGWINCH);
	check(!receive_within(MILLISECOND, &call),
	      "another signal for the same call asks nothing");
	answer(&call, LODGER_RESTART, 0);
	call = expect_call(pid, 3);
	kill(pid, SIGUSR1);
	expect_cancel(&call);
	check(true, "for the next call it does");
	answer(&call, LODGER_DONE, 0);
	client_ends(pid, 0, "the end");
	check_equal(shared->handled, 2, "two handlers ran");
}

static void
the_answer_comes_first(void)
{
	pid_t pid = start(call_with_restart);
	struct request call = expect_call(pid, 3), other;

	send_and_wait(pid, SIGUSR1);
	lodger_check_invariants();
	answer(&call, LODGER_DONE, 6);
	check_equal(status_of(pid), 0, "an answer that comes first");
	other = receive();
	check_equal(other.label, LODGER_EXIT, "takes the event back");
	show_expect("result", shared->result, 6);
	check_equal(shared->handled, 1, "the handler ran");
}

static void
killed_when_asked(bool received)
{
	pid_t pid = start(call_with_restart);
	struct request call = expect_call(pid, 3);

	send_and_wait(pid, SIGUSR1);
	if (received)
		expect_cancel(&call);
	kill(pid, SIGKILL);
	check_equal(status_of(pid), SIGKILL, received
		    ? "killed when the server was asked" : "and before that");
	expect_exit(pid, SIGKILL);
	show_expect("the answer", answer(&call, LODGER_RESTART, 0), -ESRCH);
}

static int
block_and_call(void)
{
	sigset_t set;

	handle(SIGUSR1, 0);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	shared->result = reflected(3);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 0;
}

static void
masked_or_ignored(void)
{
	pid_t pid = start(block_and_call);
	struct request call = expect_call(pid, 3), other;

	kill(pid, SIGUSR1);
	kill(pid, SIGUSR2);
	kill(pid, SIGCHLD);
	check(!receive_within(MILLISECOND, &other),
	      "signals that are masked or ignored ask nothing");
	check(sleeps(pid), "and wake nobody");
	answer(&call, LODGER_DONE, 9);
	client_ends(pid, 0, "the call goes on");
	show_expect("result", shared->result, 9);
	check_equal(shared->handled, 1, "the masked one comes later");
}

static void *
receive_in_thread(void *request)
{
	*(struct request *)request = receive();
	return NULL;
}

static void
a_receiver_waits(void)
{
	pid_t pid = start(call_without_restart);
	struct request call = expect_call(pid, 3), event = { 0 };
	pthread_t thread;

	pthread_create(&thread, NULL, receive_in_thread, &event);
	for (int i = 0; i < 20; i++)
		sched_yield();
	kill(pid, SIGUSR1);
	pthread_join(thread, NULL);
	check(event.label == LODGER_CANCEL && event.tid == pid,
	      "it wakes a server that waits");
	answer(&call, LODGER_RESTART, 0);
	client_ends(pid, 0, "which answers");
}

static void *
call_in_thread(void *unused)
{
	(void)unused;
	return (void *)reflected(4);
}

/* Both threads would take it; the first one's call is not touched. */
static int
call_from_two(void)
{
	pthread_t thread;
	void *other;

	handle(SIGUSR1, 0);
	pthread_create(&thread, NULL, call_in_thread, NULL);
	shared->result = reflected(3);
	pthread_join(thread, &other);
	shared->result += (long)other;
	return 0;
}

static void
one_of_two_threads(void)
{
	pid_t pid = start(call_from_two);
	struct request calls[2], event, more;
	int asked;

	calls[0] = receive();
	calls[1] = receive();
	kill(pid, SIGUSR1);
	event = receive();
	check_equal(event.label, LODGER_CANCEL, "one signal, two threads");
	asked = event.tid == calls[1].tid;
	check(event.tid == calls[asked].tid && !receive_within(0, &more),
	      "one is asked");
	answer(&calls[asked], LODGER_RESTART, 0);
	answer(&calls[!asked], LODGER_DONE, 1000);
	client_ends(pid, 0, "both end");
	check_equal(shared->result, 1000 - EINTR, "as they were answered");
}

/* ---- A call that was not ------------------------------------------------- */

static void
in_the_queue(int (*body)(void))
{
	pid_t pid = start(body);
	struct request call;

	wait_until_it_calls(pid);
	kill(pid, SIGUSR1);
	while (!shared->handled)
		sched_yield();
	call = expect_call(pid, 3);
	check(call.reply != 0, "a call in the queue is made again, by itself");
	answer(&call, LODGER_DONE, 8);
	client_ends(pid, 0, body == call_with_restart
		    ? "with SA_RESTART" : "and without");
	show_expect("result", shared->result, 8);
	check_equal(shared->handled, 1, "the handler ran once");
}

/* ppoll, with a mask that lets in what waits already: the call ends before the
 * server hears of it, and the old mask is back. */
static int
poll_with_mask(void)
{
	sigset_t set, empty;

	handle(SIGUSR1, SA_RESTART);
	sigemptyset(&empty);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR1);
	shared->result = syscall6(SYS_ppoll, 0, 0, 0, (long)&empty,
				  sizeof(long), 0);
	sigprocmask(SIG_BLOCK, NULL, &set);
	return !sigismember(&set, SIGUSR1);
}

static void
mask_of_a_call(void)
{
	pid_t pid = start(poll_with_mask);

	while (!shared->handled)
		sched_yield();

	client_ends(pid, 0, "a call with a mask of its own, not received");
	show_expect("result", shared->result, -EINTR);
	check_equal(shared->handled, 1, "the handler ran once");
}

/* ---- Stops ---------------------------------------------------------------- */

static void
until_stopped(int pid)
{
	int status;

	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		check(false, "it stops");
}

static void
stopped_in_a_call(void)
{
	pid_t pid = start(call_without_restart);
	struct request call = expect_call(pid, 3), other;

	kill(pid, SIGSTOP);
	expect_cancel(&call);
	answer(&call, LODGER_RESTART, 1);
	until_stopped(pid);
	check(!receive_within(0, &other), "stopped, it calls nobody");
	kill(pid, SIGCONT);
	call = expect_call(pid, 3);
	answer(&call, LODGER_DONE, 4);
	client_ends(pid, 0, "without a handler a call is always made again");
	show_expect("result", shared->result, 4);
}

static void
stopped_in_the_queue(void)
{
	pid_t pid = start(call_without_restart);
	struct request call;

	wait_until_it_calls(pid);
	kill(pid, SIGSTOP);
	until_stopped(pid);
	check(!receive_within(0, &call), "stopped, it is not in the queue");
	kill(pid, SIGCONT);
	call = expect_call(pid, 3);
	answer(&call, LODGER_DONE, 4);
	client_ends(pid, 0, "but after SIGCONT");
}

/* As a terminal does it, for a background process. */
static void
the_server_stops_it(void)
{
	pid_t pid = start(call_without_restart);
	struct request call = expect_call(pid, 3), other;

	setpgid(pid, pid); /* so that somebody can continue it */
	kill(pid, SIGTTIN);
	answer(&call, LODGER_RESTART, 0);
	until_stopped(pid);
	kill(pid, SIGCONT);
	do
		other = receive();
	while (other.label == LODGER_CANCEL);
	check(other.label == NUMBER && other.words[0] == 3,
	      "a call that stops its caller, and is made again");
	answer(&other, LODGER_DONE, 4);
	client_ends(pid, 0, "after SIGCONT");
}

/* ---- Forks and execs ------------------------------------------------------ */

static int
fork_once(void)
{
	long pid;

	handle(SIGUSR1, 0);
	pid = syscall0(SYS_fork);
	if (pid == 0)
		_exit(0);
	shared->result = pid;
	return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}

static void
a_fork_is_not_asked(void)
{
	pid_t pid = start(fork_once);
	struct request fork = receive(), other;

	check_equal(fork.label, LODGER_FORK, "a signal in a fork");
	kill(pid, SIGUSR1);
	check(!receive_within(MILLISECOND, &other), "asks nothing");
	check_equal(shared->handled, 0, "and waits");
	answer(&fork, LODGER_DONE, 0);
	expect_exit((int)fork.words[0], 0);
	client_ends(pid, 0, "for the answer");
	check_equal(shared->result, fork.words[0], "the fork goes on");
	check_equal(shared->handled, 1, "then the handler runs");
}

/* ---- Servers that die ----------------------------------------------------- */

static int
receive_two_and_die(unsigned handle)
{
	struct ipc ipc = WORDS_ALONE;

	if (ipc_label(ipc_recv(handle, &ipc)) != NUMBER)
		return 1;
	signal_word(&shared->gate, 1);
	return ipc_label(ipc_recv(handle, &ipc)) == LODGER_CANCEL ? 0 : 2;
}

static void
the_server_dies(void)
{
	pid_t server, pid;

	shared->gate = 0;
	server = child_with(duplicate(endpoint, SERVER, 0),
			    receive_two_and_die);
	pid = start(call_with_restart);
	await_word(&shared->gate, 1);
	kill(pid, SIGUSR1);
	check_equal(status_of(server), 0, "a server that dies when it is asked");
	client_ends(pid, 0, "ends the call");
	show_expect("with", shared->result, -EIO);
	check_equal(shared->handled, 1, "and the handler runs");
}

/* ---- The whole ------------------------------------------------------------ */

static void
all(void)
{
	endpoint = lodger_endpoint_create();
	answers();
	once_for_each_call();
	the_answer_comes_first();
	killed_when_asked(false);
	killed_when_asked(true);
	masked_or_ignored();
	a_receiver_waits();
	one_of_two_threads();
	in_the_queue(call_without_restart);
	mask_of_a_call();
	in_the_queue(call_with_restart);
	stopped_in_a_call();
	stopped_in_the_queue();
	the_server_stops_it();
	a_fork_is_not_asked();
	the_server_dies();
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
