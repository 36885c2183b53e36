// linux-oracle
/* The bases of fs and gs: set, read, kept across switches, copied by fork. */
#include "tests/user/check.h"

enum {
	ARCH_SET_GS = 0x1001,
	ARCH_SET_FS = 0x1002,
	ARCH_GET_FS = 0x1003,
	ARCH_GET_GS = 0x1004,
};

static long
prctl_arch(int code, unsigned long value)
{
	return syscall3(SYS_arch_prctl, code, value, 0);
}

static uint64_t
read_gs(void)
{
	uint64_t value;

	__asm__ volatile("mov %%gs:8, %0" : "=r"(value));
	return value;
}

static uint64_t words[2][512] = { { 0, 111 }, { 0, 222 } };

static void
keep_gs(void *arg)
{
	int which = *(int *)arg;

	prctl_arch(ARCH_SET_GS, (unsigned long)words[which]);
	for (int i = 0; i < 2000; i++) {
		if (read_gs() != words[which][1])
			_exit(1);
		sched_yield();
	}
}

static void
two_at_once(void)
{
	pid_t pids[2];

	for (int i = 0; i < 2; i++) {
		pids[i] = fork_or_die();
		if (pids[i] == 0) {
			keep_gs(&i);
			_exit(0);
		}
	}
	check_equal(status_of(pids[0]), EXITED(0), "gs is kept by one task");
	check_equal(status_of(pids[1]), EXITED(0), "while another has its own");
}

static void
sees_gs(void *arg)
{
	(void)arg;
	_exit(read_gs() == 222 ? 0 : 1);
}

/* Uses nothing of the C library while fs points elsewhere. */
static void
set_fs(void *arg)
{
	unsigned long old, now;
	uint64_t value;

	(void)arg;
	prctl_arch(ARCH_GET_FS, (unsigned long)&old);
	prctl_arch(ARCH_SET_FS, (unsigned long)words[0]);
	__asm__ volatile("mov %%fs:8, %0" : "=r"(value));
	prctl_arch(ARCH_GET_FS, (unsigned long)&now);
	prctl_arch(ARCH_SET_FS, old);
	_exit(value == 111 && now == (unsigned long)words[0] ? 0 : 1);
}

int
main(void)
{
	unsigned long base = 0;

	begin();
	show_expect("get fs", prctl_arch(ARCH_GET_FS, (long)&base), 0);
	check(base != 0, "the C library has set fs");
	show_expect("get gs", prctl_arch(ARCH_GET_GS, (long)&base), 0);
	check(base == 0, "gs is 0 at first");
	show_expect("set gs", prctl_arch(ARCH_SET_GS, (long)words[1]), 0);
	check(read_gs() == 222, "and it is used");
	prctl_arch(ARCH_GET_GS, (long)&base);
	check(base == (unsigned long)words[1], "and read back");
	check_child("fork copies it", sees_gs, NULL, EXITED(0));
	two_at_once();
	check_child("set and get fs", set_fs, NULL, EXITED(0));
	show_expect("set gs to a kernel address",
		    prctl_arch(ARCH_SET_GS, 0xffff800000000000), -EPERM);
	show_expect("set fs to a non-canonical address",
		    prctl_arch(ARCH_SET_FS, 0x8000000000000000), -EPERM);
	show_expect("get gs to a bad address", prctl_arch(ARCH_GET_GS, 8),
		    -EFAULT);
	show_expect("unknown code", prctl_arch(0x7777, 0), -EINVAL);
	return end();
}
