/* Whom signals reach, and what is said of who sent them. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int got, code, from, by;

static void
catch(int sig, siginfo_t *info, void *context)
{
	(void)context;
	got = sig;
	code = info->si_code;
	from = info->si_pid;
	by = gettid();
}

static const char *
who(int pid)
{
	return pid == 0 ? "nobody" : pid == getpid() ? "myself"
	       : pid == getppid() ? "my parent" : "a stranger";
}

static void
tell(const char *what)
{
	printf("%s: signal %d, code %d, from %s, by %s\n", what, got, code,
	       who(from), by == getpid() ? "the first thread"
		       : by ? "another" : "none");
	fflush(stdout);
	got = code = from = by = 0;
}

static void
catch_all(void)
{
	struct sigaction action = { .sa_sigaction = catch,
				    .sa_flags = SA_SIGINFO };

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGPIPE, &action, NULL);
}

/* ---- Groups ----------------------------------------------------------- */

/* A child in a group of its own, which hears what its parent tells it. */
static void
group(void)
{
	sigset_t one, old;
	int status;
	pid_t child;

	kill(0, SIGUSR1);
	tell("my own group");
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	sigprocmask(SIG_BLOCK, &one, &old);
	child = fork();
	if (child == 0) {
		sigdelset(&old, SIGUSR1);
		sigsuspend(&old);
		tell("another's group");
		_exit(0);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	setpgid(child, child);
	kill(-child, SIGUSR1);
	waitid(P_PID, child, NULL, WEXITED | WNOWAIT);
	printf("a group that nobody has waited for: %d\n", kill(-child, 0));
	waitpid(child, &status, 0);
	printf("status %d, then %d, %s\n", status, kill(-child, 0),
	       strerror(errno));
	fflush(stdout);
}

/* ---- One thread alone ------------------------------------------------- */

static int fds[2];

static void *
write_to_nobody(void *arg)
{
	sigset_t one;

	(void)arg;
	sigemptyset(&one);
	sigaddset(&one, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &one, NULL);
	printf("write: %zd, %s\n", write(fds[1], "x", 1), strerror(errno));
	sigpending(&one);
	printf("pending for who wrote: %d\n", sigismember(&one, SIGPIPE));
	fflush(stdout);
	return NULL;
}

static void
broken_pipe(void)
{
	pthread_t thread;

	if (pipe(fds) != 0)
		return;
	close(fds[0]);
	write(fds[1], "x", 1);
	tell("a broken pipe");
	pthread_create(&thread, NULL, write_to_nobody, NULL);
	pthread_join(thread, NULL);
	tell("another thread's");
}

static void
alarm_clock(void)
{
	struct itimerval soon = { .it_value = { 0, 1000 } };

	setitimer(ITIMER_REAL, &soon, NULL);
	while (!got)
		pause();
	tell("an alarm");
}

int
main(void)
{
	setpgid(0, 0);
	catch_all();
	group();
	broken_pipe();
	alarm_clock();
	return 0;
}
