/* See space.h. */
#include <stdarg.h>

#include "space.h"

#include "kernel/base/errno.h"
#include "mm/fail.h"
#include "mm/kstack.h"
#include "mm/region_tree.h"
#include "mm/slab.h"
#include "mm/tlb.h"
#include "kernel/base/panic.h"
#include "sched/sched.h"
#include "sched/task.h"

struct mm init_mm;

static u64 free_at_boot;
static u64 next_id = 1;

/* ---- Memory that must come back ---------------------------------------- */

static void
drain(void)
{
	slab_drain_local();
	slab_shrink();
	zero_pool_drain();
	drain_local_pages();
}

void
space_boot(u64 bytes)
{
	host_boot_memory(bytes);
	init_mm.root = arch_kernel_root();
	regions_init();
	drain();
	free_at_boot = nr_free_pages();
}

static void
check_cache(const char *name, size_t size, u64 in_use, u64 pages)
{
	(void)size, (void)pages;
	if (strcmp(name, "region") && strncmp(name, "shared", 6))
		return;
	if (in_use)
		FAIL("%llu objects of cache %s were not given back",
		     (unsigned long long)in_use, name);
}

void
space_check_all_back(void)
{
	drain();
	kmem_cache_for_each(check_cache);
	CHECK_EQ(nr_class_pages(ALLOC_USER), 0);
	CHECK_EQ(nr_class_pages(ALLOC_TABLE), 0);
	CHECK_EQ(nr_free_pages(), free_at_boot);
}

/* ---- Spaces ------------------------------------------------------------- */

struct space *
space_new(void)
{
	struct space *space = calloc(1, sizeof(*space));

	space->mm.id = next_id++;
	space->mm.root = pgtable_alloc_root();
	if (!space->mm.root) {
		free(space);
		return NULL;
	}
	atomic_set(&space->mm.users, 1);
	atomic_set(&space->mm.count, 1);
	mutex_init(&space->mm.lock, "mm");
	region_tree_init(&space->mm.regions);
	return space;
}

void
space_free(struct space *space)
{
	exit_mmap(&space->mm);
	CHECK(!space->mm.regions.root);
	CHECK_EQ(space->mm.regions.nr_regions, 0);
	CHECK_EQ(space->mm.nr_pages, 0);
	CHECK_EQ(space->mm.nr_tables, 0);
	CHECK(pgtable_user_empty(space->mm.root));
	pgtable_free_root(space->mm.root);
	free(space);
}

struct space *
space_fork(struct space *parent)
{
	struct space *child = space_new();
	int err;

	if (!child)
		return NULL;
	child->mm.brk_start = parent->mm.brk_start;
	child->mm.brk = parent->mm.brk;
	mutex_lock(&parent->mm.lock);
	err = regions_copy(&child->mm, &parent->mm);
	mutex_unlock(&parent->mm.lock);
	if (!err)
		return child;
	CHECK_EQ(err, -ENOMEM);
	space_free(child);
	return NULL;
}

/* ---- The machine -------------------------------------------------------- */

static struct space_tlb_entry *
tlb_slot(struct space *space, uaddr_t page)
{
	return &space->tlb[(page >> PAGE_SHIFT) % SPACE_TLB_SIZE];
}

/* Walks the tables as the machine does; false: a fault. */
static bool
tlb_fill(struct space *space, uaddr_t page, unsigned flags)
{
	pte_t *entry = pgtable_lookup(&space->mm, page);

	if (!entry || !pte_present(*entry))
		return false;
	CHECK(pte_user(*entry));
	if ((flags & FAULT_WRITE) && !pte_writable(*entry))
		return false;
	if ((flags & FAULT_EXEC) && !pte_executable(*entry))
		return false;
	space->walked[(page / pte_span(2)) % SPACE_TLB_SIZE] =
		virt_to_page(entry);
	*tlb_slot(space, page) = (struct space_tlb_entry){
		.page = page,
		.frame = pte_paddr(*entry),
		.writable = pte_writable(*entry),
		.executable = pte_executable(*entry),
	};
	return true;
}

static int
translate(struct space *space, uaddr_t addr, unsigned flags, paddr_t *phys)
{
	uaddr_t page = ALIGN_DOWN(addr, PAGE_SIZE);
	struct space_tlb_entry *entry = tlb_slot(space, page);
	int err, tries = 0;

	while (entry->page != page ||
	       (!entry->writable && (flags & FAULT_WRITE)) ||
	       (!entry->executable && (flags & FAULT_EXEC))) {
		if (tlb_fill(space, page, flags))
			continue;
		if (++tries > 2)
			FAIL("fault at %lx is served, again and again", addr);
		err = mm_fault(&space->mm, addr, flags | FAULT_USER);
		if (err)
			return err;
	}
	*phys = entry->frame + addr % PAGE_SIZE;
	return 0;
}

int
space_read(struct space *space, uaddr_t addr, u64 *value)
{
	paddr_t phys;
	int err = translate(space, addr, 0, &phys);

	if (!err)
		*value = *(u64 *)phys_to_virt(phys);
	return err;
}

int
space_write(struct space *space, uaddr_t addr, u64 value)
{
	paddr_t phys;
	int err = translate(space, addr, FAULT_WRITE, &phys);

	if (!err)
		*(u64 *)phys_to_virt(phys) = value;
	return err;
}

int
space_execute(struct space *space, uaddr_t addr)
{
	paddr_t phys;

	return translate(space, addr, FAULT_EXEC, &phys);
}

/* ---- Flushes ------------------------------------------------------------ */

void (*space_during_flush)(void);

/* Leaf tables that a lazy CPU may walk must still be tables. */
static void
check_walked(struct space *space)
{
	for (unsigned i = 0; i < SPACE_TLB_SIZE; i++)
		if (space->walked[i] &&
		    (space->walked[i]->state != PAGE_USED ||
		     space->walked[i]->class != ALLOC_TABLE))
			FAIL("a lazy CPU may walk a table that was freed");
}

static void
flush(struct mm *mm, uaddr_t start, uaddr_t end, bool freed_tables)
{
	struct space *space = container_of(mm, struct space, mm);
	void (*meanwhile)(void) = space_during_flush;

	space_during_flush = NULL;
	if (meanwhile)
		meanwhile();
	assert_no_spinlocks();
	check_walked(space);
	CHECK(host_irqs_on);
	space->flushes++;
	space->table_flushes += freed_tables;
	if (freed_tables)
		memset(space->walked, 0, sizeof(space->walked));
	for (unsigned i = 0; i < SPACE_TLB_SIZE; i++) {
		struct space_tlb_entry *entry = &space->tlb[i];

		if (!entry->page || entry->page < start || entry->page >= end)
			continue;
		/* Until now it could have been used. */
		if (atomic_read(&phys_to_page(entry->frame)->refs) <= 0)
			FAIL("frame %lx of %lx was freed before the flush",
			     entry->frame, entry->page);
		entry->page = 0;
	}
}

void
flush_tlb_range(struct mm *mm, uaddr_t start, uaddr_t end, bool freed_tables)
{
	CHECK(start < end && end <= USER_END);
	flush(mm, start, end, freed_tables);
}

void
flush_tlb_page(struct mm *mm, uaddr_t addr)
{
	flush(mm, addr, addr + PAGE_SIZE, false);
}

void
flush_tlb_mm(struct mm *mm)
{
	flush(mm, 0, USER_END, true);
}

/* ---- Checks ------------------------------------------------------------- */

static void
check_tlb(struct space *space, const struct space_tlb_entry *entry)
{
	pte_t *pte = pgtable_lookup(&space->mm, entry->page);

	if (!pte || !pte_present(*pte))
		FAIL("TLB still has %lx, which is not mapped", entry->page);
	if (pte_paddr(*pte) != entry->frame)
		FAIL("TLB has frame %lx at %lx; the tables have %lx",
		     entry->frame, entry->page, pte_paddr(*pte));
	if ((entry->writable && !pte_writable(*pte)) ||
	    (entry->executable && !pte_executable(*pte)))
		FAIL("TLB still has rights on %lx that were taken away",
		     entry->page);
}

/* Every mapped page lies in a region and has no right that this has not. */
static u64
check_pages(struct space *space, struct region *region)
{
	u64 pages = 0;

	for (uaddr_t addr = region->start; addr < region->end;
	     addr += PAGE_SIZE) {
		pte_t *pte = pgtable_lookup(&space->mm, addr);

		if (!pte) {
			addr = ALIGN_UP(addr + 1, pte_span(2)) - PAGE_SIZE;
			continue;
		}
		if (pte_none(*pte))
			continue;
		pages++;
		CHECK(!pte_detached(*pte));
		CHECK_EQ(pte_present(*pte), region->prot != PROT_NONE);
		CHECK_EQ(pte_hidden(*pte), region->prot == PROT_NONE);
		if (!pte_present(*pte))
			continue;
		CHECK(!pte_writable(*pte) || (region->prot & PROT_WRITE));
		CHECK_EQ(pte_executable(*pte), !!(region->prot & PROT_EXEC));
	}
	return pages;
}

void
space_check(struct space *space)
{
	u64 pages = 0;

	region_check(&space->mm);
	for (unsigned i = 0; i < SPACE_TLB_SIZE; i++)
		if (space->tlb[i].page)
			check_tlb(space, &space->tlb[i]);
	check_walked(space);
	for (struct region *region = region_first(&space->mm); region;
	     region = region_next(region))
		if (region->end - region->start < (1ul << 30))
			pages += check_pages(space, region);
	CHECK_EQ(space->mm.nr_pages, pages);
}

/* ---- The copy routines of arch ------------------------------------------ */

int space_signal;
char space_signal_text[256];

/* One byte of the current task's mm, touched by an instruction that may
 * fault; NULL: it was fixed up. */
static char *
kernel_touch(uaddr_t addr, unsigned flags)
{
	struct space *space = container_of(current->mm, struct space, mm);
	uaddr_t page = ALIGN_DOWN(addr, PAGE_SIZE);
	struct space_tlb_entry *entry = tlb_slot(space, page);
	struct regs regs = { .may_fault = true };

	while (entry->page != page ||
	       (!entry->writable && (flags & FAULT_WRITE))) {
		if (tlb_fill(space, page, flags))
			continue;
		arch_irq_disable();
		page_fault(&regs, addr, flags);
		CHECK(!arch_irqs_on());
		arch_irq_enable();
		if (regs.fixed)
			return NULL;
	}
	return (char *)phys_to_virt(entry->frame) + addr % PAGE_SIZE;
}

size_t
arch_copy_from_user(void *dst, uaddr_t src, size_t n)
{
	char *byte;

	for (char *to = dst; n && (byte = kernel_touch(src, 0)); n--, src++)
		*to++ = *byte;
	return n;
}

size_t
arch_copy_to_user(uaddr_t dst, const void *src, size_t n)
{
	char *byte;

	for (const char *from = src;
	     n && (byte = kernel_touch(dst, FAULT_WRITE)); n--, dst++)
		*byte = *from++;
	return n;
}

size_t
arch_clear_user(uaddr_t dst, size_t n)
{
	char *byte;

	for (; n && (byte = kernel_touch(dst, FAULT_WRITE)); n--, dst++)
		*byte = 0;
	return n;
}

ssize_t
arch_strncpy_from_user(char *dst, uaddr_t src, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char *byte = kernel_touch(src + i, 0);

		if (!byte)
			return -EFAULT;
		if (!(dst[i] = *byte))
			return i;
	}
	return size;
}

int
arch_cmpxchg_user(uaddr_t addr, u32 *old, u32 new)
{
	u32 *word = (u32 *)kernel_touch(addr, FAULT_WRITE);
	u32 seen;

	if (!word)
		return -EFAULT;
	seen = *word;
	if (seen == *old)
		*word = new;
	*old = seen;
	return 0;
}

bool
arch_has_fixup(const struct regs *regs)
{
	return regs->may_fault;
}

bool
arch_fixup_exception(struct regs *regs)
{
	regs->fixed = regs->may_fault;
	return regs->fixed;
}

bool
regs_from_user(const struct regs *regs)
{
	return regs->user;
}

u64
regs_ip(const struct regs *regs)
{
	return regs->ip;
}

void
user_exception(struct regs *regs, const struct kernel_siginfo *info,
	       const char *what)
{
	CHECK(regs->user);
	space_signal = info->signo;
	snprintf(space_signal_text, sizeof(space_signal_text), "%s", what);
}

void
panic_regs(const struct regs *regs, const char *fmt, ...)
{
	char text[256];
	va_list args;

	(void)regs;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	panic("%s", text);
}

bool
kstack_is_guard(vaddr_t addr)
{
	return addr >= KSTACK_BASE && addr < KSTACK_END &&
	       addr % (2 * KSTACK_SIZE) < KSTACK_SIZE;
}
