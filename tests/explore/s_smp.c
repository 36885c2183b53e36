/* S11 to S13: several CPUs. */
#include "tests/explore/scenario.h"

SCENARIO(s11_two_borrowers_and_migration, 2,
	 "each CPU that stands on an mm counts once, wherever its task goes")
{
	struct actor *A = user("A"), *D = user("D"), *E = user("E");
	struct actor *K = kthread("K");

	on(0, to(A), to(K));
	on(1, to(A));
	given();
	on(0, to(A), to(K), to(D));
	on(1, to(IDLE), to(A), exits(), to(E));
}

SCENARIO(s12_generations_pages, 2,
	 "no IPI to a lazy CPU for freed pages: it flushes when it comes back")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *K = kthread("K");

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, unmaps(DATA, 1));
	on(1, to(K), to(A2));
}

SCENARIO(s12_generations_tables, 2,
	 "a lazy CPU that may walk freed tables is told at once, and not "
	 "twice")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *K = kthread("K");

	on(0, to(A));
	on(1, to(A2), to(K));
	given();
	on(0, unmaps(DATA, PAGES), unmaps(MORE, 1));
	on(1, to(A2));
}

SCENARIO(s13_cpu_offline, 2, "a CPU that leaves gives its borrow back first")
{
	struct actor *A = user("A"), *D = user("D"), *K = kthread("K");

	real_idle();
	on(1, to(A), to(IDLE));
	given();
	on(0, to(A), to(K));
	given();
	on(0, goes_offline(1), to(A), exits(), to(D), to(K), comes_online(1));
}
