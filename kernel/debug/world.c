/* Stopping the world. See sched/world.h. */
#include "sched/world.h"

#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "sched/hotplug.h"

bool world_stopping;

static atomic_t waiting; /* CPUs at a safe point */
static int round;	 /* of looking at CR3: see world_stop() */

static unsigned
online_others(void)
{
	return count_bits(online_cpus()) - 1;
}

/* The other CPUs look at need_resched on their way out of the interrupt, and
 * then come by a safe point. */
static void
call_others(void)
{
	u64 mask = online_cpus() & ~(1ul << this_cpu()->id);

	for (; mask; mask &= mask - 1) {
		unsigned id = first_bit(mask);

		WRITE_ONCE(cpu_by_id(id)->need_resched, true);
		arch_send_ipi(id, IPI_RESCHED);
	}
}

/* A CPU that waits still answers shootdowns, and may move to another root for
 * one. Now that all wait there are none under way: let each say what it has in
 * CR3. */
static void
look_at_roots(void)
{
	u64 mask = online_cpus() & ~(1ul << this_cpu()->id);

	WRITE_ONCE(round, round + 1);
	for (; mask; mask &= mask - 1) {
		while (READ_ONCE(cpu_by_id(first_bit(mask))->rest_round) != round)
			arch_cpu_relax();
	}
}

void
world_stop(void)
{
	ASSERT(arch_irqs_on());
	assert_no_spinlocks();
	mutex_lock(&world_lock);
	WRITE_ONCE(world_stopping, true);
	smp_mb();
	call_others();
	while (atomic_read(&waiting) != (int)online_others())
		arch_cpu_relax();
	look_at_roots();
}

void
world_resume(void)
{
	WRITE_ONCE(world_stopping, false);
	while (atomic_read(&waiting))
		arch_cpu_relax();
	mutex_unlock(&world_lock);
}

static void
rest(struct cpu *cpu)
{
	int now = READ_ONCE(round);

	if (cpu->rest_round != now) {
		cpu->root_at_rest = arch_loaded_root();
		store_release(&cpu->rest_round, now);
	}
	arch_cpu_relax();
}

/* Interrupts stay on: a CPU that waits here still answers shootdowns. */
void
world_wait(void)
{
	irq_flags_t flags = arch_irq_save();

	if (mutex_held(&world_lock)) { /* the stopper itself */
		arch_irq_restore(flags);
		return;
	}
	arch_irq_enable();
	atomic_inc(&waiting);
	while (READ_ONCE(world_stopping))
		rest(this_cpu());
	atomic_dec(&waiting);
	arch_irq_disable();
	arch_irq_restore(flags);
}
