// linux-oracle
/* Calls too small for a test of their own. */
#include "tests/user/check.h"

#include <sys/random.h>

static void
signal_masks(void)
{
	uint64_t mask = 1ul << (SIGUSR1 - 1), old = 77;

	show_expect("block a signal",
		    syscall6(SYS_rt_sigprocmask, SIG_BLOCK, (long)&mask,
			     (long)&old, 8, 0, 0), 0);
	check(old == 0, "nothing was blocked before");
	mask = ~0ul;
	syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, (long)&old, 8,
		 0, 0);
	check(old == 1ul << (SIGUSR1 - 1), "the mask is kept");
	mask = 0;
	syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, (long)&old, 8,
		 0, 0);
	check(old == ~(1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1)),
	      "KILL and STOP cannot be blocked");
}

static void
robust_lists(void)
{
	void *head = NULL;
	size_t length = 0;
	uint64_t area[3] = { (uint64_t)area };

	show_expect("set_robust_list",
		    syscall3(SYS_set_robust_list, (long)area, 24, 0), 0);
	show_expect("get_robust_list",
		    syscall3(SYS_get_robust_list, 0, (long)&head,
			     (long)&length), 0);
	check(head == area && length == 24, "gives back what was set");
	show_expect("set_robust_list of another length",
		    syscall3(SYS_set_robust_list, (long)area, 23, 0), -EINVAL);
	show_expect("get_robust_list of nobody",
		    syscall3(SYS_get_robust_list, 0x3fffffff, (long)&head,
			     (long)&length), -ESRCH);
	syscall3(SYS_set_robust_list, 0, 24, 0);
}

static void
random_bytes(void)
{
	unsigned char a[64] = { 0 }, b[64] = { 0 };

	show_expect("getrandom", getrandom(a, sizeof(a), 0), sizeof(a));
	getrandom(b, sizeof(b), 0);
	check(memcmp(a, b, sizeof(a)) != 0, "two draws differ");
}

static void
output(void)
{
	show_expect("write returns how much", write(1, "four\n", 5), 5);
	show_expect("write to descriptor -1",
		    syscall3(SYS_write, -1, (long)"x", 1), -EBADF);
	show_expect("sched_yield", syscall0(SYS_sched_yield), 0);
	fprintf(stderr, "%s", "");
}

static void
identities(void)
{
	pid_t me = getpid(), pid = fork_or_die();

	if (pid == 0)
		_exit(getppid() == me && getpid() != me &&
				      syscall(SYS_gettid) == getpid() ? 0 : 1);
	check_equal(status_of(pid), EXITED(0),
		    "a child has its own pid and knows its parent's");
}

int
main(void)
{
	begin();
	signal_masks();
	robust_lists();
	random_bytes();
	output();
	identities();
	return end();
}
