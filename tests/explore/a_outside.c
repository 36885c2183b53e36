/* Adversarial: outsiders and adopters. */
#include "tests/explore/scenario.h"

SCENARIO(get_against_last_exit, 2,
	 "users is got before the last one goes, or not at all")
{
	struct actor *A = user("A"), *O = kthread("O");

	on(0, to(O), pins(A));
	on(1, to(A));
	given();
	on(0, gets(A));
	on(1, exits());
}

SCENARIO(two_adopters_leave_at_once, 2,
	 "the last users are two adopters: one of them tears down")
{
	struct actor *A = user("A"), *V = kthread("V"), *W = kthread("W");

	on(0, to(V), pins(A), adopts(A));
	on(1, to(W), pins(A), adopts(A), to(A), exits(), to(W));
	given();
	on(0, abandons(A), unpins(A));
	on(1, abandons(A), unpins(A));
}

SCENARIO(unpin_against_the_last_drop, 2,
	 "of an outsider and a CPU that leave at the same instant one frees")
{
	struct actor *A = user("A"), *D = user("D"), *O = kthread("O");

	on(0, to(O), pins(A));
	on(1, to(A), exits(), to(IDLE));
	given();
	on(0, unpins(A));
	on(1, to(D));
}

SCENARIO(find_against_free, 2,
	 "a zombie that is about to be freed is found alive, or not at all")
{
	struct actor *A = user("A"), *D = user("D"), *O = kthread("O");

	on(0, to(O));
	on(1, to(A), exits(), to(IDLE));
	given();
	on(0, pins(A), unpins(A));
	on(1, to(D));
}

SCENARIO(adoption_against_exit, 2,
	 "an adopter that comes in time keeps the contents; it is the one "
	 "who tears down")
{
	struct actor *A = user("A"), *W = kthread("W"), *D = user("D");

	on(0, to(W), pins(A));
	on(1, to(A));
	given();
	on(0, adopts(A), reads(MORE), abandons(A));
	on(1, exits(), to(D));
}

SCENARIO(adoption_against_unmap, 2,
	 "an adopter is no lazy borrower: it is told of freed pages")
{
	struct actor *A = user("A"), *W = kthread("W");

	on(0, to(W), pins(A));
	on(1, to(A));
	given();
	on(0, adopts(A), reads(DATA));
	on(1, unmaps(DATA, 1));
}

SCENARIO(end_of_adoption_against_unmap, 2,
	 "an adopter becomes a borrower while a table is freed")
{
	struct actor *A = user("A"), *W = kthread("W");

	on(0, to(A), to(W), pins(A), adopts(A));
	on(1, to(A));
	given();
	on(0, abandons(A));
	on(1, unmaps(MORE, 1));
}

SCENARIO(adoption_against_exec, 2,
	 "the owner moves into a new program while its old mm is adopted")
{
	struct actor *A = user("A"), *W = kthread("W");

	on(0, to(W), pins(A));
	on(1, to(A));
	given();
	on(0, adopts(A), abandons(A));
	on(1, execs("A'"));
}

SCENARIO(offline_against_last_exit, 2,
	 "a CPU goes offline with the borrow of a process that dies")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *K = kthread("K");

	real_idle();
	on(1, to(A2), exits(), to(IDLE));
	on(0, to(A));
	given();
	on(0, exits(), to(K), goes_offline(1));
}
