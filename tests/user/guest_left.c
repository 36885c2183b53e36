// cpus=2,4 timeout=60
/* A program that ends while its guests spin and a task is held: the machine
 * comes to its end all the same. */
#include "tests/user/check.h"

#include "user/include/lodger.h"

int
main(void)
{
	struct lodger_sys_stat stat;

	lodger_or_skip();
	begin();
	lodger_sys_stat(&stat);
	for (unsigned cpu = 0; cpu < stat.nr_cpus; cpu++)
		lodger_hold(cpu, LODGER_HOLD_DEAD);
	check(true, "holds are armed");
	for (int i = 0; i < 8; i++)
		if (fork_or_die() == 0)
			_exit(0);
	for (unsigned cpu = 0; cpu < stat.nr_cpus; cpu++)
		lodger_guest(LODGER_GUEST_RUN, cpu);
	check(true, "guests are in");
	return end();
}
