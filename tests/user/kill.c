// linux-oracle
/* kill, tkill and tgkill where no handler is installed: a signal is ignored
 * or ends the whole process; which one ends it is its status. */
#include "tests/user/check.h"

#include <pthread.h>

static _Atomic int *ready;

/* A child that spins for ever; with threads when asked. */
static void *__attribute__((noreturn))
spin(void *arg)
{
	(void)arg;
	for (;;)
		sched_yield();
}

static pid_t
victim(int threads)
{
	pid_t pid;

	*ready = 0;
	pid = fork_or_die();
	if (pid == 0) {
		pthread_t thread;

		for (int i = 0; i < threads; i++)
			pthread_create(&thread, NULL, spin, NULL);
		signal_word(ready, 1);
		spin(NULL);
	}
	await_word(ready, 1);
	return pid;
}

static void
deadly_signals(void)
{
	/* Not those that a shell or a driver may have set to be ignored. */
	static const int signals[] = { SIGKILL, SIGALRM, SIGTERM, SIGUSR1,
				       SIGUSR2, SIGPROF, SIGVTALRM };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		pid_t pid = victim(0);
		char what[32];

		kill(pid, signals[i]);
		snprintf(what, sizeof(what), "signal %d ends a process",
			 signals[i]);
		check_equal(status_of(pid), KILLED(signals[i]), what);
	}
}

static void
ignored_signals(void)
{
	static const int signals[] = { SIGCHLD, SIGURG, SIGWINCH, SIGCONT };
	pid_t pid = victim(0);

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		kill(pid, signals[i]);
	for (int i = 0; i < 50; i++)
		sched_yield();
	show_expect("a process that got four it ignores",
		    waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGTERM);
	check_equal(status_of(pid), KILLED(SIGTERM), "dies of the fifth");
}

static void
threads_die_together(void)
{
	pid_t pid = victim(5);

	kill(pid, SIGKILL);
	check_equal(status_of(pid), KILLED(SIGKILL), "all threads are killed");
	pid = victim(5);
	kill(pid, SIGTERM);
	check_equal(status_of(pid), KILLED(SIGTERM), "by SIGTERM too");
	pid = victim(5);
	show_expect("tgkill of one thread",
		    syscall3(SYS_tgkill, pid, pid, SIGTERM), 0);
	check_equal(status_of(pid), KILLED(SIGTERM), "ends the whole process");
	pid = victim(5);
	show_expect("tkill of one thread", syscall3(SYS_tkill, pid, SIGKILL, 0),
		    0);
	check_equal(status_of(pid), KILLED(SIGKILL), "so does tkill");
}

static void
kills_itself(void *signal)
{
	kill(getpid(), *(int *)signal);
	_exit(1);
}

static void
raises(void *signal)
{
	syscall3(SYS_tkill, syscall(SYS_gettid), *(int *)signal, 0);
	_exit(1);
}

static void
masked(void *arg)
{
	sigset_t set, old;

	(void)arg;
	sigfillset(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		_exit(2);
	if (sigprocmask(SIG_BLOCK, NULL, &old) != 0)
		_exit(3);
	if (!sigismember(&old, SIGTERM) || sigismember(&old, SIGKILL) ||
	    sigismember(&old, SIGSTOP))
		_exit(4);
	kill(getpid(), SIGKILL);
	_exit(5);
}

static void
to_oneself(void)
{
	int signal = SIGTERM;

	check_child("kill of oneself", kills_itself, &signal, KILLED(SIGTERM));
	check_child("tkill of oneself", raises, &signal, KILLED(SIGTERM));
	signal = SIGABRT;
	check_child("abort's signal", raises, &signal, KILLED(SIGABRT));
	signal = SIGCHLD;
	check_child("an ignored signal", kills_itself, &signal, EXITED(1));
	check_child("SIGKILL cannot be masked", masked, NULL, KILLED(SIGKILL));
}

static void
calls_abort(void *arg)
{
	(void)arg;
	abort();
}

static void
executes_ud2(void *arg)
{
	(void)arg;
	__asm__ volatile("ud2");
}

static void
executes_int3(void *arg)
{
	(void)arg;
	__asm__ volatile("int3");
}

static void
errors(void)
{
	pid_t gone = fork_or_die(), me = getpid();

	if (gone == 0)
		_exit(0);
	status_of(gone);
	show_expect("signal 0 to oneself", syscall3(SYS_kill, me, 0, 0), 0);
	show_expect("kill of nobody", syscall3(SYS_kill, gone, SIGTERM, 0),
		    -ESRCH);
	show_expect("tkill of nobody", syscall3(SYS_tkill, gone, SIGTERM, 0),
		    -ESRCH);
	show_expect("tgkill of a thread of another process",
		    syscall3(SYS_tgkill, me, gone, SIGTERM), -ESRCH);
	show_expect("kill with signal 65", syscall3(SYS_kill, me, 65, 0),
		    -EINVAL);
	show_expect("kill with signal -1", syscall3(SYS_kill, me, -1, 0),
		    -EINVAL);
	show_expect("tkill of thread 0", syscall3(SYS_tkill, 0, SIGTERM, 0),
		    -EINVAL);
	show_expect("tgkill of process 0",
		    syscall3(SYS_tgkill, 0, me, SIGTERM), -EINVAL);
	show_expect("tgkill with signal 65", syscall3(SYS_tgkill, me, me, 65),
		    -EINVAL);
	show_expect("sigprocmask with an unknown how",
		    syscall6(SYS_rt_sigprocmask, 9, (long)&(uint64_t){ 0 }, 0,
			     8, 0, 0), -EINVAL);
	show_expect("sigprocmask with a wrong size",
		    syscall6(SYS_rt_sigprocmask, 0, (long)&(uint64_t){ 0 }, 0,
			     4, 0, 0), -EINVAL);
	show_expect("sigprocmask from a bad address",
		    syscall6(SYS_rt_sigprocmask, 0, 8, 0, 8, 0, 0), -EFAULT);
}

int
main(void)
{
	begin();
	ready = shared_memory(PAGE);
	deadly_signals();
	ignored_signals();
	threads_die_together();
	to_oneself();
	check_child("abort()", calls_abort, NULL, KILLED(SIGABRT));
	check_child("an undefined instruction", executes_ud2, NULL,
		    KILLED(SIGILL));
	check_child("a breakpoint", executes_int3, NULL, KILLED(SIGTRAP));
	errors();
	return end();
}
