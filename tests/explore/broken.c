/*
 * Scenarios that fail, each in its own way: they show what a failure looks
 * like, and that each exit code occurs. --all leaves them out.
 */
#include "kernel/base/cpu.h"
#include "sched/mutex.h"
#include "tests/explore/scenario.h"

static int word;
static struct mutex one, other;

static void
count(void)
{
	word++;
}

SCENARIO(broken_race, 2, "two kernel threads count in one variable, unlocked")
{
	on(0, to(kthread("K")), calls(count, "counts"));
	on(1, to(kthread("L")), calls(count, "counts"));
}

static void
drop_twice(void)
{
	mmgrab(&init_mm, REF_PIN, current);
	mmdrop(&init_mm, REF_PIN, current);
	mmdrop(&init_mm, REF_PIN, current);
}

SCENARIO(broken_violation, 2, "a pin is given back twice")
{
	on(0, to(kthread("K")), calls(drop_twice, "drops twice"));
	on(1, to(user("B")));
}

static void
takes_one_first(void)
{
	mutex_lock(&one);
	mutex_lock(&other);
	mutex_unlock(&other);
	mutex_unlock(&one);
}

static void
takes_other_first(void)
{
	mutex_lock(&other);
	mutex_lock(&one);
	mutex_unlock(&one);
	mutex_unlock(&other);
}

SCENARIO(broken_deadlock, 2, "two mutexes, taken in either order")
{
	mutex_init(&one, "one");
	mutex_init(&other, "other");
	on(0, to(kthread("K")), calls(takes_one_first, "locks"));
	on(1, to(kthread("L")), calls(takes_other_first, "locks"));
}

static void
wait_for_the_other(void)
{
	while (!READ_ONCE(word))
		arch_cpu_relax();
}

SCENARIO(broken_stuck, 2, "two kernel threads wait for each other, for ever")
{
	on(0, to(kthread("K")), calls(wait_for_the_other, "waits"));
	on(1, to(kthread("L")), calls(wait_for_the_other, "waits"));
}

static void
trap(void)
{
	__builtin_trap();
}

SCENARIO(broken_crash, 1, "the explorer itself crashes")
{
	on(0, to(kthread("K")), calls(trap, "crashes"));
}
