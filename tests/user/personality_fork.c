// timeout=120
/* Processes that a server hears of: before a child runs it is asked, and may say
 * no; when one ends it is told, in any case. In every order of who is killed,
 * and when. */
#include "tests/user/personality.h"

enum { AGAIN = -EAGAIN, NR_MANY = 1000, MOST_PIDS = 32768 };

/* By clients and tests. */
static struct {
	_Atomic int child_ran, gate, done;
	_Atomic long result;
} *shared;

static struct request
expect_fork(int parent, uint64_t flags)
{
	struct request request = receive();

	if (request.label != LODGER_FORK || !request.reply ||
	    request.pid != parent || request.words[1] != flags)
		check(false, "a fork is told, with its flags");
	return request;
}

/* A process that nobody finds any more, or never could. */
static bool
is_gone(int pid)
{
	struct lodger_task_stat stat;

	return syscall3(SYS_kill, pid, 0, 0) == -ESRCH &&
	       lodger_task_stat(pid, &stat) == -ESRCH;
}

/* ---- A child is born ---------------------------------------------------- */

static int
fork_one(void)
{
	long pid = syscall0(SYS_fork);
	int status;

	if (pid == 0) {
		shared->child_ran = 1;
		_exit(reflected(5) == 6 ? 3 : 4);
	}
	shared->result = pid;
	if (pid < 0)
		return syscall6(SYS_wait4, -1, 0, 0, 0, 0, 0) == -ECHILD ? 0 : 9;
	waitpid(pid, &status, 0);
	return status == EXITED(3) ? 0 : 1;
}

static void
fork_in_order(void)
{
	pid_t pid;
	struct request request, call;
	int child;

	shared->child_ran = 0;
	pid = start_client(fork_one);
	request = expect_fork(pid, 0);
	child = (int)request.words[0];
	for (int i = 0; i < 20; i++)
		sched_yield();
	check(!shared->child_ran && sleeps(pid),
	      "the child does not run before the answer, nor its parent");
	check_equal(syscall3(SYS_kill, child, 0, 0), 0, "but it is there");
	answer(&request, LODGER_DONE, 0);
	call = receive();
	check(call.label == NUMBER && call.pid == child && call.tid == child,
	      "it has its parent's personality");
	answer(&call, LODGER_DONE, 6);
	expect_exit(child, EXITED(3));
	client_ends(pid, 0, "the parent got its status");
	check_equal(shared->result, child, "and its pid");
}

static int
vfork_one(void)
{
	long pid = syscall0(SYS_vfork);

	if (pid == 0)
		syscall3(SYS_exit, 0, 0, 0);
	return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}

static int
clone_with_files(void)
{
	long pid = syscall3(SYS_clone, CLONE_FILES | CLONE_FS | SIGCHLD, 0, 0);

	if (pid == 0)
		_exit(0);
	return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}

static void
flags_of_clone(void)
{
	static int (*const bodies[])(void) = { vfork_one, clone_with_files };
	static const uint64_t flags[] = { CLONE_VM | CLONE_VFORK,
					  CLONE_FILES | CLONE_FS };

	for (int i = 0; i < 2; i++) {
		pid_t pid = start_client(bodies[i]);
		struct request request = expect_fork(pid, flags[i]);

		answer(&request, LODGER_DONE, 0);
		expect_exit((int)request.words[0], 0);
		client_ends(pid, 0, i ? "clone with flags" : "vfork");
	}
}

/* ---- The server says no -------------------------------------------------- */

static void
no_is(uint64_t word, long expected)
{
	pid_t pid;
	struct request request;

	shared->child_ran = 0;
	pid = start_client(fork_one);
	request = expect_fork(pid, 0);
	answer(&request, LODGER_DONE, word);
	expect_exit((int)request.words[0], 0);
	client_ends(pid, 0, "a fork that was refused leaves no child");
	show_expect("its result", shared->result, expected);
	check(!shared->child_ran && is_gone((int)request.words[0]),
	      "there never was one");
}

static void
refusals(void)
{
	struct request request;
	pid_t pid;

	no_is(AGAIN, -EAGAIN);
	no_is(-EBUSY, -EBUSY);
	no_is(12345, -EAGAIN);
	pid = start_client(fork_one);
	request = expect_fork(pid, 0);
	show_expect("RESTART", answer(&request, LODGER_RESTART, 0), -EINVAL);
	answer(&request, LODGER_DONE, AGAIN);
	expect_exit((int)request.words[0], 0);
	client_ends(pid, 0, "is no answer to a fork");
}

static void *
wait_for_any(void *unused)
{
	(void)unused;
	return (void *)syscall6(SYS_wait4, -1, 0, 0, 0, 0, 0);
}

/* One thread forks, another one waits for the child that is not to be. */
static int
fork_and_wait(void)
{
	pthread_t waiter;
	void *result;

	if (pthread_create(&waiter, NULL, wait_for_any, NULL) != 0)
		return 1;
	pthread_join(waiter, &result);
	if ((long)result != -ECHILD)
		return 2; /* too early: there was none */
	shared->result = 0;
	return 0;
}

static void *
fork_in_thread(void *unused)
{
	(void)unused;
	return (void *)syscall0(SYS_fork);
}

/* The end of a thread would wake who waits, too. */
static void *
fork_and_stay(void *unused)
{
	void *result = fork_in_thread(unused);

	await_word(&shared->gate, 2);
	return result;
}

static int
wait_while_forking(void)
{
	pthread_t forker;
	void *result;

	if (pthread_create(&forker, NULL, fork_and_stay, NULL) != 0)
		return 1;
	await_word(&shared->gate, 1);
	if (wait_for_any(NULL) != (void *)-ECHILD)
		return 2;
	signal_word(&shared->gate, 2);
	pthread_join(forker, &result);
	return (long)result == -EAGAIN ? fork_and_wait() : 3;
}

static void
somebody_waits_for_it(void)
{
	struct request request;
	pid_t pid;

	shared->gate = 0;
	pid = start_client(wait_while_forking);
	request = expect_fork(pid, 0);
	signal_word(&shared->gate, 1);
	while (!sleeps(pid))
		sched_yield();
	answer(&request, LODGER_DONE, AGAIN);
	expect_exit((int)request.words[0], 0);
	client_ends(pid, 0, "who waits for a child that is undone is told");
}

/* The parent's other thread gives it handles. */
static int
give_while_forking(void)
{
	long endpoints[2];
	struct ipc ipc = { .timeout = 0 };
	pthread_t forker;
	void *result;

	endpoints[0] = lodger_endpoint_create();
	endpoints[1] = duplicate(endpoints[0], LODGER_RIGHT_CALL, 0);
	pthread_create(&forker, NULL, fork_in_thread, NULL);
	await_word(&shared->gate, 1);
	if (lodger_handle_give((int)shared->result, endpoints[0]) != 1)
		return 1;
	if (ipc_call(endpoints[1], 0, &ipc) != -ETIMEDOUT)
		return 2;
	signal_word(&shared->done, 1);
	pthread_join(forker, &result);
	/* It was the one that could receive. */
	return ipc_call(endpoints[1], 0, &ipc) == -EPIPE ? 0 : 3;
}

static void
it_was_given_handles(void)
{
	struct request request;
	uint64_t mask = 1;
	pid_t pid;
	int child;

	shared->gate = shared->done = 0;
	pid = start_client(give_while_forking);
	request = expect_fork(pid, 0);
	child = (int)request.words[0];
	shared->result = child;
	signal_word(&shared->gate, 1);
	await_word(&shared->done, 1);
	check_equal(syscall3(SYS_sched_setaffinity, child, sizeof(mask),
			     (long)&mask), 0, "it can be given a CPU");
	check_equal(kill(child, SIGKILL), 0, "and be killed");
	answer(&request, LODGER_DONE, AGAIN);
	expect_exit(child, SIGKILL);
	client_ends(pid, 0, "handles of a child that is undone are closed");
}

static void
killed_before_it_runs(void)
{
	struct request request;
	pid_t pid;
	int child;

	shared->child_ran = 0;
	pid = start_client(fork_one);
	request = expect_fork(pid, 0);
	child = (int)request.words[0];
	kill(child, SIGKILL);
	answer(&request, LODGER_DONE, 0);
	expect_exit(child, SIGKILL);
	client_ends(pid, EXITED(1), "a child killed before it ran");
	check(!shared->child_ran, "never runs");
}

/* ---- The parent is killed meanwhile ------------------------------------- */

static void
the_parent_is_killed(void)
{
	struct request request;
	pid_t pid;

	shared->child_ran = 0;
	pid = start_client(fork_one);
	request = expect_fork(pid, 0);
	kill(pid, SIGKILL);
	expect_exit((int)request.words[0], 0);
	client_ends(pid, SIGKILL, "a parent killed before the answer");
	show_expect("which comes too late", answer(&request, LODGER_DONE, 0),
		    -ESRCH);
	check(!shared->child_ran && is_gone((int)request.words[0]),
	      "has no child");
}

static void
killed_in_the_queue(void)
{
	struct request request;
	pid_t pid = start_client(fork_one);

	wait_until_it_calls(pid);
	kill(pid, SIGKILL);
	check_equal(status_of(pid), SIGKILL, "killed before that was received");
	request = receive();
	check(request.label == LODGER_EXIT && request.pid != pid,
	      "the child that is not to be has ended, though none was told");
	expect_exit(pid, SIGKILL);
	check(!receive_within(0, &request), "that is all");
}

/* The server receives at once: with a CPU of its own the parent may have left the
 * queue, otherwise it is heard, and answered. */
static void
killed_and_heard(void)
{
	struct request request;
	pid_t pid;

	shared->child_ran = 0;
	pid = start_client(fork_one);
	wait_until_it_calls(pid);
	kill(pid, SIGKILL);
	request = receive();
	if (request.label == LODGER_FORK) {
		answer(&request, LODGER_DONE, 0);
		request = receive();
	}
	check(request.label == LODGER_EXIT && request.pid != pid,
	      "nor does one escape whose parent was killed before it was heard");
	expect_exit(pid, SIGKILL);
	check_equal(status_of(pid), SIGKILL, "its parent's end");
	check(!receive_within(0, &request) && !shared->child_ran,
	      "that is all");
}

/* ---- A signal for the group meanwhile ----------------------------------- */

static volatile int heard;
static bool masks;

static void
hear(int signal)
{
	(void)signal;
	heard++;
}

/* Parent and child alike: one signal, before the fork or after it. */
static bool
heard_once(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return heard == 1;
}

static int
fork_in_a_group(void)
{
	struct sigaction action = { .sa_handler = hear };
	sigset_t all;
	int status;
	long pid;

	setpgid(0, 0);
	sigaction(SIGUSR1, &action, NULL);
	sigfillset(&all);
	if (masks)
		sigprocmask(SIG_SETMASK, &all, NULL);
	pid = syscall0(SYS_fork);
	if (pid == 0)
		_exit(heard_once() ? 3 : 4);
	waitpid((int)pid, &status, 0);
	return (heard_once() ? 0 : 1) + (status == EXITED(3) ? 0 : 2);
}

/* The parent's status: 1, it has not heard; 2, its child has not. */
static int
serve_until_end(pid_t pid)
{
	struct request request;

	do {
		request = receive();
		if (request.label == LODGER_FORK)
			answer(&request, LODGER_DONE, 0);
	} while (request.label != LODGER_EXIT || request.pid != pid);
	return status_of(pid);
}

static long
signal_group(pid_t pid)
{
	return lodger_personality_signal(endpoint, LODGER_TO_GROUP, pid,
					 SIGUSR1, 0);
}

static void
group_is_told_in_the_queue(void)
{
	pid_t pid = start_client(fork_in_a_group);

	wait_until_it_calls(pid);
	check_equal(signal_group(pid), 0, "a group is told");
	check_equal(serve_until_end(pid), 0, masks
		    ? "while its fork is in the queue: both get it, masked"
		    : "while its fork is in the queue: both get it, or one before");
}

static void
group_is_told_when_received(void)
{
	pid_t pid = start_client(fork_in_a_group);
	struct request request = expect_fork(pid, 0);

	check_equal(signal_group(pid), 0, "a group is told");
	answer(&request, LODGER_DONE, 0);
	check_equal(serve_until_end(pid), 0,
		    "once its fork was received: both get it");
}

static void
groups_are_told(void)
{
	for (int i = 0; i < 2; i++) {
		masks = i;
		group_is_told_in_the_queue();
		group_is_told_when_received();
	}
}

static void
who_may_signal(void)
{
	unsigned caller = duplicate(endpoint, CALLER, 0);
	unsigned other = (unsigned)lodger_endpoint_create();

	show_expect("no handle", lodger_personality_signal(
			    99, LODGER_TO_OTHERS, 0, 0, 0), -EBADF);
	show_expect("who calls there", lodger_personality_signal(
			    caller, LODGER_TO_OTHERS, 0, 0, 0), -EPERM);
	show_expect("another's", lodger_personality_signal(
			    other, LODGER_TO_PROCESS, getpid(), 0, 0), -ESRCH);
	show_expect("no such signal", lodger_personality_signal(
			    endpoint, LODGER_TO_GROUP, 1, 65, 0), -EINVAL);
	show_expect("no such way", lodger_personality_signal(
			    endpoint, 4, 1, 0, 0), -EINVAL);
	show_expect("an empty group", lodger_personality_signal(
			    endpoint, LODGER_TO_GROUP, MOST_PIDS, 0, 0), -ESRCH);
	lodger_handle_close(caller);
	lodger_handle_close(other);
}

static long
signal_others(unsigned to)
{
	return lodger_personality_signal(to, LODGER_TO_OTHERS, getpid(), 0, 0);
}

static int
exit_at_once(void)
{
	return 0;
}

/* Of one that has ended, and that nobody has waited for, it is known whose it
 * was. */
static void
the_ended_are_whose_they_were(void)
{
	unsigned other = (unsigned)lodger_endpoint_create();
	pid_t pid;

	show_expect("who has nobody", signal_others(endpoint), -ESRCH);
	pid = start_client(exit_at_once);
	expect_exit(pid, 0);
	show_expect("who has one that has ended", signal_others(endpoint), 0);
	show_expect("whom it did not call", signal_others(other), -ESRCH);
	show_expect("its group, there", lodger_personality_signal(
			    other, LODGER_TO_GROUP, getpgrp(), 0, 0), -ESRCH);
	show_expect("it alone", lodger_personality_signal(
			    endpoint, LODGER_TO_PROCESS, pid, 0, 0), 0);
	status_of(pid);
	show_expect("once it was waited for", signal_others(endpoint), -ESRCH);
	lodger_handle_close(other);
}

static int
exit_while_forking(void)
{
	pthread_t forker;

	pthread_create(&forker, NULL, fork_in_thread, NULL);
	await_word(&shared->gate, 1);
	_exit(7);
}

static int
exec_while_forking(void)
{
	pthread_t forker;
	unsigned building = lodger_mm_create();

	pthread_create(&forker, NULL, fork_in_thread, NULL);
	await_word(&shared->gate, 1);
	return (int)lodger_mm_exec(building, PAGE, PAGE, NULL); /* nothing is there */
}

static void
a_sibling_ends_it(int (*body)(void), int status, const char *sentence)
{
	struct request request;
	pid_t pid;

	shared->gate = 0;
	pid = start_client(body);
	request = expect_fork(pid, 0);
	signal_word(&shared->gate, 1);
	expect_exit((int)request.words[0], 0);
	client_ends(pid, status, sentence);
	show_expect("the answer", answer(&request, LODGER_DONE, 0), -ESRCH);
}

/* ---- The server dies ---------------------------------------------------- */

static int
receive_and_die(unsigned handle)
{
	struct ipc ipc = WORDS_ALONE;

	return ipc_label(ipc_recv(handle, &ipc)) == LODGER_FORK ? 0 : 1;
}

static void
the_server_dies(void)
{
	pid_t server = child_with(duplicate(endpoint, SERVER, 0),
				  receive_and_die);
	struct request request;
	pid_t pid;

	while (!sleeps(server))
		sched_yield();
	shared->child_ran = 0;
	pid = start_client(fork_one);
	check_equal(status_of(server), 0, "the server dies with a fork");
	request = receive();
	check(request.label == LODGER_EXIT && request.pid != pid,
	      "the next one is told of the child's end");
	client_ends(pid, 0, "the parent goes on");
	show_expect("without it", shared->result, -EIO);
	check(!shared->child_ran, "which never ran");
}

/* ---- Ends --------------------------------------------------------------- */

static int
exit_5(void)
{
	return 5;
}

static int
by_signal(void)
{
	kill(getpid(), SIGTERM);
	return 1;
}

static void *
exit_after_the_first(void *unused)
{
	struct lodger_task_stat stat;

	(void)unused;
	while (lodger_task_stat(getpid(), &stat) == 0 && stat.state != 'Z')
		sched_yield();
	syscall3(SYS_exit, 6, 0, 0);
	return NULL;
}

static int
last_thread_counts(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, exit_after_the_first, NULL);
	syscall3(SYS_exit, 1, 0, 0);
	return 0;
}

static void
ends(void)
{
	pid_t pid = start_client(exit_5);

	client_ends(pid, EXITED(5), "exit");
	pid = start_client(by_signal);
	client_ends(pid, SIGTERM, "a signal");
	pid = start_client(last_thread_counts);
	client_ends(pid, EXITED(6), "several threads, told once");
}

/* What is there together: events, in their order, then bits, then calls. */
static void
events_come_first(void)
{
	unsigned notification = lodger_notification_create();
	struct call call = { .endpoint = endpoint, .label = 9 };
	struct ipc ipc = WORDS_ALONE;
	pid_t first, second;
	struct request request;

	start_call(&call);
	first = start_client(exit_5);
	check_equal(status_of(first), EXITED(5), "waited for before told");
	second = start_client(exit_5);
	status_of(second);
	lodger_bind(notification, endpoint);
	lodger_signal(notification, 4);
	expect_exit(first, EXITED(5));
	expect_exit(second, EXITED(5));
	check(ipc_recv(endpoint, &ipc) == 0 && ipc.words[0] == 4,
	      "events come before bits");
	lodger_handle_close(notification);
	request = receive();
	check_equal(request.label, 9, "and bits before calls");
	answer(&request, 0, 0);
	end_call(&call);
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
	struct request request = { 0 };
	pthread_t thread;
	pid_t pid;

	shared->gate = 0;
	pthread_create(&thread, NULL, receive_in_thread, &request);
	pid = start_client(exit_5);
	pthread_join(thread, NULL);
	check(request.label == LODGER_EXIT && !request.reply &&
	      request.pid == pid && request.words[1] == EXITED(5),
	      "an event wakes who waits for it");
	status_of(pid);
}

/* Has no handle to call: its clients are all that it can hear. */
static int
serve_while_somebody_lives(unsigned handle)
{
	struct ipc ipc = WORDS_ALONE;
	int told = 0;
	long got;

	while ((got = ipc_recv(handle, &ipc)) == LODGER_EXIT)
		told++;
	return got == -EPIPE ? told : 99;
}

static void
the_last_client_ends(void)
{
	unsigned own = endpoint;
	pid_t server, clients[2];

	endpoint = lodger_endpoint_create();
	clients[0] = start_client(exit_5);
	clients[1] = start_client(exit_5);
	server = child_with(duplicate(endpoint, SERVER, 0),
			    serve_while_somebody_lives);
	lodger_handle_close(endpoint);
	status_of(clients[0]);
	status_of(clients[1]);
	check_equal(status_of(server), EXITED(2),
		    "after the last end there is nothing more to hear");
	endpoint = own;
}

/* ---- Many --------------------------------------------------------------- */

static int
fork_many(void)
{
	for (long i = 0; i < NR_MANY; i++) {
		long pid = syscall0(SYS_fork);

		if (pid == 0) {
			await_word(&shared->gate, 1);
			_exit(i & 0xff);
		}
		if (pid < 0)
			return 1;
	}
	signal_word(&shared->gate, 1);
	for (int i = 0; i < NR_MANY; i++)
		if (wait(NULL) < 0)
			return 2;
	signal_word(&shared->done, 1);
	return 0;
}

/* They end while the server sleeps, and are waited for before it wakes. */
static void
none_is_lost(void)
{
	static int codes[MOST_PIDS];
	struct request request;
	bool right = true;
	pid_t pid;

	shared->gate = shared->done = 0;
	pid = start_client(fork_many);
	for (int i = 0; i < NR_MANY; i++) {
		request = expect_fork(pid, 0);
		codes[request.words[0]] = EXITED(i & 0xff) + 1;
		answer(&request, LODGER_DONE, 0);
	}
	await_word(&shared->done, 1);
	check_equal(status_of(pid), 0, "1,000 children end, and are collected");
	for (int i = 0; i < NR_MANY; i++) {
		request = receive();
		right &= request.label == LODGER_EXIT &&
			 codes[request.words[0]] == (int)request.words[1] + 1;
		codes[request.words[0]] = 0;
	}
	check(right, "the server hears of each, once, with its status");
	expect_exit(pid, 0);
	check(!receive_within(0, &request), "that is all");
}

/* ---- The whole ---------------------------------------------------------- */

static void
all(void)
{
	endpoint = lodger_endpoint_create();
	fork_in_order();
	flags_of_clone();
	refusals();
	somebody_waits_for_it();
	it_was_given_handles();
	killed_before_it_runs();
	the_parent_is_killed();
	killed_in_the_queue();
	killed_and_heard();
	groups_are_told();
	who_may_signal();
	the_ended_are_whose_they_were();
	a_sibling_ends_it(exit_while_forking, EXITED(7), "another thread exits");
	a_sibling_ends_it(exec_while_forking, SIGSEGV, "another thread execs");
	the_server_dies();
	ends();
	events_come_first();
	a_receiver_waits();
	the_last_client_ends();
	lodger_handle_close(endpoint);
}

static void
many(void)
{
	endpoint = lodger_endpoint_create();
	none_is_lost();
}

int
main(void)
{
	begin_counted();
	shared = shared_memory(PAGE);
	check_apart("many", many);
	leaves_nothing(all);
	return end();
}
