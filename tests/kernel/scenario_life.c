/* S6, S7: fork, failed fork, vfork, exec. */
#include "kernel/base/errno.h"
#include "tests/kernel/stage.h"

static u64
mask_of(const struct actor *actor)
{
	return atomic64_read(&task_of(actor)->mm->cpumask);
}

// run: cpus=2 append="invariants=0" timeout=60
KERNEL_TEST(s06_fork_failed_fork_vfork,
	    "fork makes 1/1, a failed fork leaves nothing, vfork shares until "
	    "exec or exit")
{
	struct actor *A, *A2, *C, *G, *V, *W;
	bool failed;
	u64 a, v;

	stage_open(1);
	A = user_actor("A"), a = mm_of(A);
	to(0, A);
	MUST_EQ(touches(A, DATA, STAGE_PAGES), 0);
	STEP("A runs", { a, 1, 1 });
	C = clones(A, "C", FORK);
	STEP("fork C", { a, 1, 1 }, { mm_of(C), 1, 1 });
	MUST_EQ(mask_of(C), 0);
	A2 = clones(A, "A2", THREAD);
	STEP("clone A2", { a, 2, 1 });
	to(0, A2);
	G = clones(A2, "G", FORK);
	STEP("A2 forks G", { a, 2, 1 }, { mm_of(G), 1, 1 });
	exits(A2);
	STEP("A2 exits", { a, 1, 2 });
	to(0, A);
	STEP("dead A2->A", { a, 1, 1 });

	MUST_EQ(nr_mms(), 4);
	for (unsigned nth = 1;; nth++) {
		long result = forks_without_memory(A, nth, &failed);

		if (!failed)
			break;
		MUST_EQ(result, -ENOMEM);
		MUST_EQ(nr_mms(), 4);
	}
	STEP("a fork fails at each allocation", { a, 1, 1 });
	MUST_EQ(nr_mms(), 5);
	MUST_EQ(forks_while_killed(A), -EINTR);
	MUST_EQ(nr_mms(), 5);
	STEP("a fork fails at its end", { a, 1, 1 });

	V = vforks(A, "V");
	STEP("vfork V", { a, 2, 1 });
	MUST_EQ(task_of(A)->state, TASK_SLEEPING);
	v = execs(V, "V'");
	STEP("V execs", { a, 1, 1 }, { v, 1, 1 });
	MUST_EQ(task_of(A)->state, TASK_RUNNABLE);
	to(0, A);
	STEP("V->A, woken", { a, 1, 1 }, { v, 1, 1 });
	W = vforks(A, "W");
	STEP("vfork W", { a, 2, 1 });
	MUST_EQ(task_of(A)->state, TASK_SLEEPING);
	exits(W);
	STEP("W exits", { a, 1, 2 });
	MUST_EQ(task_of(A)->state, TASK_RUNNABLE);
	to(0, A);
	STEP("dead W->A, woken", { a, 1, 1 }, { INIT, 1, 1 });
	stage_close();
}

// run: cpus=2 append="invariants=0" timeout=60
KERNEL_TEST(s07_exec, "exec moves a task into a new mm and puts the old one")
{
	struct actor *A, *B;
	u64 a, a2;

	stage_open(1);
	A = user_actor("A"), a = mm_of(A);
	B = user_actor("B");
	to(0, A);
	STEP("A runs", { a, 1, 1 });
	a2 = execs(A, "A'");
	STEP("A execs", { a, GONE }, { a2, 1, 1 }, { INIT, 1, 1 });
	to(0, B);
	STEP("A->B", { a2, 1, 1 }, { mm_of(B), 1, 1 }, { INIT, 1, 1 });
	stage_close();
}

// run: cpus=3 append="invariants=0" timeout=60
KERNEL_TEST(s07_exec_under_a_borrower,
	    "the old mm of an exec stays for a kernel thread elsewhere")
{
	struct actor *A, *D, *K;
	u64 a, a2;

	stage_open(2);
	A = user_actor("A"), a = mm_of(A);
	D = user_actor("D"), K = kernel_actor("K");
	to(0, A);
	to(0, K);
	to(1, A);
	STEP("cpu0 K borrows, cpu1 A", { a, 1, 2 });
	a2 = execs(A, "A'");
	STEP("A execs", { a, 0, 1 }, { a2, 1, 1 });
	to(0, D);
	STEP("cpu0 K->D", { a, GONE }, { a2, 1, 1 }, { INIT, 1, 1 });
	stage_close();
}

// run: cpus=2 append="invariants=0" timeout=60
KERNEL_TEST(s07_exec_by_a_kernel_thread,
	    "the first program: a kernel thread's exec returns its borrow")
{
	struct actor *P;
	u64 p;

	stage_open(1);
	P = first_actor("P");
	to(0, P);
	STEP("idle->P, a kernel thread", { INIT, 1, 2 });
	p = execs(P, "P");
	STEP("P execs", { p, 1, 1 }, { INIT, 1, 1 });
	exits(P);
	STEP("P exits", { p, 0, 1 });
	to(0, NULL);
	STEP("dead P->idle", { p, 0, 1 }, { INIT, 1, 1 });
	stage_close();
}
