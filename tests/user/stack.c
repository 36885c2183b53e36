// linux-oracle
/* The stack grows as it is used, by user mode and by the kernel's writes, and
 * ends in a guard. */
#include "tests/user/check.h"

#include <alloca.h>
#include <pthread.h>

static int __attribute__((noinline))
recurse(int depth)
{
	volatile char frame[1024];

	frame[0] = depth;
	frame[1023] = depth;
	if (depth == 0)
		return 0;
	return recurse(depth - 1) + (frame[0] == (char)depth);
}

static void
endless(void *arg)
{
	for (int depth = 1000;; depth *= 2)
		*(volatile int *)arg += recurse(depth);
}

/* One touch far below everything touched so far. */
static void
big_frame(void *arg)
{
	volatile char *frame = alloca(*(int *)arg);

	frame[0] = 1;
	_exit(frame[0] == 1 ? 0 : 1);
}

static void
kernel_writes(void *arg)
{
	struct timespec *low = alloca(512 * 1024);

	(void)arg;
	_exit(syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)low, 0) == 0 &&
			      low->tv_nsec >= 0 ? 0 : 1);
}

static void
below_the_limit(void *arg)
{
	int here;

	(void)arg;
	*(volatile char *)((uintptr_t)&here - (64ul << 20)) = 1;
}

static void
executes_stack(void *arg)
{
	volatile unsigned char code[16] = { 0xc3 };

	(void)arg;
	((void (*)(void))code)();
}

static void *
overflow_thread(void *arg)
{
	endless(arg);
	return NULL;
}

static void
thread_overflows(void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	pthread_attr_setguardsize(&attr, PAGE);
	pthread_create(&thread, &attr, overflow_thread, arg);
	pthread_join(thread, NULL);
}

static void
grown_stack_is_copied(void *arg)
{
	char *area = alloca(256 * 1024);

	(void)arg;
	memset(area, 7, 256 * 1024);
	if (fork_or_die() == 0) {
		for (int i = 0; i < 256 * 1024; i++)
			if (area[i] != 7)
				_exit(1);
		memset(area, 8, 256 * 1024);
		_exit(0);
	}
	if (wait(NULL) < 0 || area[0] != 7 || area[256 * 1024 - 1] != 7)
		_exit(2);
}

int
main(void)
{
	int size = 1 << 20, sum = 0;

	begin();
	check_equal(recurse(4000), 4000, "four megabytes of recursion");
	check_child("a frame of one megabyte", big_frame, &size, EXITED(0));
	size = 6 << 20;
	check_child("a frame of six megabytes", big_frame, &size, EXITED(0));
	check_child("the kernel writes far below", kernel_writes, NULL,
		    EXITED(0));
	check_child("fork copies a grown stack", grown_stack_is_copied, NULL,
		    EXITED(0));
	check_child("endless recursion", endless, &sum, KILLED(SIGSEGV));
	check_child("a touch below the limit", below_the_limit, NULL,
		    KILLED(SIGSEGV));
	check_child("a thread that leaves its stack", thread_overflows, &sum,
		    KILLED(SIGSEGV));
	check_child("code on the stack", executes_stack, NULL,
		    KILLED(SIGSEGV));
	return end();
}
