// cpus=2
/* What task_stat says of signals, groups and stops. */
#include "tests/user/check.h"

#include <pthread.h>

#include "user/include/lodger.h"

#define BIT(signal) (1ul << ((signal) - 1))

static _Atomic int *words;

static struct lodger_task_stat
stat_of(int tid)
{
	struct lodger_task_stat stat;

	memset(&stat, 0, sizeof(stat));
	lodger_task_stat(tid, &stat);
	return stat;
}

static void
nothing(int signal)
{
	(void)signal;
}

static void
myself(void)
{
	struct lodger_task_stat stat = stat_of(0);
	sigset_t set;

	check_equal((long)stat.sig_caught, 0, "at first nothing is caught");
	signal(SIGUSR1, nothing);
	signal(SIGTERM, nothing);
	signal(SIGINT, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	kill(getpid(), SIGALRM);
	stat = stat_of(0);
	check_equal((long)stat.sig_caught, (long)(BIT(SIGUSR1) | BIT(SIGTERM)),
		    "handlers are seen");
	check_equal((long)stat.sig_ignored, (long)BIT(SIGINT),
		    "what is ignored, too");
	check_equal((long)stat.sig_blocked,
		    (long)(BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(SIGALRM)),
		    "the mask");
	check_equal((long)stat.sig_pending, (long)(BIT(SIGUSR1) | BIT(SIGALRM)),
		    "what is pending, for task or process");
	check_equal(stat.pgid, getpgid(0), "the group");
	check_equal(stat.sid, getsid(0), "the session");
	check_equal(stat.nr_threads, 1, "one thread");
	check(stat.start_ns > 0, "that began some time");
	signal(SIGALRM, SIG_IGN);
	check_equal((long)stat_of(0).sig_pending, (long)BIT(SIGUSR1),
		    "what is ignored is no longer pending");
}

static void *__attribute__((noreturn))
rest(void *unused)
{
	(void)unused;
	words[1] = (int)syscall(SYS_gettid);
	signal_word(&words[0], 1);
	for (;;)
		pause();
}

static void
stopped(void)
{
	struct lodger_task_stat stat;
	pid_t pid = fork_or_die();
	int tid;

	if (pid == 0) {
		pthread_t thread;

		setsid();
		pthread_create(&thread, NULL, rest, NULL);
		for (;;)
			pause();
	}
	await_word(&words[0], 1);
	tid = words[1];
	stat = stat_of(tid);
	check(stat.pid == pid && stat.pgid == pid && stat.sid == pid,
	      "a thread's group and session");
	check_equal(stat.nr_threads, 2, "and how many they are");
	check(stat_of(0).start_ns < stat.start_ns, "younger than we");
	kill(pid, SIGSTOP);
	waitpid(pid, NULL, WUNTRACED);
	check(stat_of(tid).state == 'T' && stat_of(pid).state == 'T',
	      "both threads have stopped");
	kill(pid, SIGHUP);
	check_equal((long)stat_of(pid).sig_pending, (long)BIT(SIGHUP),
		    "SIGHUP waits");
	kill(pid, SIGCONT);
	while (stat_of(pid).state != 'Z')
		sched_yield();
	check_equal(stat_of(pid).pgid, pid, "a zombie has its group");
	check_equal(status_of(pid), KILLED(SIGHUP), "until it is waited for");
}

int
main(void)
{
	lodger_or_skip();
	begin();
	words = shared_memory(PAGE);
	myself();
	stopped();
	return end();
}
