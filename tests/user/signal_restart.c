// linux-oracle
/* System calls that a handler interrupts: which go on when it returns, which
 * fail with EINTR, and what SA_RESTART has to do with it. */
#include "tests/user/check.h"

#include <pthread.h>

enum { HOUR = 3600, TIMES = 30 };

static pthread_t sender;
static _Atomic int handled, done;
static int main_tid, futex_result;
static _Atomic int word;
static sigset_t in_handler;

static void
handler(int signal)
{
	(void)signal;
	handled++;
	sigprocmask(SIG_BLOCK, NULL, &in_handler);
}

static void
install(int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaction(SIGUSR1, &action, NULL);
	handled = done = 0;
}

/* Sends signals until the call has returned. */
static void *
until_done(void *arg)
{
	(void)arg;
	while (!done) {
		int seen = handled;

		syscall(SYS_tgkill, getpid(), main_tid, SIGUSR1);
		while (!done && handled == seen)
			sched_yield();
		for (int i = 0; i < 20; i++)
			sched_yield();
	}
	return NULL;
}

/* Sends TIMES signals, each when the one before has been handled, and then
 * lets the call end. */
static void *
some(void *finish)
{
	for (int i = 0; i < TIMES; i++) {
		syscall(SYS_tgkill, getpid(), main_tid, SIGUSR1);
		while (handled == i)
			sched_yield();
		for (int j = 0; j < 20; j++)
			sched_yield();
	}
	((void (*)(void))finish)();
	return NULL;
}

static void
end_signals(void)
{
	done = 1;
	pthread_join(sender, NULL);
}

/* ---- Sleeping --------------------------------------------------------------- */

static void
check_rest(const struct timespec *rest)
{
	/* Linux counts a little more, in case the timer comes late. */
	check(rest->tv_sec >= HOUR - 120 && rest->tv_sec <= HOUR,
	      "what remains is nearly an hour");
}

static void
sleeping(int flags)
{
	struct timespec hour = { HOUR, 0 }, rest = { 0, 0 }, then;

	install(flags);
	pthread_create(&sender, NULL, until_done, NULL);
	show_expect("nanosleep", syscall3(SYS_nanosleep, (long)&hour,
					  (long)&rest, 0), -EINTR);
	end_signals();
	check_rest(&rest);

	install(flags);
	pthread_create(&sender, NULL, until_done, NULL);
	show_expect("clock_nanosleep for an hour",
		    syscall6(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0,
			     (long)&hour, (long)&rest, 0, 0), -EINTR);
	end_signals();
	check_rest(&rest);

	clock_gettime(CLOCK_MONOTONIC, &then);
	then.tv_sec += HOUR;
	rest.tv_sec = 7;
	install(flags);
	pthread_create(&sender, NULL, until_done, NULL);
	show_expect("clock_nanosleep until then",
		    syscall6(SYS_clock_nanosleep, CLOCK_MONOTONIC,
			     TIMER_ABSTIME, (long)&then, (long)&rest, 0, 0),
		    -EINTR);
	end_signals();
	check_equal(rest.tv_sec, 7, "nothing is said of what remains");

	install(flags);
	pthread_create(&sender, NULL, until_done, NULL);
	show_expect("nanosleep with a bad address for what remains",
		    syscall3(SYS_nanosleep, (long)&hour, 8, 0), -EFAULT);
	end_signals();
}

/* ---- Futexes ------------------------------------------------------------------ */

static void
wake_main(void)
{
	while (futex_wake(&word, 1) == 0)
		sched_yield();
}

static void
futexes(int flags)
{
	struct timespec hour = { HOUR, 0 };

	install(flags);
	pthread_create(&sender, NULL, until_done, NULL);
	show_expect("futex with a timeout",
		    futex6(&word, FUTEX_WAIT, 0, &hour, NULL, 0), -EINTR);
	end_signals();
	install(flags);
	if (flags & SA_RESTART) {
		pthread_create(&sender, NULL, some, wake_main);
		futex_result = futex_wait(&word, 0);
		end_signals();
		show_expect("futex goes on until it is woken", futex_result, 0);
		check(handled >= TIMES, "although handlers ran");
	} else {
		pthread_create(&sender, NULL, until_done, NULL);
		show_expect("futex", futex_wait(&word, 0), -EINTR);
		end_signals();
	}
}

/* ---- Waiting for children --------------------------------------------------------- */

static _Atomic int *release;

static void
let_child_go(void)
{
	signal_word(release, 1);
}

static pid_t
patient_child(void)
{
	pid_t pid;

	*release = 0;
	pid = fork_or_die();
	if (pid == 0) {
		await_word(release, 1);
		_exit(3);
	}
	return pid;
}

static void
children(int flags)
{
	pid_t pid = patient_child();
	int status = 0;
	siginfo_t info;

	install(flags);
	if (flags & SA_RESTART) {
		pthread_create(&sender, NULL, some, let_child_go);
		check(wait4(pid, &status, 0, NULL) == pid,
		      "wait4 goes on until the child ends");
		end_signals();
		check_equal(status, EXITED(3), "with its status");
		return;
	}
	pthread_create(&sender, NULL, until_done, NULL);
	show_expect("wait4", syscall6(SYS_wait4, pid, 0, 0, 0, 0, 0), -EINTR);
	end_signals();
	install(flags);
	pthread_create(&sender, NULL, until_done, NULL);
	show_expect("waitid", syscall6(SYS_waitid, P_PID, pid, (long)&info,
				       WEXITED, 0, 0), -EINTR);
	end_signals();
	let_child_go();
	status_of(pid);
}

/* ---- Waiting for signals ------------------------------------------------------------ */

static void
for_signals(int flags)
{
	struct timespec hour = { HOUR, 0 }, soon = { 0, 1000 };
	sigset_t set, other, now;
	siginfo_t info;

	install(flags);
	pthread_create(&sender, NULL, until_done, NULL);
	show_expect("pause", syscall0(SYS_pause), -EINTR);
	end_signals();

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigemptyset(&other);
	sigaddset(&other, SIGUSR2);
	install(flags);
	pthread_create(&sender, NULL, until_done, NULL);
	show_expect("sigsuspend",
		    syscall3(SYS_rt_sigsuspend, (long)&other, 8, 0), -EINTR);
	end_signals();
	check(sigismember(&in_handler, SIGUSR2) &&
	      !sigismember(&in_handler, SIGALRM),
	      "its mask is the handler's");
	sigprocmask(SIG_SETMASK, NULL, &now);
	check(sigismember(&now, SIGUSR1) && sigismember(&now, SIGALRM) &&
	      !sigismember(&now, SIGUSR2), "then the old one is back");
	sigtimedwait(&set, NULL, &soon); /* what may have been one too many */
	sigemptyset(&now);
	sigprocmask(SIG_SETMASK, &now, NULL);

	install(flags);
	sigprocmask(SIG_SETMASK, &other, NULL);
	pthread_create(&sender, NULL, until_done, NULL);
	show_expect("sigtimedwait, by another signal",
		    syscall6(SYS_rt_sigtimedwait, (long)&other, (long)&info,
			     (long)&hour, 8, 0, 0), -EINTR);
	end_signals();
	sigemptyset(&now);
	sigprocmask(SIG_SETMASK, &now, NULL);
}

static void *
send_usr2(void *arg)
{
	(void)arg;
	sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = 99 });
	return NULL;
}

static void
taking_signals(void)
{
	struct timespec soon = { 0, 1000 }, never = { 0, 0 };
	struct timespec bad = { 0, -1 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	show_expect("sigtimedwait for nothing, no time",
		    syscall6(SYS_rt_sigtimedwait, (long)&set, 0, (long)&never,
			     8, 0, 0), -EAGAIN);
	show_expect("some time", syscall6(SYS_rt_sigtimedwait, (long)&set, 0,
					  (long)&soon, 8, 0, 0), -EAGAIN);
	show_expect("a bad time", syscall6(SYS_rt_sigtimedwait, (long)&set, 0,
					   (long)&bad, 8, 0, 0), -EINVAL);
	show_expect("a bad set", syscall6(SYS_rt_sigtimedwait, 8, 0,
					  (long)&soon, 8, 0, 0), -EFAULT);
	show_expect("a wrong size", syscall6(SYS_rt_sigtimedwait, (long)&set,
					     0, (long)&soon, 4, 0, 0),
		    -EINVAL);
	raise(SIGUSR2);
	check_equal(sigwaitinfo(&set, &info), SIGUSR2,
		    "a pending signal is taken");
	check(info.si_code == SI_TKILL && info.si_pid == getpid(),
	      "with what was sent along");
	for (int i = 0; i < 20; i++) {
		pthread_create(&sender, NULL, send_usr2, NULL);
		if (sigwaitinfo(&set, &info) != SIGUSR2 ||
		    info.si_value.sival_int != 99)
			check(false, "a signal ends the wait for it");
		pthread_join(sender, NULL);
	}
	check(sigpending(&set) == 0 && !sigismember(&set, SIGUSR2),
	      "twenty signals are waited for; none is left");
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

/* restart_syscall is not for programs. */
static void
by_hand(void)
{
	show_expect("restart_syscall out of the blue",
		    syscall0(SYS_restart_syscall), -EINTR);
}

int
main(void)
{
	begin();
	main_tid = (int)syscall(SYS_gettid);
	release = shared_memory(PAGE);
	for (int i = 0; i < 2; i++) {
		int flags = i ? SA_RESTART : 0;

		puts(i ? "with SA_RESTART" : "without SA_RESTART");
		sleeping(flags);
		futexes(flags);
		children(flags);
		for_signals(flags);
	}
	taking_signals();
	by_hand();
	return end();
}
