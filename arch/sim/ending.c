/*
 * For people: how an execution should end, who waits for what if it does not,
 * and what stands beside each line of a schedule.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arch/sim/sim.h"
#include "arch/sim/words.h"
#include "kernel/base/spinlock.h"
#include "mm/mm.h"
#include "sched/mutex.h"
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
	snprintf(sentence, sizeof(sentence), "cpu%u (%s) waits in a loop for "
		 "what nobody does", id, name_of(id));
	return sentence;
}

/* Who is inside mutex_lock(), each on its own stack. */
struct locker {
	const struct task *task;
	const struct mutex *mutex;
	struct list link;
};

static SIM_STATE struct list lockers = LIST_INIT(lockers);

void __real_mutex_lock(struct mutex *mutex);
void __wrap_mutex_lock(struct mutex *mutex);

/* The linker puts this before the kernel's. */
void
__wrap_mutex_lock(struct mutex *mutex)
{
	struct locker locker = { .task = current, .mutex = mutex };

	list_add_tail(&lockers, &locker.link);
	__real_mutex_lock(mutex);
	list_del(&locker.link);
}

static const struct mutex *
mutex_wanted_by(const struct task *task)
{
	const struct locker *locker;

	list_for_each(locker, &lockers, link)
		if (locker->task == task)
			return locker->mutex;
	return NULL;
}

/* One more of those that are stuck. */
static void __printf(1, 2)
add_stuck(const char *fmt, ...)
{
	size_t used = strlen(sentence);
	va_list args;

	if (used)
		used += (size_t)snprintf(&sentence[used],
					 sizeof(sentence) - used, "; ");
	va_start(args, fmt);
	if (used < sizeof(sentence))
		vsnprintf(&sentence[used], sizeof(sentence) - used, fmt, args);
	va_end(args);
}

static void
add_locker(const struct task *task, const struct mutex *mutex)
{
	char name[WORD_NAME_LEN];
	char *owner;

	word_name(mutex, name); /* its first word is the owner's */
	owner = strstr(name, ".owner");
	if (owner)
		*owner = 0;
	if (mutex->owner)
		add_stuck("%s waits for the mutex %s, which %s holds",
			  task->name, name, mutex->owner->name);
	else
		add_stuck("%s waits for the mutex %s, which is free: nobody "
			  "has told it", task->name, name);
}

/* A task that ought to run, or sleeps where it may not stay. */
static bool
find_stuck(struct task *task, void *unused)
{
	const struct mutex *mutex = mutex_wanted_by(task);
	bool idle = task == cpus[task->cpu].idle;

	(void)unused;
	if (task->on_rq && !task->on_cpu && !idle)
		add_stuck("%s is runnable on cpu%u, which waits for an "
			  "interrupt and was not told", task->name, task->cpu);
	else if (mutex)
		add_locker(task, mutex);
	else if (task->transition)
		add_stuck("%s sleeps in the middle of a fork, exec, exit, "
			  "teardown or adoption", task->name);
	return true;
}

const char *
sim_ended(void)
{
	const char *missing = NULL;

	for (unsigned id = 0; id < sim_nr_cpus; id++)
		if (!sim_cpus[id].waiting)
			return why_unfinished(id);
	explore_quiet_begin();
	sentence[0] = 0;
	task_for_each(find_stuck, NULL);
	if (sentence[0])
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
