/*
 * The memory management units: CR3, TLB and paging-structure cache of each CPU.
 *
 * What a CPU caches is up to an adversary, and the adversary is modelled by its
 * worst case instead of being tried out: a CPU may hold any translation that
 * was valid, in the root it has loaded, at any moment since it last flushed. So
 * nothing is cached here at all. What is kept is the list of entries that lost
 * something, with the time of it, and for each CPU the times of its flushes;
 * from these follows what it may hold.
 *
 * Upper entries are cached apart from translations (the paging-structure cache),
 * and a CPU may walk through them whenever it likes, lazy or not. So whoever
 * frees a table must be sure that no CPU can walk into it: tables.c looks at that
 * moment whether one of the entries on the way to it may still be cached, or is
 * even in its place.
 *
 * To the explorer a root is one word: entries that go or lose rights change it,
 * while loading, flushing and walking read it. So the search tries each of
 * those before and after the change.
 */
#include "arch/sim/mmu.h"
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "mm/mm.h"
#include "sched/sched.h"

SIM_STATE struct mmu mmus[SIM_MAX_CPUS];

static SIM_STATE u64 now;
static SIM_STATE u64 root_words[SIM_FRAMES]; /* stand for roots, by frame */

u64
mmu_tick(void)
{
	return ++now;
}

/* ---- The explorer's word for a root ------------------------------------------------ */

void
mmu_touch_root(paddr_t root, enum op_kind kind, u64 caller)
{
	if (root == 0 || root == arch_kernel_root())
		return; /* never changes */
	if (explore_agent() >= 3 * sim_nr_cpus)
		return; /* set-up, or a store buffer drains */
	explore_access(&root_words[root >> PAGE_SHIFT], sizeof(u64), kind,
		       true, caller);
}

bool
mmu_is_word(const void *word, paddr_t *root)
{
	size_t offset = (size_t)((const char *)word -
				 (const char *)root_words);

	*root = offset / sizeof(u64) << PAGE_SHIFT;
	return offset < sizeof(root_words);
}

/* ---- Loading and flushing ------------------------------------------------------------ */

static void
drop_all(struct mmu *mmu)
{
	mmu->flushed = mmu->walked = mmu_tick();
	mmu->nr_pages = 0;
}

void
mmu_load_root(unsigned cpu, paddr_t root)
{
	struct mmu *mmu = &mmus[cpu];

	/* A serialising instruction. The root that is left is looked at too:
	 * its last holder may be about to free it. */
	explore_fence(CALLER);
	if (mmu->root != root)
		mmu_touch_root(mmu->root, OP_READ, CALLER);
	mmu_touch_root(root, OP_READ, CALLER);
	if (!memory_is_table(root))
		sim_violation("I4: cpu%u loads a root that was freed, %#lx",
			      cpu, root);
	mmu->root = root;
	drop_all(mmu);
}

void
mmu_flush_all(unsigned cpu)
{
	explore_fence(CALLER);
	mmu_touch_root(mmus[cpu].root, OP_READ, CALLER);
	drop_all(&mmus[cpu]);
}

/* INVLPG drops the paging-structure cache as well, for whatever address. Intel
 * SDM volume 3, 4.10.4.1. */
void
mmu_flush_page(unsigned cpu, uaddr_t addr)
{
	struct mmu *mmu = &mmus[cpu];

	explore_fence(CALLER);
	mmu_touch_root(mmu->root, OP_READ, CALLER);
	if (mmu->nr_pages == MAX_PAGE_FLUSHES)
		explore_fail(EXPLORE_TOOL_ERROR, "MAX_PAGE_FLUSHES is too "
			     "small");
	mmu->walked = mmu_tick();
	mmu->pages[mmu->nr_pages].addr = ALIGN_DOWN(addr, PAGE_SIZE);
	mmu->pages[mmu->nr_pages++].when = mmu->walked;
}

void
arch_load_root(paddr_t root)
{
	ASSERT(!arch_irqs_on());
	mmu_load_root(sim_cpu_id(), root);
}

paddr_t
arch_loaded_root(void)
{
	return mmus[sim_cpu_id()].root;
}

paddr_t
sim_cr3(unsigned cpu)
{
	return mmus[cpu].root;
}

void
arch_flush_page(uaddr_t addr)
{
	mmu_flush_page(sim_cpu_id(), addr);
}

void
arch_flush_all(void)
{
	mmu_flush_all(sim_cpu_id());
}

void
arch_flush_kernel(void)
{
	mmu_flush_all(sim_cpu_id());
}

/* ---- What may still be held ------------------------------------------------------------ */

static bool
flushed_page_since(const struct mmu *mmu, const struct change *change)
{
	for (unsigned i = 0; i < mmu->nr_pages; i++)
		if (mmu->pages[i].addr == change->addr &&
		    mmu->pages[i].when > change->when)
			return true;
	return false;
}

bool
mmu_may_hold(const struct mmu *mmu, const struct change *change)
{
	return change->level == 1 && mmu->root == change->root &&
	       mmu->flushed < change->when &&
	       !flushed_page_since(mmu, change);
}

/* @mmu's CPU uses its translations, or may. Until the author of a change is
 * back from telling the others, the old ones are legal; he keeps the lock as
 * long. */
static bool
is_stale(const struct mmu *mmu, const struct change *change,
	 const struct mm *mm)
{
	if (!mmu_may_hold(mmu, change))
		return false;
	return change->freed || mm->lock.owner != change->author;
}

static const char *
author_name(const struct change *change)
{
	return memory_is_object(change->author, sizeof(*change->author)) ? change->author->name
						: "a task that has ended";
}

void
mmu_stale(unsigned cpu, const struct change *change)
{
	const char *what = "is mapped no more, or not to the same page";

	if (change->freed)
		what = "went to a page that has been freed";
	else if (change->writable)
		what = "may not be written any more";
	sim_violation("I7: cpu%u (%s) is in user mode and may hold an old "
		      "translation of %#lx, which %s; %s changed the entry "
		      "and does not wait any more", cpu, cpus[cpu].curr->name,
		      change->addr, what, author_name(change));
}

static void
check_held(unsigned cpu, const struct mm *mm)
{
	for (unsigned i = 0; i < mmu_nr_changes; i++)
		if (is_stale(&mmus[cpu], &mmu_changes[i], mm))
			mmu_stale(cpu, &mmu_changes[i]);
}

/* ---- User mode ----------------------------------------------------------------------------- */

void
mmu_enter_user(unsigned cpu)
{
	const struct mm *mm = cpus[cpu].curr->mm;
	struct mmu *mmu = &mmus[cpu];

	mmu_touch_root(mmu->root, OP_READ, CALLER);
	if (mmu->root != mm->root)
		sim_violation("I1: cpu%u goes to user mode in %s, whose root "
			      "is %#lx, with %#lx in CR3", cpu,
			      cpus[cpu].curr->name, mm->root, mmu->root);
	mmu->in_user = true;
	check_held(cpu, mm);
}

void
mmu_leave_user(unsigned cpu)
{
	mmus[cpu].in_user = false;
}

void
mmu_check_all(void)
{
	for (unsigned cpu = 0; cpu < sim_nr_cpus; cpu++)
		if (mmus[cpu].in_user)
			check_held(cpu, cpus[cpu].curr->mm);
}

/* The entry of @addr in a leaf table, as the tables are now, or NULL. */
static const pte_t *
find_entry(paddr_t root, uaddr_t addr)
{
	const pte_t *entry = NULL;
	paddr_t table = root;

	for (int level = TABLE_LEVELS; level > 0; level--) {
		if (!memory_is_table(table))
			sim_violation("I7b: cpu%u (%s) walks a table that was "
				      "freed, for %#lx", sim_cpu_id(),
				      current->name, addr);
		entry = (pte_t *)phys_to_virt(table) + pte_index(addr, level);
		if (level == 1)
			break;
		if (!pte_present(*entry))
			return NULL;
		table = pte_paddr(*entry);
	}
	return entry;
}

/*
 * The same, at the moment that the search chooses. Others come before it, and may
 * take the table out, wait for this CPU to flush, and free it: what this CPU has
 * looked up by then is forgotten, as on the machine. (Who frees it without that is
 * told so at once, by table_freed().)
 */
static const pte_t *
walk(paddr_t root, uaddr_t addr)
{
	const pte_t *entry = find_entry(root, addr), *before;

	do {
		before = entry;
		if (entry)
			explore_walk(entry, CALLER);
		entry = find_entry(root, addr);
	} while (entry != before);
	return entry;
}

int
mmu_translate(unsigned cpu, uaddr_t addr, bool write, paddr_t *address)
{
	const struct mm *mm = cpus[cpu].curr->mm;
	struct mmu *mmu = &mmus[cpu];
	uaddr_t page = ALIGN_DOWN(addr, PAGE_SIZE);
	const pte_t *entry;

	mmu_touch_root(mmu->root, OP_READ, CALLER);
	for (unsigned i = 0; i < mmu_nr_changes; i++)
		if (mmu_changes[i].addr == page && is_stale(mmu, &mmu_changes[i], mm))
			mmu_stale(cpu, &mmu_changes[i]);
	entry = walk(mmu->root, addr);
	if (!entry || !pte_present(*entry) || !pte_user(*entry) ||
	    (write && !pte_writable(*entry)))
		return -EFAULT;
	*address = pte_paddr(*entry) + addr % PAGE_SIZE;
	return 0;
}
