/* S14: two CPUs at the same instant. */
#include "tests/explore/scenario.h"

SCENARIO(s14_unmap_while_a_cpu_comes, 2,
	 "an unmap reaches a CPU that is on its way into the mm")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);

	on(0, to(A));
	given();
	on(0, unmaps(DATA, 1));
	on(1, to(A2), reads(DATA + PAGE_SIZE));
}

SCENARIO(s14_unmap_while_a_cpu_goes, 2,
	 "an unmap reaches a CPU that still has the root in CR3")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *B = user("B");

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, unmaps(DATA, PAGES));
	on(1, to(B));
}

SCENARIO(s14_unmap_while_a_cpu_leaves_lazy_mode, 2,
	 "an unmap that spares a lazy CPU is seen by it when it comes back")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *K = kthread("K");

	on(0, to(A));
	on(1, to(A2), to(K));
	given();
	on(0, unmaps(DATA, 1));
	on(1, to(A2), reads(DATA + PAGE_SIZE));
}

SCENARIO(s14_two_threads_exit_at_once, 2,
	 "two last threads exit at the same instant: one teardown, one free")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *D = user("D"), *E = user("E");

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, exits(), to(D));
	on(1, exits(), to(E));
}

SCENARIO(s14_outsider_meets_the_end, 2,
	 "nobody gets in between the last user and the teardown, nor between "
	 "the last drop and the free")
{
	struct actor *A = user("A"), *D = user("D"), *O = kthread("O");

	on(0, to(O));
	on(1, to(A));
	given();
	on(0, pins(A), gets(A), unpins(A));
	on(1, exits(), to(D));
}
