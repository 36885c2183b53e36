/* CPUs that leave the system and come back. See sched/hotplug.h. */
#include "sched/hotplug.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "mm/mm.h"
#include "sched/run_queue.h"
#include "sched/timer.h"

struct mutex world_lock;

/* ---- The CPU itself --------------------------------------------------- */

/* Everything queued on @rq, of this CPU, goes elsewhere. */
static void
push_work(struct run_queue *rq)
{
	for (;;) {
		irq_flags_t flags = spin_lock_irqsave(&rq->lock);
		struct task *task = first_task(rq);
		bool done = task == current;

		if (!done)
			take_away(rq, task);
		spin_unlock(&rq->lock);
		if (!done)
			sched_migrate(task);
		arch_irq_restore(flags);
		if (done)
			return;
	}
}

/* It keeps nothing but init_mm, whose reference the controller takes back. */
void
cpu_play_dead(void)
{
	struct cpu *cpu = this_cpu();

	arch_irq_enable();
	timer_wake_all(cpu);
	push_work(cpu->rq);
	/* While this CPU can still do it properly: a drop may free pages,
	 * which an offline CPU must not (Linux: sched_force_init_mm). */
	return_borrow();
	arch_timer_set(~0ul);
	store_release(&cpu->online, false);
	/* The wake-up comes after the look at dying, or ends the halt. */
	arch_irq_disable();
	while (load_acquire(&cpu->dying)) {
		arch_idle_wait();
		arch_irq_disable();
	}
	arch_irq_enable();
	/* In the mask first: a flush of the kernel half either finds us there,
	 * or came before this one, which makes up for all that we missed. */
	set_cpu_online(cpu->id, true);
	arch_flush_kernel();
	store_release(&cpu->online, true);
}

/* ---- The controller, anywhere ------------------------------------------ */

/* What runs on @cpu, perhaps this very task, goes on elsewhere. */
static void
evict_current(struct cpu *cpu)
{
	irq_flags_t flags = spin_lock_irqsave(&cpu->rq->lock);

	if (cpu->curr != cpu->idle)
		cpu->curr->migrating = true;
	resched_cpu(cpu);
	spin_unlock_irqrestore(&cpu->rq->lock, flags);
	if (cpu == this_cpu())
		schedule();
}

static int
take_offline(struct cpu *cpu)
{
	unsigned id = cpu->id;

	if (id == 0 || !cpu->online || cpu->kept)
		return -EBUSY;
	set_cpu_online(id, false);
	store_release(&cpu->dying, true);
	evict_current(cpu);
	while (load_acquire(&cpu->online)) {
		schedule();
		arch_cpu_relax();
	}
	ASSERT(cpu->idle->active_mm == &init_mm);
	cpu->idle->active_mm = NULL;
	mmdrop(&init_mm, REF_BORROW, cpu->idle);
	return 0;
}

static int
bring_online(struct cpu *cpu)
{
	unsigned id = cpu->id;

	if (cpu->online)
		return -EBUSY;
	mmgrab(&init_mm, REF_BORROW, cpu->idle);
	cpu->idle->active_mm = &init_mm;
	store_release(&cpu->dying, false);
	arch_send_ipi(id, IPI_RESCHED);
	while (!load_acquire(&cpu->online)) {
		schedule();
		arch_cpu_relax();
	}
	return 0;
}

static int
change(unsigned id, int (*how)(struct cpu *cpu))
{
	int err;

	if (id >= nr_cpus)
		return -EINVAL;
	mutex_lock(&world_lock);
	err = how(cpu_by_id(id));
	mutex_unlock(&world_lock);
	return err;
}

int
cpu_offline(unsigned id)
{
	return change(id, take_offline);
}

int
cpu_online(unsigned id)
{
	return change(id, bring_online);
}

int
cpu_keep_online(unsigned id)
{
	struct cpu *cpu = cpu_by_id(id);
	int err = -EINVAL;

	mutex_lock(&world_lock);
	if (cpu->online) {
		cpu->kept++;
		err = 0;
	}
	mutex_unlock(&world_lock);
	return err;
}

void
cpu_release(unsigned id)
{
	struct cpu *cpu = cpu_by_id(id);

	mutex_lock(&world_lock);
	ASSERT(cpu->kept > 0);
	cpu->kept--;
	mutex_unlock(&world_lock);
}
