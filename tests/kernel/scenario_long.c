/*
 * S15: long work. A thread of a higher priority that is woken in the middle of
 * a teardown or an unmap gets the CPU before the end, between two leaf tables.
 */
#include "kernel/base/errno.h"
#include "kernel/base/yield.h"
#include "sched/kthread.h"
#include "tests/kernel/stage.h"

static struct actor *worker;
static struct mm *its_mm;
static bool came, in_the_middle;

/* For a teardown: the contents are not gone yet. */
static int
see_teardown(void *unused)
{
	(void)unused;
	in_the_middle = !its_mm->torn_down;
	store_release(&came, true);
	return 0;
}

static int
see_unmap(void *unused)
{
	(void)unused;
	in_the_middle = !has_ended(worker);
	store_release(&came, true);
	return 0;
}

/* Wakes a thread of the first priority on CPU 0, which is held. */
static void
wake_on_stage(int (*fn)(void *))
{
	struct task *task = kthread_create(fn, NULL, "urgent");

	MUST(task);
	came = false;
	task->prio = 0;
	kthread_bind(task, 0);
	wake_up_new_task(task);
}

// run: cpus=2 append="invariants=0" timeout=60
KERNEL_TEST(s15_teardown_gives_way,
	    "a teardown gives the CPU away between two tables, and goes on")
{
	struct actor *A;
	u64 a;

	stage_open(1);
	A = worker = user_actor("A"), a = mm_of(A);
	to(0, A);
	MUST_EQ(touches(A, DATA, STAGE_PAGES), 0);
	MUST_EQ(touches(A, MORE, STAGE_PAGES), 0);
	its_mm = mm_find(a, current);
	MUST(its_mm);
	yield_arm(0, YIELD_TEARDOWN);
	begins_exit(A);
	UNTIL(yield_held(0));
	wake_on_stage(see_teardown);
	yield_release(0);
	is_dead(A);
	UNTIL(load_acquire(&came));
	MUST(in_the_middle);
	STEP("A exits", { a, 0, 2 });
	mmdrop(its_mm, REF_PIN, current);
	stage_close();
}

// run: cpus=2 append="invariants=0" timeout=60
KERNEL_TEST(s15_unmap_gives_way,
	    "an unmap gives the CPU away between two tables, and goes on")
{
	struct actor *A;
	u64 a;

	stage_open(1);
	A = worker = user_actor("A"), a = mm_of(A);
	to(0, A);
	MUST_EQ(touches(A, DATA, STAGE_PAGES), 0);
	MUST_EQ(touches(A, MORE, STAGE_PAGES), 0);
	yield_arm(0, YIELD_GENERATION);
	begins_unmap(A, DATA, (MORE - DATA) / PAGE_SIZE + STAGE_PAGES);
	UNTIL(yield_held(0));
	wake_on_stage(see_unmap);
	yield_release(0);
	MUST_EQ(ends(A), 0);
	UNTIL(load_acquire(&came));
	MUST(in_the_middle);
	MUST_EQ(reads(A, DATA), -EFAULT);
	MUST_EQ(reads(A, MORE), -EFAULT);
	STEP("A has unmapped", { a, 1, 1 });
	stage_close();
}
