/*
 * How a user test speaks. A test whose first line says `linux-oracle` prints
 * the same text on Linux and on Lodger between begin() and end(): no pids, no
 * addresses, no times. Each line says what was tried and what came of it;
 * check() also judges, so that a test means something on its own.
 */
#pragma once

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/include/futex.h"
#include "user/include/madvise.h"
#include "user/include/syscall_inline.h"

#define PAGE 4096ul

static int wrong_results;

/* Line by line, so that a fork does not print a buffer twice. */
static inline void
begin(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("--- begin");
}

/* For main's last line: `return end();` */
static inline int
end(void)
{
	puts("--- end");
	return wrong_results ? 1 : 0;
}

/* One sentence about behaviour, true or not. */
static inline void
check(bool ok, const char *sentence)
{
	printf("%s: %s\n", ok ? "ok" : "WRONG", sentence);
	wrong_results += !ok;
}

static inline void
check_equal(long seen, long expected, const char *sentence)
{
	if (seen == expected) {
		check(true, sentence);
		return;
	}
	printf("WRONG: %s: expected %ld, seen %ld\n", sentence, expected, seen);
	wrong_results++;
}

static inline const char *
error_name(long error)
{
	static const struct {
		int error;
		const char *name;
	} names[] = {
		{ EPERM, "EPERM" },	  { ESRCH, "ESRCH" },
		{ EINTR, "EINTR" },	  { EIO, "EIO" },
		{ E2BIG, "E2BIG" },	  { ENOEXEC, "ENOEXEC" },
		{ EBADF, "EBADF" },	  { ECHILD, "ECHILD" },
		{ EAGAIN, "EAGAIN" },	  { ENOMEM, "ENOMEM" },
		{ EACCES, "EACCES" },	  { EFAULT, "EFAULT" },
		{ EBUSY, "EBUSY" },	  { EEXIST, "EEXIST" },
		{ ENOENT, "ENOENT" },	  { ENOTDIR, "ENOTDIR" },
		{ EINVAL, "EINVAL" },	  { ENOTTY, "ENOTTY" },
		{ ENAMETOOLONG, "ENAMETOOLONG" }, { ENOSYS, "ENOSYS" },
		{ ETIMEDOUT, "ETIMEDOUT" }, { EOVERFLOW, "EOVERFLOW" },
		{ EDEADLK, "EDEADLK" },	  { EPIPE, "EPIPE" },
		{ EMFILE, "EMFILE" },	  { EMSGSIZE, "EMSGSIZE" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].error == error)
			return names[i].name;
	return NULL;
}

/* A raw result: 0 or more as a number, an error by its name. */
static inline void
show(const char *what, long result)
{
	const char *name = result < 0 ? error_name(-result) : NULL;

	if (name)
		printf("%s: %s\n", what, name);
	else
		printf("%s: %ld\n", what, result);
}

/* The same judged: @expected is a value or a negative errno. */
static inline void
show_expect(const char *what, long result, long expected)
{
	show(what, result);
	if (result == expected)
		return;
	printf("WRONG: expected %ld, seen %ld\n", expected, result);
	wrong_results++;
}

/* For results that are an address or some other value that differs. */
static inline void
show_error_or_ok(const char *what, long result, long expected)
{
	show_expect(what, result < 0 && result > -4096 ? result : 0, expected);
}

static inline void
show_status(const char *what, int status)
{
	if (WIFEXITED(status))
		printf("%s: exits with %d\n", what, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		printf("%s: dies of signal %d\n", what, WTERMSIG(status));
	else
		printf("%s: status %#x\n", what, status);
}

/* Memory that stays shared after fork. */
static inline void *
shared_memory(size_t size)
{
	void *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED) {
		perror("shared_memory");
		exit(2);
	}
	return area;
}

static inline void *
private_memory(size_t size)
{
	void *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED) {
		perror("private_memory");
		exit(2);
	}
	return area;
}

static inline pid_t
fork_or_die(void)
{
	pid_t pid = fork();

	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	return pid;
}

static inline int
status_of(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* Runs @fn in a child process and returns the child's wait status. A child
 * whose @fn returns exits with 0. */
static inline int
in_child(void (*fn)(void *), void *arg)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		fn(arg);
		_exit(0);
	}
	return status_of(pid);
}

static inline void
check_child(const char *what, void (*fn)(void *), void *arg, int status)
{
	int seen = in_child(fn, arg);

	show_status(what, seen);
	if (seen == status)
		return;
	printf("WRONG: expected status %#x, seen %#x\n", status, seen);
	wrong_results++;
}

/* What wait says of a child that exited, or was killed. */
#define EXITED(code) ((code) << 8)
#define KILLED(sig)  (sig)

/* A word that one task raises and others wait for. */
static inline void
signal_word(_Atomic int *word, int value)
{
	*word = value;
	futex_wake(word, 1 << 30);
}

static inline void
await_word(_Atomic int *word, int value)
{
	int seen;

	while ((seen = *word) < value)
		futex_wait(word, seen);
}
