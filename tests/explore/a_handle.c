/*
 * Address spaces behind handles: kernel/ipc/mm_handle.c and mm/remote.c. An
 * outsider reads, writes, maps and unmaps while those who live there work or
 * leave; what it puts last is left to the reaper.
 */
#include "kernel/base/errno.h"
#include "kernel/ipc/handle.h"
#include "kernel/ipc/mm_handle.h"
#include "sched/reaper.h"
#include "sched/sched.h"
#include "tests/explore/play.h"

#define SECOND (DATA + PAGE_SIZE)

static struct actor *A, *B;
static u32 number[2] RESTORED; /* of A's handle, and of B's */
static bool closed RESTORED;   /* or about to be */

/* ---- Handles ---------------------------------------------------------------- */

static bool
is_A(void)
{
	return current->mm == A->home->mm;
}

static u32
my_handle(void)
{
	return number[!is_A()];
}

/* Whose address space that handle stands for. */
static struct space *
other_space(void)
{
	return is_A() ? B->home : A->home;
}

/* As in a message, to a process that is no child of current's. */
static void
gives_its_handle(void)
{
	struct process *to = is_A() ? B->task->process : A->task->process;
	long mine = native_mm_open(), given;
	struct handle_spare spare;
	irq_flags_t flags;

	model_pin(&stage.model, number_of_space(space_of(current->mm)));
	if (mine < 0 || handle_spare_alloc(&spare))
		panic("set-up has no memory");
	flags = spin_lock_irqsave(&pid_lock);
	spin_lock(&ipc_lock);
	given = handle_hand_over(to, (u32)mine, &spare);
	spin_unlock(&ipc_lock);
	spin_unlock_irqrestore(&pid_lock, flags);
	handle_spare_free(&spare);
	if (given < 0)
		panic("%s cannot give its handle away", current->name);
	number[is_A()] = (u32)given;
}

/* The same; then A needs its table no more, and would walk through it at its
 * exit. */
static void
gives_its_last_handle(void)
{
	gives_its_handle();
	handles_close_all(current->process);
}

static void
closes(void)
{
	int space = number_of_space(other_space());

	closed = true;
	if (native_handle_close(my_handle()))
		panic("%s cannot close its handle", current->name);
	model_unpin(&stage.model, space);
}

/* ---- One operation ------------------------------------------------------------ */

/* Nobody lives there any more; the handle is closed; the page is gone. */
static void
must(const char *verb, long result, long expected)
{
	bool gone = other_space()->pages[0].presence != HERE;

	if (result != expected && result != -ESRCH &&
	    !(result == -EBADF && closed) && !(result == -EFAULT && gone))
		explore_fail(EXPLORE_VIOLATION, "%s %s, and gets %ld",
			     current->name, verb, result);
}

static void
looks_into_it(void)
{
	const struct space *space = other_space();
	long result = native_mm_read(my_handle(), DATA, MORE, sizeof(u64));
	u64 value = 0;

	must("reads through a handle", result, sizeof(u64));
	if (result < 0)
		return;
	sim_user_read(MORE, &value);
	if (!is_ours(space, value))
		explore_fail(EXPLORE_VIOLATION, "%s reads %#lx in %s through a "
			     "handle, which nobody there wrote", current->name,
			     value, space->name);
}

/* Zeroes, if MORE was discarded: its page is not there yet. */
static void
passes_on_more(void)
{
	must("writes through a handle",
	     native_mm_write(my_handle(), DATA, MORE, sizeof(u64)), sizeof(u64));
}

static void
writes_into_it(void)
{
	sim_user_write(MORE, newest_mark(other_space()));
	passes_on_more();
}

static void
unmaps_there(void)
{
	struct space *there = other_space();

	page_becomes(there, SECOND, GOING);
	must("unmaps through a handle",
	     native_mm_unmap(my_handle(), SECOND, PAGE_SIZE), 0);
	page_becomes(there, SECOND, GONE);
}

/* ---- The last one ----------------------------------------------------------------- */

/* The reaper is the scheduler's to run, on CPU 1. */
static void
cast_A_and_B(void)
{
	real_idle();
	sched_set_affinity(reaper_start(), 2);
	A = user("A"), B = user("B");
}

SCENARIO(handle_read_against_last_exit, 2,
	 "who reads through a handle keeps the contents for as long; the reaper "
	 "tears down")
{
	cast_A_and_B();
	on(0, to(A), calls(gives_its_last_handle, "gives B a handle"), to(B));
	on(1, to(A));
	given();
	on(0, calls(looks_into_it, "reads A's page"));
	on(1, exits(), to(IDLE));
}

SCENARIO(two_outsiders_put_after_the_last_exit, 2,
	 "of two that are left with users, the last one alone goes to the "
	 "reaper")
{
	struct actor *B2;

	cast_A_and_B();
	B2 = thread("B2", B);
	on(0, to(A), calls(gives_its_last_handle, "gives B a handle"), to(B));
	on(1, to(A));
	given();
	on(0, calls(looks_into_it, "reads A's page"));
	on(1, exits(), to(B2), calls(unmaps_there, "unmaps in A"), to(IDLE));
}

SCENARIO(handle_closed_while_it_is_used, 2,
	 "users keep count, when the handle does not any more")
{
	struct actor *B2;

	cast_A_and_B();
	B2 = thread("B2", B);
	on(0, to(A), calls(gives_its_last_handle, "gives B a handle"));
	on(1, to(B2));
	given();
	on(0, exits(), to(B), calls(closes, "closes its handle"));
	on(1, calls(looks_into_it, "reads A's page"), to(IDLE));
}

SCENARIO(handle_write_against_unmap, 2,
	 "no page is written through a handle that was given back")
{
	cast_A_and_B();
	on(0, to(A), calls(gives_its_last_handle, "gives B a handle"), to(B));
	on(1, to(A));
	given();
	on(0, calls(writes_into_it, "writes to A's page"));
	on(1, unmaps(DATA, 1));
}

SCENARIO(handle_writes_cross, 2,
	 "two that write to each other, each from a page that it has to make "
	 "first")
{
	cast_A_and_B();
	on(0, to(A), calls(gives_its_handle, "gives B a handle"),
	   discards(MORE, 1));
	on(1, to(B), calls(gives_its_handle, "gives A a handle"),
	   discards(MORE, 1));
	given();
	on(0, calls(passes_on_more, "writes to B's page"));
	on(1, calls(passes_on_more, "writes to A's page"));
}

SCENARIO(handle_unmap_against_reads, 2,
	 "nobody reads on in a page that was unmapped through a handle")
{
	cast_A_and_B();
	on(0, to(A), calls(gives_its_last_handle, "gives B a handle"), to(B));
	on(1, to(A));
	given();
	on(0, calls(unmaps_there, "unmaps in A"));
	on(1, reads(SECOND), reads(SECOND));
}

/* ---- Building -------------------------------------------------------------------- */

static struct space *built RESTORED;

static bool
note(struct mm *mm, void *newest)
{
	*(struct mm **)newest = mm;
	return true;
}

static void
builds(void)
{
	struct mm *mm;

	number[0] = (u32)native_mm_create();
	mm_for_each(note, &mm);
	built = add_space(mm, "new");
	model_build(&stage.model, number_of_space(built));
	if (native_mm_map(number[0], DATA, PAGE_SIZE, PROT_READ | PROT_WRITE) < 0)
		panic("%s cannot build", current->name);
}

static void
gives_up(void)
{
	closed = true;
	if (native_handle_close(my_handle()))
		panic("%s cannot give up", current->name);
	model_put(&stage.model, number_of_space(built));
}

static void
maps_there(void)
{
	must("maps through a handle",
	     native_mm_map(my_handle(), MORE, PAGE_SIZE, PROT_READ | PROT_WRITE),
	     MORE);
}

SCENARIO(building_is_given_up_while_it_is_used, 2,
	 "what was built goes once, when nobody works in it any more")
{
	struct actor *A2;

	cast_A_and_B();
	A2 = thread("A2", A);
	on(0, to(A), calls(builds, "builds"));
	on(1, to(A2));
	given();
	on(0, calls(gives_up, "gives up"));
	on(1, calls(maps_there, "maps there"), to(IDLE));
}
