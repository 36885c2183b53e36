/* S9, S10: those who hold an address space without living in it. */
#include <errno.h>

#include "scenarios.h"
#include "stage.h"
#include "tell.h"

/* ---- S9 --------------------------------------------------------------- */

/* A on CPU 1; its child O, on CPU 2, has handle @handle on A. */
static unsigned
give_to_a_child(void)
{
	long handle;

	start_process(D, LEFT, SLEEP);
	start_process(A, LEFT, SPIN);
	begins_with(O, SLEEP);
	check(does(A, FORK, O) > 0, "fork fails");
	wait_alive(O);
	observe("O", O);
	move_actor(O, RIGHT);
	tell(O, SPIN);
	handle = does(A, GIVE_MM, tid_of(O));
	check(handle > 0, "A cannot give a handle");
	return (unsigned)handle;
}

static void
while_somebody_lives_there(unsigned handle)
{
	STEP("O has a handle on A: a pin",
	     ON_BOTH("A", "A", "O", "O"),
"     It holds count, not users: who has a handle does not live there.",
	     { "A", 1, 2 });

	hold_at(RIGHT, LODGER_HOLD_ENTERED);
	begins(O, READ_MM, handle);
	STEP("O reads A's memory: get, unless zero",
	     ON_BOTH("A", "A", "O", "O"),
"     Within mm_read() the contents must stay: users, for this one operation.",
	     { "A", 2, 2 });

	let_go(RIGHT);
	check(ends(O) > 0, "O cannot read");
	STEP("put",
	     ON_BOTH("A", "A", "O", "O"),
"     O has what it read, and its pin.",
	     { "A", 1, 2 });
}

static void
when_nobody_does(unsigned handle)
{
	tell(A, EXIT);
	STEP("A exits, idle borrows",
	     ON_BOTH("idle", "A", "O", "O"),
"     Nobody lives there. One borrows, one has a handle.",
	     { "A", 0, 2 });

	check_figure("O reads, -ESRCH", does(O, READ_MM, handle), -ESRCH);
	STEP("get, unless zero: refused",
	     ON_BOTH("idle", "A", "O", "O"),
"     And nothing was changed by that.",
	     { "A", 0, 2 });

	tell(D, SPIN);
	STEP("idle->D",
	     ON_BOTH("D", "D", "O", "O"),
"     No CPU stands on it. O's pin still keeps the struct.",
	     { "A", 0, 1 });

	does(O, CLOSE, handle);
	STEP("O closes its handle: unpin",
	     ON_BOTH("D", "D", "O", "O"),
"     Freed.",
	     { "A", 0, 0 });
}

void
outsider(void)
{
	unsigned handle = give_to_a_child();

	while_somebody_lives_there(handle);
	when_nobody_does(handle);
}

/* ---- S10 -------------------------------------------------------------- */

/* W is the prefaulter, which serves madvise(POPULATE). */
static void
adopts_on_another_cpu(void)
{
	start_process(D, LEFT, SLEEP);
	start_process(E, RIGHT, SLEEP);
	quiet_stage();
	move_prefaulter(RIGHT);
	lodger_in(RIGHT); /* W has to wait behind it */
	start_process(A, LEFT, SPIN);
	STEP("A on CPU 1",
	     ON_BOTH("A", "A", "lodger", "init_mm"),
"     CPU 2 is kept by a kernel thread that borrows init_mm.",
	     { "A", 1, 1 }, { "init_mm", 1, 2 });

	begins(A, POPULATE, 0);
	tell(D, SPIN);
	STEP("W takes users; A sleeps, and D runs",
	     ON_BOTH("D", "D", "lodger", "init_mm"),
"     In W's name, before W has even been switched to: A might be killed.",
	     { "A", 2, 1 }, { "init_mm", 1, 2 });

	hold_at(RIGHT, LODGER_HOLD_ADOPTED);
	lodger_out(RIGHT);
	STEP("CPU 2: W uses A",
	     ON_BOTH("D", "D", "prefaulter", "A"),
"     A kernel thread with an address space: users was there, count is its own.\n"
"     It has given init_mm back.",
	     { "A", 2, 2 }, { "init_mm", 1, 1 });
}

static void
outlives_the_last_thread(void)
{
	tell(D, SLEEP);
	wait_idle(LEFT);
	kill_actor(A);
	STEP("A is killed, idle borrows",
	     ON_BOTH("idle", "A", "prefaulter", "A"),
"     W is the last user: the contents stay, or it would work on freed pages.",
	     { "A", 1, 3 });

	hold_at(RIGHT, LODGER_HOLD_UNUSED);
	STEP("CPU 2: W unuses A",
	     ON_BOTH("idle", "A", "prefaulter", "A"),
"     It only borrows again, and still has to give users back.",
	     { "A", 1, 3 });

	let_go(RIGHT);
	STEP("W puts users: the teardown is here",
	     ON_BOTH("idle", "A", "idle", "A"),
"     In the kernel thread. It sleeps then, its CPU's idle thread has its borrow.",
	     { "A", 0, 2 });

	tell(E, SPIN);
	STEP("CPU 2 goes on to E",
	     ON_BOTH("idle", "A", "E", "E"),
"     One borrower less.",
	     { "A", 0, 1 });

	tell(D, SPIN);
	STEP("CPU 1 goes on to D",
	     ON_BOTH("D", "D", "E", "E"),
"     Freed.",
	     { "A", 0, 0 }, { "init_mm", 1, 1 });
}

static void
adopts_what_it_borrows(void)
{
	start_process(E, RIGHT, SLEEP);
	lodger_in(RIGHT); /* A will have to wait behind it */
	move_prefaulter(LEFT);
	start_process(A, LEFT, SPIN);
	tell(A, SLEEP);
	STEP("A sleeps: borrow",
	     ON_LEFT("idle", "A"),
"     Now W comes to this very CPU.",
	     { "A", 1, 2 });

	mark();
	hold_at(LEFT, LODGER_HOLD_ADOPTED);
	begins(A, POPULATE, 0);
	STEP("get, use",
	     ON_LEFT("prefaulter", "A"),
"     W stood on A already. The adoption has its own count, and the borrow was\n"
"     returned: the same figure.",
	     { "A", 2, 2 });

	move_actor(A, RIGHT);
	let_go(LEFT);
	STEP("unuse, put",
	     ON_BOTH("idle", "A", "lodger", NULL),
"     W sleeps, idle borrows. (A could go on, but waits for CPU 2.)",
	     { "A", 1, 2 });

	move_actor(A, LEFT);
	STEP("->A",
	     ON_LEFT("A", "A"),
"     As in the beginning.",
	     { "A", 1, 1 });
	check_figure("CR3 written on CPU 1 for all of it",
		     (long)since(LEFT, COUNT_CR3_WRITES), 0);
}

static void
adopted_from_afar(void)
{
	adopts_on_another_cpu();
	outlives_the_last_thread();
}

void
adoption(void)
{
	scene(adopted_from_afar);
	scene(adopts_what_it_borrows);
}
