// timeout=60
/* Personalities when things go wrong: clients killed in each phase of a call,
 * a server that never answers, and memory that is not there. */
#include "tests/user/personality.h"

static struct {
	_Atomic int gate, reading;
	_Atomic long steps;
} *shared;

/* ---- Kills ---------------------------------------------------------------- */

static int
call_once(void)
{
	return reflected(1) == 2 ? 0 : 1;
}

static void
killed_in_the_queue(void)
{
	pid_t pid = start_client(call_once);
	struct request request;

	wait_until_it_calls(pid);
	kill(pid, SIGKILL);
	check_equal(status_of(pid), SIGKILL, "killed in the queue");
	expect_exit(pid, SIGKILL);
	check(!receive_within(0, &request), "the call is not received");
}

static void
killed_when_received(void)
{
	pid_t pid = start_client(call_once);
	struct request request = receive();

	kill(pid, SIGKILL);
	check_equal(status_of(pid), SIGKILL,
		    "killed while a server that never answers has its call");
	show_expect("which then cannot", answer(&request, LODGER_DONE, 2),
		    -ESRCH);
	show_expect("nor again", answer(&request, LODGER_DONE, 2), -EBADF);
	expect_exit(pid, SIGKILL);
}

static char area[16 * PAGE];

static int
call_with_area(void)
{
	memset(area, 7, sizeof(area));
	syscall3(NUMBER, (long)area, sizeof(area), 0);
	return 1;
}

/* From another process, while this one reads the caller's memory. */
static int
kill_when_told(unsigned handle)
{
	(void)handle;
	await_word(&shared->reading, 1);
	return kill(shared->gate, SIGKILL);
}

static void
killed_while_it_is_read(void)
{
	static char copy[sizeof(area)];
	pid_t pid, killer;
	struct request request;
	long got, before = 0;

	for (int i = 0; i < 10; i++) {
		shared->reading = 0;
		pid = start_client(call_with_area);
		request = receive();
		shared->gate = pid;
		killer = child_with(duplicate(endpoint, CALLER, 0),
				    kill_when_told);
		signal_word(&shared->reading, 1);
		while ((got = lodger_mm_read(request.reply, request.words[0],
					     copy, sizeof(copy))) > 0)
			before++;
		if (got != -ESRCH || copy[0] != 7)
			check_equal(got, -ESRCH, "mm_read");
		lodger_handle_close(request.reply);
		expect_exit(pid, SIGKILL);
		if (status_of(pid) != SIGKILL || status_of(killer) != 0)
			check(false, "the kill");
	}
	check(before > 0, "killed while the server reads its memory");
}

/* Its server waits in a call of its own, to one who never answers. */
static int
serve_and_wait(unsigned handle)
{
	struct ipc ipc = WORDS_ALONE;

	await_word(&shared->gate, 1); /* it has handle 2 */
	if (ipc_recv(handle, &ipc) < 0)
		return 1;
	signal_word(&shared->gate, 2);
	ipc_call(2, 0, &ipc);
	return 0;
}

static void
the_server_waits_elsewhere(void)
{
	unsigned other = lodger_endpoint_create();
	pid_t server, pid;

	shared->gate = 0;
	server = child_with(duplicate(endpoint, SERVER, 0), serve_and_wait);
	lodger_handle_give(server, duplicate(other, CALLER, 0));
	signal_word(&shared->gate, 1);
	pid = start_client(call_once);
	await_word(&shared->gate, 2);
	while (!sleeps(server))
		sched_yield();
	kill(pid, SIGKILL);
	check_equal(status_of(pid), SIGKILL,
		    "killed while its server waits for ever");
	expect_exit(pid, SIGKILL);
	kill(server, SIGKILL);
	check_equal(status_of(server), SIGKILL, "which can be killed, too");
	lodger_handle_close(other);
}

static void *
call_in_thread(void *unused)
{
	(void)unused;
	reflected(5);
	return NULL;
}

/* One thread in a call that is never answered, one in the queue. */
static int
exit_from_calls(void)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, call_in_thread, NULL);
	await_word(&shared->gate, 1);
	return 6;
}

static void
exit_does_not_wait(void)
{
	struct request request;
	pid_t pid;

	shared->gate = 0;
	pid = start_client(exit_from_calls);
	request = receive();
	signal_word(&shared->gate, 1);
	check_equal(status_of(pid), EXITED(6),
		    "exit does not wait for calls of other threads");
	lodger_handle_close(request.reply);
	do
		request = receive();
	while (request.label == NUMBER && !lodger_handle_close(request.reply));
	check(request.label == LODGER_EXIT && request.pid == pid,
	      "and is told");
}

/* ---- No memory ------------------------------------------------------------ */

/* One allocation after another fails. As clients must not print, the step that
 * is wrong is told by the result. */
static int
set_without_memory(unsigned handle)
{
	long result;
	unsigned nth = 0;

	do {
		lodger_quiesce(); /* the dead could help out */
		lodger_fail(LODGER_FAIL_ANY, ++nth);
		result = lodger_personality_set(handle);
		if (result && result != -ENOMEM)
			return 10;
		if ((result == -ENOMEM) != lodger_fail_happened())
			return 11;
	} while (result);
	shared->steps = nth - 1;
	nth = 0;
	do {
		lodger_quiesce();
		lodger_fail(LODGER_FAIL_ANY, ++nth);
		result = reflected(1);
		if (result != 2 && result != -ENOMEM)
			return 12;
	} while (result != 2);
	shared->steps += nth - 1;
	return lodger_fail_happened();
}

static void
setting_fails(void)
{
	pid_t pid;
	struct request request;

	shared->steps = 0;
	pid = child_with(duplicate(endpoint, CALLER, 0), set_without_memory);
	for (;;) {
		request = receive();
		if (request.label != NUMBER)
			break;
		answer(&request, LODGER_DONE, 2);
	}
	check(request.label == LODGER_EXIT && request.words[1] == 0,
	      "without memory: setting, and the first call");
	check_equal(status_of(pid), 0, "fail, and then succeed");
	check_equal(shared->steps, 3, "at each allocation, and no others");
}

static int
fork_without_memory(void)
{
	for (unsigned nth = 1;; nth++) {
		bool failed;
		long pid;

		lodger_fail(LODGER_FAIL_ANY, nth);
		pid = syscall0(SYS_fork);
		if (pid == 0)
			_exit(0);
		failed = lodger_fail_happened();
		if (pid > 0 && waitpid(pid, NULL, 0) != pid)
			return 1;
		if (pid < 0 && (pid != -ENOMEM || !failed))
			return 2;
		if (pid < 0 && syscall6(SYS_wait4, -1, 0, 0, 0, 0, 0) != -ECHILD)
			return 3;
		shared->steps += pid < 0;
		if (!failed)
			return 0;
	}
}

/* Forks that fail for want of memory do so before the server is asked. */
static void
forking_fails(void)
{
	int forks = 0, ends = 0;
	struct request request;
	pid_t pid;

	shared->steps = 0;
	pid = start_client(fork_without_memory);
	for (;;) {
		request = receive();
		if (request.label == LODGER_EXIT && request.pid == pid)
			break;
		forks += request.label == LODGER_FORK;
		ends += request.label == LODGER_EXIT;
		if (request.reply)
			answer(&request, LODGER_DONE, 0);
	}
	check_equal(request.words[1], 0, "each allocation of fork fails once");
	check(shared->steps > 5 && forks == ends, "the server is told of those "
	      "that do not");
	status_of(pid);
	fprintf(stderr, "%ld failed, %d did not\n", shared->steps, forks);
}

/* ---- The whole ------------------------------------------------------------ */

static void
all(void)
{
	endpoint = lodger_endpoint_create();
	killed_in_the_queue();
	killed_when_received();
	killed_while_it_is_read();
	the_server_waits_elsewhere();
	exit_does_not_wait();
	setting_fails();
	forking_fails();
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
