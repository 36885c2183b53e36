/* S4, S5: the last exit, and the seed of it all. */
#include "tests/kernel/stage.h"

// run: cpus=2 append="invariants=0" timeout=60
KERNEL_TEST(s04_last_exit,
	    "contents go with the last user, struct and root with the last "
	    "borrower, after CR3 has left")
{
	struct actor *A, *B;
	u64 a;

	stage_open(1);
	A = user_actor("A"), a = mm_of(A);
	B = user_actor("B");
	to(0, A);
	STEP("A runs", { a, 1, 1 });
	exits(A);
	STEP("A exits", { a, 0, 1 });
	MUST_EQ(cpu_by_id(0)->loaded->id, a);
	to(0, NULL);
	STEP("dead A->idle", { a, 0, 1 });
	to(0, B);
	STEP("idle->B, finish", { a, GONE }, { mm_of(B), 1, 1 },
	     { INIT, 1, 1 });
	stage_close();
}

// run: cpus=3,4 append="invariants=0" timeout=60
// The demonstration's story: user/programs/borrow/story.c tells it from ring 3.
KERNEL_TEST(s05_seed_three_threads_two_cpus,
	    "3/1, 3/2, ..., 0/2, 0/1: the borrower outlives the users")
{
	struct actor *A, *A2, *A3, *B, *C, *D;
	u64 a;

	stage_open(2);
	A = user_actor("A"), a = mm_of(A);
	B = kernel_actor("B");
	C = user_actor("C"), D = user_actor("D");
	to(0, A);
	A2 = clones(A, "A2", THREAD);
	A3 = clones(A, "A3", THREAD);
	STEP("three threads", { a, 3, 1 });
	to(1, A2);
	STEP("cpu0 A, cpu1 A2", { a, 3, 1 });
	to(0, B);
	STEP("cpu0 A->B, a kernel thread", { a, 3, 2 });
	exits(A2);
	STEP("A2 exits", { a, 2, 3 });
	to(1, A3);
	STEP("cpu1 dead A2->A3", { a, 2, 2 });
	exits(A3);
	STEP("A3 exits", { a, 1, 3 });
	to(1, A);
	STEP("cpu1 dead A3->A", { a, 1, 2 });
	stage_mark();
	exits(A);
	STEP("A exits", { a, 0, 2 });
	MUST_EQ(counted_all(COUNT_IPIS_TLB), 1); /* cpu0 may walk the tables */
	to(1, C);
	STEP("cpu1 dead A->C", { a, 0, 1 }, { mm_of(C), 1, 1 });
	to(0, D);
	STEP("cpu0 B->D, finish", { a, GONE }, { mm_of(D), 1, 1 },
	     { INIT, 1, 1 });
	stage_close();
}
