/*
 * For people: how an execution should end, who waits for what if it does not,
 * and what stands beside each line of a schedule.
 */
#include <stdio.h>

#include "arch/sim/sim.h"
#include "kernel/base/spinlock.h"
#include "mm/mm.h"
#include "sched/reaper.h"
#include "sched/task.h"

const char *(*sim_at_end)(void);

/* ---- The dead ------------------------------------------------------------------- */

static bool
find_dead(struct task *task, void *found)
{
	if (task->state != TASK_DEAD || task->on_cpu)
		return true;
	*(struct task **)found = task;
	return false;
}

/* Not before they wait for the reaper: until then somebody has them. */
void
sim_reap(void)
{
	struct task *dead;

	if (reaper_idle())
		return;
	do {
		dead = NULL;
		task_for_each(find_dead, &dead);
		if (dead)
			task_free(dead);
	} while (dead);
}

/* ---- The end -------------------------------------------------------------------- */

static char sentence[256];

static const char *
name_of(unsigned id)
{
	return cpus[id].curr->name;
}

static const char *
why_unfinished(unsigned id)
{
	const struct sim_cpu *cpu = &sim_cpus[id];

	if (cpu->wants) {
		snprintf(sentence, sizeof(sentence),
			 "cpu%u (%s) waits for the spin lock \"%s\", which "
			 "cpu%u holds", id, name_of(id), cpu->wants->name,
			 cpu->wants->holder ? cpu->wants->holder->id : ~0u);
		return sentence;
	}
	for (unsigned other = 0; other < sim_nr_cpus; other++) {
		if (cpu->spins_on != &cpus[other].tlb_served)
			continue;
		snprintf(sentence, sizeof(sentence),
			 "cpu%u (%s) waits for cpu%u to answer a shootdown",
			 id, name_of(id), other);
		return sentence;
	}
	snprintf(sentence, sizeof(sentence), "cpu%u (%s) cannot go on", id,
		 name_of(id));
	return sentence;
}

struct sleeper {
	const struct task *task;
	const struct mm *mm;
};

/* Does the sleeper wait for the lock of @mm? */
static bool
find_lock(struct mm *mm, void *arg)
{
	struct sleeper *sleeper = arg;
	struct waiter *waiter;

	list_for_each(waiter, &mm->lock.queue.waiters, link)
		if (waiter->task == sleeper->task)
			sleeper->mm = mm;
	return !sleeper->mm;
}

/* False: it may sleep there for ever. */
static bool
say_why_asleep(const struct task *task)
{
	struct sleeper sleeper = { .task = task };

	mm_for_each(find_lock, &sleeper);
	if (!sleeper.mm && !task->transition)
		return false;
	if (sleeper.mm && sleeper.mm->lock.owner)
		snprintf(sentence, sizeof(sentence),
			 "%s waits for the lock of %s, which %s holds",
			 task->name, sleeper.mm->name,
			 sleeper.mm->lock.owner->name);
	else if (sleeper.mm)
		snprintf(sentence, sizeof(sentence),
			 "%s waits for the lock of %s, which is free: nobody "
			 "has told", task->name, sleeper.mm->name);
	else
		snprintf(sentence, sizeof(sentence),
			 "%s sleeps in the middle of a fork, exec, exit, "
			 "teardown or adoption", task->name);
	return true;
}

/* A task that ought to run, or sleeps where it may not stay. */
static bool
find_stuck(struct task *task, void *found)
{
	bool idle = task == cpus[task->cpu].idle;

	if (task->on_rq && !task->on_cpu && !idle)
		snprintf(sentence, sizeof(sentence),
			 "%s is runnable on cpu%u, which waits for an "
			 "interrupt and was not told", task->name, task->cpu);
	else if (!say_why_asleep(task))
		return true;
	*(bool *)found = true;
	return false;
}

const char *
sim_ended(void)
{
	const char *missing = NULL;
	bool stuck = false;

	for (unsigned id = 0; id < sim_nr_cpus; id++)
		if (!sim_cpus[id].waiting)
			return why_unfinished(id);
	explore_quiet_begin();
	task_for_each(find_stuck, &stuck);
	if (stuck)
		missing = sentence;
	else if (sim_at_end)
		missing = sim_at_end();
	explore_quiet_end();
	return missing;
}

/* ---- Beside a schedule ------------------------------------------------------------ */

struct text {
	char *buf;
	size_t size, used;
};

static bool
add_counters(struct mm *mm, void *arg)
{
	struct text *text = arg;

	if (mm != &init_mm && !memory_is_object(mm, sizeof(*mm)))
		return false;
	if (mm != &init_mm && text->used < text->size)
		text->used += (size_t)snprintf(
			text->buf + text->used, text->size - text->used,
			"%s%.8s %d/%d", text->used ? " " : "",
			mm->name[0] ? mm->name : "?", mm_users(mm),
			mm_count(mm));
	return true;
}

void
sim_describe(unsigned agent, char *who, char *counters)
{
	struct text text = { counters, 48, 0 };

	counters[0] = 0;
	snprintf(who, 24, "%s", name_of(agent % sim_nr_cpus));
	explore_quiet_begin();
	mm_for_each(add_counters, &text);
	explore_quiet_end();
}
