/*
 * The story of the borrow, told live.
 *
 * A kernel thread has no address space: it lodges in the one its CPU used
 * last. Here that happens for real, one step at a time. No step waits for time:
 * a command is changed, then the kernel's own figures are polled until they are
 * the expected ones.
 */
#include <stdio.h>

#include "scenarios.h"
#include "stage.h"
#include "tell.h"

/* ---- Chapter 1: three threads and a lodger ---------------------------- */

static void
story_begins(void)
{
	struct picture seen;

	start_process(A1, LEFT, SPIN);
	observe("A", A1);
	does(A1, TOUCH_OWN, 0); /* what somebody has to give back one day */
	clone_to(A1, A2, RIGHT, SPIN);
	clone_to(A1, A3, RIGHT, SLEEP);
	STEP("A process with three threads",
	     ON_BOTH("A1", "A", "A2", "A"),
"     Three users live in A (A3 sleeps). All users together hold one count.",
	     { "A", 3, 1 });

	lodger_in(LEFT);
	seen = STEP("A kernel thread runs on CPU 1",
	     ON_BOTH("lodger", "A", "A2", "A"),
"     It has no address space, so it borrows the one it finds: CR3 is not\n"
"     written, count is. A1 only waits for its turn: it is still a user.",
	     { "A", 3, 2 });
	check(seen.cpus[LEFT].cr3_new == 0, "CPU 1 has written CR3");
}

static void
threads_leave(void)
{
	hold_at(RIGHT, LODGER_HOLD_DEAD);
	tell(A2, EXIT);
	STEP("A2 exits, and is caught in its last moment",
	     ON_BOTH("lodger", "A", "A2, dead", "A"),
"     It is no user any more, but its CPU still stands on A's root: a dead\n"
"     task is a borrower until it has been switched away from.",
	     { "A", 2, 3 });

	tell(A3, SPIN);
	let_go(RIGHT);
	STEP("CPU 2 goes on to A3",
	     ON_BOTH("lodger", "A", "A3", "A"),
"     The dead task's borrow was dropped after the switch, on A3's stack.",
	     { "A", 2, 2 });

	hold_at(RIGHT, LODGER_HOLD_DEAD);
	tell(A3, EXIT);
	STEP("A3 exits the same way",
	     ON_BOTH("lodger", "A", "A3, dead", "A"),
"     One user (A1), and two who only stand there: lodger and dead A3.",
	     { "A", 1, 3 });

	move_actor(A1, RIGHT);
	let_go(RIGHT);
	STEP("CPU 2 goes on to A1, which has moved over",
	     ON_BOTH("lodger", "A", "A1", "A"),
"     A1 left CPU 1, the lodger there did not notice: its borrow is its own.",
	     { "A", 1, 2 });
}

static void
last_exit(void)
{
	uint64_t before = free_frames(), used = user_frames();
	struct picture seen;
	int64_t back;

	hold_at(RIGHT, LODGER_HOLD_DEAD);
	tell(A1, EXIT);
	seen = STEP("A1 exits: the last user is gone",
	     ON_BOTH("lodger", "A", "A1, dead", "A"),
"     users is 0: all pages and user page tables go back, now. Both CPUs were\n"
"     told first, since the machine itself may walk freed tables. Both still\n"
"     stand on A's root, and hold a count: root and struct stay. A zombie.",
	     { "A", 0, 2 });
	back = free_frames() - before;
	printf("     Free frames: %llu before, %llu now: %lld came back.\n",
	       (unsigned long long)before,
	       (unsigned long long)(before + back), (long long)back);
	check(seen.spaces[0].torn_down && seen.spaces[0].resident == 0,
	      "users is 0, and A still has pages");
	/* Free frames come and go for other reasons too: look at pages. */
	check(used >= user_frames() + OWN_PAGES,
	      "A's pages did not come back");

	tell(C, SPIN);
	let_go(RIGHT);
	STEP("CPU 2 goes on to C, another process",
	     ON_BOTH("lodger", "A", "C", "C"),
"     Nobody lives in A, nothing is mapped in it, and it cannot be freed:\n"
"     somebody lodges there. This is why one counter is not enough.",
	     { "A", 0, 1 });

	tell(D, SPIN);
	lodger_out(LEFT);
	STEP("CPU 1 goes on to D: the lodger has left",
	     ON_BOTH("D", "D", "C", "C"),
"     The last count was dropped after the switch to D's root: struct and\n"
"     root are freed. The kernel knows no address space with A's id.",
	     { "A", 0, 0 });
}

/* The observer's own two processes take CPUs over when somebody has to. */
void
three_threads_and_a_lodger(void)
{
	start_process(C, RIGHT, SLEEP);
	start_process(D, LEFT, SLEEP);
	story_begins();
	threads_leave();
	last_exit();
}

/* ---- Chapter 2: vfork ------------------------------------------------- */

static void
story_of_vfork(void)
{
	struct picture seen;

	start_process(E, LEFT, SPIN);
	STEP("A process with one thread",
	     ON_LEFT("E", "E"),
"     One user, one count: the plain case.",
	     { "E", 1, 1 });

	vforks(E, F, SPIN);
	STEP("E vforks F",
	     ON_LEFT("F", "E"),
"     Two processes, one address space. E sleeps until F has let go of it.",
	     { "E", 2, 1 });

	tell(E, SLEEP);
	execs(F, "F");
	STEP("F execs",
	     ON_LEFT("F", "F"),
"     F took a new address space into use (1/1) and left E's: no borrow,\n"
"     since CR3 was moved before the old one was put.",
	     { "E", 1, 1 });

	kill_actor(F);
	tell(E, REAP);
	/* E may run before F has ended, and F is not to be held below. */
	wait_reaped(F);
	STEP("F is killed, E runs again",
	     ON_LEFT("E", "E"),
"     vfork's wait ended when F called exec, long before F ended.",
	     { "E", 1, 1 });

	hold_at(LEFT, LODGER_HOLD_DEAD);
	vforks(E, F, EXIT);
	STEP("E vforks again, and the child exits at once",
	     ON_LEFT("F, dead", "E"),
"     E was woken before F gave up its use; now dead F only borrows.",
	     { "E", 1, 2 });

	let_go(LEFT);
	seen = STEP("CPU 1 goes back to E",
	     ON_LEFT("E", "E"),
"     The same root all the time: CR3 was not written.",
	     { "E", 1, 1 });
	check(seen.cpus[LEFT].cr3_new == 0, "CPU 1 has written CR3");
}

/* ---- Chapter 3: exec under a lodger's feet ---------------------------- */

static void
story_of_exec(void)
{
	start_process(C, RIGHT, SLEEP);
	start_process(G, RIGHT, SPIN);
	STEP("A process on CPU 2",
	     ON_RIGHT("G", "G"),
"     The plain case again, on the other CPU.",
	     { "G", 1, 1 });

	lodger_in(RIGHT);
	move_actor(G, LEFT);
	STEP("A kernel thread borrows on CPU 2, G moves to CPU 1",
	     ON_BOTH("G", "G", "lodger", "G"),
"     The same root on two CPUs: one lives in it, one only lodges.",
	     { "G", 1, 2 });

	execs(G, "new G");
	STEP("G execs",
	     ON_BOTH("G", "new G", "lodger", "G"),
"     G is alive and well in a new address space. Its old one is a zombie:\n"
"     contents gone, root and struct kept for the lodger.",
	     { "G", 0, 1 });

	tell(C, SPIN);
	lodger_out(RIGHT);
	STEP("CPU 2 goes on to C",
	     ON_BOTH("G", "new G", "C", "C"),
"     Freed, while the process that once lived there runs on.",
	     { "G", 0, 0 });
}

/* ---- Chapter 4: adoption ---------------------------------------------- */

static void
story_of_adoption(void)
{
	struct picture seen;

	move_prefaulter(RIGHT);
	start_process(C, RIGHT, SLEEP);
	start_process(D, LEFT, SLEEP);
	start_process(H, LEFT, SPIN);
	STEP("A process on CPU 1",
	     ON_BOTH("H", "H", "idle", NULL),
"     It is about to ask for 256 pages at once: madvise(POPULATE_WRITE).",
	     { "H", 1, 1 });

	hold_at(RIGHT, LODGER_HOLD_ADOPTED);
	begins(H, POPULATE, 0);
	STEP("The prefaulter has adopted H, on CPU 2",
	     ON_BOTH("idle", "H", "prefaulter", "H"),
"     A kernel thread that must touch user memory may not just borrow. It\n"
"     takes a use (users 2) and a count of its own; H sleeps, and CPU 1's\n"
"     idle thread borrows what H left loaded: the third count.",
	     { "H", 2, 3 });

	let_go(RIGHT);
	seen = STEP("The work is done, H runs again",
	     ON_BOTH("H", "H", "idle", "H"),
"     The use is given back. The adoption became a plain borrow, and CPU 2's\n"
"     idle thread has it now, handed over without any counter operation.",
	     { "H", 1, 2 });
	printf("     H has %llu pages.\n", (unsigned long long)seen.spaces[0].resident);
	check(seen.spaces[0].resident >= OWN_PAGES, "H's pages are not there");

	tell(C, SPIN);
	STEP("CPU 2 goes on to C",
	     ON_BOTH("H", "H", "C", "C"),
"     Idle borrows as any kernel thread does, and gives back as they do.",
	     { "H", 1, 1 });

	tell(D, SPIN);
	tell(H, EXIT);
	STEP("H exits, CPU 1 goes on to D",
	     ON_BOTH("D", "D", "C", "C"),
"     Contents, root and struct: all gone.",
	     { "H", 0, 0 });
}


/* ---- All of it -------------------------------------------------------- */

static void
introduction(void)
{
	print_bold("Who holds an address space?");
	fputs("\n"
"An address space has two counters, printed as U/C:\n"
"  users (U)  how many live in it: its threads. At 0 its contents go.\n"
"  count (C)  how many keep its root and struct: 1 for all users together,\n"
"             1 for each kernel thread that borrows it. At 0 all is freed.\n"
"\nEvery figure below was read from the kernel at that moment.\n", stdout);
}

void
story(void)
{
	introduction();
	chapter("1. Three threads and a lodger");
	scene(three_threads_and_a_lodger);
	chapter("2. vfork: two processes in one address space");
	scene(story_of_vfork);
	chapter("3. exec: out of a house in which somebody lodges");
	scene(story_of_exec);
	chapter("4. Adoption: a kernel thread with a real address space");
	scene(story_of_adoption);
}
