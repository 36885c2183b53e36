// linux-oracle
/* exec: a program that execs itself again and again, carrying its state in
 * arguments and environment; what is kept and what is not. */
#include "tests/user/check.h"

#include <pthread.h>
#include <sys/auxv.h>

enum { ROUNDS = 100 };

static int in_data = 1; /* every new image starts with 1 again */
static char in_bss[3 * 4096];

static char *
self(void)
{
	return (char *)getauxval(AT_EXECFN);
}

static void
exec_self(const char *mode, int round, char **env)
{
	char number[16];
	char *args[] = { self(), (char *)mode, number, NULL };

	snprintf(number, sizeof(number), "%d", round);
	execve(args[0], args, env);
	_exit(100);
}

/* Exits with 0 after ROUNDS execs, each of which found a fresh image. */
static int
next_round(int round)
{
	char *env[] = { "LODGER_TEST=kept", NULL };

	if (in_data != 1 || in_bss[0] != 0 || in_bss[8192] != 0)
		return 1;
	if (round > 0 && strcmp(getenv("LODGER_TEST"), "kept") != 0)
		return 2;
	in_data = 2;
	memset(in_bss, 1, sizeof(in_bss));
	if (round == ROUNDS)
		return 0;
	exec_self("round", round + 1, env);
	return 3;
}

static void
rounds(void *arg)
{
	(void)arg;
	_exit(next_round(0));
}

/* The pid stays; the children stay. */
static void
keeps_pid(void *arg)
{
	(void)arg;
	if (fork_or_die() == 0)
		_exit(9);
	exec_self("pid", getpid(), environ);
}

static void *
spin(void *arg)
{
	for (;;)
		*(volatile int *)arg = 1;
	return NULL;
}

static void *
exec_from_thread(void *arg)
{
	exec_self("pid-alone", *(int *)arg, environ);
	return NULL;
}

/* exec by a thread that is not the first one ends all others, and the
 * program goes on under the first one's pid. */
static void
threads_exec(void *arg)
{
	static int word, pid;
	pthread_t thread;

	(void)arg;
	pid = getpid();
	for (int i = 0; i < 5; i++)
		pthread_create(&thread, NULL, spin, &word);
	pthread_create(&thread, NULL, exec_from_thread, &pid);
	for (;;)
		sched_yield();
}

/* 100 KiB of arguments and environment arrive whole. */
static void
big_arguments(void *arg)
{
	enum { N = 25, SIZE = 4096 };
	static char text[N][SIZE];
	char *args[N + 3] = { self(), "big" };

	(void)arg;
	for (int i = 0; i < N; i++) {
		memset(text[i], 'a' + i, SIZE - 1);
		args[i + 2] = text[i];
	}
	execve(args[0], args, environ);
	_exit(100);
}

static int
check_big(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		if (strlen(argv[i]) != 4095)
			return 1;
		for (char *c = argv[i]; *c; c++)
			if (*c != 'a' + i - 2)
				return 2;
	}
	return argc == 27 ? 0 : 3;
}

static int
child_main(int argc, char **argv)
{
	int number = argc > 2 ? atoi(argv[2]) : 0, status;

	if (strcmp(argv[1], "round") == 0)
		return next_round(number);
	if (strcmp(argv[1], "pid") == 0)
		return getpid() == number && wait(&status) > 0 &&
				       WEXITSTATUS(status) == 9 ? 0 : 1;
	if (strcmp(argv[1], "pid-alone") == 0)
		return getpid() == number &&
				       syscall(SYS_gettid) == number ? 0 : 1;
	if (strcmp(argv[1], "big") == 0)
		return check_big(argc, argv);
	return 50;
}

static long
try_exec(const char *path, char **args)
{
	return execve(path, args, environ) < 0 ? -errno : 0;
}

static void
errors(void)
{
	char *args[] = { "x", NULL };

	show_expect("exec of a missing file", try_exec("/no/such", args),
		    -ENOENT);
	show_expect("exec of an empty path", try_exec("", args), -ENOENT);
	show_expect("exec with a bad path",
		    syscall3(SYS_execve, 1, (long)args, 0), -EFAULT);
	show_expect("exec with bad arguments",
		    syscall3(SYS_execve, (long)self(), 1, 0), -EFAULT);
	show_expect("exec with a bad environment",
		    syscall3(SYS_execve, (long)self(), (long)args, 1),
		    -EFAULT);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		return child_main(argc, argv);
	begin();
	check_child("100 execs in a row", rounds, NULL, EXITED(0));
	check_child("exec keeps pid and children", keeps_pid, NULL, EXITED(0));
	check_child("exec by a thread ends the others", threads_exec, NULL,
		    EXITED(0));
	check_child("100 KiB of arguments", big_arguments, NULL, EXITED(0));
	errors();
	return end();
}
