/* S11 to S13: several CPUs. */
#include "kernel/base/errno.h"
#include "sched/hotplug.h"
#include "tests/kernel/stage.h"

// run: cpus=3 append="invariants=0" timeout=60
KERNEL_TEST(s11_two_borrowers_and_migration,
	    "each CPU that stands on an mm counts once, wherever its task goes")
{
	struct actor *A, *D, *E, *K;
	u64 a;

	stage_open(2);
	A = user_actor("A"), a = mm_of(A);
	D = user_actor("D"), E = user_actor("E"), K = kernel_actor("K");
	to(0, A);
	to(0, K);
	to(1, A);
	STEP("cpu0 K, cpu1 A", { a, 1, 2 });
	to(1, NULL);
	STEP("cpu1 A->idle", { a, 1, 3 });
	to(0, A);
	STEP("cpu0 K->A", { a, 1, 2 });
	to(0, K);
	STEP("cpu0 A->K", { a, 1, 3 });
	to(1, A);
	STEP("cpu1 idle->A: swapped", { a, 1, 2 });
	exits(A);
	STEP("cpu1 A exits", { a, 0, 2 });
	to(0, D);
	STEP("cpu0 K->D", { a, 0, 1 });
	to(1, E);
	STEP("cpu1 dead A->E", { a, GONE }, { INIT, 1, 1 });
	stage_close();
}

// run: cpus=3,4 append="invariants=0" timeout=60
KERNEL_TEST(s12_generations,
	    "no IPI to a lazy CPU for freed pages; one for freed tables, then "
	    "none; it flushes when it comes back behind")
{
	struct actor *A, *A2, *K;
	u64 a;

	stage_open(2);
	A = user_actor("A"), a = mm_of(A);
	K = kernel_actor("K");
	to(0, A);
	A2 = clones(A, "A2", THREAD);
	to(1, A2);
	MUST_EQ(touches(A, DATA, STAGE_PAGES), 0);
	MUST_EQ(touches(A2, DATA, STAGE_PAGES), 0);
	MUST_EQ(touches(A, MORE, 1), 0);
	stage_mark();
	unmaps(A, DATA, 1);
	MUST_EQ(counted_all(COUNT_IPIS_TLB), 1);
	STEP("cpu0 unmaps a page, cpu1 A2: 1 IPI", { a, 2, 1 });
	MUST_EQ(reads(A2, DATA), -EFAULT);

	to(1, K);
	stage_mark();
	unmaps(A, DATA + PAGE_SIZE, 1);
	MUST_EQ(counted_all(COUNT_IPIS_TLB), 0);
	MUST_EQ(counted_all(COUNT_IPIS_SPARED), 1);
	STEP("cpu0 unmaps a page, cpu1 K: none", { a, 2, 2 });
	to(1, A2);
	MUST_EQ(counted(1, COUNT_FLUSH_UNLAZY), 1);
	STEP("cpu1 K->A2: flush", { a, 2, 1 });
	MUST_EQ(reads(A2, DATA + PAGE_SIZE), -EFAULT);
	MUST_EQ(reads(A2, DATA + 2 * PAGE_SIZE), DATA + 2 * PAGE_SIZE);

	to(1, K);
	stage_mark();
	unmaps(A, DATA, STAGE_PAGES);
	MUST_EQ(counted_all(COUNT_IPIS_TLB), 1);
	MUST_EQ(counted(1, COUNT_LEFT_ROOT), 1);
	STEP("cpu0 unmaps a table, cpu1 K: 1 IPI", { a, 2, 2 });
	MUST_EQ(cpu_by_id(1)->loaded == &init_mm, true);
	unmaps(A, MORE, STAGE_PAGES);
	MUST_EQ(counted_all(COUNT_IPIS_TLB), 1);
	STEP("cpu0 unmaps another one: none", { a, 2, 2 });
	to(1, A2);
	STEP("cpu1 K->A2", { a, 2, 1 }, { INIT, 1, 1 });
	MUST_EQ(reads(A2, MORE), -EFAULT);
	stage_close();
}

// run: cpus=3 append="invariants=0" timeout=60
KERNEL_TEST(s13_cpu_offline, "a CPU that leaves gives its borrow back first")
{
	struct actor *A, *D, *E;
	u64 a, e;

	stage_open(2);
	A = user_actor("A"), a = mm_of(A), D = user_actor("D");
	to(1, A);
	to(1, NULL);
	STEP("cpu1 idle borrows", { a, 1, 2 }, { INIT, 1, 2 });
	MUST_EQ(cpu_offline(1), 0);
	STEP("cpu1 offline", { a, 1, 1 }, { INIT, 1, 2 });
	MUST_EQ(cpu_offline(1), -EBUSY);
	to(0, A);
	exits(A);
	to(0, D);
	STEP("cpu0 A exits, ->D", { a, GONE }, { INIT, 1, 1 });
	MUST_EQ(cpu_online(1), 0);
	STEP("cpu1 online", { INIT, 1, 2 });

	E = user_actor("E"), e = mm_of(E);
	to(1, E);
	exits(E);
	to(1, NULL);
	STEP("cpu1 E exits, idle borrows", { e, 0, 1 }, { INIT, 1, 1 });
	MUST_EQ(cpu_offline(1), 0);
	STEP("cpu1 offline, last borrower", { e, GONE }, { INIT, 1, 1 });
	MUST_EQ(cpu_online(1), 0);
	MUST_EQ(cpu_offline(0), -EBUSY);
	stage_close();
}
