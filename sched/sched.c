/*
 * Where tasks run: wake-ups, moves between CPUs, the idle task. Who is next on
 * a CPU, and the switch: switch.c.
 */
#include "sched/sched.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "mm/mm.h"
#include "sched/hotplug.h"
#include "sched/run_queue.h"
#include "sched/timer.h"
#include "sched/world.h"

static struct run_queue run_queues[MAX_CPUS];
static struct task idle_tasks[MAX_CPUS];
static atomic64_t online_mask;

u64
online_cpus(void)
{
	return atomic64_read(&online_mask);
}

void
set_cpu_online(unsigned id, bool online)
{
	if (online)
		atomic64_or(&online_mask, 1ul << id);
	else
		atomic64_and(&online_mask, ~(1ul << id));
}

/* May @task run on CPU @id, which must be online for it too? */
static bool
allowed_on(const struct task *task, unsigned id)
{
	return task->affinity & online_cpus() & (1ul << id);
}

/* ---- Placing ---------------------------------------------------------- */

void
resched_cpu(struct cpu *cpu)
{
	WRITE_ONCE(cpu->need_resched, true);
	if (cpu == this_cpu())
		return;
	count_event(COUNT_IPIS_RESCHED);
	arch_send_ipi(cpu->id, IPI_RESCHED);
}

void
resched_interrupt(void)
{
	/* need_resched is set; the way out of the interrupt looks at it. But
	 * schedule() may have been under way, past its meeting point, and have
	 * cleared it: who stops the world would wait for us for ever. */
	if (world_is_stopping())
		WRITE_ONCE(this_cpu()->need_resched, true);
}

/* Tasks that want to run on an online CPU; the idle task does not count. */
static unsigned
cpu_load(unsigned id)
{
	return READ_ONCE(run_queues[id].nr_running) - 1;
}

static unsigned
least_loaded(u64 mask)
{
	unsigned best = first_bit(mask);

	for (; mask; mask &= mask - 1) {
		unsigned id = first_bit(mask);

		if (cpu_load(id) < cpu_load(best))
			best = id;
	}
	return best;
}

/* A task whose CPUs are all offline may run anywhere. */
static u64
allowed_cpus(struct task *task)
{
	u64 mask = task->affinity & online_cpus();

	if (unlikely(!mask)) {
		task->affinity = ~0ul;
		mask = online_cpus();
	}
	return mask;
}

/* Where @task should run next: where it ran last, if that is allowed. */
static unsigned
choose_cpu(struct task *task)
{
	if (allowed_on(task, task->cpu))
		return task->cpu;
	return least_loaded(allowed_cpus(task));
}

/* @task waits on @cpu, which has something else to do: an idle CPU that could
 * pull it should know. */
static void
tell_idle_cpu(const struct cpu *cpu, const struct task *task)
{
	u64 mask = task->affinity & online_cpus() & ~(1ul << cpu->id);

	/* Queued before we look who is idle. Partner: pull_work(). */
	smp_mb();
	for (; mask; mask &= mask - 1) {
		unsigned id = first_bit(mask);

		if (cpu_load(id) == 0) {
			resched_cpu(cpu_by_id(id));
			return;
		}
	}
}

/* @task has just been queued on @cpu: who has to know? */
static inline void
announce(struct cpu *cpu, const struct task *task)
{
	if (task->prio < READ_ONCE(cpu->curr)->prio)
		resched_cpu(cpu);
	else if (nr_cpus > 1)
		tell_idle_cpu(cpu, task);
}

/* Queues a moving @task, which is off its stack, on CPU @id; interrupts off.
 * If that CPU has begun to go offline, whose last look at its queue may be
 * over, then elsewhere. */
static void
place(struct task *task, unsigned id)
{
	struct run_queue *rq = &run_queues[id];

	DEBUG_ASSERT(task->moving && !arch_irqs_on());
	spin_lock(&rq->lock);
	while (unlikely(!allowed_on(task, id))) {
		spin_unlock(&rq->lock);
		id = least_loaded(allowed_cpus(task));
		rq = &run_queues[id];
		spin_lock(&rq->lock);
	}
	WRITE_ONCE(task->cpu, id);
	store_release(&task->moving, false);
	enqueue(rq, task);
	announce(cpu_by_id(id), task);
	spin_unlock(&rq->lock);
}

void
sched_migrate(struct task *task)
{
	place(task, choose_cpu(task));
}

/* Locks the run queue of the CPU that @task is on, interrupts off. The task
 * may be moved until the lock is held, so look again; moving first, since a
 * mover writes it last. Read Linux: kernel/sched/core.c, task_rq_lock. */
static inline struct run_queue *
lock_task_queue(struct task *task, irq_flags_t *flags)
{
	for (;;) {
		unsigned id = READ_ONCE(task->cpu);
		struct run_queue *rq = cpu_by_id(id)->rq;

		*flags = spin_lock_irqsave(&rq->lock);
		if (likely(!load_acquire(&task->moving) &&
			   READ_ONCE(task->cpu) == id))
			return rq;
		spin_unlock_irqrestore(&rq->lock, *flags);
		arch_cpu_relax();
	}
}

void
wake_up_new_task(struct task *task)
{
	irq_flags_t flags;
	struct run_queue *rq = lock_task_queue(task, &flags);

	ASSERT(task->state == TASK_NEW);
	WRITE_ONCE(task->state, TASK_RUNNABLE);
	WRITE_ONCE(task->moving, true);
	spin_unlock(&rq->lock);
	place(task, least_loaded(allowed_cpus(task)));
	arch_irq_restore(flags);
}

bool
wake_up_task(struct task *task)
{
	irq_flags_t flags;
	struct run_queue *rq = lock_task_queue(task, &flags);
	bool slept = READ_ONCE(task->state) == TASK_SLEEPING;
	bool elsewhere = false;

	if (slept) {
		WRITE_ONCE(task->state, TASK_RUNNABLE);
		/* On the queue still: it has not given its CPU away yet, and
		 * will find itself runnable when it tries. */
		if (!task->on_rq) {
			task->migrating = false;
			elsewhere = !allowed_on(task, task->cpu);
			if (elsewhere) {
				WRITE_ONCE(task->moving, true);
			} else {
				enqueue(rq, task);
				announce(cpu_by_id(task->cpu), task);
			}
		}
	}
	spin_unlock(&rq->lock);
	if (unlikely(elsewhere))
		place(task, choose_cpu(task));
	arch_irq_restore(flags);
	return slept;
}

/* The same protocol as place(): moving until the new CPU is named. It stays
 * asleep, on no list. */
bool
sched_fetch_sleeper(struct task *task, unsigned id)
{
	irq_flags_t flags;
	struct run_queue *rq = lock_task_queue(task, &flags);
	bool fetched = READ_ONCE(task->state) == TASK_SLEEPING &&
		       !task->on_rq && allowed_on(task, id);

	if (fetched) {
		task->migrating = false;
		WRITE_ONCE(task->moving, true);
	}
	spin_unlock(&rq->lock);
	if (fetched) {
		rq = &run_queues[id];
		spin_lock(&rq->lock);
		WRITE_ONCE(task->cpu, id);
		store_release(&task->moving, false);
		spin_unlock(&rq->lock);
	}
	arch_irq_restore(flags);
	return fetched;
}

void
kick_task(struct task *task)
{
	irq_flags_t flags;
	struct run_queue *rq = lock_task_queue(task, &flags);

	if (task->on_cpu)
		resched_cpu(cpu_by_id(task->cpu));
	spin_unlock_irqrestore(&rq->lock, flags);
}

/* ---- Moving ----------------------------------------------------------- */

/* Takes the first task off @from's queue that waits there and may run on CPU
 * @id. */
static struct task *
steal_for(struct run_queue *from, unsigned id)
{
	for (u64 rest = from->bitmap; rest; rest &= rest - 1) {
		struct task *task;

		list_for_each(task, &from->lists[first_bit(rest)],
			      run_link) {
			if (task->on_cpu || !allowed_on(task, id))
				continue;
			take_away(from, task);
			return task;
		}
	}
	return NULL;
}

/* An idle CPU looks for work on the others; true when it found some.
 * Interrupts off. */
static bool
pull_work(unsigned id)
{
	/* Idle before we look who has too much. Partner: announce(). Online: a
	 * CPU that is just starting has no queue to look at yet. */
	smp_mb();
	for (u64 rest = online_cpus(); rest; rest &= rest - 1) {
		unsigned other = first_bit(rest);
		struct run_queue *rq = &run_queues[other];
		struct task *task;

		/* It has its idle task, what it runs, and no more; or at boot
		 * it has not even initialised its queue. */
		if (other == id || READ_ONCE(rq->nr_running) <= 2)
			continue;
		spin_lock(&rq->lock);
		task = steal_for(rq, id);
		spin_unlock(&rq->lock);
		if (task) {
			place(task, id);
			return true;
		}
	}
	return false;
}

/* The CPUs where @task would get its turn: nothing there comes before it. A
 * guess, without their locks: a tick is not to wait for every other CPU. */
static u64
cpus_with_a_turn(const struct task *task)
{
	u64 mask = 0;

	for (u64 rest = task->affinity & online_cpus(); rest;
	     rest &= rest - 1) {
		unsigned id = first_bit(rest);

		if (first_bit(READ_ONCE(run_queues[id].bitmap)) >= task->prio)
			mask |= 1ul << id;
	}
	return mask;
}

/* The lists of those who wait on @rq behind a higher priority; the idle task
 * does not count. */
static u64
outranked_lists(const struct run_queue *rq)
{
	u64 lists = rq->bitmap & ~(1ul << (NR_PRIORITIES - 1));

	return lists & (lists - 1);
}

/* Takes the first task off @rq that is outranked there, and would get its turn
 * elsewhere: on CPU *@id. */
static struct task *
take_outranked(struct run_queue *rq, unsigned *id)
{
	for (u64 rest = outranked_lists(rq); rest; rest &= rest - 1) {
		struct task *task;

		list_for_each(task, &rq->lists[first_bit(rest)], run_link) {
			u64 mask = task->on_cpu ? 0 : cpus_with_a_turn(task);

			if (!mask)
				continue;
			take_away(rq, task);
			*id = least_loaded(mask);
			return task;
		}
	}
	return NULL;
}

void
sched_help_outranked(struct cpu *cpu)
{
	struct run_queue *rq = cpu->rq;
	struct task *task;
	unsigned id;

	DEBUG_ASSERT(!arch_irqs_on());
	spin_lock(&rq->lock);
	task = take_outranked(rq, &id);
	spin_unlock(&rq->lock);
	if (task)
		place(task, id);
}

/* @task may no longer be where it is. One that waits is taken away, for the
 * caller to place; one that runs is told to leave; one that sleeps is looked
 * at when it wakes, and marked for switch_to_sleeper(). */
static void
expel(struct run_queue *rq, struct task *task)
{
	if (!task->on_cpu && task->on_rq) {
		take_away(rq, task);
		return;
	}
	task->migrating = true;
	if (task->on_cpu)
		resched_cpu(cpu_by_id(task->cpu));
}

int
sched_set_affinity(struct task *task, u64 mask)
{
	irq_flags_t flags;
	struct run_queue *rq;
	bool moves;

	if (!(mask & online_cpus()))
		return -EINVAL;
	rq = lock_task_queue(task, &flags);
	task->affinity = mask;
	if (!allowed_on(task, task->cpu))
		expel(rq, task);
	moves = task->moving;
	spin_unlock(&rq->lock);
	if (moves)
		place(task, choose_cpu(task));
	arch_irq_restore(flags);
	if (task == current) {
		while (!allowed_on(task, READ_ONCE(task->cpu)))
			schedule();
	}
	return 0;
}

void
sched_set_priority(struct task *task, u8 prio)
{
	irq_flags_t flags;
	struct run_queue *rq = lock_task_queue(task, &flags);
	bool queued = task->on_rq;

	if (queued)
		dequeue(rq, task);
	task->prio = prio;
	if (queued) {
		enqueue(rq, task);
		/* Who comes first now? */
		resched_cpu(cpu_by_id(task->cpu));
	}
	spin_unlock_irqrestore(&rq->lock, flags);
}

/* ---- The idle task ---------------------------------------------------- */

void
idle_loop(void)
{
	ASSERT(current == this_cpu()->idle);
	for (;;) {
		struct cpu *cpu = this_cpu();

		arch_irq_disable();
		if (READ_ONCE(cpu->dying)) {
			cpu_play_dead();
		} else if (READ_ONCE(cpu->need_resched) ||
			   cpu_load(cpu->id) > 0 || pull_work(cpu->id)) {
			arch_irq_enable();
			schedule();
		} else {
			arch_idle_wait();
		}
	}
}

/* ---- Start ------------------------------------------------------------ */

static void
run_queue_init(struct run_queue *rq)
{
	spin_init(&rq->lock, "run queue", RANK_RUNQUEUE);
	for (unsigned prio = 0; prio < NR_PRIORITIES; prio++)
		list_init(&rq->lists[prio]);
}

static void
idle_task_init(struct task *idle, unsigned cpu)
{
	task_init(idle, "idle");
	idle->is_kthread = true;
	idle->cpu = cpu;
	idle->affinity = 1ul << cpu;
	idle->prio = NR_PRIORITIES - 1;
	idle->state = TASK_RUNNABLE;
	idle->on_cpu = true;
}

/* The code that runs now becomes this CPU's idle task; like any lazy task it
 * borrows, and there is only init_mm to borrow yet. */
static void
become_idle(struct cpu *cpu)
{
	struct task *idle = &idle_tasks[cpu->id];

	run_queue_init(&run_queues[cpu->id]);
	cpu->rq = &run_queues[cpu->id];
	timer_init_cpu(cpu);
	idle_task_init(idle, cpu->id);
	enqueue(cpu->rq, idle);
	cpu->idle = idle;
	cpu->curr = idle;
	cpu->loaded = &init_mm;
	cpu->lazy = true;
	mmgrab(&init_mm, REF_BORROW, idle);
	idle->active_mm = &init_mm;
	set_cpu_online(cpu->id, true);
}

void
sched_init(void)
{
	mutex_init(&world_lock, "world");
	task_cache_init();
	become_idle(this_cpu());
}

void
sched_init_secondary(void)
{
	become_idle(this_cpu());
}
