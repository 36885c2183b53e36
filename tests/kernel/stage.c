/* The stage: opening, steps, closing. See tests/kernel/stage.h. */
#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/guest.h"
#include "kernel/hold.h"
#include "kernel/invariants.h"
#include "kernel/workers.h"
#include "sched/world.h"
#include "tests/kernel/actor.h"

enum { PATIENCE_S = 20 };

struct stage stage;

/* ---- Failure ---------------------------------------------------------- */

static void __noreturn
end_run(void)
{
	printk(LOG_ERROR, "the stage cannot be cleared: the run ends here");
	printk(LOG_ERROR, "lodger: verdict FAIL");
	arch_exit(VERDICT_FAIL);
}

void
stage_must(const char *file, int line, const char *what, long seen,
	   long expected)
{
	if (seen == expected)
		return;
	test_failed(file, line, "%s: expected %ld, seen %ld", what, expected,
		    seen);
	end_run();
}

void
stage_wait(const char *file, int line, const char *what, u64 since)
{
	world_meet();
	arch_cpu_relax();
	if (arch_time_ns() - since < PATIENCE_S * 1000000000ul)
		return;
	test_failed(file, line, "waited %d s for: %s", PATIENCE_S, what);
	end_run();
}

/* ---- Steps ------------------------------------------------------------ */

void
name_space(u64 id, const char *name)
{
	MUST(stage.nr_spaces < MAX_SPACES);
	stage.spaces[stage.nr_spaces].id = id;
	strscpy(stage.spaces[stage.nr_spaces++].name, name, NAME_LEN);
}

static const char *
space_name(u64 id)
{
	for (unsigned i = 0; i < stage.nr_spaces; i++)
		if (stage.spaces[i].id == id)
			return stage.spaces[i].name;
	return "?";
}

struct seen {
	u64 mm_id;
	int users, count; /* GONE */
};

static bool
is_gone(int users)
{
	return users < 0;
}

static bool
look(struct mm *mm, void *arg)
{
	struct seen *seen = arg;

	if (mm->id != seen->mm_id)
		return true;
	seen->users = mm_users(mm);
	seen->count = mm_count(mm);
	return false;
}

static void
look_up(struct seen *seen)
{
	*seen = (struct seen){ seen->mm_id, GONE };
	mm_for_each(look, seen);
	if (seen->mm_id == INIT)
		seen->count -=
			(int)count_bits(online_cpus() & (~0ul << stage.cpus));
}

static void
compare(const char *file, int line, const char *text,
	const struct expected *expected, const struct seen *seen)
{
	const char *name = space_name(seen->mm_id);

	if (seen->users == expected->users && seen->count == expected->count)
		return;
	if (is_gone(expected->users))
		test_failed(file, line, "%s: %s must be freed, but is %d/%d",
			    text, name, seen->users, seen->count);
	else if (is_gone(seen->users))
		test_failed(file, line, "%s: %s must be %d/%d, but is freed",
			    text, name, expected->users, expected->count);
	else
		test_failed(file, line, "%s: %s must be %d/%d, but is %d/%d",
			    text, name, expected->users, expected->count,
			    seen->users, seen->count);
	end_run();
}

void
stage_step(const char *file, int line, const char *text,
	   const struct expected *expected)
{
	char row[80] = "";
	size_t len = 0;

	world_stop();
	check_world();
	for (; expected->users || expected->count; expected++) {
		struct seen seen = { .mm_id = expected->mm_id };

		look_up(&seen);
		compare(file, line, text, expected, &seen);
		len += (size_t)(is_gone(seen.users)
			? snprintf(row + len, sizeof(row) - len, "  %s x",
				   space_name(seen.mm_id))
			: snprintf(row + len, sizeof(row) - len, "  %s %d/%d",
				   space_name(seen.mm_id), seen.users,
				   seen.count));
	}
	world_resume();
	pr_info("  %-36s%s", text, row);
}

void
stage_mark(void)
{
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		memcpy(stage.marks[cpu], cpu_by_id(cpu)->counts,
		       sizeof(stage.marks[cpu]));
}

u64
counted(unsigned cpu, enum cpu_counter which)
{
	return READ_ONCE(cpu_by_id(cpu)->counts[which]) -
	       stage.marks[cpu][which];
}

u64
counted_all(enum cpu_counter which)
{
	u64 sum = 0;

	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		sum += counted(cpu, which);
	return sum;
}

/* ---- Opening and closing ---------------------------------------------- */

static bool
note_worker(struct task *task, void *unused)
{
	(void)unused;
	if (task == cpu_by_id(task->cpu)->idle || task == current)
		return true;
	ASSERT(stage.nr_workers < MAX_WORKERS);
	stage.workers[stage.nr_workers].task = task;
	stage.workers[stage.nr_workers++].affinity = task->affinity;
	return true;
}

/* Every kernel thread that is about goes to the CPUs off the stage. */
static void
clear_stage(void)
{
	u64 off_stage = online_cpus() & (~0ul << stage.cpus);

	MUST(off_stage);
	MUST_EQ(sched_set_affinity(current, off_stage & -off_stage), 0);
	task_for_each(note_worker, NULL);
	for (unsigned i = 0; i < stage.nr_workers; i++)
		MUST_EQ(sched_set_affinity(stage.workers[i].task, off_stage),
			0);
	for (unsigned cpu = 0; cpu < stage.cpus; cpu++)
		UNTIL(READ_ONCE(cpu_by_id(cpu)->curr) == cpu_by_id(cpu)->idle);
}

void
stage_open(unsigned nr_stage_cpus)
{
	memset(&stage, 0, sizeof(stage));
	stage.cpus = nr_stage_cpus;
	quiesce();
	stage.frames = nr_free_pages();
	stage.tasks = nr_tasks();
	name_space(INIT, "init");
	clear_stage();
	stage_mark();
}

/* Those who wait come out of their loops; those who sleep are woken, and
 * those who never ran do so now. */
static void
dismiss(struct actor *actor)
{
	store_release(&actor->quit, true);
	if (actor->gone || !actor->task)
		return;
	if (actor->task->state == TASK_NEW)
		wake_up_new_task(actor->task);
	else
		wake_up_task(actor->task);
}

static void
all_leave(void)
{
	u64 start = arch_time_ns();
	int status;

	for (unsigned cpu = 0; cpu < stage.cpus; cpu++)
		hold_control(cpu, LODGER_HOLD_NONE);
	for (unsigned i = 0; i < stage.nr_actors; i++)
		dismiss(&stage.actors[i]);
	while (kernel_wait(&status) > 0)
		;
	while (nr_tasks() > stage.tasks) {
		schedule();
		stage_wait(__FILE__, __LINE__, "all actors are gone", start);
	}
}

/* Nothing may be missing. There may be more than before, since the start of
 * the stage may have found a worker at work. */
static bool
frames_are_back(void)
{
	for (int attempt = 0; attempt < 10; attempt++) {
		quiesce();
		if (nr_free_pages() >= stage.frames)
			return true;
	}
	return false;
}

void
stage_close(void)
{
	all_leave();
	for (unsigned i = 0; i < stage.nr_workers; i++)
		sched_set_affinity(stage.workers[i].task,
				   stage.workers[i].affinity);
	sched_set_affinity(current, ~0ul);
	if (!frames_are_back())
		MUST_EQ(nr_free_pages(), stage.frames);
	check_invariants();
	MUST_EQ(nr_mms(), 1);
	MUST_EQ(mm_count(&init_mm), 1 + count_bits(online_cpus()));
}
