// cpus=2,4 timeout=60
/* A program that ends while its guests spin and a task is held: the machine
 * comes to its end all the same. */
#include "tests/user/check.h"

#include "user/include/lodger.h"

int
main(void)
{
	struct lodger_sys_stat stat;
	struct lodger_cpu_stat cpu1;
	cpu_set_t first;

	lodger_or_skip();
	begin();
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first); /* one CPU stays free */
	lodger_sys_stat(&stat);
	for (unsigned cpu = 0; cpu < stat.nr_cpus; cpu++)
		lodger_hold(cpu, LODGER_HOLD_DEAD);
	check(true, "holds are armed");
	if (fork_or_die() == 0) {
		CPU_ZERO(&first);
		CPU_SET(1, &first);
		sched_setaffinity(0, sizeof(first), &first);
		_exit(0);
	}
	do {
		sched_yield();
		lodger_cpu_stat(1, &cpu1);
	} while (cpu1.held_at != LODGER_HOLD_DEAD);
	check(true, "a task is held");
	for (unsigned cpu = 2; cpu < stat.nr_cpus; cpu++)
		lodger_guest(LODGER_GUEST_RUN, cpu);
	check(true, "guests are in");
	return end();
}
