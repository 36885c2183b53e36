/* S9, S10: those who hold an address space without living in it. */
#include "tests/explore/scenario.h"

SCENARIO(s09_outsider, 2,
	 "a pin keeps the struct; contents are refused to it when nobody "
	 "lives there any more")
{
	struct actor *A = user("A"), *D = user("D"), *O = kthread("O");

	on(0, to(O), pins(A));
	on(1, to(A));
	given();
	on(0, gets(A), unpins(A));
	on(1, exits(), to(IDLE), to(D));
}

SCENARIO(s10_adoption, 2,
	 "an adopter holds users for the whole window, so that the contents "
	 "outlive their last task")
{
	struct actor *A = user("A"), *D = user("D"), *E = user("E");
	struct actor *W = kthread("W");

	on(0, to(W), pins(A));
	on(1, to(A));
	given();
	on(0, adopts(A), reads(DATA), abandons(A), unpins(A), to(D));
	on(1, exits(), to(IDLE), to(E));
}

SCENARIO(s10_adopting_what_is_borrowed, 1,
	 "adoption of the mm that is borrowed already counts the same")
{
	struct actor *A = user("A"), *W = kthread("W");

	on(0, to(A), to(W), pins(A), adopts(A), abandons(A), unpins(A),
	   to(A));
}
