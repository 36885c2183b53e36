/*
 * Where CPUs rest: between two steps of a script, and when there is nothing to
 * do. There interrupts come, and when all CPUs rest the system is looked at as
 * a whole.
 */
#include "arch/sim/sim.h"
#include "kernel/base/assert.h"
#include "sched/sched.h"

void (*sim_at_rest)(void);

static unsigned rests_left; /* of sim_run_alone() */

/* ---- Looking at the whole ---------------------------------------------------- */

static bool
find_transition(struct task *task, void *found)
{
	if (task->transition)
		*(struct task **)found = task;
	return !task->transition;
}

/* All CPUs rest, and no sleeping task is in the middle of something? */
static bool
all_at_rest(void)
{
	struct task *busy = NULL;

	for (unsigned id = 0; id < sim_nr_cpus; id++)
		if (!sim_cpus[id].resting || sim_cpus[id].in_interrupt)
			return false;
	task_for_each(find_transition, &busy);
	return !busy;
}

static void
check_at_rest(void)
{
	if (!sim_at_rest)
		return;
	explore_quiet_begin();
	if (all_at_rest()) {
		for (unsigned id = 0; id < sim_nr_cpus; id++)
			cpus[id].root_at_rest = sim_cr3(id);
		mmu_check_all();
		sim_at_rest();
	}
	explore_quiet_end();
}

/* ---- Resting ----------------------------------------------------------------- */

/* Does what was asked of this CPU meanwhile; interrupts are off afterwards, so
 * that nothing more is asked before it rests. */
static void
obey(void)
{
	if (in_user_task()) {
		arch_irq_disable();
		exit_to_user(NULL);
	} else {
		arch_irq_enable();
		cond_resched();
		arch_irq_disable();
	}
}

static void
come_to_rest(void)
{
	struct sim_cpu *cpu = sim_cpu();

	explore_fence(CALLER);
	if (in_user_task())
		mmu_enter_user(sim_cpu_id());
	cpu->seen = cpu->delivered;
	cpu->resting = true;
	cpu->irqs_on = true;
	if (sim_explored())
		check_at_rest();
}

static void
leave_rest(void)
{
	sim_cpu()->resting = false;
	if (in_user_task())
		mmu_leave_user(sim_cpu_id());
}

/* An interrupt that comes in user mode finds need_resched on its way out: hence
 * the loop. */
void
sim_rest(void)
{
	bool interrupted;

	do {
		obey();
		come_to_rest();
		if (!sim_explored() && --rests_left == 0)
			sim_yield();
		arch_irq_disable();
		interrupted = sim_cpu()->delivered != sim_cpu()->seen;
		leave_rest();
	} while (interrupted);
	arch_irq_enable();
}

static void
rest_until_interrupt(u64 caller)
{
	come_to_rest();
	if (!sim_explored())
		sim_yield();
	wait_for_interrupt(caller);
	leave_rest();
	arch_irq_enable();
}

void
sim_cpu_done(void)
{
	for (;;) {
		obey();
		rest_until_interrupt(CALLER);
	}
}

void
sim_rest_until(const void *word, bool (*ready)(const void *arg),
	       const void *arg)
{
	obey();
	come_to_rest();
	sim_cpu()->waiting = true;
	explore_wait(word, ready, arg, CALLER);
	sim_cpu()->waiting = false;
	leave_rest();
	arch_irq_enable();
}

void
arch_idle_wait(void)
{
	ASSERT(!arch_irqs_on());
	rest_until_interrupt(CALLER);
}

/* ---- Set-up -------------------------------------------------------------------- */

void
sim_run_alone(unsigned id, unsigned rests)
{
	unsigned before = sim_cpu_id();

	ASSERT(!sim_explored() && id < sim_nr_cpus);
	rests_left = rests;
	if (rests)
		sim_run(id);
	sim_become(before);
}
