/* Adversarial: copy on write. */
#include "tests/explore/scenario.h"

SCENARIO(fork_while_a_sibling_writes, 2,
	 "what a thread writes after a fork is not the child's")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *C = unborn("C");

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, forks(C), to(C), reads(DATA));
	on(1, writes(DATA));
}

SCENARIO(two_forks_at_once, 2,
	 "two threads fork, and both children have all")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *C = unborn("C"), *G = unborn("G");

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, forks(C));
	on(1, forks(G));
}

SCENARIO(parent_and_child_write_at_once, 2,
	 "of two owners of a page at least one copies it, and it comes back "
	 "once")
{
	struct actor *A = user("A"), *C = unborn("C");

	on(0, to(A), forks(C));
	given();
	on(1, to(C));
	given();
	on(0, writes(DATA), reads(DATA));
	on(1, writes(DATA), reads(DATA));
}

SCENARIO(child_exits_while_the_parent_writes, 2,
	 "the last owner of a page need not copy it, but may not write before "
	 "it is the last")
{
	struct actor *A = user("A"), *C = unborn("C");

	on(0, to(A), forks(C));
	given();
	on(1, to(C));
	given();
	on(0, writes(DATA));
	on(1, exits());
}

SCENARIO(copy_while_a_sibling_reads, 2,
	 "a thread does not read on in the page that its sibling has copied")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *C = unborn("C");

	on(0, to(A), forks(C));
	on(1, to(A2));
	given();
	on(0, writes(DATA));
	on(1, reads(DATA), writes(DATA));
}

SCENARIO(copy_while_the_other_owner_lets_go, 3,
	 "the original of a copied page is not freed under a sibling that "
	 "still has it in its TLB")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *C = unborn("C");

	on(0, to(A), forks(C));
	on(2, to(A2));
	given();
	on(1, to(C));
	given();
	on(0, writes(DATA));
	on(1, discards(DATA, 1));
}

SCENARIO(two_faults_on_one_page, 2,
	 "two threads fault on the same page: it is mapped once")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);

	on(0, to(A), discards(DATA, 1));
	on(1, to(A2));
	given();
	on(0, writes(DATA));
	on(1, writes(DATA));
}

SCENARIO(fault_against_unmap, 2,
	 "a fault and an unmap of the same page: gone is gone")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);

	on(0, to(A), discards(DATA, 1));
	on(1, to(A2));
	given();
	on(0, unmaps(DATA, 1));
	on(1, writes(DATA), reads(DATA));
}

SCENARIO(exec_while_a_sibling_forks, 2,
	 "a fork copies the old mm, which its sibling leaves for good")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *C = unborn("C");

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, execs("A'"));
	on(1, forks(C), exits(), to(C));
}
