// with: tests/host/space.c mm/usercopy.c mm/fault.c mm/region_tree.c kernel/debug/region_check.c mm/region.c mm/region_change.c mm/shared.c mm/pgtable.c mm/page_alloc.c mm/buddy.c mm/zero_pool.c mm/slab.c mm/boot_mem.c kernel/debug/slab_debug.c kernel/debug/pgtable_check.c kernel/debug/poison.c kernel/debug/fail.c
/* Page faults and user copies, from the machine's side. */
#include "host.h"
#include "space.h"

#include "kernel/base/errno.h"
#include "mm/fail.h"
#include "mm/region_tree.h"
#include "mm/usercopy.h"
#include "sched/task.h"

#define RW (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)

enum { ADDR = 0x400000 };

#define DIRECT_ADDR 0xffff800012345000ul

static struct space *space;

static void
map(u64 addr, u64 pages, unsigned prot, bool stack)
{
	CHECK_EQ(SPACE_CALL(space, do_mmap, addr, pages * 4096, prot, PRIVATE,
			    stack), addr);
}

static void
begin(void)
{
	space_boot(64ul << 20);
	space = space_new();
	current->mm = current->active_mm = &space->mm;
}

static void
end(void)
{
	space_check(space);
	current->mm = current->active_mm = NULL;
	space_free(space);
	space_check_all_back();
}

static struct page *
page_at(struct space *of, u64 addr)
{
	pte_t *pte = pgtable_lookup(&of->mm, addr);

	return pte && pte_present(*pte) ? phys_to_page(pte_paddr(*pte)) : NULL;
}

/* ---- Demand zero and copy-on-write --------------------------------------- */

static void
zeroes(void)
{
	u64 value = 1;

	begin();
	map(ADDR, 3, RW, false);
	CHECK_EQ(space->mm.nr_pages, 0);
	for (u64 addr = ADDR; addr < ADDR + 4096; addr += 8) {
		CHECK_EQ(space_read(space, addr, &value), 0);
		CHECK_EQ(value, 0);
	}
	CHECK_EQ(space_write(space, ADDR + 4096, 7), 0);
	CHECK_EQ(space->mm.nr_pages, 2);
	CHECK_EQ(space->flushes, 0); /* a right gained needs no flush */
	end();
}

static void
copies(void)
{
	struct space *child;
	struct page *page;
	unsigned flushes;
	u64 value;

	begin();
	map(ADDR, 1, RW, false);
	CHECK_EQ(space_write(space, ADDR, 1), 0);
	page = page_at(space, ADDR);
	child = space_fork(space);
	CHECK(page_at(child, ADDR) == page);
	CHECK_EQ(atomic_read(&page->refs), 2);
	CHECK_EQ(space->flushes, 1);

	/* Reading copies nothing. */
	CHECK_EQ(space_read(child, ADDR, &value), 0);
	CHECK_EQ(value, 1);
	CHECK_EQ(mm_fault(&child->mm, ADDR, FAULT_USER), 0);
	CHECK(page_at(child, ADDR) == page);
	/* Writing does, and tells the other CPUs. */
	flushes = child->flushes;
	CHECK_EQ(space_write(child, ADDR, 2), 0);
	CHECK(page_at(child, ADDR) != page);
	CHECK_EQ(child->flushes, flushes + 1);
	CHECK_EQ(atomic_read(&page->refs), 1);
	CHECK_EQ(space_read(space, ADDR, &value), 0);
	CHECK_EQ(value, 1);
	/* The last owner keeps the page and needs no flush. */
	flushes = space->flushes;
	CHECK_EQ(space_write(space, ADDR, 3), 0);
	CHECK(page_at(space, ADDR) == page);
	CHECK_EQ(space->flushes, flushes);
	CHECK_EQ(space_read(child, ADDR, &value), 0);
	CHECK_EQ(value, 2);
	space_check(child);
	space_free(child);
	end();
}

static struct space *parent;

static void
parent_exits(void)
{
	space_free(parent);
}

/* Writer and other owner leave the old page at the same time: it must live
 * until the writer's other CPUs have stopped reading it. */
static void
late_put(void)
{
	u64 value;

	begin();
	map(ADDR, 1, RW, false);
	CHECK_EQ(space_write(space, ADDR, 1), 0);
	parent = space;
	space = space_fork(parent);
	CHECK_EQ(space_read(space, ADDR, &value), 0);
	space_during_flush = parent_exits;
	CHECK_EQ(space_write(space, ADDR, 2), 0);
	CHECK(!space_during_flush);
	current->mm = &space->mm;
	end();
}

static void
hidden_copies(void)
{
	struct space *child;
	u64 value;

	begin();
	map(ADDR, 1, RW, false);
	CHECK_EQ(space_write(space, ADDR, 1), 0);
	CHECK_EQ(SPACE_CALL(space, do_mprotect, ADDR, 4096, PROT_NONE), 0);
	CHECK_EQ(space_read(space, ADDR, &value), -EFAULT);
	child = space_fork(space);
	space_check(child);
	CHECK_EQ(SPACE_CALL(space, do_mprotect, ADDR, 4096, RW), 0);
	CHECK_EQ(space_write(space, ADDR, 2), 0);
	CHECK_EQ(SPACE_CALL(child, do_mprotect, ADDR, 4096, RW), 0);
	CHECK_EQ(space_read(child, ADDR, &value), 0);
	CHECK_EQ(value, 1);
	space_free(child);
	end();
}

/* Both threads fault; the one that comes second finds the work done. */
static void
repaired(void)
{
	struct page *page;

	begin();
	map(ADDR, 1, RW, false);
	CHECK_EQ(mm_fault(&space->mm, ADDR, FAULT_USER | FAULT_WRITE), 0);
	page = page_at(space, ADDR);
	CHECK_EQ(mm_fault(&space->mm, ADDR, FAULT_USER | FAULT_WRITE), 0);
	CHECK_EQ(mm_fault(&space->mm, ADDR + 9,
			  FAULT_USER | FAULT_WRITE | FAULT_PRESENT), 0);
	CHECK(page_at(space, ADDR) == page);
	CHECK_EQ(atomic_read(&page->refs), 1);
	CHECK_EQ(space->mm.nr_pages, 1);
	end();
}

static void
no_memory(void)
{
	struct space *child;

	begin();
	map(ADDR, 1, RW, false);
	for (unsigned nth = 1; nth <= 4; nth++) {
		fail_allocation(NR_ALLOC_CLASSES, nth); /* 3 tables, 1 page */
		CHECK_EQ(space_write(space, ADDR, 1), -ENOMEM);
		CHECK(failure_happened());
		space_check(space);
	}
	CHECK_EQ(space_write(space, ADDR, 1), 0);
	child = space_fork(space);
	fail_allocation(ALLOC_USER, 1);
	CHECK_EQ(space_write(child, ADDR, 2), -ENOMEM);
	CHECK(page_at(child, ADDR) == page_at(space, ADDR));
	CHECK_EQ(space_write(child, ADDR, 2), 0);
	space_free(child);
	end();
}

/* ---- Stacks ------------------------------------------------------------- */

static void
stack_grows(void)
{
	u64 top = ADDR + (64ul << 20), value = 1;

	begin();
	map(top - 4096, 1, RW, true);
	CHECK_EQ(space_write(space, top - 8, 1), 0);
	CHECK_EQ(space_read(space, top - (1 << 20), &value), 0);
	CHECK_EQ(value, 0);
	CHECK_EQ(space->mm.regions.bytes, 1 << 20);
	CHECK_EQ(space_write(space, top - STACK_MAX, 5), 0);
	CHECK_EQ(space_write(space, top - STACK_MAX - 8, 5), -EFAULT);
	CHECK_EQ(space_execute(space, top - STACK_MAX), -EFAULT);
	CHECK_EQ(space->mm.regions.bytes, STACK_MAX);
	CHECK_EQ(space->mm.regions.nr_regions, 1);
	end();
}

static void
stack_stops(void)
{
	u64 top = ADDR + (4ul << 20);

	begin();
	map(ADDR, 1, RW, false);
	map(top - 4096, 1, RW, true);
	CHECK_EQ(space_write(space, ADDR + STACK_GUARD, 1), -EFAULT);
	CHECK_EQ(space_write(space, ADDR + 4096 + STACK_GUARD - 8, 1),
		 -EFAULT);
	CHECK_EQ(space_write(space, ADDR + 4096 + STACK_GUARD, 1), 0);
	/* What nobody can touch needs no gap; but it is not overrun. */
	CHECK_EQ(SPACE_CALL(space, do_mprotect, ADDR, 4096, PROT_NONE), 0);
	CHECK_EQ(space_write(space, ADDR + 4096, 1), 0);
	CHECK_EQ(space_write(space, ADDR + 4088, 1), -EFAULT);
	/* A heap below is not a stack: no growth from it. */
	CHECK_EQ(space_write(space, top, 1), -EFAULT);
	end();
}

static void
stack_by_flag(void)
{
	begin();
	CHECK_EQ(SPACE_CALL(space, do_mmap, ADDR, 4096, RW,
			    PRIVATE | MAP_GROWSDOWN, false), ADDR);
	CHECK_EQ(space_write(space, ADDR - 8, 1), 0);
	CHECK_EQ(SPACE_CALL(space, do_mprotect, ADDR, 4096,
			    PROT_READ | PROT_GROWSDOWN), 0);
	CHECK_EQ(space_write(space, ADDR - 8, 1), -EFAULT);
	CHECK_EQ(space_write(space, USER_START - 8, 1), -EFAULT);
	end();
}

/* ---- The entry point ----------------------------------------------------- */

static void
fault(struct regs regs, u64 addr, unsigned flags)
{
	space_signal = 0;
	arch_irq_disable();
	page_fault(&regs, addr, flags);
	CHECK(!arch_irqs_on());
	arch_irq_enable();
}

static void
user_faults(u64 addr, unsigned flags, const char *why)
{
	struct regs regs = { .user = true };

	fault(regs, addr, flags | FAULT_USER);
	CHECK_EQ(space_signal, why ? 11 : 0);
	if (why && !strstr(space_signal_text, why))
		FAIL("\"%s\" does not say \"%s\"", space_signal_text, why);
}

static void
kills(void)
{
	begin();
	map(ADDR, 1, PROT_READ, false);
	map(ADDR + 4096, 1, PROT_NONE, false);
	map(ADDR + 8192, 1, RW, false);
	user_faults(ADDR, 0, NULL);
	CHECK(page_at(space, ADDR));
	user_faults(ADDR, FAULT_WRITE, "write 0x400000 (not writable)");
	user_faults(ADDR, FAULT_EXEC, "not executable");
	user_faults(ADDR + 4096, 0, "not accessible");
	user_faults(ADDR - 1, 0, "no region");
	user_faults(0, FAULT_WRITE, "no region");
	user_faults(0xffff800000000000ul, FAULT_PRESENT, "kernel address");
	user_faults(USER_END, 0, "kernel address");
	user_faults(~0ul, FAULT_WRITE, "kernel address");
	fail_allocation(NR_ALLOC_CLASSES, 1);
	user_faults(ADDR + 8192, FAULT_WRITE, "out of memory");
	end();
}

/* A flush waits for other CPUs, which may be waiting for this one: flush() in
 * space.c insists on interrupts. */
static void
interrupts(void)
{
	struct space *child;

	begin();
	map(ADDR, 2, RW, false);
	CHECK_EQ(space_write(space, ADDR, 1), 0);
	CHECK_EQ(space_write(space, ADDR + 4096, 1), 0);
	child = space_fork(space);
	space->flushes = 0;
	user_faults(ADDR, FAULT_WRITE, NULL);
	CHECK_EQ(space->flushes, 1);
	CHECK_EQ(put_user_u32(ADDR + 4096, 5), 0);
	CHECK_EQ(space->flushes, 2);
	space_free(child);
	end();
}

static void
kernel_panics(void)
{
	struct regs wild = { .may_fault = false };
	struct regs copy = { .may_fault = true };

	begin();
	map(ADDR, 1, RW, false);
	CHECK_PANICS("outside the user-copy routines", fault(wild, ADDR, 0));
	CHECK_PANICS("NULL", fault(wild, 8, 0));
	CHECK_PANICS("tried to execute", fault(wild, ADDR, FAULT_EXEC));
	CHECK_PANICS("is not mapped", fault(wild, DIRECT_ADDR, 0));
	CHECK_PANICS("is protected",
		     fault(copy, DIRECT_ADDR, FAULT_PRESENT | FAULT_WRITE));
	CHECK_PANICS("stack overflow", fault(wild, KSTACK_BASE, FAULT_WRITE));
	CHECK_PANICS("reserved bit", fault(copy, ADDR, FAULT_RESERVED));
	/* Mapped and borrowed, but not its own: whatever the instruction. */
	CHECK_EQ(space_write(space, ADDR, 1), 0);
	current->mm = NULL;
	CHECK_PANICS("kernel thread host touched user address 0x400000; it "
		     "only borrows mm 1", fault(copy, ADDR, FAULT_PRESENT));
	CHECK_PANICS("only borrows", fault(wild, ADDR, FAULT_PRESENT));
	end();
}

/* ---- User copies -------------------------------------------------------- */

static void
copies_fault(void)
{
	char text[16] = "0123456789abcde", back[16];
	u32 word;

	begin();
	map(ADDR, 2, RW, false);
	map(ADDR + 3 * 4096, 1, PROT_READ, false);
	CHECK_EQ(copy_to_user(ADDR + 4090, text, 16), 0);
	CHECK_EQ(copy_from_user(back, ADDR + 4090, 16), 0);
	CHECK(!memcmp(text, back, 16));
	CHECK_EQ(copy_to_user(ADDR + 8190, text, 16), -EFAULT);
	CHECK_EQ(copy_from_user(back, ADDR + 8188, 16), -EFAULT);
	CHECK_EQ(copy_to_user(ADDR + 3 * 4096, text, 1), -EFAULT);
	CHECK_EQ(copy_from_user(back, ADDR + 3 * 4096, 1), 0);
	CHECK_EQ(copy_from_user(back, 0, 1), -EFAULT);
	CHECK_EQ(clear_user(ADDR + 4092, 8), 0);
	CHECK_EQ(get_user_u32(&word, ADDR + 4092), 0);
	CHECK_EQ(word, 0);
	CHECK_EQ(put_user_u32(ADDR, 77), 0);
	word = 1;
	CHECK_EQ(cmpxchg_user_u32(ADDR, &word, 5), 0);
	CHECK_EQ(word, 77);
	CHECK_EQ(cmpxchg_user_u32(ADDR, &word, 5), 0);
	CHECK_EQ(get_user_u32(&word, ADDR), 0);
	CHECK_EQ(word, 5);
	CHECK_EQ(cmpxchg_user_u32(ADDR + 3 * 4096, &word, 5), -EFAULT);
	end();
}

static void
strings(void)
{
	u64 last = USER_END - 4096;
	char text[16];

	begin();
	map(ADDR, 1, RW, false);
	map(last, 1, RW, false);
	CHECK_EQ(copy_to_user(ADDR + 4090, "hello", 6), 0);
	CHECK_EQ(strncpy_from_user(text, ADDR + 4090, 16), 5);
	CHECK(!strcmp(text, "hello"));
	CHECK_EQ(strncpy_from_user(text, ADDR + 4090, 6), 5);
	CHECK_EQ(strncpy_from_user(text, ADDR + 4090, 5), -ENAMETOOLONG);
	CHECK_EQ(copy_to_user(ADDR + 4090, "abcdef", 6), 0);
	CHECK_EQ(strncpy_from_user(text, ADDR + 4090, 16), -EFAULT);
	CHECK_EQ(copy_to_user(USER_END - 3, "ab", 3), 0);
	CHECK_EQ(strncpy_from_user(text, USER_END - 3, 16), 2);
	CHECK_EQ(copy_to_user(USER_END - 3, "abc", 3), 0);
	CHECK_EQ(strncpy_from_user(text, USER_END - 3, 16), -EFAULT);
	CHECK_EQ(strncpy_from_user(text, USER_END, 16), -EFAULT);
	CHECK_EQ(strncpy_from_user(text, USER_END + 1, 16), -EFAULT);
	CHECK_EQ(strncpy_from_user(text, ~0ul, 16), -EFAULT);
	CHECK_EQ(strncpy_from_user(text, ADDR, 0), -ENAMETOOLONG);
	end();
}

static void
refusals(void)
{
	static const u64 bad[] = {
		USER_END, USER_END - 15, 0x7ffffffffff0ul, 0x800000000000ul,
		0xffff800000000000ul, -4096ul, -8ul,
	};
	char text[16] = "";

	begin();
	map(ADDR, 1, RW, false);
	map(USER_END - 4096, 1, RW, false);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK_EQ(copy_from_user(text, bad[i], 16), -EFAULT);
		CHECK_EQ(copy_to_user(bad[i], text, 16), -EFAULT);
		CHECK_EQ(clear_user(bad[i], 16), -EFAULT);
	}
	CHECK_EQ(copy_from_user(text, ADDR, ~0ul), -EFAULT);
	CHECK_EQ(copy_from_user(text, ADDR, -ADDR), -EFAULT);
	CHECK_EQ(copy_to_user(USER_END - 16, text, 16), 0);
	CHECK(access_ok(USER_END, 0) && !access_ok(USER_END, 1));
	/* A borrower is refused, whatever is mapped. */
	current->mm = NULL;
	CHECK_EQ(copy_from_user(text, USER_END - 16, 16), -EFAULT);
	CHECK_EQ(copy_to_user(USER_END - 16, text, 16), -EFAULT);
	CHECK_EQ(put_user_u32(USER_END - 16, 0), -EFAULT);
	CHECK_EQ(strncpy_from_user(text, USER_END - 16, 16), -EFAULT);
	/* An adopter is not. */
	current->is_kthread = true;
	current->mm = &space->mm;
	CHECK_EQ(copy_to_user(USER_END - 16, text, 16), 0);
	end();
}

static void
locks_held(void)
{
	static struct spinlock lock;
	char text[16];

	begin();
	map(ADDR, 1, RW, false);
	mutex_lock(&space->mm.lock);
	CHECK_PANICS("mutex_held", CHECK(copy_from_user(text, ADDR, 16)));
	mutex_unlock(&space->mm.lock);
	spin_init(&lock, "some lock", RANK_TASK);
	arch_irq_disable();
	spin_lock(&lock);
	CHECK_PANICS("is held", CHECK(copy_from_user(text, ADDR, 16)));
	arch_irq_disable();
	spin_unlock(&lock);
	CHECK_PANICS("arch_irqs_on", CHECK(copy_from_user(text, ADDR, 16)));
	end();
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("a first touch finds zeroes", zeroes);
	test("a page shared by fork is copied by the first writer and kept by "
	     "the last owner", copies);
	test("a copied page is given back after the flush", late_put);
	test("fork shares also pages that nobody may touch", hidden_copies);
	test("a fault that another thread has repaired is retried", repaired);
	test("a fault without memory changes nothing", no_memory);
	test("a stack grows down to its limit", stack_grows);
	test("a stack stops a guard gap above what is in use", stack_stops);
	test("MAP_GROWSDOWN makes a stack", stack_by_flag);
	test("a wrong user fault is signal 11 with the reason in it", kills);
	test("faults are served with interrupts on", interrupts);
	test("a kernel fault outside the copy routines panics",
	     kernel_panics);
	test("user copies take faults and report bad addresses",
	     copies_fault);
	test("a user string must end in time", strings);
	test("user copies refuse kernel addresses, overflow and borrowers",
	     refusals);
	test("user copies refuse to run under a lock", locks_held);
	return host_result();
}
