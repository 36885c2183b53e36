/* Ticks and sleepers. See sched/timer.h. */
#include "sched/timer.h"

#include "kernel/base/assert.h"
#include "sched/run_queue.h"

static struct sleep_queue sleep_queues[MAX_CPUS];

/* ---- The timer of this CPU -------------------------------------------- */

/* After a change of the queue, under its lock. */
static void
note_first(struct sleep_queue *queue)
{
	u64 first = ~0ul;

	if (!list_empty(&queue->tasks))
		first = list_first(&queue->tasks, struct task,
				   sleep_link)->wake_time;
	WRITE_ONCE(queue->first, first);
}

/* Sets the one-shot to whichever comes first. Interrupts off. A sleeper that
 * another CPU takes off the queue meanwhile makes it early, never late. */
static void
program(struct cpu *cpu)
{
	u64 deadline = READ_ONCE(cpu->sleepers->first);

	if (cpu->next_tick)
		deadline = MIN(deadline, cpu->next_tick);
	arch_timer_set(deadline);
}

void
timer_start_or_stop(struct cpu *cpu, bool tick)
{
	cpu->next_tick = tick ? arch_time_ns() + TICK_NS : 0;
	program(cpu);
}

/*
 * Wakes all who wanted to sleep until @now or less. A sleeper leaves the queue
 * under its lock, and only after it was woken: until then end_sleep() waits,
 * so that the task cannot be gone before wake_up_task() is done with it.
 */
static void
wake_sleepers(struct sleep_queue *queue, u64 now)
{
	irq_flags_t flags = spin_lock_irqsave(&queue->lock);

	while (queue->first <= now) {
		struct task *task =
			list_first(&queue->tasks, struct task, sleep_link);

		list_del(&task->sleep_link);
		note_first(queue);
		wake_up_task(task);
		store_release(&task->sleep_queue, NULL);
	}
	spin_unlock_irqrestore(&queue->lock, flags);
}

static void
tick(struct cpu *cpu, u64 now)
{
	struct task *task = cpu->curr;

	cpu->counts[COUNT_TICKS]++;
	cpu->next_tick = now + TICK_NS;
	task->ticks++;
	if (cpu->slice && --cpu->slice)
		return;
	if (READ_ONCE(cpu->rq->nr_running) > 2) { /* others than this one and idle */
		WRITE_ONCE(cpu->need_resched, true);
		sched_help_outranked(cpu);
	}
}

void
timer_interrupt(void)
{
	struct cpu *cpu = this_cpu();
	u64 now = arch_time_ns();

	wake_sleepers(cpu->sleepers, now);
	if (cpu->next_tick && now >= cpu->next_tick)
		tick(cpu, now);
	program(cpu);
}

/* ---- Sleeping --------------------------------------------------------- */

static void
insert_sleeper(struct sleep_queue *queue, struct task *task)
{
	struct task *later;

	list_for_each(later, &queue->tasks, sleep_link) {
		if (later->wake_time > task->wake_time)
			break;
	}
	/* Before @later, or last when the loop ran to the end. */
	list_add_tail(&later->sleep_link, &task->sleep_link);
	task->sleep_queue = queue;
	note_first(queue);
}

static void
start_sleep(u64 deadline)
{
	irq_flags_t flags = arch_irq_save();
	struct cpu *cpu = this_cpu();

	current->wake_time = deadline;
	spin_lock(&cpu->sleepers->lock);
	insert_sleeper(cpu->sleepers, current);
	spin_unlock(&cpu->sleepers->lock);
	program(cpu);
	arch_irq_restore(flags);
}

/* Off the queue, if the timer has not taken us off. */
static void
end_sleep(void)
{
	struct task *me = current;
	struct sleep_queue *queue = load_acquire(&me->sleep_queue);
	irq_flags_t flags;

	if (!queue)
		return;
	flags = spin_lock_irqsave(&queue->lock);
	if (me->sleep_queue) {
		list_del(&me->sleep_link);
		me->sleep_queue = NULL;
		note_first(queue);
	}
	spin_unlock_irqrestore(&queue->lock, flags);
}

void
schedule_until(u64 deadline)
{
	if (deadline == ~0ul) {
		schedule();
		return;
	}
	start_sleep(deadline);
	schedule();
	end_sleep();
}

void
sleep_ns(u64 ns)
{
	set_current_state(TASK_SLEEPING);
	schedule_until(arch_time_ns() + ns);
	set_current_state(TASK_RUNNABLE);
}

/* ---- Start, and CPUs that leave --------------------------------------- */

void
timer_init_cpu(struct cpu *cpu)
{
	struct sleep_queue *queue = &sleep_queues[cpu->id];

	spin_init(&queue->lock, "sleepers", RANK_TIMER);
	list_init(&queue->tasks);
	queue->first = ~0ul;
	cpu->sleepers = queue;
}

void
timer_wake_all(struct cpu *cpu)
{
	wake_sleepers(cpu->sleepers, ~0ul - 1);
}
