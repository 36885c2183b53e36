/* Rules of the borrow that no scenario's table shows. */
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "kernel/hold.h"
#include "kernel/guest.h"
#include "kernel/invariants.h"
#include "kernel/workers.h"
#include "mm/usercopy.h"
#include "sched/kthread.h"
#include "sched/world.h"
#include "tests/kernel/stage.h"

// run: cpus=2 append="invariants=0" timeout=60
KERNEL_TEST(rule_a_borrower_copies_nothing,
	    "user copies are refused to a kernel thread, whatever it borrows")
{
	struct actor *A, *K;

	stage_open(1);
	A = user_actor("A"), K = kernel_actor("K");
	to(0, A);
	MUST_EQ(touches(A, DATA, 1), 0);
	MUST_EQ(reads(A, DATA), DATA);
	to(0, K);
	MUST_EQ(reads(K, DATA), -EFAULT);
	MUST_EQ(touches(K, DATA, 1), -EFAULT);
	stage_close();
}

static long
peek(void *addr)
{
	return *(volatile u32 *)addr;
}

// run: cpus=2 append="invariants=0" timeout=60 verdict=PANIC
// expect: ^KERNEL PANIC: .*user
// expect: ^in kernel thread \d+ K, which borrows mm
KERNEL_TEST(panic_borrower_touches_user_memory,
	    "a kernel thread that touches a user address panics, though it "
	    "borrows an mm that maps it")
{
	struct actor *A, *K;

	stage_open(1);
	A = user_actor("A"), K = kernel_actor("K");
	to(0, A);
	MUST_EQ(touches(A, DATA, 1), 0);
	to(0, K);
	does(K, peek, (void *)DATA);
}

/* ---- The prefaulter's adoption ---------------------------------------- */

static bool
is_prefaulter(struct task *task, void *found)
{
	if (strcmp(task->name, "prefaulter") == 0)
		*(struct task **)found = task;
	return true;
}

static long
populate(void *unused)
{
	(void)unused;
	return prefault(current->mm, DATA, STAGE_PAGES * PAGE_SIZE, true);
}

// run: cpus=3 append="invariants=0" timeout=60
KERNEL_TEST(rule_prefaulter_holds_users,
	    "the prefaulter adopts with users held, and faults in for another")
{
	struct task *prefaulter = NULL;
	struct actor *A;
	u64 a;

	stage_open(2);
	task_for_each(is_prefaulter, &prefaulter);
	MUST(prefaulter);
	MUST_EQ(sched_set_affinity(prefaulter, 1ul << 1), 0);
	A = user_actor("A"), a = mm_of(A);
	to(0, A);
	STEP("cpu0 A", { a, 1, 1 }, { INIT, 1, 2 });
	MUST_EQ(hold_control(1, LODGER_HOLD_ADOPTED), 0);
	begins(A, populate, NULL);
	UNTIL(held_at(1) == LODGER_HOLD_ADOPTED);
	UNTIL(READ_ONCE(cpu_by_id(0)->curr) == cpu_by_id(0)->idle);
	STEP("A waits, cpu1 has adopted", { a, 2, 3 }, { INIT, 1, 1 });
	MUST_EQ(hold_control(1, LODGER_HOLD_NONE), 0);
	MUST_EQ(ends(A), 0);
	UNTIL(READ_ONCE(cpu_by_id(1)->curr) == cpu_by_id(1)->idle);
	STEP("A goes on, cpu1 idle borrows", { a, 1, 2 }, { INIT, 1, 1 });
	MUST(task_of(A)->mm->nr_pages >= STAGE_PAGES);
	stage_close();
}

/* ---- Ids -------------------------------------------------------------- */

// run: cpus=1,4
KERNEL_TEST(rule_ids_are_not_reused,
	    "an mm's id is new, though its address and its root are not")
{
	struct mm *last = NULL;
	u64 last_id = 0;
	bool recurred = false;

	for (int i = 0; i < 64; i++) {
		struct mm *mm = mm_alloc(current);

		EXPECT(mm);
		EXPECT(mm->id > last_id);
		EXPECT_EQ(mm_users(mm), 1);
		EXPECT_EQ(mm_count(mm), 1);
		recurred |= mm == last;
		last = mm;
		last_id = mm->id;
		mmput(mm, REF_BUILDING, current);
		EXPECT(!mm_find(last_id, current));
	}
	EXPECT(recurred);
}

/* ---- Stopping the world ----------------------------------------------- */

static u64 turns[MAX_CPUS];
static bool world_test_over;

static int
turn(void *id)
{
	while (!READ_ONCE(world_test_over)) {
		WRITE_ONCE(turns[(u64)id], turns[(u64)id] + 1);
		world_meet();
	}
	return 0;
}

static void
wait_for_turns(u64 mask, const u64 *before)
{
	for (unsigned id = 0; id < nr_cpus; id++)
		while ((mask >> id & 1) && READ_ONCE(turns[id]) == before[id])
			schedule();
}

// run: cpus=2,4
KERNEL_TEST(rule_the_world_stops,
	    "while the world is stopped nothing moves on any other CPU")
{
	u64 before[MAX_CPUS] = { 0 };
	u64 mask;

	sched_set_affinity(current, 1);
	mask = online_cpus() & ~1ul;
	world_test_over = false;
	for (unsigned id = 1; id < nr_cpus; id++) {
		struct task *task = kthread_create(turn, (void *)(u64)id,
						   "turner");

		EXPECT(task);
		turns[id] = 0;
		kthread_bind(task, id);
		wake_up_new_task(task);
	}
	for (int round = 0; round < 20; round++) {
		u64 start;

		wait_for_turns(mask, before);
		world_stop();
		memcpy(before, turns, sizeof(before));
		start = arch_time_ns();
		while (arch_time_ns() - start < 200000)
			arch_cpu_relax();
		EXPECT_EQ(memcmp(before, turns, sizeof(before)), 0);
		world_resume();
	}
	WRITE_ONCE(world_test_over, true);
	sched_set_affinity(current, ~0ul);
}

/* ---- What the checker says -------------------------------------------- */

static struct mm *
any_mm(void)
{
	struct mm *mm = mm_alloc(current);

	if (!mm)
		panic("no memory");
	return mm;
}

// run: cpus=2 append="invariants=0" verdict=PANIC
// expect: ^KERNEL PANIC: I2: mm \d+ \(\) has users 2, but 1 live in it
// expect: ^  user: being built by kernel thread 1 init
KERNEL_TEST(panic_i2_users, "a user reference that nobody has is reported")
{
	atomic_inc(&any_mm()->users);
	check_invariants();
}

// run: cpus=2 append="invariants=0" verdict=PANIC
// expect: ^KERNEL PANIC: I3: mm \d+ \(\) has count 2, but its users, borrowers, adopters and pins are 1
KERNEL_TEST(panic_i3_count, "a reference on count that nobody has is reported")
{
	atomic_inc(&any_mm()->count);
	check_invariants();
}

/* A ledger that had left out some of so many could not tell. */
// run: append="invariants=0" verdict=PANIC
// expect: ^KERNEL PANIC: I3: mm \d+ .* has count 10002, but its users, borrowers, adopters and pins are 10001
KERNEL_TEST(panic_i3_among_many,
	    "a reference that nobody has is reported among ten thousand")
{
	struct mm *mm = any_mm();

	for (int i = 0; i < 10000; i++)
		mmgrab(mm, REF_PIN, current);
	atomic_inc(&mm->count);
	check_invariants();
}

// run: cpus=2 append="invariants=0" verdict=PANIC
// expect: ^KERNEL PANIC: I3: mm 0 \(init_mm\) has count
KERNEL_TEST(panic_i3_init_mm, "init_mm's count is exact")
{
	atomic_inc(&init_mm.count);
	check_invariants();
}

// run: cpus=2 append="invariants=0" verdict=PANIC
// expect: ^KERNEL PANIC: I12: the kernel half of mm \d+'s root is not init_mm's
KERNEL_TEST(panic_i12_kernel_half, "a root with another kernel half is reported")
{
	u64 *root = phys_to_virt(any_mm()->root);

	root[PTES_PER_TABLE - 2] ^= 1ul << 12;
	check_invariants();
}

// run: cpus=2 append="invariants=0" verdict=PANIC
// expect: ^KERNEL PANIC: mm \d+ is 1/2, and at .* a reference is dropped that nobody took: pinned by kernel thread 1 init
// expect: borrowed by|for all users together
KERNEL_TEST(panic_ledger_names_the_culprit,
	    "who drops what it does not hold is named")
{
	struct mm *mm = any_mm();

	mmgrab(mm, REF_PIN, mm);
	mmdrop(mm, REF_PIN, current);
}

// run: cpus=2 append="invariants=0" verdict=PANIC
// expect: ^KERNEL PANIC: init_mm's count dropped to zero|^KERNEL PANIC: mm 0 is
KERNEL_TEST(panic_init_mm_is_for_ever, "nobody can drop init_mm's own reference")
{
	mmdrop(&init_mm, REF_PIN, current);
}
