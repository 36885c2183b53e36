// cpus=2 timeout=120
/* When all process ids are taken, by children nobody waits for, everything
 * that needs one fails with EAGAIN, and works again afterwards. The id of a
 * group in use is nobody's pid. */
#include "tests/user/check.h"

#include "user/include/lodger.h"

static char stack[4096] __attribute__((aligned(16)));

static int
leave(void *unused)
{
	(void)unused;
	_exit(0);
}

/* A process in a group whose first process is no more; *group is its id. */
static pid_t
left_in_group(pid_t *group)
{
	_Atomic int *member = shared_memory(PAGE);

	*group = fork_or_die();
	if (*group == 0) {
		pid_t pid;

		setpgid(0, 0);
		pid = fork_or_die();
		if (pid == 0)
			for (;;)
				pause();
		*member = pid;
		_exit(0);
	}
	status_of(*group);
	return *member;
}

int
main(void)
{
	long made = 0, waited = 0;
	pid_t group, member, pid;
	bool reused = false;
	cpu_set_t first;

	lodger_or_skip();
	begin();
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	member = left_in_group(&group);
	while ((pid = clone(leave, stack + sizeof(stack),
			    CLONE_VM | CLONE_VFORK | SIGCHLD, NULL)) > 0) {
		made++;
		reused |= pid == group;
	}
	check_equal(errno, EAGAIN, "clone without a free id");
	check(made > 32000, "there were about 32,000");
	check(!reused && getpgid(member) == group,
	      "the id of a group is not given away");
	check_equal(lodger_kthread_ping(), -EAGAIN,
		    "a kernel thread finds no id either");
	check_equal(lodger_guest(LODGER_GUEST_RUN, 1), -EAGAIN,
		    "nor does a guest");
	kill(member, SIGKILL);
	while (wait(NULL) > 0)
		waited++;
	check_equal(waited, made, "all children are collected");
	check_equal(lodger_kthread_ping(), 0, "then there are ids again");
	return end();
}
