/*
 * Who is next, the switch, and the borrow.
 *
 *   from     to       what happens to the address spaces
 *   user     user     switch_mm(); nothing is counted
 *   user     kernel   the kernel thread borrows: count + 1
 *   kernel   kernel   the borrow is handed over: no counter operation
 *   kernel   user     switch_mm(); the borrow is parked, dropped in the finish
 *
 * "kernel" is any task whose mm is NULL: kernel threads, idle, and a user
 * task that has been through exit_mm().
 *
 * Read Linux: kernel/sched/core.c, __schedule, context_switch and
 * finish_task_switch.
 */
#include "arch_switch.h"
#include "kernel/base/assert.h"
#include "kernel/base/yield.h"
#include "kernel/trace.h"
#include "mm/mm.h"
#include "mm/tlb.h"
#include "mm/usercopy.h"
#include "sched/run_queue.h"
#include "sched/timer.h"
#include "sched/world.h"

/*
 * @prev is dead or has to go on elsewhere, or a borrow is parked.
 *
 * The borrow is only dropped here because a final drop frees pages, which
 * must not happen under the run-queue lock, and because CR3 has to have left
 * the root first.
 */
static __noinline void
finish_more(struct cpu *cpu, struct task *prev)
{
	struct mm *owed = cpu->prev_mm;
	bool dead = prev->state == TASK_DEAD;
	bool moving = prev->moving;

	cpu->prev_mm = NULL;
	cpu->finish_more = false;
	prev->on_cpu = false;
	spin_unlock(&cpu->rq->lock);
	/* From here on @prev may run elsewhere, unless it is ours to move. */
	if (moving)
		sched_migrate(prev);
	if (owed)
		mmdrop(owed, REF_PARKED, this_cpu());
	if (dead)
		reaper_add(prev);
}

/*
 * Runs on the next task's stack, as the first thing there. Locals of the
 * switch did not survive the change of stacks, so what is owed was left in
 * this CPU's block.
 */
static inline void
finish_task_switch(struct task *prev)
{
	struct cpu *cpu = this_cpu();

	DEBUG_ASSERT(spin_held(&cpu->rq->lock));
	if (unlikely(cpu->finish_more)) {
		finish_more(cpu, prev);
		return;
	}
	prev->on_cpu = false;
	spin_unlock(&cpu->rq->lock);
}

/* user -> kernel: @next stays on @prev's address space, and holds it. */
static void
borrow(struct task *prev, struct task *next)
{
	mmgrab(prev->active_mm, REF_BORROW, next);
	next->active_mm = prev->active_mm;
	count_event(COUNT_BORROWS);
}

/* kernel -> kernel: what @prev held, @next holds now. */
static void
hand_over(struct task *prev, struct task *next)
{
	next->active_mm = prev->active_mm;
	prev->active_mm = NULL;
	ledger_move(next->active_mm, REF_BORROW, prev, REF_BORROW, next,
		    CALLER);
	trace(TRACE_HANDOVER, next->active_mm, (u64)next->tid, CALLER);
	count_event(COUNT_HANDOVERS);
}

/* kernel -> user: what @prev held, this CPU owes. */
static void
park(struct cpu *cpu, struct task *prev)
{
	ASSERT(!cpu->prev_mm);
	cpu->finish_more = true;
	cpu->prev_mm = prev->active_mm;
	prev->active_mm = NULL;
	ledger_move(cpu->prev_mm, REF_BORROW, prev, REF_PARKED, cpu, CALLER);
	trace(TRACE_PARK, cpu->prev_mm, 0, CALLER);
	count_event(COUNT_RETURNS);
}

/* @prev and @next differ. Releases the run queue's lock. */
static __debug_noinline void
context_switch(struct cpu *cpu, struct task *prev, struct task *next)
{
	DEBUG_ASSERT(spin_held(&cpu->rq->lock));
	DEBUG_ASSERT(prev->active_mm);
	yield_point(YIELD_SWITCH);
	cpu->counts[COUNT_SWITCHES]++;
	next->switches++;
	next->on_cpu = true;
	trace(TRACE_SWITCH, prev->active_mm, (u64)next->tid, CALLER);

	if (!next->mm) {
		enter_lazy_tlb();
		if (prev->mm)
			borrow(prev, next);
		else
			hand_over(prev, next);
	} else {
		switch_mm(next->mm);
		if (!prev->mm)
			park(cpu, prev);
	}
	/* prev from here on is the task that ran before *us*, whenever that
	 * is, and this CPU need not be the one above. */
	prev = arch_switch_to(prev, next);
	finish_task_switch(prev);
}

/* ---- Who is next ------------------------------------------------------ */

/* @prev gives the CPU away: to the end of its list if it can go on here; off
 * the queue if it sleeps, is dead, or has to go on elsewhere. Then the finish
 * step queues it there, since only then is it off this stack; or, if it slept,
 * its wake-up does. */
static void
put_prev(struct run_queue *rq, struct task *prev)
{
	if (likely(prev->state == TASK_RUNNABLE && !prev->migrating)) {
		list_move_tail(&rq->lists[prev->prio], &prev->run_link);
		return;
	}
	prev->migrating = false;
	this_cpu()->finish_more = prev->state != TASK_SLEEPING;
	if (prev->state == TASK_RUNNABLE)
		take_away(rq, prev);
	else
		dequeue(rq, prev);
}

/* A CPU that is going offline runs nothing but its idle task. */
static struct task *
pick_next(struct cpu *cpu, struct run_queue *rq)
{
	return unlikely(READ_ONCE(cpu->dying)) ? cpu->idle : first_task(rq);
}

void
schedule(void)
{
	struct cpu *cpu;
	struct run_queue *rq;
	struct task *prev, *next;

	DEBUG_ASSERT(arch_irqs_on());
	world_meet();
	arch_irq_disable();
	cpu = this_cpu();
	rq = cpu->rq;
	prev = cpu->curr;
	assert_no_spinlocks();
	DEBUG_ASSERT(cpu->irq_depth == 0);

	spin_lock(&rq->lock);
	/* The world may have been stopped since we met: then come by again. */
	WRITE_ONCE(cpu->need_resched, world_is_stopping());
	put_prev(rq, prev);
	next = pick_next(cpu, rq);
	if (next == prev) {
		spin_unlock(&rq->lock);
	} else {
		cpu->slice = SLICE_TICKS;
		timer_switch(cpu, prev, next);
		context_switch(cpu, prev, next);
	}
	arch_irq_enable();
}

/* When @prev sleeps, is it @next's turn? With a lower priority there may be
 * others, of its own or between the two, who have waited longer. */
static inline bool
comes_next(const struct run_queue *rq, const struct task *prev,
	   const struct task *next)
{
	u64 before;

	if (likely(next->prio <= prev->prio))
		return true;
	before = rq->bitmap & ((2ul << next->prio) - 1);
	return before == 1ul << prev->prio && list_is_singular(&prev->run_link);
}

/* May @prev go to sleep; and is @next asleep, here, and may it go on here? The
 * lock is held; but @next may be another CPU's: as in lock_task_queue(). On a CPU
 * that goes offline @prev is migrating, or will be: evict_current(). */
static inline bool
may_take_over(const struct cpu *cpu, const struct task *prev,
	      const struct task *next)
{
	if (unlikely(load_acquire(&next->moving)) ||
	    unlikely(READ_ONCE(next->cpu) != cpu->id))
		return false;
	return next->state == TASK_SLEEPING && comes_next(cpu->rq, prev, next) &&
	       !(next->on_rq | next->migrating | prev->migrating |
		 signal_pending(prev));
}

/* The same for one that may be on another CPU: it comes over, if it can. */
static __noinline bool
fetch_and_take_over(const struct cpu *cpu, const struct task *prev,
		    struct task *next)
{
	bool fetched;

	spin_unlock(&cpu->rq->lock);
	fetched = READ_ONCE(next->cpu) != cpu->id &&
		  sched_fetch_sleeper(next, cpu->id);
	spin_lock(&cpu->rq->lock);
	return fetched && may_take_over(cpu, prev, next);
}

/* @prev goes to sleep, and @next takes its place in the queue, and what is left
 * of its turn. */
static inline void
take_over(struct run_queue *rq, struct task *prev, struct task *next)
{
	WRITE_ONCE(prev->state, TASK_SLEEPING);
	WRITE_ONCE(next->state, TASK_RUNNABLE);
	if (unlikely(prev->prio != next->prio)) {
		exchange_queued(rq, prev, next);
		return;
	}
	list_replace(&prev->run_link, &next->run_link);
	prev->on_rq = false;
	next->on_rq = true;
}

/*
 * No preemption point, unlike schedule(): who wants this CPU has set
 * need_resched, which is looked at on the way to user mode. Who has a signal
 * for us has set signal_work, and takes the lock to wake us: either we see it
 * here, or we are found asleep.
 */
void
switch_to_sleeper(struct task *next, struct spinlock *held)
{
	struct cpu *cpu = this_cpu();
	struct run_queue *rq = cpu->rq;
	struct task *prev = cpu->curr;

	DEBUG_ASSERT(!arch_irqs_on() && cpu->irq_depth == 0);
	spin_lock(&rq->lock);
	if (likely(may_take_over(cpu, prev, next)) ||
	    fetch_and_take_over(cpu, prev, next)) {
		spin_unlock(held);
		take_over(rq, prev, next);
		context_switch(cpu, prev, next);
	} else {
		spin_unlock(&rq->lock);
		wake_up_task(next);
		spin_unlock(held);
	}
}

/* Nothing that a sleeper's partner changes can be missed: as above. */
void
switch_to_next(struct spinlock *held)
{
	struct cpu *cpu = this_cpu();
	struct run_queue *rq = cpu->rq;
	struct task *prev = cpu->curr, *next;

	DEBUG_ASSERT(!arch_irqs_on() && cpu->irq_depth == 0);
	spin_lock(&rq->lock);
	spin_unlock(held);
	if (unlikely(signal_pending(prev))) {
		spin_unlock(&rq->lock);
		return;
	}
	WRITE_ONCE(prev->state, TASK_SLEEPING);
	prev->migrating = false;
	dequeue(rq, prev);
	next = pick_next(cpu, rq);
	cpu->slice = SLICE_TICKS;
	timer_switch(cpu, prev, next);
	context_switch(cpu, prev, next);
}

void
task_first_run(struct task *prev)
{
	finish_task_switch(prev);
	arch_irq_enable();
	/* CLONE_CHILD_SETTID: written by the child, into its own memory. */
	if (current->set_child_tid)
		(void)!put_user_u32(current->set_child_tid, (u32)current->tid);
}
