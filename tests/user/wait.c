// linux-oracle
/* wait4 in all its forms, and zombies. */
#include "tests/user/check.h"

#include <sys/resource.h>

static long
wait_for(pid_t pid, int *status, int options)
{
	pid_t result = wait4(pid, status, options, NULL);

	return result < 0 ? -errno : result;
}

static pid_t
child_that_exits(int code)
{
	pid_t pid = fork_or_die();

	if (pid == 0)
		_exit(code);
	return pid;
}

static void
by_pid(void)
{
	pid_t a = child_that_exits(1), b = child_that_exits(2);
	int status;

	check(wait_for(b, &status, 0) == b && status == EXITED(2),
	      "the second child is waited for first");
	check(wait_for(a, &status, 0) == a && status == EXITED(1),
	      "the first one's status is still there");
	show_expect("waiting twice", wait_for(a, &status, 0), -ECHILD);
	show_expect("waiting for oneself", wait_for(getpid(), &status, 0),
		    -ECHILD);
	show_expect("waiting for one's parent",
		    wait_for(getppid(), &status, 0), -ECHILD);
	show_expect("waiting for anyone, with no child",
		    wait_for(-1, &status, 0), -ECHILD);
}

static void
without_hanging(void)
{
	_Atomic int *word = shared_memory(PAGE);
	pid_t pid = fork_or_die();
	int status = 77;

	if (pid == 0) {
		await_word(word, 1);
		_exit(5);
	}
	show_expect("WNOHANG while it runs", wait_for(pid, &status, WNOHANG),
		    0);
	check_equal(status, 77, "leaves the status alone");
	show_expect("WNOHANG for anyone", wait_for(-1, &status, WNOHANG), 0);
	signal_word(word, 1);
	while (wait_for(pid, &status, WNOHANG) == 0)
		sched_yield();
	check_equal(status, EXITED(5), "WNOHANG finds it when it has ended");
}

static void
statuses(void)
{
	static const int codes[] = { 0, 1, 127, 255, 256, -1, 0x1ff };
	pid_t pid;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		check_equal(status_of(child_that_exits(codes[i])),
			    EXITED(codes[i] & 0xff),
			    "an exit status is its low byte");
	pid = fork_or_die();
	if (pid == 0)
		for (;;)
			sched_yield();
	kill(pid, SIGTERM);
	check_equal(status_of(pid), KILLED(SIGTERM), "or the signal");
}

/* A zombie keeps its pid: nobody else gets it until it was waited for. */
static void
zombies_keep_their_pid(void)
{
	pid_t zombie = child_that_exits(0);
	bool taken = false;

	for (int i = 0; i < 500; i++) {
		pid_t pid = child_that_exits(0);

		taken |= pid == zombie;
		status_of(pid);
	}
	check(!taken, "nobody gets a zombie's pid");
	show_expect("signal 0 to a zombie", kill(zombie, 0), 0);
	show_expect("a kill of a zombie", kill(zombie, SIGKILL), 0);
	check_equal(status_of(zombie), EXITED(0), "does not change its status");
	show_expect("signal 0 to a pid that is gone",
		    kill(zombie, 0) < 0 ? -errno : 0, -ESRCH);
}

static void
many_zombies(void)
{
	enum { N = 300 };
	int count = 0, sum = 0, status;

	for (int i = 0; i < N; i++)
		child_that_exits(i % 200);
	while (wait(&status) > 0) {
		count++;
		sum += WEXITSTATUS(status);
	}
	check_equal(count, N, "three hundred zombies are waited for");
	check_equal(sum, 19900 + 4950, "with their statuses");
}

static void
other_forms(void)
{
	struct rusage usage;
	pid_t pid = child_that_exits(4);
	int status;

	check(wait_for(pid, NULL, 0) == pid, "no status wanted");
	pid = child_that_exits(4);
	memset(&usage, 0xff, sizeof(usage));
	check(wait4(pid, &status, 0, &usage) == pid,
	      "with the resources it used");
	check(usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_sec < 1000,
	      "which are filled in");
	pid = child_that_exits(4);
	show_expect("wait with unknown options",
		    wait_for(pid, &status, 0x1000), -EINVAL);
	show_expect("wait to a bad address",
		    syscall6(SYS_wait4, pid, 8, 0, 0, 0, 0), -EFAULT);
	show_expect("which took the child all the same",
		    wait_for(pid, &status, 0), -ECHILD);
}

/* A grandchild is not a child. */
static void
grandchildren(void)
{
	_Atomic int *words = shared_memory(PAGE);
	pid_t pid = fork_or_die();
	int status;

	if (pid == 0) {
		pid = fork_or_die();
		if (pid == 0)
			_exit(0);
		words[0] = pid;
		signal_word(&words[1], 1);
		_exit(WEXITSTATUS(status_of(pid)));
	}
	await_word(&words[1], 1);
	show_expect("waiting for a grandchild",
		    wait_for(words[0], &status, 0), -ECHILD);
	status_of(pid);
}

int
main(void)
{
	begin();
	by_pid();
	without_hanging();
	statuses();
	zombies_keep_their_pid();
	many_zombies();
	other_forms();
	grandchildren();
	return end();
}
