/* S1 to S3, S8: switches, borrows, threads. */
#include "tests/kernel/stage.h"

// run: cpus=3,4 append="invariants=0" timeout=60
KERNEL_TEST(s01_boot_and_first_switches,
	    "user to user never counts; an idle CPU borrows init_mm")
{
	struct actor *A, *B;
	u64 a, b;

	stage_open(2);
	STEP("boot", { INIT, 1, 3 });
	A = user_actor("A"), a = mm_of(A);
	STEP("create A", { a, 1, 1 }, { INIT, 1, 3 });
	to(0, A);
	STEP("idle0->A", { a, 1, 1 }, { INIT, 1, 2 });
	B = user_actor("B"), b = mm_of(B);
	to(0, B);
	STEP("A->B", { a, 1, 1 }, { b, 1, 1 }, { INIT, 1, 2 });
	to(0, A);
	STEP("B->A", { a, 1, 1 }, { b, 1, 1 }, { INIT, 1, 2 });
	MUST_EQ(counted(0, COUNT_CR3_WRITES), 3);
	MUST_EQ(counted(0, COUNT_BORROWS), 0);
	stage_close();
}

// run: cpus=2,4 append="invariants=0" timeout=60
KERNEL_TEST(s02_borrow_return_hand_over,
	    "a kernel thread borrows, hands over, and the borrow goes back")
{
	struct actor *A, *B, *K, *K2;
	u64 a, b;

	stage_open(1);
	A = user_actor("A"), a = mm_of(A);
	B = user_actor("B"), b = mm_of(B);
	K = kernel_actor("K"), K2 = kernel_actor("K2");
	to(0, A);
	STEP("A runs", { a, 1, 1 }, { INIT, 1, 1 });
	to(0, K);
	STEP("A->K", { a, 1, 2 });
	to(0, A);
	STEP("K->A", { a, 1, 1 });
	MUST_EQ(counted(0, COUNT_CR3_WRITES), 1);
	to(0, K);
	STEP("A->K", { a, 1, 2 });
	stage_mark();
	to(0, K2);
	STEP("K->K2", { a, 1, 2 });
	MUST_EQ(counted(0, COUNT_CR3_WRITES), 0);
	to(0, B);
	STEP("K2->B", { a, 1, 1 }, { b, 1, 1 }, { INIT, 1, 1 });
	stage_close();
}

// run: cpus=2 append="invariants=0" timeout=60
KERNEL_TEST(s03_threads,
	    "threads share one mm; one that dies is a borrower for a moment")
{
	struct actor *A, *A2, *A3;
	u64 a;

	stage_open(1);
	A = user_actor("A"), a = mm_of(A);
	to(0, A);
	stage_mark();
	STEP("A runs", { a, 1, 1 });
	A2 = clones(A, "A2", THREAD);
	STEP("clone", { a, 2, 1 });
	A3 = clones(A, "A3", THREAD);
	STEP("clone", { a, 3, 1 });
	to(0, A2);
	STEP("A->A2", { a, 3, 1 });
	exits(A2);
	STEP("A2 exits", { a, 2, 2 });
	to(0, A);
	STEP("dead A2->A", { a, 2, 1 });
	to(0, A3);
	STEP("A->A3", { a, 2, 1 });
	exits(A3);
	STEP("A3 exits", { a, 1, 2 });
	to(0, A);
	STEP("dead A3->A", { a, 1, 1 }, { INIT, 1, 1 });
	MUST_EQ(counted(0, COUNT_CR3_WRITES), 0);
	stage_close();
}

// run: cpus=2 append="invariants=0" timeout=60
KERNEL_TEST(s08_kernel_threads_come_and_go,
	    "a zombie is handed from borrower to borrower and freed once")
{
	struct actor *A, *D, *K;
	u64 a;

	stage_open(1);
	A = user_actor("A"), a = mm_of(A);
	D = user_actor("D");
	to(0, A);
	exits(A);
	to(0, NULL);
	STEP("A exits, idle borrows", { a, 0, 1 });
	for (int i = 0; i < 3; i++) {
		K = kernel_actor("K");
		to(0, K);
		STEP("idle->K", { a, 0, 1 });
		exits(K);
		to(0, NULL);
		STEP("K exits, K->idle", { a, 0, 1 });
	}
	to(0, D);
	STEP("idle->D", { a, GONE }, { mm_of(D), 1, 1 }, { INIT, 1, 1 });

	K = kernel_actor("K");
	to(0, K);
	STEP("D->K", { mm_of(D), 1, 2 });
	exits(K);
	to(0, D);
	STEP("K exits, ->D", { mm_of(D), 1, 1 });
	stage_close();
}
