/* S11 to S14: several CPUs. */
#include <errno.h>
#include <stdio.h>

#include "scenarios.h"
#include "stage.h"
#include "tell.h"

/* ---- S11 -------------------------------------------------------------- */

static void
two_borrowers(void)
{
	lodger_in(LEFT);
	move_actor(A, RIGHT);
	STEP("A on CPU 2, a kernel thread borrows on CPU 1",
	     ON_BOTH("lodger", "A", "A", "A"),
"     A has moved; its old CPU still stands on its root.",
	     { "A", 1, 2 });

	tell(A, SLEEP);
	STEP("CPU 2: A->idle",
	     ON_BOTH("lodger", "A", "idle", "A"),
"     Two borrowers, one on each CPU; nobody runs who lives there.",
	     { "A", 1, 3 });

	move_actor(A, LEFT);
	tell(A, SPIN);
	lodger_out(LEFT);
	STEP("CPU 1: K->A",
	     ON_BOTH("A", "A", "idle", "A"),
"     One is left.",
	     { "A", 1, 2 });

	lodger_in(LEFT);
	move_actor(A, RIGHT);
	STEP("swapped: CPU 1 A->K, CPU 2 idle->A",
	     ON_BOTH("lodger", "A", "A", "A"),
"     Each CPU that stands on it without living there counts, wherever A is.",
	     { "A", 1, 2 });
}

void
two_borrowers_migration(void)
{
	start_process(D, LEFT, SLEEP);
	start_process(E, RIGHT, SLEEP);
	start_process(A, LEFT, SPIN);
	two_borrowers();

	hold_at(RIGHT, LODGER_HOLD_DEAD);
	tell(A, EXIT);
	STEP("CPU 2: A exits",
	     ON_BOTH("lodger", "A", "A, dead", "A"),
"     Torn down, under two CPUs' feet.",
	     { "A", 0, 2 });

	tell(D, SPIN);
	lodger_out(LEFT);
	STEP("CPU 1: K->D",
	     ON_BOTH("D", "D", "A, dead", "A"),
"     One borrower less.",
	     { "A", 0, 1 });

	tell(E, SPIN);
	let_go(RIGHT);
	STEP("CPU 2: dead A->E",
	     ON_BOTH("D", "D", "E", "E"),
"     Freed.",
	     { "A", 0, 0 });
}

/* ---- S12 -------------------------------------------------------------- */

static void
interrupts_sent(long expected)
{
	check_figure("Interrupts sent by CPU 1 for it",
		     (long)since(LEFT, COUNT_IPIS_TLB), expected);
}

/* What was unmapped must be gone for A2, whatever its CPU remembers. */
static void
gone_for_a2(long addr)
{
	check_figure("A2 writes there, -EFAULT", does(A2, WRITE, addr), -EFAULT);
}

/* A on CPU 1, its thread A2 on CPU 2; both have written into DATA. */
static void
two_in_one_space(void)
{
	start_process(A, LEFT, SPIN);
	clone_to(A, A2, RIGHT, SPIN);
	does(A, MAP, DATA);
	does(A, MAP, MORE);
	for (int i = 0; i < AREA_PAGES; i++)
		check(does(A2, WRITE, DATA + i * PAGE_BYTES) == 0,
		      "A2 cannot write");
}

static void
freed_pages(void)
{
	mark();
	does(A, UNMAP_PAGE, DATA);
	STEP("CPU 1: A unmaps a page, CPU 2 runs A2",
	     ON_BOTH("A", "A", "A2", "A"),
"     CPU 2 may remember the page: it must be told before the page is freed.",
	     { "A", 2, 1 });
	interrupts_sent(1);
	gone_for_a2(DATA);

	lodger_in(RIGHT);
	mark();
	does(A, UNMAP_PAGE, DATA + PAGE_BYTES);
	STEP("CPU 2: A2->K; A unmaps another page",
	     ON_BOTH("A", "A", "lodger", "A"),
"     A kernel thread touches no user memory: CPU 2 is left alone.",
	     { "A", 2, 2 });
	interrupts_sent(0);
	check_figure("Spared, since CPU 2 is lazy",
		     (long)since(LEFT, COUNT_IPIS_SPARED), 1);

	lodger_out(RIGHT);
	STEP("CPU 2: K->A2",
	     ON_BOTH("A", "A", "A2", "A"),
"     It compared A's generation with the one it had seen, and was behind.",
	     { "A", 2, 1 });
	check_figure("Flushes on leaving lazy mode there",
		     (long)since(RIGHT, COUNT_FLUSH_UNLAZY), 1);
	gone_for_a2(DATA + PAGE_BYTES);
}

static void
freed_tables(void)
{
	lodger_in(RIGHT);
	mark();
	does(A, UNMAP, DATA);
	STEP("CPU 2: A2->K; A unmaps all that a page table maps",
	     ON_BOTH("A", "A", "lodger", "init_mm"),
"     The table is freed too, and the machine itself may walk it: CPU 2 is told,\n"
"     and moves to init_mm's root. It still borrows A, and counts.",
	     { "A", 2, 2 });
	interrupts_sent(1);

	does(A, UNMAP, MORE);
	STEP("A unmaps another one",
	     ON_BOTH("A", "A", "lodger", "init_mm"),
"     CPU 2 does not stand on A's root any more: nobody is told.",
	     { "A", 2, 2 });
	interrupts_sent(1);

	lodger_out(RIGHT);
	STEP("CPU 2: K->A2",
	     ON_BOTH("A", "A", "A2", "A"),
"     A's root again, and nothing old in the TLB.",
	     { "A", 2, 1 });
	gone_for_a2(MORE);
}

void
generations(void)
{
	two_in_one_space();
	freed_pages();
	freed_tables();
}

/* ---- S13 -------------------------------------------------------------- */

static void
goes_offline(void)
{
	tell(A, SLEEP);
	STEP("CPU 2: idle borrows A",
	     ON_BOTH("idle", "init_mm", "idle", "A"),
"     As it does whenever a process falls asleep. CPU 1's borrows init_mm.",
	     { "A", 1, 2 }, { "init_mm", 1, 2 });

	check(lodger_cpu_online(RIGHT, false) == 0, "CPU 2 cannot go");
	STEP("CPU 2 goes offline",
	     ON_BOTH("idle", "init_mm", "offline", "init_mm"),
"     It gave A back while it could; what it took instead, of init_mm, was\n"
"     returned for it by the CPU that sent it away.",
	     { "A", 1, 1 }, { "init_mm", 1, 2 });
}

void
cpu_offline(void)
{
	start_process(D, LEFT, SLEEP);
	quiet_stage();
	start_process(A, RIGHT, SPIN);
	goes_offline();

	move_actor(A, LEFT);
	tell(D, SPIN);
	tell(A, EXIT);
	STEP("CPU 1: A exits, D runs",
	     ON_BOTH("D", "D", "offline", "init_mm"),
"     Nothing of A was left on CPU 2: freed.",
	     { "A", 0, 0 }, { "init_mm", 1, 1 });

	check(lodger_cpu_online(RIGHT, true) == 0, "CPU 2 does not come back");
	STEP("CPU 2 comes back",
	     ON_BOTH("D", "D", "idle", "init_mm"),
"     Its idle thread borrows init_mm, as after the boot.",
	     { "init_mm", 1, 2 });
}

/* ---- S14 -------------------------------------------------------------- */

enum { ROUNDS = 25 };

/* Both are told at once: A, to unmap, and A2, to come. Each round A2 comes from
 * another address space, E's. */
static void
unmap_meanwhile(void)
{
	does(A, MAP, DATA);
	check(does(A2, WRITE, DATA) == 0, "A2 cannot write");
	does(A2, PASS, E);
	begins(A, UNMAP_PAGE, DATA);
	begins(E, PASS, A2);
	ends(A);
	ends(E);
	check(does(A2, WRITE, DATA) == -EFAULT,
	      "a page that was unmapped is still there for A2");
}

static void
unmap_races(void)
{
	start_process(E, RIGHT, SLEEP);
	start_process(A, LEFT, SPIN);
	clone_to(A, A2, RIGHT, SPIN);
	for (int i = 0; i < ROUNDS; i++)
		unmap_meanwhile();
	STEP("A unmaps while CPU 2 goes from E to A2",
	     ON_BOTH("A", "A", "A2", "A"),
"     Whatever the order, A2 did not find the page any more.",
	     { "A", 2, 1 });
	printf("     Rounds: %d.\n", ROUNDS);
}

static void
exit_races(void)
{
	start_process(D, LEFT, SLEEP);
	start_process(E, RIGHT, SLEEP);
	start_process(A, LEFT, SPIN);
	clone_to(A, A2, RIGHT, SPIN);
	STEP("A on CPU 1, A2 on CPU 2",
	     ON_BOTH("A", "A", "A2", "A"),
"     Two users.",
	     { "A", 2, 1 });

	hold_at(LEFT, LODGER_HOLD_DEAD);
	hold_at(RIGHT, LODGER_HOLD_DEAD);
	tell(A, EXIT);
	tell(A2, EXIT);
	STEP("both exit at once",
	     ON_BOTH("A, dead", "A", "A2, dead", "A"),
"     One of them was the last, and tore all down; both borrow.",
	     { "A", 0, 2 });

	tell(D, SPIN);
	let_go(LEFT);
	STEP("CPU 1: dead A->D",
	     ON_BOTH("D", "D", "A2, dead", "A"),
"     One borrower less.",
	     { "A", 0, 1 });

	tell(E, SPIN);
	let_go(RIGHT);
	STEP("CPU 2: dead A2->E",
	     ON_BOTH("D", "D", "E", "E"),
"     Freed, once.",
	     { "A", 0, 0 });
}

void
races(void)
{
	scene(unmap_races);
	scene(exit_races);
}
