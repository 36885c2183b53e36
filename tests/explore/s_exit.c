/* S4, S5: the last exit, and the seed of it all. */
#include "tests/explore/scenario.h"

SCENARIO(s04_last_exit, 1,
	 "contents go with the last user, struct and root with the last "
	 "borrower, after CR3 has left")
{
	struct actor *A = user("A"), *B = user("B");

	on(0, to(A), exits(), to(IDLE), to(B));
}

SCENARIO(s05_seed_three_threads_two_cpus, 2,
	 "3/1, 3/2, ..., 0/2, 0/1: the borrower outlives the users")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *A3 = thread("A3", A), *B = kthread("B");
	struct actor *C = user("C"), *D = user("D");

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, to(B), to(D));
	on(1, exits(), to(A3), exits(), to(A), exits(), to(C));
}
