/*
 * What must be true: at rest, at each free, at the end. The rest is checked by
 * the kernel's own assertions, and by the machine at each access.
 */
#include <stdio.h>

#include "kernel/invariants.h"
#include "tests/explore/play.h"

/* ---- At rest ------------------------------------------------------------------- */

struct live {
	struct mm *mms[MODEL_MMS];
};

static bool
note_live(struct mm *mm, void *arg)
{
	struct live *live = arg;

	for (unsigned i = 0; i < stage.nr_spaces; i++) {
		if (stage.spaces[i].id == mm->id)
			live->mms[i] = mm;
	}
	return true;
}

static void
compare(const struct space *space, const struct mm *mm)
{
	int number = number_of_space(space);
	int users = model_users(&stage.model, number);
	int count = model_count(&stage.model, number);

	if (!mm && count)
		explore_fail(EXPLORE_VIOLATION, "%s was freed, but by the "
			     "table it is %d/%d", space->name, users, count);
	if (!mm)
		return;
	if (!count)
		panic_mm(mm, "%s is %d/%d, but by the table nobody holds it",
			 space->name, mm_users(mm), mm_count(mm));
	if (mm_users(mm) != users || mm_count(mm) != count)
		panic_mm(mm, "%s is %d/%d, but by the table it is %d/%d",
			 space->name, mm_users(mm), mm_count(mm), users,
			 count);
}

/* No CPU moves, and nobody sleeps in the middle of a transition. */
void
check_at_rest(void)
{
	struct live live = { { NULL } };

	check_world();
	mm_for_each(note_live, &live);
	for (unsigned i = 0; i < stage.nr_spaces; i++)
		compare(&stage.spaces[i], live.mms[i]);
}

/* ---- At a free --------------------------------------------------------------------- */

static bool
check_task(struct task *task, void *arg)
{
	const struct space *space = arg;

	if (task->mm == space->mm || task->active_mm == space->mm)
		explore_fail(EXPLORE_VIOLATION, "I4: %s is freed while %s %s "
			     "it", space->name, task->name,
			     task->mm == space->mm ? "lives in" : "borrows");
	return true;
}

static void
check_cpu(const struct cpu *cpu, const struct space *space)
{
	if (sim_cr3(cpu->id) == space->root)
		explore_fail(EXPLORE_VIOLATION, "I4: the root of %s is freed "
			     "while it is in CR3 of cpu%u", space->name,
			     cpu->id);
	if (cpu->loaded == space->mm || cpu->prev_mm == space->mm)
		explore_fail(EXPLORE_VIOLATION, "I4: %s is freed while cpu%u "
			     "%s it", space->name, cpu->id,
			     cpu->loaded == space->mm ? "has loaded" : "owes");
}

static struct space *
space_with(paddr_t root)
{
	for (unsigned i = stage.nr_spaces; i-- > 0;) {
		if (stage.spaces[i].root == root)
			return &stage.spaces[i];
	}
	return NULL;
}

void __real_pgtable_free_root(paddr_t root);
void __wrap_pgtable_free_root(paddr_t root);

/* The linker puts this before the kernel's. */
void
__wrap_pgtable_free_root(paddr_t root)
{
	struct space *space = space_with(root);

	explore_quiet_begin();
	if (space) {
		for (unsigned id = 0; id < stage.cpus; id++)
			check_cpu(cpu_by_id(id), space);
		task_for_each(check_task, space);
	}
	explore_quiet_end();
	__real_pgtable_free_root(root);
}

/* ---- At a teardown --------------------------------------------------------------- */

static bool
check_not_at_home(struct task *task, void *mm)
{
	if (task->mm == mm)
		explore_fail(EXPLORE_VIOLATION, "I2, I11: %s is torn down "
			     "while %s %s it", space_of(mm)->name, task->name,
			     task->is_kthread ? "has adopted" : "lives in");
	return true;
}

void __real_exit_mmap(struct mm *mm);
void __wrap_exit_mmap(struct mm *mm);

/* The same: nobody lives there from now on. */
void
__wrap_exit_mmap(struct mm *mm)
{
	explore_quiet_begin();
	task_for_each(check_not_at_home, mm);
	explore_quiet_end();
	__real_exit_mmap(mm);
}

/* ---- At the end ---------------------------------------------------------------------- */

void
check_at_end(void)
{
	int count = 1 + (int)stage.cpus;

	if (nr_mms() != 1)
		explore_fail(EXPLORE_VIOLATION, "I10: nobody is left, but %u "
			     "address spaces besides init_mm are",
			     nr_mms() - 1);
	if (mm_count(&init_mm) != count)
		panic_mm(&init_mm, "I10: nobody is left, but init_mm's count "
			 "is %d in place of %d", mm_count(&init_mm), count);
	if (sim_frames_in_use() != stage.frames)
		explore_fail(EXPLORE_VIOLATION, "I10: nobody is left, but %ld "
			     "frames did not come back",
			     (long)(sim_frames_in_use() - stage.frames));
	if (sim_objects_in_use() != stage.objects)
		explore_fail(EXPLORE_VIOLATION, "I10: nobody is left, but %ld "
			     "kernel objects did not come back",
			     (long)(sim_objects_in_use() - stage.objects));
}

static char sentence[96];

/* Who looks from outside holds users for one operation alone; an adopter, for as
 * long as it adopts. */
static bool
find_left_over(struct mm *mm, void *found)
{
	if (ledger_count(mm, REF_GET) == ledger_count(mm, REF_ADOPTED))
		return true;
	snprintf(sentence, sizeof(sentence),
		 "%s keeps users that an outsider is done with", mm->name);
	*(bool *)found = true;
	return false;
}

/* Nobody can go on. */
const char *
what_is_missing(void)
{
	bool found = false;

	for (unsigned cpu = 0; cpu < stage.cpus; cpu++) {
		const struct part *part = &stage.parts[cpu];
		const char *who = part->turn ? part->turn->name : "idle";

		if (part->doing)
			snprintf(sentence, sizeof(sentence),
				 "cpu%u: %s never ends, and %s waits", cpu,
				 part->doing->verb, who);
		else if (part->next < part->nr)
			snprintf(sentence, sizeof(sentence),
				 "cpu%u: %s does not go on to: %s", cpu, who,
				 part->steps[part->next].verb);
		else
			continue;
		return sentence;
	}
	if (!stage.goes_on && !stage.cleared)
		return "the stage is not cleared";
	mm_for_each(find_left_over, &found);
	return found ? sentence : NULL;
}
