// cpus=2 timeout=120 slow
/* When all process ids are taken, by children nobody waits for, everything
 * that needs one fails with EAGAIN, and works again afterwards. */
#include "tests/user/check.h"

#include "user/include/lodger.h"

static char stack[4096] __attribute__((aligned(16)));

static int
leave(void *unused)
{
	(void)unused;
	_exit(0);
}

int
main(void)
{
	long made = 0, waited = 0;
	cpu_set_t first;

	lodger_or_skip();
	begin();
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	while (clone(leave, stack + sizeof(stack),
		     CLONE_VM | CLONE_VFORK | SIGCHLD, NULL) > 0)
		made++;
	check_equal(errno, EAGAIN, "clone without a free id");
	check(made > 32000, "there were about 32,000");
	check_equal(lodger_kthread_ping(), -EAGAIN,
		    "a kernel thread finds no id either");
	check_equal(lodger_guest(LODGER_GUEST_RUN, 1), -EAGAIN,
		    "nor does a guest");
	while (wait(NULL) > 0)
		waited++;
	check_equal(waited, made, "all children are collected");
	check_equal(lodger_kthread_ping(), 0, "then there are ids again");
	return end();
}
