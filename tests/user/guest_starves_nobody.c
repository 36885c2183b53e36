// cpus=2,4 timeout=60
/* A guest comes before every program and never gives its CPU away, and on all
 * other CPUs programs spin, so that no CPU is idle: who waits behind the guest
 * and may run elsewhere still gets its turn there. */
#include "tests/user/check.h"

#include "user/include/lodger.h"

static struct lodger_sys_stat machine;
static _Atomic long *turns;

static void
allow(pid_t pid, unsigned long cpus)
{
	syscall3(SYS_sched_setaffinity, pid, sizeof(cpus), (long)&cpus);
}

static void __attribute__((noreturn))
spin(_Atomic long *count)
{
	for (;;)
		++*count;
}

/* A child that spins on @cpu; returns when it has begun. */
static pid_t
spinner(unsigned cpu, _Atomic long *count)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		allow(0, 1ul << cpu);
		spin(count);
	}
	while (*count == 0)
		sched_yield();
	return pid;
}

static void
await_progress(_Atomic long *count)
{
	long before = *count;

	while (*count == before)
		sched_yield();
}

/* The guest comes to the CPU where @pid runs, and only then may @pid run
 * elsewhere too. */
static void
waits_behind_the_guest(unsigned cpu)
{
	_Atomic long *count = &turns[machine.nr_cpus];
	pid_t pid = spinner(cpu, count);

	check_equal(lodger_guest(LODGER_GUEST_RUN, cpu), 0, "a guest is in");
	allow(pid, ~0ul);
	await_progress(count);
	check(true, "who waits behind it goes on elsewhere");
	kill(pid, SIGKILL);
	check_equal(status_of(pid), KILLED(SIGKILL), "and can be killed");
}

int
main(void)
{
	struct lodger_task_stat init;
	unsigned mine;

	lodger_or_skip();
	begin();
	lodger_sys_stat(&machine);
	lodger_task_stat(1, &init);
	turns = shared_memory(PAGE);
	mine = init.cpu == 0;
	allow(0, 1ul << mine);
	for (unsigned cpu = 0; cpu < machine.nr_cpus; cpu++)
		if (cpu != (unsigned)init.cpu)
			spinner(cpu, &turns[cpu]);
	waits_behind_the_guest(init.cpu);
	/* init sleeps on the guest's CPU; the run ends once it is awake. */
	return end();
}
