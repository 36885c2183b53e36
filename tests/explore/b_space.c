/* Address spaces that come and go at the same moment. */
#include "mm/mm.h"
#include "mm/region.h"
#include "mm/tlb.h"
#include "tests/explore/play.h"

/* ---- Shootdowns that share no lock ----------------------------------------- */

SCENARIO(unmap_against_flush_of_the_kernel_half, 2,
	 "who unmaps is interrupted for another shootdown in the middle of it")
{
	struct actor *A = user("A");

	on(0, to(A));
	given();
	on(0, unmaps(DATA, 1));
	on(1, calls(flush_tlb_all, "flushes the kernel half"));
}

SCENARIO(two_shootdowns_meet_on_one_cpu, 3,
	 "one CPU is asked by two others at once, and answers both")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);

	on(0, to(A));
	on(2, to(A2));
	given();
	on(0, unmaps(DATA, 1));
	on(1, calls(flush_tlb_all, "flushes the kernel half"));
}

SCENARIO(kernel_flush_of_a_lazy_cpu_against_unmap, 3,
	 "a lazy CPU that is asked for another reason meets a table that is "
	 "being freed")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *K = kthread("K");

	on(0, to(A));
	on(2, to(A2), to(K));
	given();
	on(0, unmaps(MORE, 1));
	on(1, calls(flush_tlb_all, "flushes the kernel half"));
}

/* ---- Ends and beginnings ----------------------------------------------------- */

SCENARIO(two_processes_end_at_once, 2,
	 "two address spaces are freed at the same moment")
{
	struct actor *A = user("A"), *B = user("B");
	struct actor *D = user("D"), *E = user("E");

	on(0, to(A), exits());
	on(1, to(B), exits());
	given();
	on(0, to(D));
	on(1, to(E));
}

SCENARIO(exec_against_exit_of_a_sibling, 2,
	 "who leaves by exec does not look back: the sibling was the last")
{
	struct actor *A = user("A"), *A2 = thread("A2", A), *D = user("D");

	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, execs("A'"));
	on(1, exits(), to(D));
}

SCENARIO(what_an_adopter_borrowed_dies, 2,
	 "a borrow goes back when CR3 has left, for it may be the last")
{
	struct actor *A = user("A"), *B = user("B"), *D = user("D");
	struct actor *W = kthread("W");

	on(0, to(A), to(W), pins(B));
	on(1, to(A));
	given();
	on(0, adopts(B), abandons(B));
	on(1, exits(), to(D));
}

/* ---- The heap ------------------------------------------------------------------ */

#define HEAP 0x30000000ul

static void
grows_its_heap(void)
{
	struct mm *mm = current->mm;

	mutex_lock(&mm->lock);
	do_brk(mm, HEAP + PAGE_SIZE);
	mutex_unlock(&mm->lock);
}

SCENARIO(fork_against_brk, 2,
	 "a child's heap ends where its regions say")
{
	struct actor *A = user("A"), *A2 = thread("A2", A);
	struct actor *C = unborn("C");

	A->home->mm->brk_start = A->home->mm->brk = HEAP;
	on(0, to(A));
	on(1, to(A2));
	given();
	on(0, forks(C));
	on(1, calls(grows_its_heap, "grows its heap"));
}
