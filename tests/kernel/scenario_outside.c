/* S9, S10: those who hold an address space without living in it. */
#include "tests/kernel/stage.h"

// run: cpus=2 append="invariants=0" timeout=60
KERNEL_TEST(s09_outsider,
	    "a pin keeps the struct; contents are refused to it when nobody "
	    "lives there any more")
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
	STEP("pin", { a, 1, 2 });
	MUST(mmget_not_zero(mm, current));
	STEP("get, not zero", { a, 2, 2 });
	mmput(mm, REF_GET, current);
	STEP("put", { a, 1, 2 });
	exits(A);
	STEP("A exits", { a, 0, 2 });
	to(0, NULL);
	STEP("dead A->idle", { a, 0, 2 });
	MUST(!mmget_not_zero(mm, current));
	STEP("get, not zero: refused", { a, 0, 2 });
	to(0, D);
	STEP("idle->D", { a, 0, 1 });
	mmdrop(mm, REF_PIN, current);
	STEP("unpin", { a, GONE });
	MUST(!mm_find(a, current));
	stage_close();
}

static long
take_users(void *mm)
{
	mmget(mm, REF_GET, current);
	return 0;
}

static long
put_users(void *mm)
{
	mmput(mm, REF_GET, current);
	return 0;
}

static long
use(void *mm)
{
	kthread_use_mm(mm);
	return 0;
}

static long
unuse(void *mm)
{
	kthread_unuse_mm(mm);
	return 0;
}

// run: cpus=3 append="invariants=0" timeout=60
KERNEL_TEST(s10_adoption,
	    "an adopter holds users for the whole window, so that the "
	    "contents outlive their last task")
{
	struct actor *A, *D, *E, *W;
	struct mm *mm;
	u64 a;

	stage_open(2);
	A = user_actor("A"), a = mm_of(A), mm = task_of(A)->mm;
	D = user_actor("D"), E = user_actor("E"), W = kernel_actor("W");
	to(1, A);
	to(0, W);
	MUST_EQ(touches(A, DATA, 1), 0);
	STEP("cpu0 W, cpu1 A", { a, 1, 1 }, { INIT, 1, 2 });
	does(W, take_users, mm);
	STEP("W takes users", { a, 2, 1 }, { INIT, 1, 2 });
	does(W, use, mm);
	STEP("W adopts", { a, 2, 2 }, { INIT, 1, 1 });
	exits(A);
	to(1, NULL);
	STEP("A exits, cpu1 idle borrows", { a, 1, 3 });
	MUST_EQ(reads(W, DATA), DATA);
	does(W, unuse, mm);
	STEP("W lets go", { a, 1, 3 });
	does(W, put_users, mm);
	STEP("W puts users: teardown here", { a, 0, 2 });
	to(0, D);
	STEP("cpu0 W->D", { a, 0, 1 });
	to(1, E);
	STEP("cpu1 idle->E", { a, GONE }, { INIT, 1, 1 });
	stage_close();
}

// run: cpus=2 append="invariants=0" timeout=60
KERNEL_TEST(s10_adopting_what_is_borrowed,
	    "adoption of the mm that is borrowed already counts the same")
{
	struct actor *A, *W;
	struct mm *mm;
	u64 a;

	stage_open(1);
	A = user_actor("A"), a = mm_of(A), mm = task_of(A)->mm;
	W = kernel_actor("W");
	to(0, A);
	stage_mark();
	to(0, W);
	STEP("A->W", { a, 1, 2 });
	does(W, take_users, mm);
	does(W, use, mm);
	STEP("W adopts", { a, 2, 2 });
	does(W, unuse, mm);
	does(W, put_users, mm);
	STEP("W lets go", { a, 1, 2 });
	to(0, A);
	STEP("W->A", { a, 1, 1 }, { INIT, 1, 1 });
	MUST_EQ(counted(0, COUNT_CR3_WRITES), 0);
	stage_close();
}
