/*
 * S14: two CPUs at the same instant. A rendezvous (kernel/base/yield.h) holds
 * one CPU between two instructions while the other does its worst.
 */
#include "kernel/base/errno.h"
#include "kernel/base/yield.h"
#include "tests/kernel/stage.h"

enum { A_WHILE_NS = 5000000 };

/* CPU 1, held with interrupts off, cannot answer: @A must go on waiting. */
static void
must_wait(struct actor *A)
{
	u64 start = arch_time_ns();

	while (arch_time_ns() - start < A_WHILE_NS)
		MUST(!has_ended(A));
}

/* CPU 1 goes to @next and is held at @point; then A, on CPU 0, unmaps DATA's
 * first page. The unmap may only end when no CPU can use the page. */
static void
unmap_meanwhile(struct actor *A, struct actor *next, enum yield_point point)
{
	stage_mark();
	yield_arm(1, point);
	sets_out(1, next);
	UNTIL(yield_held(1));
	begins_unmap(A, DATA, 1);
	UNTIL(has_ended(A) || counted(0, COUNT_IPIS_TLB) > 0);
	if (counted(0, COUNT_IPIS_TLB) > 0)
		must_wait(A);
	yield_release(1);
	MUST_EQ(ends(A), 0);
	arrives(1, next);
}

static void
unmap_while_coming(enum yield_point point, const char *step)
{
	struct actor *A, *A2;
	u64 a;

	stage_open(2);
	A = user_actor("A"), a = mm_of(A);
	to(0, A);
	MUST_EQ(touches(A, DATA, STAGE_PAGES), 0);
	A2 = clones(A, "A2", THREAD);
	to(0, A2);
	to(0, A);
	STEP("cpu0 A, cpu1 idle", { a, 2, 1 }, { INIT, 1, 2 });
	unmap_meanwhile(A, A2, point);
	STEP(step, { a, 2, 1 }, { INIT, 1, 1 });
	MUST_EQ(reads(A2, DATA), -EFAULT);
	MUST_EQ(reads(A2, DATA + PAGE_SIZE), DATA + PAGE_SIZE);
	stage_close();
}

// run: cpus=3 append="invariants=0" timeout=60 seeds=1,2,3
KERNEL_TEST(s14_unmap_while_a_cpu_comes,
	    "an unmap reaches a CPU that is on its way into the mm")
{
	unmap_while_coming(YIELD_MASK_SET, "unmap between mask and CR3");
	unmap_while_coming(YIELD_ROOT_LOADED, "unmap between CR3 and loaded");
}

// run: cpus=3 append="invariants=0" timeout=60 seeds=1,2,3
KERNEL_TEST(s14_unmap_while_a_cpu_goes,
	    "an unmap reaches a CPU that still has the root in CR3")
{
	struct actor *A, *A2, *B;
	u64 a;

	stage_open(2);
	A = user_actor("A"), a = mm_of(A);
	B = user_actor("B");
	to(0, A);
	MUST_EQ(touches(A, DATA, STAGE_PAGES), 0);
	A2 = clones(A, "A2", THREAD);
	to(1, A2);
	unmap_meanwhile(A, B, YIELD_MASK_SET);
	MUST_EQ(counted(0, COUNT_IPIS_TLB), 1);
	STEP("cpu1 A2->B, unmap before CR3 moves", { a, 2, 1 });
	MUST_EQ(atomic64_read(&task_of(A)->mm->cpumask), 1);
	stage_close();
}

static void
unmap_while_unlazying(enum yield_point point, const char *step)
{
	struct actor *A, *A2, *K;
	u64 a;

	stage_open(2);
	A = user_actor("A"), a = mm_of(A);
	K = kernel_actor("K");
	to(0, A);
	MUST_EQ(touches(A, DATA, STAGE_PAGES), 0);
	A2 = clones(A, "A2", THREAD);
	to(1, A2);
	MUST_EQ(reads(A2, DATA), DATA);
	to(1, K);
	STEP("cpu0 A, cpu1 A2->K", { a, 2, 2 });
	unmap_meanwhile(A, A2, point);
	STEP(step, { a, 2, 1 });
	MUST_EQ(reads(A2, DATA), -EFAULT);
	stage_close();
}

// run: cpus=3 append="invariants=0" timeout=60 seeds=1,2,3
KERNEL_TEST(s14_unmap_while_a_cpu_leaves_lazy_mode,
	    "an unmap that spares a lazy CPU is seen by it when it comes back")
{
	unmap_while_unlazying(YIELD_UNLAZY, "unmap before it says so");
	unmap_while_unlazying(YIELD_UNLAZIED, "unmap before it compares");
}

static long
map_data_again(void *unused)
{
	struct mm *mm = current->mm;

	(void)unused;
	return mm_locked(mm, do_mmap(mm, DATA, PAGE_SIZE,
				     PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				     false));
}

enum { ROUNDS = 5, STORM_ROUNDS = 60, ROUNDS_PER_STEP = 20 };

// run: cpus=3 append="invariants=0" timeout=90 seeds=1,2,3,4
KERNEL_TEST(s14_unmaps_and_switches_at_random,
	    "with nobody held anywhere, a page that was unmapped stays gone")
{
	struct actor *A, *A2, *K;
	u64 a;

	stage_open(2);
	A = user_actor("A"), a = mm_of(A);
	K = kernel_actor("K");
	to(0, A);
	MUST_EQ(touches(A, DATA, STAGE_PAGES), 0);
	A2 = clones(A, "A2", THREAD);
	to(1, A2);
	for (int round = 1; round <= STORM_ROUNDS; round++) {
		struct actor *next = on_stage(1) == A2 ? K : A2;

		MUST_EQ(does(A, map_data_again, NULL), DATA);
		MUST_EQ(touches(A, DATA, 1), 0);
		if (next == K)
			MUST_EQ(reads(A2, DATA), DATA);
		begins_unmap(A, DATA, 1);
		sets_out(1, next);
		MUST_EQ(ends(A), 0);
		arrives(1, next);
		if (next == A2)
			MUST_EQ(reads(A2, DATA), -EFAULT);
		if (round % ROUNDS_PER_STEP == 0)
			STEP("unmapped and switched", { a, 2, 1 });
	}
	stage_close();
}

/* A and A2 run on CPUs 0 and 1 and leave at the same instant. */
static void
exit_at_once(struct actor *A, struct actor *A2)
{
	yield_arm(0, YIELD_USERS_DROP);
	yield_arm(1, YIELD_USERS_DROP);
	begins_exit(A);
	begins_exit(A2);
	UNTIL(yield_held(0) && yield_held(1));
	yield_release(0);
	yield_release(1);
	is_dead(A);
	is_dead(A2);
}

/* CPUs 0 and 1 drop the last two references at the same instant. */
static void
switch_at_once(struct actor *D, struct actor *E)
{
	yield_arm(0, YIELD_COUNT);
	yield_arm(1, YIELD_COUNT);
	sets_out(0, D);
	sets_out(1, E);
	UNTIL(yield_held(0) && yield_held(1));
	yield_release(0);
	yield_release(1);
	arrives(0, D);
	arrives(1, E);
}

static void
race_to_the_end(bool free_at_once)
{
	struct actor *A, *A2, *D, *E;
	u64 a;

	stage_open(2);
	A = user_actor("A"), a = mm_of(A);
	D = user_actor("D"), E = user_actor("E");
	to(0, A);
	A2 = clones(A, "A2", THREAD);
	to(1, A2);
	STEP("cpu0 A, cpu1 A2", { a, 2, 1 });
	exit_at_once(A, A2);
	STEP("both exit at once", { a, 0, 2 });
	if (free_at_once) {
		switch_at_once(D, E);
	} else {
		to(0, D);
		STEP("cpu0 dead A->D", { a, 0, 1 });
		to(1, E);
	}
	STEP("cpu1 dead A2->E", { a, GONE }, { INIT, 1, 1 });
	stage_close();
}

// run: cpus=3 append="invariants=0" timeout=90 seeds=1,2,3
KERNEL_TEST(s14_two_threads_exit_at_once,
	    "two last threads exit at the same instant: one teardown, one "
	    "free")
{
	for (int round = 0; round < ROUNDS; round++)
		race_to_the_end(round % 2);
}

// run: cpus=2 append="invariants=0" timeout=60 seeds=1
KERNEL_TEST(s14_outsider_meets_the_end,
	    "nobody gets in between the last user and the teardown, nor "
	    "between the last drop and the free")
{
	struct actor *A, *D;
	struct mm *mm;
	u64 a;

	stage_open(1);
	A = user_actor("A"), a = mm_of(A);
	D = user_actor("D");
	to(0, A);
	mm = mm_find(a, current);
	MUST(mm);
	yield_arm(0, YIELD_TEARDOWN);
	begins_exit(A);
	UNTIL(yield_held(0));
	MUST_EQ(mm_users(mm), 0);
	MUST(!mmget_not_zero(mm, current));
	MUST_EQ(mm_users(mm), 0);
	/* Were it switched away now, it would come back as a borrower. */
	MUST(!task_of(A)->mm);
	yield_release(0);
	is_dead(A);
	STEP("A exits", { a, 0, 2 });
	mmdrop(mm, REF_PIN, current);
	STEP("unpin", { a, 0, 1 });

	yield_arm(0, YIELD_FREE);
	sets_out(0, D);
	UNTIL(yield_held(0));
	MUST(!mm_find(a, current));
	yield_release(0);
	arrives(0, D);
	STEP("dead A->D", { a, GONE }, { INIT, 1, 1 });
	stage_close();
}
