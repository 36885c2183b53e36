/* S4, S6, S7: exit, fork, vfork, exec. */
#include <errno.h>
#include <stdio.h>

#include "scenarios.h"
#include "stage.h"
#include "tell.h"

/* ---- S4 --------------------------------------------------------------- */

void
last_exit_same_cpu(void)
{
	struct picture seen;

	start_process(B, LEFT, SLEEP);
	a_runs();

	hold_at(LEFT, LODGER_HOLD_DEAD);
	tell(A, EXIT);
	seen = STEP("A exits",
	     ON_LEFT("A, dead", "A"),
"     The last user: all that was mapped is gone. The count of all users went\n"
"     with them; the one that is left is the dead task's own, for the root that\n"
"     its CPU stands on.",
	     { "A", 0, 1 });
	check(seen.spaces[0].torn_down && seen.spaces[0].resident == 0,
	      "users is 0, and A still has pages");

	let_go(LEFT);
	STEP("dead A->idle",
	     ON_LEFT("idle", "A"),
"     From kernel to kernel: handed over.",
	     { "A", 0, 1 });

	tell(B, SPIN);
	STEP("idle->B, and the finish on B's stack",
	     ON_LEFT("B", "B"),
"     CR3 moved to B's root first, then the parked borrow was dropped: freed.",
	     { "A", 0, 0 }, { "B", 1, 1 });
}

/* ---- S6 --------------------------------------------------------------- */

static void
forks(enum who parent, enum who child)
{
	begins_with(child, SLEEP);
	check(does(parent, FORK, child) > 0, "fork fails");
	wait_alive(child);
	observe(actor_names[child], child);
}

/* At each allocation that fork makes, in turn. */
static void
forks_fail(void)
{
	long before = nr_spaces_alive(), nth = 1, result;

	for (;; nth++) {
		result = does(A, FAIL_FORK, nth);
		if (result == 1 || result == -ENOSYS)
			break;
		check(result == -ENOMEM, "a fork without memory succeeds");
	}
	UNTIL(nr_spaces_alive() == before, "a failed fork leaves something");
	STEP("forks by A that fail",
	     ON_LEFT("A", "A"),
"     What was made by then was given back; A itself did not notice.",
	     { "A", 1, 1 });
	if (result == -ENOSYS)
		puts("     (None did: failures need a debug build.)");
	else
		printf("     It failed at each of %ld allocations in turn.\n",
		       nth - 1);
}

static void
fork_and_clone(void)
{
	a_runs();

	forks(A, C);
	STEP("A forks C",
	     ON_LEFT("A", "A"),
"     C has a copy: struct, tables and counters of its own. (It sleeps.)",
	     { "A", 1, 1 }, { "C", 1, 1 });

	clone_to(A, A2, LEFT, SLEEP);
	STEP("A clones A2",
	     ON_LEFT("A", "A"),
"     A thread shares: users + 1.",
	     { "A", 2, 1 });

	forks(A2, G);
	STEP("A2 forks G",
	     ON_LEFT(NULL, "A"),
"     A copy begins with one user, however many its original has.",
	     { "A", 2, 1 }, { "G", 1, 1 });

	tell(A2, EXIT);
	STEP("A2 exits",
	     ON_LEFT("A", "A"),
"     A alone is left.",
	     { "A", 1, 1 });
}

static void
vfork_with_exec(void)
{
	vforks(A, V, SPIN);
	STEP("A vforks V",
	     ON_LEFT("V", "A"),
"     Two processes in one address space; A sleeps.",
	     { "A", 2, 1 });

	tell(A, SLEEP);
	execs(V, "V");
	STEP("V execs",
	     ON_LEFT("V", "V"),
"     V has moved out, into a new one. A was woken by that, once.",
	     { "A", 1, 1 }, { "V", 1, 1 });
	check(ends(A) == 0, "A's vfork fails");
	kill_actor(V);
	begins(A, REAP, 0);
	STEP("V is killed, A goes on",
	     ON_LEFT("A", "A"),
"     vfork's wait ended when V called exec, and is not ended again.",
	     { "A", 1, 1 }, { "V", 0, 0 });
	wait_reaped(V);
}

static void
vfork_with_exit(void)
{
	hold_at(LEFT, LODGER_HOLD_DEAD);
	vforks(A, W, EXIT);
	STEP("A vforks W, which exits",
	     ON_LEFT("W, dead", "A"),
"     W woke A, then gave its use up, and only borrows.",
	     { "A", 1, 2 });

	let_go(LEFT);
	STEP("dead W->A",
	     ON_LEFT("A", "A"),
"     As in the beginning.",
	     { "A", 1, 1 });
	check(ends(A) == 0, "A's vfork fails");
}

void
fork_failed_fork_vfork(void)
{
	fork_and_clone();
	forks_fail();
	vfork_with_exec();
	vfork_with_exit();
}

/* ---- S7 --------------------------------------------------------------- */

static void
plain_exec(void)
{
	a_runs();

	execs(A, "new A");
	STEP("A execs",
	     ON_LEFT("A", "new A"),
"     The new one arrived with 1/1, and no counter was touched for that. The\n"
"     old one went when CR3 had left it. Nobody borrowed it: freed.",
	     { "A", 0, 0 }, { "new A", 1, 1 });
}

static void
exec_under_a_borrower(void)
{
	start_process(D, LEFT, SLEEP);
	start_process(A, LEFT, SPIN);
	lodger_in(LEFT);
	move_actor(A, RIGHT);
	STEP("A on CPU 2, a kernel thread borrows on CPU 1",
	     ON_BOTH("lodger", "A", "A", "A"),
"     The same root on two CPUs.",
	     { "A", 1, 2 });

	execs(A, "new A");
	STEP("A execs",
	     ON_BOTH("lodger", "A", "A", "new A"),
"     Out of a house in which somebody lodges: a zombie.",
	     { "A", 0, 1 }, { "new A", 1, 1 });

	tell(D, SPIN);
	lodger_out(LEFT);
	STEP("CPU 1: K->D",
	     ON_BOTH("D", "D", "A", "new A"),
"     Freed.",
	     { "A", 0, 0 }, { "new A", 1, 1 });
}

/* Two processes, so that no idle thread borrows init_mm here. */
static void
exec_by_a_kernel_thread(void)
{
	start_process(D, LEFT, SPIN);
	start_process(E, RIGHT, SPIN);
	STEP("What is left of the first program's exec",
	     ON_BOTH("D", "D", "E", "E"),
"     It was a kernel thread that became the first program, once, at boot. A\n"
"     borrow of init_mm that its exec had forgotten would be here for ever.",
	     { "init_mm", 1, 1 });
}

void
exec_three_ways(void)
{
	scene(plain_exec);
	scene(exec_under_a_borrower);
	scene(exec_by_a_kernel_thread);
}
