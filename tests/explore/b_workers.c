/* The kernel's own adopter: the prefaulter, on behalf of who waits for it. */
#include "kernel/workers.h"
#include "tests/explore/play.h"

static void
has_pages_made(void)
{
	if (prefault(current->mm, DATA, PAGE_SIZE, true))
		panic("%s gets no page", current->name);
}

/* Until they sleep. */
static void
start_workers(void)
{
	workers_start();
	schedule();
	real_idle();
}

SCENARIO(prefault_against_exit_of_a_sibling, 2,
	 "the prefaulter has users of its own, for as long as it adopts")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);

	start_workers();
	on(0, to(A), discards(DATA, 1));
	on(1, to(A2));
	given();
	on(0, calls(has_pages_made, "has a page made"));
	on(1, exits());
}

SCENARIO(two_requests_to_the_prefaulter, 2,
	 "two that ask at once are both served")
{
	struct actor *A = user("A"), *B = user("B");

	start_workers();
	on(0, to(A), discards(DATA, 1));
	on(1, to(B), discards(DATA, 1));
	given();
	on(0, calls(has_pages_made, "has a page made"), to(IDLE));
	on(1, calls(has_pages_made, "has a page made"), to(IDLE));
}
