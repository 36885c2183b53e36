// linux-oracle
/* Every call that takes an address is given bad ones: 8, an address in the
 * kernel half, a non-canonical one, one whose second half is not mapped. The
 * answer is EFAULT, and the system goes on. */
#include "tests/user/check.h"

#include <sys/auxv.h>
#include <sys/uio.h>

static unsigned long border; /* the last byte of a page before a hole */
static struct timespec soon = { 0, 1000 };
static unsigned long room[16];
static int word;

/* One call, and which of its arguments is replaced by a bad pointer. */
struct call {
	const char *name;
	long nr;
	int bad; /* index of that argument */
	long args[6];
	bool no_half; /* the object is one byte, or may be written in part */
};

static long
make(const struct call *call, unsigned long pointer)
{
	long args[6];

	memcpy(args, call->args, sizeof(args));
	args[call->bad] = pointer;
	return syscall6(call->nr, args[0], args[1], args[2], args[3], args[4],
			args[5]);
}

static void
try_all_pointers(const struct call *call)
{
	static const struct {
		const char *name;
		unsigned long address;
	} pointers[] = {
		{ "8", 8 },
		{ "a kernel address", 0xffffffff80000000 },
		{ "the kernel half's start", 0xffff800000000000 },
		{ "a non-canonical address", 0x8000000000000000 },
		{ "the last address", 0xffffffffffffffff },
	};

	printf("%s:\n", call->name);
	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++)
		show_expect(pointers[i].name,
			    make(call, pointers[i].address), -EFAULT);
	if (!call->no_half)
		show_expect("half of it mapped", make(call, border), -EFAULT);
}

static void
system_calls(void)
{
	const struct call calls[] = {
		{ "write", SYS_write, 1, { 1, 0, 16 }, true },
		{ "writev, the vector", SYS_writev, 1, { 1, 0, 1 }, false },
		{ "nanosleep", SYS_nanosleep, 0, { 0 }, false },
		{ "clock_nanosleep", SYS_clock_nanosleep, 2,
		  { CLOCK_MONOTONIC, 0, 0, 0 }, false },
		{ "clock_gettime", SYS_clock_gettime, 1,
		  { CLOCK_MONOTONIC }, false },
		{ "clock_gettime, wall clock", SYS_clock_gettime, 1,
		  { CLOCK_REALTIME }, false },
		{ "sched_setaffinity", SYS_sched_setaffinity, 2,
		  { 0, 8, 0 }, false },
		{ "sched_getaffinity", SYS_sched_getaffinity, 2,
		  { 0, 128, 0 }, false },
		{ "rt_sigprocmask, new", SYS_rt_sigprocmask, 1,
		  { SIG_BLOCK, 0, 0, 8 }, false },
		{ "rt_sigprocmask, old", SYS_rt_sigprocmask, 2,
		  { SIG_BLOCK, 0, 0, 8 }, false },
		{ "get_robust_list, head", SYS_get_robust_list, 1,
		  { 0, 0, (long)room }, false },
		{ "get_robust_list, length", SYS_get_robust_list, 2,
		  { 0, (long)room, 0 }, false },
		{ "arch_prctl, get", SYS_arch_prctl, 1, { 0x1003 }, false },
		{ "getrandom", SYS_getrandom, 0, { 0, 16, 0 }, true },
		{ "execve, arguments", SYS_execve, 1,
		  { getauxval(AT_EXECFN), 0, 0 }, true },
		{ "futex wait, timeout", SYS_FUTEX_NR, 3,
		  { (long)&word, FUTEX_WAIT, 0 }, false },
		{ "futex wait", SYS_FUTEX_NR, 0,
		  { 0, FUTEX_WAIT, 0, (long)&soon }, true },
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		/* A futex word must be aligned: no error of another kind. */
		if (calls[i].nr == SYS_FUTEX_NR && calls[i].bad == 0) {
			printf("%s:\n", calls[i].name);
			show_expect("8", make(&calls[i], 8), -EFAULT);
			show_expect("a kernel address",
				    make(&calls[i], 0xffffffff80000000),
				    -EFAULT);
			show_expect("the border",
				    make(&calls[i], border + 1), -EFAULT);
			continue;
		}
		try_all_pointers(&calls[i]);
	}
}

static void
empty_lengths(void)
{
	show_expect("write of nothing, from a kernel address",
		    syscall3(SYS_write, 1, (long)0xffffffff80000000, 0),
		    -EFAULT);
	show_expect("write to a descriptor that is not open",
		    syscall3(SYS_write, 77, (long)room, 1), -EBADF);
	show_expect("writev with a negative count",
		    syscall3(SYS_writev, 1, (long)room, -1), -EINVAL);
	show_expect("writev with too many",
		    syscall3(SYS_writev, 1, (long)room, 1025), -EINVAL);
	show_expect("getrandom with unknown flags",
		    syscall3(SYS_getrandom, (long)room, 8, 0x1000), -EINVAL);
	show_expect("getrandom of nothing",
		    syscall3(SYS_getrandom, (long)room, 0, 0), 0);
}

static void
inside_writev(void)
{
	struct iovec bad[2] = { { (void *)8, 5 }, { "abc", 3 } };
	struct iovec huge[2] = { { "a", 1 }, { "b", -1 } };

	show_expect("writev of a bad piece",
		    syscall3(SYS_writev, 1, (long)bad, 2), -EFAULT);
	show_expect("writev of a negative length",
		    syscall3(SYS_writev, 1, (long)huge, 2), -EINVAL);
}

/* The child's words: a bad address there does not stop the clone. */
static int
child(void *arg)
{
	(void)arg;
	return 5;
}

static void
clone_words(void)
{
	char *stack = private_memory(65536);
	pid_t pid = clone(child, stack + 65536, CLONE_CHILD_SETTID | SIGCHLD,
			  NULL, NULL, NULL, (void *)8);

	check_equal(status_of(pid), EXITED(5),
		    "CLONE_CHILD_SETTID at a bad address");
	pid = clone(child, stack + 65536, CLONE_VM | CLONE_CHILD_CLEARTID |
		    SIGCHLD, NULL, NULL, NULL, (void *)8);
	check_equal(status_of(pid), EXITED(5),
		    "CLONE_CHILD_CLEARTID at a bad address");
}

/* wait4 takes the child even when it cannot tell its status. */
static void
wait_status(void)
{
	static const unsigned long bad[] = { 8, 0xffffffff80000000,
					     0x8000000000000000 };

	for (size_t i = 0; i < 3; i++) {
		pid_t pid = fork_or_die();

		if (pid == 0)
			_exit(0);
		show_expect("wait4 to a bad address",
			    syscall6(SYS_wait4, pid, bad[i], 0, 0, 0, 0),
			    -EFAULT);
	}
}

int
main(void)
{
	unsigned long pages = (unsigned long)private_memory(2 * PAGE);

	begin();
	munmap((void *)(pages + PAGE), PAGE);
	memset((void *)pages, 0, PAGE);
	border = pages + PAGE - 1;
	system_calls();
	empty_lengths();
	inside_writev();
	clone_words();
	wait_status();
	return end();
}
