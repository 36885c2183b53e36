/* Threads that share descriptors and a working directory, talk through pipes,
 * and are interrupted in them. Prints what must be the same everywhere. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 500 };

static int there[2], back[2];

/* ---- Many threads, one pipe ----------------------------------------- */

static void *
write_many(void *arg)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "thread %ld says it\n", (long)arg);

	for (int i = 0; i < ROUNDS; i++)
		if (write(there[1], line, n) != n)
			exit(3);
	return NULL;
}

/* Lines stay whole. */
static void
atomic_lines(void)
{
	pthread_t threads[THREADS];
	int counts[THREADS] = { 0 };
	char line[64];
	long number;
	FILE *in;

	if (pipe(there))
		exit(3);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, write_many, (void *)i);
	in = fdopen(there[0], "r");
	for (int i = 0; i < THREADS * ROUNDS; i++) {
		if (!fgets(line, sizeof(line), in) ||
		    sscanf(line, "thread %ld says it", &number) != 1)
			exit(3);
		counts[number]++;
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		printf("thread %d wrote %d lines\n", i, counts[i]);
	}
	close(there[1]);
	printf("then %s\n", fgets(line, sizeof(line), in) ? "more" : "the end");
	fclose(in);
}

/* ---- Ping and pong -------------------------------------------------- */

static void *
answer(void *arg)
{
	char c;

	(void)arg;
	while (read(there[0], &c, 1) == 1)
		if (write(back[1], &c, 1) != 1)
			exit(3);
	return NULL;
}

static void
ping_pong(void)
{
	pthread_t thread;
	char c = 'x';
	int sum = 0;

	if (pipe(there) || pipe(back))
		exit(3);
	pthread_create(&thread, NULL, answer, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		c = (char)i;
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			exit(3);
		sum += (unsigned char)c;
	}
	close(there[1]);
	pthread_join(thread, NULL);
	printf("ping pong %d\n", sum);
}

/* ---- Signals in calls ----------------------------------------------- */

static volatile sig_atomic_t caught;
static int answers = -1; /* where the handler writes what is waited for */

static void
catch(int sig)
{
	caught = sig;
	if (answers >= 0 && write(answers, "y", 1) != 1)
		exit(3);
}

/* The alarm rings until it has found the call. */
static void
interrupted(int flags, const char *how)
{
	struct sigaction action = { .sa_handler = catch, .sa_flags = flags };
	struct itimerval beat = { { 0, 50000 }, { 0, 50000 } }, none = { 0 };
	char c;
	ssize_t n;
	int fds[2];

	sigaction(SIGALRM, &action, NULL);
	if (pipe(fds))
		exit(3);
	answers = flags & SA_RESTART ? fds[1] : -1;
	caught = 0;
	setitimer(ITIMER_REAL, &beat, NULL);
	n = read(fds[0], &c, 1);
	printf("%s: read %zd, %s, signal %d\n", how, n,
	       n < 0 ? strerror(errno) : "no error", caught);
	setitimer(ITIMER_REAL, &none, NULL);
	answers = -1;
	close(fds[0]);
	close(fds[1]);
}

/* A signal that only the call's own mask lets in ends it, and no other. */
static void
masks(void)
{
	struct sigaction action = { .sa_handler = catch };
	struct timespec second = { 1, 0 }, none = { 0, 0 };
	sigset_t all, empty, now;
	int result;

	sigfillset(&all);
	sigemptyset(&empty);
	sigaction(SIGUSR1, &action, NULL);
	sigprocmask(SIG_BLOCK, &all, NULL);
	caught = 0;
	result = ppoll(NULL, 0, &none, &empty);
	sigprocmask(SIG_SETMASK, NULL, &now);
	printf("ppoll that times out: %d, masked again: %d\n", result,
	       sigismember(&now, SIGUSR1));
	raise(SIGUSR1);
	result = ppoll(NULL, 0, &none, &all);
	printf("ppoll all masked: %d, signal %d\n", result, caught);
	result = ppoll(NULL, 0, &second, &empty);
	printf("ppoll: %d, %s, signal %d\n", result, strerror(errno), caught);
	caught = 0;
	raise(SIGUSR1);
	result = pselect(0, NULL, NULL, NULL, &second, &empty);
	printf("pselect: %d, %s, signal %d\n", result, strerror(errno), caught);
	sigprocmask(SIG_SETMASK, NULL, &now);
	printf("masked again: %d\n", sigismember(&now, SIGUSR1));
	sigprocmask(SIG_SETMASK, &empty, NULL);
}

/* ---- What threads share --------------------------------------------- */

static void *
change(void *arg)
{
	(void)arg;
	return (void *)(long)(chdir("/") + dup2(1, 77));
}

static void
shared(void)
{
	pthread_t thread;
	void *result;
	char cwd[64];

	pthread_create(&thread, NULL, change, NULL);
	pthread_join(thread, &result);
	printf("changed %ld, cwd %s, dup %d\n", (long)result,
	       getcwd(cwd, sizeof(cwd)), fcntl(77, F_GETFD));
}

static void *
wait_for_ever(void *arg)
{
	char c;

	(void)arg;
	return (void *)read(there[0], &c, 1);
}

static void
others_wait(void)
{
	pthread_t thread;

	if (pipe(there))
		exit(3);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread, NULL, wait_for_ever, NULL);
	usleep(20000);
}

/* exec from one thread, while others wait in the server. */
static void
exec_among_threads(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		others_wait();
		execl("/proc/self/exe", "threads", "again", NULL);
		_exit(9);
	}
	waitpid(child, &status, 0);
	printf("exec among threads: %d\n", status);
	child = fork();
	if (child == 0) {
		others_wait();
		exit(4);
	}
	waitpid(child, &status, 0);
	printf("exit among threads: %d\n", status);
}

/* ---- The first thread ends before the others -------------------------- */

static volatile int leader_lives = 1; /* the kernel makes it 0 */

static void *
rings_without_it(void *arg)
{
	struct itimerval soon = { .it_value.tv_usec = 50000 };
	sigset_t alarm;
	int signal;

	(void)arg;
	while (leader_lives)
		usleep(1000);
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	setitimer(ITIMER_REAL, &soon, NULL);
	sigwait(&alarm, &signal);
	printf("an alarm rings without the first thread: %d\n", signal);
	exit(6);
}

static void
leader_ends(void)
{
	pid_t child = fork();
	pthread_t other;
	sigset_t alarm;
	int status;

	if (child == 0) {
		sigemptyset(&alarm);
		sigaddset(&alarm, SIGALRM);
		sigprocmask(SIG_BLOCK, &alarm, NULL);
		pthread_create(&other, NULL, rings_without_it, NULL);
		syscall(SYS_set_tid_address, &leader_lives);
		syscall(SYS_exit, 0);
	}
	waitpid(child, &status, 0);
	printf("and ended with %d\n", WEXITSTATUS(status));
}

int
main(int argc, char **argv)
{
	(void)argv;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1) {
		puts("here again");
		return 5;
	}
	atomic_lines();
	ping_pong();
	interrupted(0, "without SA_RESTART");
	interrupted(SA_RESTART, "with SA_RESTART");
	masks();
	shared();
	leader_ends();
	exec_among_threads();
	return 0;
}
