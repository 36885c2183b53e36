/* Adversarial: shootdowns against switches, laziness and each other. */
#include "tests/explore/scenario.h"

SCENARIO(unmap_while_a_cpu_becomes_lazy, 2,
	 "a CPU that goes lazy meanwhile is told of a freed table, or was "
	 "told before")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *K = kthread("K");

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, unmaps(MORE, 1));
	on(1, to(K));
}

SCENARIO(unmap_of_a_table_while_a_cpu_leaves_lazy_mode, 2,
	 "the interrupt for a freed table meets a CPU that comes back")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *K = kthread("K");

	on(0, to(A));
	on(1, to(A2), to(K));
	given();
	on(0, unmaps(MORE, 1));
	on(1, to(A2));
}

SCENARIO(two_unmaps_while_a_cpu_is_lazy, 2,
	 "behind by two generations, of which the older one freed a table")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *K = kthread("K");

	on(0, to(A));
	on(1, to(A2), to(K));
	given();
	on(0, unmaps(MORE, 1), unmaps(DATA, 1));
	on(1, to(A2));
}

SCENARIO(unmap_while_a_late_cpu_leaves_lazy_mode, 2,
	 "a CPU that has missed one generation flushes, and may miss another "
	 "one meanwhile")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *K = kthread("K");

	on(0, to(A));
	on(1, to(A2), to(K));
	given();
	on(0, unmaps(DATA, 1));
	given();
	on(0, unmaps(DATA + PAGE_SIZE, 1));
	on(1, to(A2));
}

SCENARIO(unmap_while_a_cpu_comes_from_another_mm, 2,
	 "a CPU that is lazy in another address space is not taken for lazy "
	 "in this one")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *B = user("B"), *K = kthread("K");

	on(0, to(A));
	on(1, to(B), to(K));
	given();
	on(0, unmaps(DATA, 1));
	on(1, to(A2));
}

SCENARIO(unmap_while_a_cpu_comes_and_goes, 2,
	 "user to user and back: in the mask, out of it, in it")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *B = user("B");

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, unmaps(DATA, 1));
	on(1, to(B), to(A2));
}

SCENARIO(two_unmaps_at_once, 2,
	 "two threads unmap at the same instant, each waits for the other")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, unmaps(DATA, 1));
	on(1, unmaps(MORE, 1));
}

/* Two threads that unmap, with a third one under them, come to ten times as many
 * orders as two_unmaps_at_once: the lock puts one after the other anyway. Here one
 * does both; two shootdowns at the same time meet in b_space.c. */
SCENARIO(two_unmaps_under_two_threads, 3,
	 "two threads are told of freed pages, then of a freed table")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *A3 = thread("A3", A);

	on(0, to(A));
	on(1, to(A2));
	on(2, to(A3));
	given();
	on(0, unmaps(DATA, 1), unmaps(MORE, 1));
}

SCENARIO(unmaps_of_two_processes_cross, 2,
	 "two CPUs interrupt each other for two address spaces")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *B = user("B"), *B2 = thread("B2", B);

	on(0, to(A2));
	on(1, to(B2));
	given();
	on(0, to(B));
	on(1, to(A));
	given();
	on(0, to(A2), unmaps(DATA, 1));
	on(1, to(B2), unmaps(DATA, 1));
}

SCENARIO(page_unmapped_and_mapped_again, 2,
	 "who reads meanwhile finds the old page, none, or the new one's zeroes")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, unmaps(DATA, 1), maps(DATA, 1));
	on(1, reads(DATA), reads(DATA));
}

SCENARIO(table_freed_under_a_reader, 2,
	 "who reads a page finds it, or none, while its table is freed")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, unmaps(MORE, 1));
	on(1, reads(MORE));
}

SCENARIO(table_freed_and_made_again_under_a_lazy_cpu, 2,
	 "a CPU that borrows walks neither the old table nor what came after it")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *K = kthread("K");

	on(0, to(A));
	on(1, to(A2), to(K));
	given();
	on(0, unmaps(MORE, 1), maps(MORE, 1), writes(MORE), unmaps(MORE, 1));
	on(1, to(A2));
}

SCENARIO(unmap_against_teardown, 2,
	 "an unmap of one thread, then its exit, and the exit of the other")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *D = user("D");

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, unmaps(MORE, 1), exits());
	on(1, exits(), to(D));
}

SCENARIO(unmap_against_exec_by_a_sibling, 2,
	 "an exec moves its CPU out of the mask while a shootdown is under "
	 "way")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, execs("A'"));
	on(1, unmaps(MORE, 1));
}

SCENARIO(unmap_against_offline, 2,
	 "a CPU goes offline while it borrows, and a table is freed")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *K = kthread("K");

	real_idle();
	on(1, to(A2), to(IDLE));
	on(0, to(A));
	given();
	on(0, goes_offline(1), unmaps(MORE, 1), to(K));
}

SCENARIO(discarded_pages_come_back_as_zeroes, 2,
	 "madvise against a sibling's use: no page of another process shows")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, discards(DATA, 1));
	on(1, reads(DATA), writes(DATA));
}

SCENARIO(write_protection_reaches_every_cpu, 2,
	 "after mprotect nobody writes")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, protects(DATA, 1));
	on(1, writes(DATA));
}

SCENARIO(preempted_while_a_sibling_unmaps, 2,
	 "the tick takes a user's CPU away, for a kernel thread, in the "
	 "middle of a shootdown")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *W = worker("W", NULL);

	bound(W, 1);
	ticks(1, 2);
	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, unmaps(DATA, 1));
	on(1, wakes(W), to(IDLE));
}
