// with: kernel/debug/ledger.c kernel/symbols.c
#include "host.h"

#include <stdarg.h>

#include "kernel/plausible.h"
#include "kernel/base/printk.h"
#include "kernel/symbols.h"
#include "mm/mm.h"
#include "sched/task.h"

enum { POOL = 8192, MEMORY = POOL * PAGE_SIZE };

const struct symbol kernel_symbols[] = { { 0x1000, "taker" },
					 { 0x2000, "dropper" } };
const u64 kernel_symbols_count = 2;

struct mm init_mm = { .ledger = LIST_INIT(init_mm.ledger) };
static struct mm mm = { .users = ATOMIC_INIT(3), .count = ATOMIC_INIT(2),
			.id = 7, .ledger = LIST_INIT(mm.ledger) };
static struct mm other = { .id = 8, .ledger = LIST_INIT(other.ledger) };

static struct task borrow = { .tid = 12, .name = "borrow" };
static struct task reaper = { .tid = 5, .name = "reaper/3",
			      .is_kthread = true };
static struct task *freed = (struct task *)0x6b6b6b6b6b6b6b6b;

bool
plausible_pointer(const void *ptr)
{
	return ptr && ptr != (void *)freed;
}

bool
plausible_task(const struct task *task)
{
	return plausible_pointer(task);
}

/* Everything printed, line after line. */
static char printed[20000];

void
printk(enum log_level level, const char *fmt, ...)
{
	size_t len = strlen(printed);
	va_list args;

	(void)level;
	va_start(args, fmt);
	len += (size_t)vsnprintf(printed + len, sizeof(printed) - len, fmt,
				 args);
	va_end(args);
	CHECK(len + 2 < sizeof(printed));
	strcpy(printed + len, "\n");
}

static void
expect_line(const char *line)
{
	if (!strstr(printed, line))
		FAIL("no \"%s\" in:\n%s", line, printed);
}

static void
counts(void)
{
	ledger_add(&mm, REF_TASK, &borrow, 0x1000);
	ledger_add(&mm, REF_TASK, &reaper, 0x1000);
	ledger_add(&mm, REF_BORROW, &reaper, 0x1000);
	ledger_add(&other, REF_TASK, &borrow, 0x1000);
	CHECK_EQ(ledger_count(&mm, REF_TASK), 2);
	CHECK_EQ(ledger_count(&mm, REF_BORROW), 1);
	CHECK_EQ(ledger_count(&mm, REF_PIN), 0);
	ledger_remove(&mm, REF_TASK, &borrow, 0x2000);
	CHECK_EQ(ledger_count(&mm, REF_TASK), 1);
	CHECK_EQ(ledger_count(&other, REF_TASK), 1);
}

static void
moves(void)
{
	ledger_add(&mm, REF_BORROW, &reaper, 0x1000);
	ledger_move(&mm, REF_BORROW, &reaper, REF_PARKED, &cpus[1], 0x1000);
	CHECK_EQ(ledger_count(&mm, REF_BORROW), 0);
	CHECK_EQ(ledger_count(&mm, REF_PARKED), 1);
	CHECK_PANICS("passed on that nobody took: borrowed by kernel thread 5",
		     ledger_move(&mm, REF_BORROW, &reaper, REF_PARKED,
				 &cpus[1], 0x2004));
	CHECK(strstr(host_panic_text, "mm 7 is 3/2, and at dropper+0x4"));
}

static void
dropped_twice(void)
{
	ledger_add(&mm, REF_TASK, &borrow, 0x1000);
	ledger_remove(&mm, REF_TASK, &borrow, 0x2000);
	CHECK_PANICS("dropped that nobody took: user: task 12 borrow",
		     ledger_remove(&mm, REF_TASK, &borrow, 0x2000));
}

static void
wrong_reason(void)
{
	ledger_add(&mm, REF_BORROW, &reaper, 0x1000);
	CHECK_PANICS("dropped that nobody took: adopted by kernel thread 5",
		     ledger_remove(&mm, REF_ADOPTED, &reaper, 0x2000));
}

static void
wrong_holder(void)
{
	ledger_add(&mm, REF_TASK, &reaper, 0x1000);
	CHECK_PANICS("dropped that nobody took: user: task 12",
		     ledger_remove(&mm, REF_TASK, &borrow, 0x2000));
}

static void
leak(void)
{
	ledger_close(&mm, 0x2000);
	ledger_add(&mm, REF_PIN, &borrow, 0x1000);
	CHECK_PANICS("mm 7 is 3/2 and being freed at dropper+0x4",
		     ledger_close(&mm, 0x2004));
}

static void
printing(void)
{
	host_use_cpu(1);
	cpus[2].id = 2;
	ledger_add(&mm, REF_TASK, &borrow, 0x1040);
	ledger_add(&mm, REF_USERS, &mm, 0x1000);
	ledger_add(&mm, REF_BORROW, &reaper, 0x1040);
	ledger_add(&mm, REF_PARKED, &cpus[2], 0x1000);
	ledger_add(&mm, REF_ADOPTED, freed, 0x1000);
	borrow.exiting = true;
	ledger_add(&mm, REF_BORROW, &borrow, 0x1000);
	ledger_print(&mm);
	expect_line("who holds mm 7:\n");
	expect_line("  user: exiting task 12 borrow lives here; "
		    "taken at taker+0x40 on cpu1 by task 1\n");
	expect_line("  one for all users together; taken");
	expect_line("  borrowed by kernel thread 5 reaper/3; "
		    "taken at taker+0x40 on cpu1 by task 1\n");
	expect_line("  parked on cpu2 until its finish step; taken");
	expect_line("  adopted by something at 0x6b6b6b6b6b6b6b6b; taken");
	expect_line("  together 1/5; the counters say 3/2\n");
}

static void
printing_many(void)
{
	for (int i = 0; i < 100; i++)
		ledger_add(&mm, REF_TASK, &borrow, 0x1000);
	ledger_print(&mm);
	expect_line("  and 52 more\n");
	expect_line("  together 100/0; the counters say 3/2\n");
}

static void
printing_junk(void)
{
	ledger_add(&mm, REF_TASK, &borrow, 0x1000);
	mm.ledger.next->next = (struct list *)0x6b6b6b6b6b6b6b6b;
	ledger_print(&mm);
	expect_line("task 12 borrow");
	expect_line("the rest is junk");
	memset(&mm, 0x6b, sizeof(mm));
	ledger_print(&mm);
	mm.ledger.next = NULL;
	ledger_print(&mm);
}

/* Pointers that are in step with the pool's entries, but before or behind. */
static void
printing_beside_the_pool(void)
{
	static const long steps[] = { -100000, -POOL, POOL, 100000 };
	struct list *first, *second;
	long size;

	ledger_add(&mm, REF_TASK, &borrow, 0x1000);
	ledger_add(&mm, REF_TASK, &borrow, 0x1000);
	second = mm.ledger.next;
	first = second->next;
	size = (char *)second - (char *)first;
	for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
		printed[0] = 0;
		second->next = (struct list *)((u64)first +
					       (u64)(steps[i] * size));
		ledger_print(&mm);
		expect_line("the rest is junk");
	}
}

static void
printing_a_circle(void)
{
	ledger_add(&mm, REF_TASK, &borrow, 0x1000);
	mm.ledger.next->next = mm.ledger.next;
	ledger_print(&mm);
	expect_line("together 8192/0");
}

static void
overflow(void)
{
	for (int i = 0; i < POOL; i++)
		ledger_add(&other, REF_TASK, &borrow, 0x1000);
	CHECK_EQ(ledger_count(&other, REF_TASK), POOL);
	CHECK_PANICS("8192 entries are used up",
		     ledger_add(&mm, REF_TASK, &borrow, 0x1000));
}

/* PID_MAX tasks can hold no more. */
static void
large_machine(void)
{
	CHECK_EQ(ledger_size(1ul << 40), ledger_size(1ul << 41));
	CHECK(ledger_size(1ul << 40) > 30000 * (ledger_size(MEMORY) / POOL));
}

static void
entries_are_reused(void)
{
	for (int i = 0; i < 3 * POOL; i++) {
		ledger_add(&mm, REF_TASK, &borrow, 0x1000);
		ledger_remove(&mm, REF_TASK, &borrow, 0x2000);
	}
	ledger_close(&mm, 0x2000);
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	ledger_boot(calloc(1, ledger_size(MEMORY)), ledger_size(MEMORY));
	test("references are counted by mm and by reason", counts);
	test("a reference that changes hands changes its reason", moves);
	test("dropping a reference twice panics and names it", dropped_twice);
	test("dropping a reference for another reason panics", wrong_reason);
	test("dropping a reference that another holds panics", wrong_holder);
	test("an mm freed while somebody holds it panics", leak);
	test("each reference is printed: who, why, where from", printing);
	test("of many references the first are printed, all are counted",
	     printing_many);
	test("the ledger of a freed mm prints without following junk",
	     printing_junk);
	test("entries outside the pool are junk", printing_beside_the_pool);
	test("a circular ledger does not print for ever", printing_a_circle);
	test("when entries run out it is said", overflow);
	test("a large machine's ledger has room for all tasks and no more",
	     large_machine);
	test("entries are used again", entries_are_reused);
	return host_result();
}
