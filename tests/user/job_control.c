// linux-oracle
/* Stopping and going on: what wait4 and waitid see of it, what SIGCHLD says,
 * and how stops and continues take each other back. */
#include "tests/user/check.h"

#include <fcntl.h>
#include <pthread.h>

#include "tests/user/rest.h"

static _Atomic int *words; /* shared with the children */
static volatile sig_atomic_t chld_calls;
static siginfo_t chld;

static void
on_chld(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	chld = *info;
	chld_calls++;
}

static void
catch_chld(int flags)
{
	struct sigaction action = { .sa_sigaction = on_chld,
				    .sa_flags = flags | SA_SIGINFO };

	sigaction(SIGCHLD, &action, NULL);
	chld_calls = 0;
	memset(&chld, 0, sizeof(chld));
}

static void *__attribute__((noreturn))
count(void *word)
{
	for (;;)
		++*(_Atomic int *)word;
}

/* A process with @threads more threads, all of which count; alone in a group of
 * its own, so that the terminal's signals stop it wherever the test runs. */
static pid_t
counting(int threads)
{
	pid_t pid;

	words[0] = 0;
	pid = fork_or_die();
	if (pid == 0) {
		pthread_t thread;

		setpgid(0, 0);
		for (int i = 0; i < threads; i++)
			pthread_create(&thread, NULL, count, &words[i + 2]);
		signal_word(&words[0], 1);
		count(&words[1]);
	}
	await_word(&words[0], 1);
	return pid;
}

static int
wait_status(pid_t pid, int options)
{
	int status = -1;
	pid_t found;

	do
		found = waitpid(pid, &status, options);
	while (found < 0 && errno == EINTR);
	if (found < 0)
		return -errno;
	return found ? status : -1000;
}

static bool
stands_still(int counters)
{
	int before[8];

	for (int i = 0; i < counters; i++)
		before[i] = words[i + 1];
	for (int i = 0; i < 100; i++)
		sched_yield();
	for (int i = 0; i < counters; i++)
		if (before[i] != words[i + 1])
			return false;
	return true;
}

static void
goes_on(int counters)
{
	for (int i = 0; i < counters; i++) {
		int before = words[i + 1];

		while (words[i + 1] == before)
			sched_yield();
	}
}

static void
stops(int signal, int threads)
{
	pid_t pid = counting(threads);

	kill(pid, signal);
	check_equal(wait_status(pid, WUNTRACED), signal << 8 | 0x7f,
		    "a stop is waited for");
	check(WIFSTOPPED(signal << 8 | 0x7f), "as such");
	check(stands_still(threads + 1), "no thread runs");
	check_equal(wait_status(pid, WUNTRACED | WNOHANG), -1000,
		    "it is told once");
	kill(pid, SIGCONT);
	check_equal(wait_status(pid, WCONTINUED), 0xffff, "so is a continue");
	check_equal(wait_status(pid, WCONTINUED | WNOHANG), -1000, "once, too");
	goes_on(threads + 1);
	kill(pid, SIGKILL);
	check_equal(wait_status(pid, 0), KILLED(SIGKILL), "then it is killed");
}

static void
unasked(void)
{
	pid_t pid = counting(0);
	int status;

	kill(pid, SIGSTOP);
	while (!stands_still(1))
		;
	check_equal(wait_status(pid, WNOHANG), -1000,
		    "without WUNTRACED a stop is not seen");
	check_equal(wait_status(pid, WUNTRACED), SIGSTOP << 8 | 0x7f,
		    "and not lost");
	kill(pid, SIGCONT);
	goes_on(1);
	check_equal(wait_status(pid, WNOHANG), -1000,
		    "without WCONTINUED a continue is not seen");
	kill(pid, SIGSTOP);
	while ((status = wait_status(pid, WUNTRACED | WCONTINUED)) == 0xffff)
		;
	check_equal(status, SIGSTOP << 8 | 0x7f, "the next stop replaces it");
	kill(pid, SIGTERM);
	check(stands_still(1), "SIGTERM waits for SIGCONT");
	check_equal(wait_status(pid, WNOHANG), -1000, "so it lives");
	kill(pid, SIGCONT);
	check_equal(wait_status(pid, 0), KILLED(SIGTERM), "until then");
	pid = counting(2);
	kill(pid, SIGSTOP);
	wait_status(pid, WUNTRACED);
	kill(pid, SIGKILL);
	check_equal(wait_status(pid, 0), KILLED(SIGKILL),
		    "SIGKILL does not wait");
}

static void *
waits_in_vfork(void *arg)
{
	(void)arg;
	if (vfork() == 0) {
		signal_word(&words[0], 1);
		await_word(&words[4], 1);
		_exit(0);
	}
	return NULL;
}

/* A thread in vfork cannot be woken. */
static void
one_is_late(void)
{
	pid_t pid;

	words[0] = words[4] = 0;
	pid = fork_or_die();
	if (pid == 0) {
		pthread_t thread;

		setpgid(0, 0);
		pthread_create(&thread, NULL, waits_in_vfork, NULL);
		count(&words[1]);
	}
	await_word(&words[0], 1);
	kill(pid, SIGSTOP);
	while (!stands_still(1))
		;
	check_equal(wait_status(pid, WUNTRACED | WNOHANG), -1000,
		    "one thread that has stopped is no stop yet");
	signal_word(&words[4], 1);
	check_equal(wait_status(pid, WUNTRACED), SIGSTOP << 8 | 0x7f,
		    "the last one makes it");
	kill(pid, SIGKILL);
	status_of(pid);
}

/* ---- SIGCHLD ---------------------------------------------------------------- */

static void
told_by_signal(void)
{
	pid_t pid;

	catch_chld(0);
	pid = counting(1);
	kill(pid, SIGSTOP);
	while (chld_calls == 0)
		sched_yield();
	check(chld.si_code == CLD_STOPPED && chld.si_pid == pid &&
	      chld.si_status == SIGSTOP, "SIGCHLD says that a child stopped");
	kill(pid, SIGCONT);
	while (chld_calls == 1)
		sched_yield();
	check(chld.si_code == CLD_CONTINUED && chld.si_pid == pid &&
	      chld.si_status == SIGCONT, "that it goes on");
	kill(pid, SIGTERM);
	while (chld_calls == 2)
		sched_yield();
	check(chld.si_code == CLD_KILLED && chld.si_pid == pid &&
	      chld.si_status == SIGTERM, "and what it was killed by");
	status_of(pid);
	pid = fork_or_die();
	if (pid == 0)
		_exit(42);
	while (chld_calls == 3)
		sched_yield();
	check(chld.si_code == CLD_EXITED && chld.si_pid == pid &&
	      chld.si_status == 42, "or exited with");
	status_of(pid);

	catch_chld(SA_NOCLDSTOP);
	pid = counting(0);
	kill(pid, SIGSTOP);
	wait_status(pid, WUNTRACED);
	kill(pid, SIGCONT);
	wait_status(pid, WCONTINUED);
	check_equal(chld_calls, 0, "SA_NOCLDSTOP: nothing of stops");
	kill(pid, SIGKILL);
	while (chld_calls == 0)
		sched_yield();
	check_equal(chld.si_status, SIGKILL, "but of the end");
	status_of(pid);
	signal(SIGCHLD, SIG_DFL);
}

static void
nobody_waits(void)
{
	pid_t pid;

	catch_chld(SA_NOCLDWAIT);
	pid = counting(0);
	kill(pid, SIGKILL);
	check_equal(wait_status(pid, 0), -ECHILD,
		    "SA_NOCLDWAIT: the child leaves nothing");
	while (chld_calls == 0)
		sched_yield();
	check_equal(chld.si_status, SIGKILL, "but a signal");
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 20; i++)
		if (fork_or_die() == 0)
			_exit(0);
	check_equal(wait_status(-1, 0), -ECHILD,
		    "SIGCHLD ignored: the wait ends with the last child");
	signal(SIGCHLD, SIG_DFL);
}

/* ---- Stops and continues that meet --------------------------------------------- */

static void
on_cont(int signal)
{
	(void)signal;
	words[5]++;
}

/* With every signal masked; unmasks when told. */
static pid_t
masked_child(void)
{
	pid_t pid;

	words[0] = words[4] = words[5] = 0;
	pid = fork_or_die();
	if (pid == 0) {
		sigset_t set;

		setpgid(0, 0);
		signal(SIGCONT, on_cont);
		sigfillset(&set);
		sigprocmask(SIG_SETMASK, &set, NULL);
		signal_word(&words[0], 1);
		await_word(&words[4], 1);
		sigemptyset(&set);
		sigprocmask(SIG_SETMASK, &set, NULL);
		_exit(words[5]);
	}
	await_word(&words[0], 1);
	return pid;
}

static void
cancelling(void)
{
	pid_t pid = masked_child();

	kill(pid, SIGTSTP);
	kill(pid, SIGTTIN);
	kill(pid, SIGCONT);
	signal_word(&words[4], 1);
	check_equal(wait_status(pid, WUNTRACED), EXITED(1),
		    "a continue takes back stops that are masked");
	pid = masked_child();
	kill(pid, SIGCONT);
	kill(pid, SIGTSTP);
	signal_word(&words[4], 1);
	check_equal(wait_status(pid, WUNTRACED), SIGTSTP << 8 | 0x7f,
		    "a stop takes back a continue");
	kill(pid, SIGCONT);
	check_equal(wait_status(pid, 0), EXITED(1), "not the next one");
	pid = masked_child();
	kill(pid, SIGSTOP);
	check_equal(wait_status(pid, WUNTRACED), SIGSTOP << 8 | 0x7f,
		    "SIGSTOP cannot be masked");
	kill(pid, SIGCONT);
	check_equal(wait_status(pid, WCONTINUED), 0xffff,
		    "a masked SIGCONT continues");
	signal_word(&words[4], 1);
	check_equal(wait_status(pid, 0), EXITED(1), "and is handled later");
}

static void
ignoring(void)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		setpgid(0, 0);
		signal(SIGTSTP, SIG_IGN);
		signal(SIGCONT, SIG_IGN);
		raise(SIGTSTP);
		raise(SIGSTOP);
		_exit(6);
	}
	check_equal(wait_status(pid, WUNTRACED), SIGSTOP << 8 | 0x7f,
		    "an ignored SIGTSTP does not stop");
	kill(pid, SIGCONT);
	check_equal(wait_status(pid, 0), EXITED(6),
		    "an ignored SIGCONT continues");
}

/* ---- Sleepers ------------------------------------------------------------------- */

static void
sleeps(void)
{
	struct timespec time = { 0, 200000000 };

	_exit(nanosleep(&time, NULL) ? 1 : 0);
}

static void
waits_on_futex(void)
{
	long result = futex_wait(&words[4], 0);

	/* A restart looks at the word once more. */
	_exit(result == 0 || result == -EAGAIN ? 0 : 1);
}

static void
waits_for_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		await_word(&words[4], 1);
		_exit(0);
	}
	_exit(waitpid(pid, NULL, 0) == pid ? 0 : 1);
}

static void
pauses(void)
{
	signal(SIGUSR1, on_cont);
	signal_word(&words[6], 1);
	for (;;)
		if (pause() == -1 && errno == EINTR && words[5])
			_exit(0);
}

static bool
has_ended(pid_t pid)
{
	siginfo_t info = { 0 };

	waitid(P_PID, pid, &info, WEXITED | WNOWAIT | WNOHANG);
	return info.si_pid == pid;
}

/* 'S': asleep, 'Z': ended, and so on. */
static char
state_of(pid_t pid)
{
	struct lodger_task_stat stat;
	char path[32], line[64] = "", *paren;
	int fd;

	if (lodger_task_stat(pid, &stat) == 0)
		return (char)stat.state;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return '?';
	(void)!read(fd, line, sizeof(line) - 1);
	close(fd);
	paren = strrchr(line, ')');
	return paren ? paren[2] : '?';
}

static void
until_asleep(pid_t pid)
{
	char state;

	do
		state = state_of(pid);
	while (state != 'S' && state != 'Z');
}

static void
sleeper(const char *what, void (*fn)(void), int wake)
{
	pid_t pid;

	words[4] = words[5] = words[6] = 0;
	pid = fork_or_die();
	if (pid == 0) {
		setpgid(0, 0);
		fn();
	}
	if (wake)
		await_word(&words[6], 1);
	for (int i = 0; i < 5; i++) {
		int status;

		until_asleep(pid);
		kill(pid, SIGSTOP);
		status = wait_status(pid, WUNTRACED);
		if (status != (SIGSTOP << 8 | 0x7f)) {
			check_equal(status, EXITED(0), what);
			return; /* it was not so slow */
		}
		kill(pid, SIGCONT);
	}
	words[4] = 1;
	while (!has_ended(pid)) {
		futex_wake(&words[4], 1);
		if (wake)
			kill(pid, SIGUSR1);
		sched_yield();
	}
	check_equal(wait_status(pid, 0), EXITED(0), what);
}

/* ---- waitid ---------------------------------------------------------------------- */

static void
by_waitid(void)
{
	siginfo_t info;
	pid_t pid = counting(0);

	memset(&info, 0xff, sizeof(info));
	show_expect("waitid, nothing yet",
		    waitid(P_PID, pid, &info, WEXITED | WNOHANG), 0);
	check(info.si_pid == 0 && info.si_signo == 0, "says so");
	kill(pid, SIGSTOP);
	for (int i = 0; i < 2; i++) {
		waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT);
		check(info.si_pid == pid && info.si_code == CLD_STOPPED &&
		      info.si_status == SIGSTOP && info.si_signo == SIGCHLD,
		      "a stop, which WNOWAIT leaves");
	}
	waitid(P_ALL, 0, &info, WSTOPPED);
	check(info.si_pid == pid, "and one without it takes");
	kill(pid, SIGCONT);
	waitid(P_PGID, pid, &info, WCONTINUED);
	check(info.si_pid == pid && info.si_code == CLD_CONTINUED &&
	      info.si_status == SIGCONT, "a continue");
	kill(pid, SIGKILL);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	check(info.si_code == CLD_KILLED && info.si_status == SIGKILL,
	      "an end by a signal");
	check_equal(status_of(pid), KILLED(SIGKILL), "still there");
	pid = fork_or_die();
	if (pid == 0)
		_exit(77);
	waitid(P_PID, pid, &info, WEXITED);
	check(info.si_code == CLD_EXITED && info.si_status == 77, "an exit");
	show_expect("then there is no child",
		    waitid(P_PID, pid, &info, WEXITED) ? -errno : 0, -ECHILD);
	show_expect("waitid for nothing at all",
		    waitid(P_ALL, 0, &info, WNOHANG) ? -errno : 0, -EINVAL);
	show_expect("with unknown options",
		    waitid(P_ALL, 0, &info, WEXITED | 0x100) ? -errno : 0,
		    -EINVAL);
	show_expect("of an unknown kind",
		    waitid(77, 0, &info, WEXITED) ? -errno : 0, -EINVAL);
}

/* ---- Orphaned groups -------------------------------------------------- */

static void
count_signal(int signal)
{
	words[signal]++;
}

enum { READY = 40, OVER = 41, NOTHING = 42 };

/* A member of a group of its own: stops, if it @stops, and is left alone. */
static void __attribute__((noreturn))
left_alone(bool stops)
{
	setpgid(0, 0);
	signal(SIGHUP, count_signal);
	signal(SIGCONT, count_signal);
	signal_word(&words[READY], 1);
	if (stops)
		raise(SIGSTOP);
	else
		await_word(&words[NOTHING], 1);
	raise(SIGTSTP); /* nobody could continue it */
	raise(SIGTTIN);
	raise(SIGTTOU);
	signal_word(&words[OVER], 1);
	_exit(0);
}

/* Its parent, which ends when the other has stopped, or is ready. */
static void __attribute__((noreturn))
leave_alone(bool stops)
{
	pid_t pid = fork_or_die();

	if (pid == 0)
		left_alone(stops);
	await_word(&words[READY], 1);
	if (stops)
		wait_status(pid, WUNTRACED);
	_exit(0);
}

static void
orphaned(bool stops)
{
	pid_t pid;

	words[SIGHUP] = words[SIGCONT] = words[READY] = words[OVER] = 0;
	words[NOTHING] = 0;
	pid = fork_or_die();
	if (pid == 0)
		leave_alone(stops);
	check_equal(wait_status(pid, 0), EXITED(0), "a group is left alone");
	signal_word(&words[NOTHING], 1);
	await_word(&words[OVER], 1);
	check_equal(words[SIGHUP], stops, "SIGHUP, if it had stopped");
	check_equal(words[SIGCONT], stops, "and SIGCONT");
}

/* Until it has used so much of a CPU. */
static void
work(long ns)
{
	struct timespec used = { 0, 0 };

	while (used.tv_sec == 0 && used.tv_nsec < ns)
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
}

/* A child that has worked a while: SIGCHLD says how long, in hundredths. */
static void
time_is_told(void)
{
	enum { HUNDREDTHS = 30 };
	long told;
	pid_t pid;

	catch_chld(0);
	pid = fork_or_die();
	if (pid == 0) {
		work(HUNDREDTHS * 10000000l);
		_exit(3);
	}
	while (!chld_calls)
		sched_yield();
	told = chld.si_utime + chld.si_stime;
	/* The end comes on top. Linux in a busy virtual machine counts less. */
	check(told >= (on_lodger() ? HUNDREDTHS : 1) && told < 2 * HUNDREDTHS,
	      "SIGCHLD tells the time used");
	check_equal(chld.si_status, 3, "and the status");
	check_equal(wait_status(pid, 0), EXITED(3), "as wait4 does");
}

int
main(void)
{
	begin();
	words = shared_memory(PAGE);
	stops(SIGSTOP, 0);
	stops(SIGSTOP, 3);
	stops(SIGTSTP, 1);
	stops(SIGTTIN, 0);
	stops(SIGTTOU, 0);
	unasked();
	one_is_late();
	told_by_signal();
	nobody_waits();
	cancelling();
	ignoring();
	sleeper("nanosleep is not disturbed by a stop", sleeps, 0);
	sleeper("nor is a futex", waits_on_futex, 0);
	sleeper("nor is wait4", waits_for_child, 0);
	sleeper("pause waits on", pauses, 1);
	by_waitid();
	orphaned(true);
	orphaned(false);
	time_is_told();
	return end();
}
