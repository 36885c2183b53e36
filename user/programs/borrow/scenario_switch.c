/* S1 to S3, S8: switches, borrows, threads. */
#include "scenarios.h"
#include "stage.h"
#include "tell.h"

void
boot_and_first_switches(void)
{
	quiet_stage();
	STEP("As after the boot: two idle CPUs",
	     ON_BOTH("idle", "init_mm", "idle", "init_mm"),
"     init_mm has no user; it counts 1 that is never dropped, and who borrows\n"
"     it: the idle threads. (Those of CPUs off the stage are not counted.)",
	     { "init_mm", 1, 3 });

	start_process(A, OBSERVER_CPU, SLEEP);
	start_process(B, OBSERVER_CPU, SLEEP);
	STEP("create A",
	     ON_BOTH("idle", "init_mm", "idle", "init_mm"),
"     One thread lives in A, and has not come to the stage yet.",
	     { "A", 1, 1 }, { "init_mm", 1, 3 });

	mark();
	move_actor(A, LEFT);
	tell(A, SPIN);
	STEP("idle->A",
	     ON_BOTH("A", "A", "idle", "init_mm"),
"     CPU 1's idle thread has given init_mm back: it does not run.",
	     { "A", 1, 1 }, { "init_mm", 1, 2 });

	move_actor(B, LEFT);
	does(A, PASS, B);
	STEP("A->B",
	     ON_BOTH("B", "B", "idle", "init_mm"),
"     From user to user CR3 is written, and nothing is counted.",
	     { "A", 1, 1 }, { "B", 1, 1 }, { "init_mm", 1, 2 });

	does(B, PASS, A);
	STEP("B->A",
	     ON_BOTH("A", "A", "idle", "init_mm"),
"     The same back.",
	     { "A", 1, 1 }, { "B", 1, 1 }, { "init_mm", 1, 2 });
	check_figure("Borrows on CPU 1", (long)since(LEFT, COUNT_BORROWS), 0);
}

void
borrow_return_hand_over(void)
{
	start_process(B, LEFT, SLEEP);
	a_runs();

	mark();
	lodger_in(LEFT);
	STEP("A->K: a kernel thread comes",
	     ON_LEFT("lodger", "A"),
"     It borrows what it finds: count + 1.",
	     { "A", 1, 2 });

	lodger_out(LEFT);
	STEP("K->A",
	     ON_LEFT("A", "A"),
"     The borrow was dropped once A was back on its own stack.",
	     { "A", 1, 1 });
	check_figure("CR3 written on CPU 1 for both",
		     (long)since(LEFT, COUNT_CR3_WRITES), 0);

	tell(A, SLEEP);
	STEP("A->K: A sleeps, and K is the idle thread",
	     ON_LEFT("idle", "A"),
"     An idle thread borrows as any kernel thread does.",
	     { "A", 1, 2 });

	mark();
	lodger_in(LEFT);
	STEP("K->K2: another kernel thread comes",
	     ON_LEFT("lodger", "A"),
"     The borrow is handed over: no counter was touched.",
	     { "A", 1, 2 });
	check_figure("CR3 written on CPU 1",
		     (long)since(LEFT, COUNT_CR3_WRITES), 0);

	tell(B, SPIN);
	lodger_out(LEFT);
	STEP("K2->B",
	     ON_LEFT("B", "B"),
"     CR3 has moved to B's root, then A's count went down.",
	     { "A", 1, 1 }, { "B", 1, 1 });
}

void
threads(void)
{
	a_runs();

	clone_to(A, A2, LEFT, SLEEP);
	STEP("clone A2",
	     ON_LEFT("A", "A"),
"     A thread is a user. It sleeps, and is one all the same.",
	     { "A", 2, 1 });

	clone_to(A, A3, LEFT, SLEEP);
	STEP("clone A3",
	     ON_LEFT("A", "A"),
"     Three users, who hold one count together.",
	     { "A", 3, 1 });

	mark();
	does(A, PASS, A2);
	STEP("A->A2",
	     ON_LEFT("A2", "A"),
"     The same root.",
	     { "A", 3, 1 });

	hold_at(LEFT, LODGER_HOLD_DEAD);
	tell(A2, EXIT);
	STEP("A2 exits",
	     ON_LEFT("A2, dead", "A"),
"     A user less; but until its CPU has left it, a dead task borrows.",
	     { "A", 2, 2 });

	tell(A, SPIN);
	let_go(LEFT);
	STEP("dead A2->A",
	     ON_LEFT("A", "A"),
"     Its borrow was dropped on A's stack.",
	     { "A", 2, 1 });

	does(A, PASS, A3);
	hold_at(LEFT, LODGER_HOLD_DEAD);
	tell(A3, EXIT);
	STEP("A3 runs and exits",
	     ON_LEFT("A3, dead", "A"),
"     The same again: A sleeps, and is the one user.",
	     { "A", 1, 2 });

	tell(A, SPIN);
	let_go(LEFT);
	STEP("dead A3->A",
	     ON_LEFT("A", "A"),
"     As in the beginning.",
	     { "A", 1, 1 });
	check_figure("CR3 written on CPU 1 for all of it",
		     (long)since(LEFT, COUNT_CR3_WRITES), 0);
}

static void
comes_and_goes(void)
{
	lodger_in(LEFT);
	STEP("idle->K",
	     ON_LEFT("lodger", "A"),
"     A kernel thread takes the zombie over from the idle thread.",
	     { "A", 0, 1 });

	lodger_out(LEFT);
	STEP("K exits, K->idle",
	     ON_LEFT("idle", "A"),
"     And hands it back. It cannot tell that nobody lives there any more.",
	     { "A", 0, 1 });
}

void
kernel_threads_come_and_go(void)
{
	start_process(D, LEFT, SLEEP);
	a_runs();

	tell(A, EXIT);
	STEP("A exits, idle borrows",
	     ON_LEFT("idle", "A"),
"     A zombie, kept by one borrower.",
	     { "A", 0, 1 });

	mark();
	for (int i = 0; i < 3; i++)
		comes_and_goes();
	check_figure("CR3 written on CPU 1 for all of it",
		     (long)since(LEFT, COUNT_CR3_WRITES), 0);

	tell(D, SPIN);
	STEP("idle->D",
	     ON_LEFT("D", "D"),
"     The last borrower has left: freed, once.",
	     { "A", 0, 0 }, { "D", 1, 1 });

	lodger_in(LEFT);
	STEP("D->K",
	     ON_LEFT("lodger", "D"),
"     Another kernel thread borrows from a process that lives.",
	     { "D", 1, 2 });

	lodger_out(LEFT);
	STEP("K exits, ->D",
	     ON_LEFT("D", "D"),
"     A kernel thread's exit takes no borrow: it has one, which it gives back.",
	     { "D", 1, 1 });
}
