/*
 * Page faults. What a process may touch is in its regions; what it has touched
 * is in its page tables. A fault is the moment when the first becomes the
 * second, or when it turns out that there is no such right.
 *
 * Faults take mm->lock, one at a time for each address space. So two threads
 * that fault on the same page meet in fault_in(), and the second finds the
 * work done.
 *
 * Read Linux: mm/memory.c, handle_pte_fault; arch/x86/mm/fault.c.
 */
#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"
#include "kernel/base/errno.h"
#include "kernel/base/signal.h"
#include "kernel/base/string.h"
#include "mm/kstack.h"
#include "mm/region_ops.h"
#include "mm/shared.h"
#include "mm/tlb.h"
#include "sched/sched.h"

/* ---- Making a page present -------------------------------------------- */

/* The first touch of what has no frames of the allocator's. */
static int
map_fixed_page(struct mm *mm, struct region *region, uaddr_t addr, u64 index)
{
	unsigned prot = page_prot(region->prot) & ~PAGE_EXEC;
	bool device;
	paddr_t frame = shared_object_frame(region->object, index, &device);

	prot |= PAGE_FIXED | (device ? PAGE_UNCACHED : 0);
	return pgtable_map_fixed(mm, addr, frame, prot);
}

static struct page *
duplicate(const struct page *page)
{
	struct page *copy = alloc_page(ALLOC_USER);

	if (copy)
		memcpy(page_address(copy), page_address(page), PAGE_SIZE);
	return copy;
}

/* Page @index of the region's object. A private region may only read it, and
 * for a write gets a copy. */
static struct page *
object_page(struct region *region, u64 index, bool write, unsigned *prot)
{
	struct page *page = shared_object_page(region->object, index), *copy;

	if (region->shared || !page)
		return page;
	if (!write) {
		*prot &= ~PAGE_WRITE;
		return page;
	}
	copy = duplicate(page);
	put_page(page);
	return copy;
}

/* The first touch: a page of zeroes, or one of the region's object. @entry is
 * where it goes; NULL: there is no table yet. */
static int
map_new_page(struct mm *mm, struct region *region, uaddr_t addr, pte_t *entry,
	     bool write)
{
	u64 index = region->offset + ((addr - region->start) >> PAGE_SHIFT);
	unsigned prot = page_prot(region->prot);
	struct page *page;
	int err;

	if (region->shared && shared_object_is_fixed(region->object))
		return map_fixed_page(mm, region, addr, index);
	if (region->object)
		page = object_page(region, index, write, &prot);
	else
		page = alloc_zeroed_page(ALLOC_USER);
	if (!page)
		return -ENOMEM;
	if (likely(entry)) {
		pgtable_fill(mm, entry, page, prot);
		return 0;
	}
	err = pgtable_map(mm, addr, page, prot);
	if (err)
		put_page(page);
	return err;
}

/* A write to a page that fork left shared, or that is the object's: gives @mm
 * its own copy. */
static int
copy_page(struct mm *mm, struct region *region, uaddr_t addr, struct page *old)
{
	struct page *copy = duplicate(old);

	if (!copy)
		return -ENOMEM;
	/* In this order. Put before the flush, @old could be a page of another
	 * process while a thread of ours, on another CPU, still reads it
	 * through its old translation. */
	old = pgtable_replace(mm, addr, copy, page_prot(region->prot));
	flush_tlb_page(mm, addr);
	put_page(old);
	return 0;
}

/* A write to a present page whose entry does not allow it, while its region
 * does. */
static int
make_writable(struct mm *mm, struct region *region, uaddr_t addr, pte_t pte)
{
	struct page *page;

	/* Acquire, the partner of put_page(): the process that gave up the
	 * last other reference had finished reading this page. Nobody can take
	 * a new one, since fork would need mm->lock. */
	if (!region->shared) {
		page = phys_to_page(pte_paddr(pte));
		if (load_acquire(&page->refs.value) > 1)
			return copy_page(mm, region, addr, page);
	}
	pgtable_protect(mm, addr, addr + PAGE_SIZE, page_prot(region->prot),
			!region->shared);
	return 0; /* a right gained needs no flush */
}

int
fault_in(struct mm *mm, struct region *region, uaddr_t addr, bool write)
{
	pte_t *entry = pgtable_lookup(mm, addr);
	pte_t pte = entry ? pte_read(entry) : (pte_t){ 0 };

	DEBUG_ASSERT(region->start <= addr && addr < region->end);
	DEBUG_ASSERT(region->prot != PROT_NONE);
	if (pte_none(pte))
		return map_new_page(mm, region, addr, entry, write);
	ASSERT(pte_present(pte)); /* hidden ones have PROT_NONE regions */
	if (!write || pte_writable(pte))
		return 0; /* another thread was first, or the TLB behind */
	return make_writable(mm, region, addr, pte);
}

/* ---- What is allowed -------------------------------------------------- */

/* Whatever can be used in any way can be read, as on Linux for x86. */
static bool
allowed(const struct region *region, unsigned flags)
{
	if (flags & FAULT_WRITE)
		return region->prot & PROT_WRITE;
	if (flags & FAULT_EXEC)
		return region->prot & PROT_EXEC;
	return region->prot != PROT_NONE;
}

/*
 * Stretches the stack @region, the first above @addr, down to @addr: as far as
 * STACK_MAX, and never closer than STACK_GUARD to something below that is in
 * use. A function with a large frame so faults in the gap, and does not walk
 * over it into the heap. Read Linux: expand_downwards.
 */
static bool
grow_stack(struct mm *mm, struct region *region, uaddr_t addr)
{
	struct region *below = region_prev(region);

	if (addr < USER_START || region->end - addr > STACK_MAX)
		return false;
	if (below && !below->stack && below->prot != PROT_NONE &&
	    addr - below->end < STACK_GUARD)
		return false;
	region_set_start(mm, region, addr);
	region_merge(mm, region);
	return true;
}

/* The region that allows this access to @page_addr, or NULL. */
static struct region *
find_right(struct mm *mm, uaddr_t page_addr, unsigned flags)
{
	struct region *region = region_find(mm, page_addr);

	if (!region || !allowed(region, flags))
		return NULL;
	if (region->start <= page_addr)
		return region;
	if (!region->stack || !grow_stack(mm, region, page_addr))
		return NULL;
	return region_find(mm, page_addr);
}

int
mm_fault(struct mm *mm, uaddr_t addr, unsigned flags)
{
	uaddr_t page_addr = ALIGN_DOWN(addr, PAGE_SIZE);
	struct region *region;
	int err = -EFAULT;

	ASSERT(mm != &init_mm);
	if (page_addr >= USER_END)
		return -EFAULT;
	mutex_lock(&mm->lock);
	region = find_right(mm, page_addr, flags);
	if (region)
		err = fault_in(mm, region, page_addr, flags & FAULT_WRITE);
	mutex_unlock(&mm->lock);
	return err;
}

static int
populate_part(struct mm *mm, struct region *region, uaddr_t start, uaddr_t end,
	      bool write)
{
	int err = 0;

	if (!(region->prot & (write ? PROT_WRITE : PROT_READ)))
		return -EINVAL;
	for (uaddr_t addr = start; addr < end && !err; addr += PAGE_SIZE) {
		err = fault_in(mm, region, addr, write);
		cond_resched();
		if (!err && READ_ONCE(current->kill_signal))
			err = -EINTR;
	}
	return err;
}

int
regions_populate(struct mm *mm, uaddr_t addr, u64 len, bool write)
{
	uaddr_t end;

	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (!user_range_ok(addr, len))
		return -ENOMEM;
	end = ALIGN_UP(addr + len, PAGE_SIZE);
	while (addr < end) {
		struct region *region = region_find(mm, addr);
		uaddr_t stop;
		int err;

		if (!region || region->start > addr)
			return -ENOMEM;
		stop = MIN(end, region->end);
		err = populate_part(mm, region, addr, stop, write);
		if (err)
			return err;
		addr = stop;
	}
	return 0;
}

/* ---- The entry point -------------------------------------------------- */

static const char *
access_name(unsigned flags)
{
	if (flags & FAULT_EXEC)
		return "execute";
	return flags & FAULT_WRITE ? "write" : "read";
}

/* Why mm_fault() said no; another thread may have changed it since. *@code
 * says it as SIGSEGV does. */
static const char *
reason(struct mm *mm, uaddr_t addr, unsigned flags, int err, int *code)
{
	struct region *region;
	const char *why;

	*code = SEGV_MAPERR;
	if (err == -ENOMEM)
		return "out of memory";
	if (addr >= USER_END)
		return "kernel address";
	mutex_lock(&mm->lock);
	region = region_find(mm, addr);
	if (!region || (region->start > addr && !region->stack))
		why = "no region";
	else if (region->start > addr)
		why = "no region, and the stack above may not grow so far";
	else if (region->prot == PROT_NONE)
		why = "not accessible";
	else
		why = flags & FAULT_EXEC ? "not executable" : "not writable";
	if (region && region->start <= addr)
		*code = SEGV_ACCERR;
	mutex_unlock(&mm->lock);
	return why;
}

static void
user_fault(struct regs *regs, u64 addr, unsigned flags)
{
	struct kernel_siginfo info = { .signo = SIGSEGV };
	struct mm *mm = current->mm;
	char what[96];
	int err;

	ASSERT(mm); /* user mode without an address space? */
	arch_irq_enable();
	err = mm_fault(mm, addr, flags);
	if (unlikely(err)) {
		snprintf(what, sizeof(what),
			 "page fault: cannot %s 0x%lx (%s)",
			 access_name(flags), addr,
			 reason(mm, addr, flags, err, &info.code));
		info.addr = addr;
		user_exception(regs, &info, what);
	}
	arch_irq_disable();
}

/* Kernel code touched a user address: legal in the user-copy routines alone,
 * on behalf of a task that has, or has adopted, an address space. */
static void
user_copy_fault(struct regs *regs, u64 addr, unsigned flags)
{
	struct task *task = current;
	int err = -EFAULT;

	if (addr < PAGE_SIZE && !arch_has_fixup(regs))
		panic_regs(regs, "kernel tried to %s address 0x%lx: a NULL "
			   "pointer", access_name(flags), addr);
	if (!task->mm)
		panic_regs(regs, "kernel thread %s touched user address "
			   "0x%lx; it only borrows mm %lu", task->name, addr,
			   task->active_mm ? task->active_mm->id : 0);
	if (!arch_has_fixup(regs))
		panic_regs(regs, "kernel code outside the user-copy routines "
			   "tried to %s user address 0x%lx",
			   access_name(flags), addr);
	ASSERT(!this_cpu()->irq_depth); /* the fault may sleep */
	if (!task->no_faults) {
		arch_irq_enable();
		err = mm_fault(task->mm, addr, flags);
		arch_irq_disable();
	}
	if (err && !arch_fixup_exception(regs))
		panic_regs(regs, "a user copy has lost its fix-up");
}

static void
kernel_fault(struct regs *regs, u64 addr, unsigned flags)
{
	if (addr < USER_END)
		user_copy_fault(regs, addr, flags);
	else if (kstack_is_guard(addr))
		panic_regs(regs, "kernel stack overflow in task %s",
			   current->name);
	else
		panic_regs(regs, "kernel tried to %s address 0x%lx, which is "
			   "%s", access_name(flags), addr,
			   flags & FAULT_PRESENT ? "protected" : "not mapped");
}

void
page_fault(struct regs *regs, u64 addr, unsigned flags)
{
	count_event(COUNT_FAULTS);
	if (flags & FAULT_RESERVED)
		panic_regs(regs, "the page tables of 0x%lx have a reserved "
			   "bit set", addr);
	if (regs_from_user(regs))
		user_fault(regs, addr, flags);
	else
		kernel_fault(regs, addr, flags);
}
