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
 * To the explorer a root is one word: entries that go or lose rights change it,
 * while loading, flushing and walking read it. So the search tries each of
 * those before and after the change.
 */
#include "arch/sim/sim.h"
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "mm/mm.h"
#include "sched/sched.h"

enum { MAX_CHANGES = 1024, MAX_PAGE_FLUSHES = 128 };

/* An entry of some table under @root lost something. */
struct change {
	paddr_t root;
	uaddr_t addr;		/* first address that it translated */
	paddr_t frame;		/* where to: a page, or a table */
	u64 when;
	const struct task *author;
	u8 level;		/* of the entry; 1: it led to a page */
	bool writable;		/* only the right to write was lost */
	bool freed;		/* nobody has the page any more */
};

struct mmu {
	paddr_t root;		/* CR3 */
	u64 flushed;		/* when everything was dropped */
	u64 walked;		/* when the paging-structure cache was dropped */
	bool in_user;
	unsigned nr_pages;
	struct {
		uaddr_t addr;
		u64 when;
	} pages[MAX_PAGE_FLUSHES]; /* single pages flushed since */
};

static SIM_STATE struct mmu mmus[SIM_MAX_CPUS];
static struct change changes[MAX_CHANGES];

static SIM_STATE struct {
	u64 now;
	unsigned nr_changes;
	u64 words[SIM_FRAMES];	 /* stand for roots, by frame */
	u32 parent[SIM_FRAMES];	 /* offset of the entry that leads to a table */
	u8 level[SIM_FRAMES];	 /* of a table's entries; 0: nothing in it */
} state;

/* ---- The explorer's word for a root ------------------------------------------------ */

static void
touch_root(paddr_t root, enum op_kind kind, u64 caller)
{
	if (root == 0 || root == arch_kernel_root())
		return; /* never changes */
	if (explore_agent() >= 3 * sim_nr_cpus)
		return; /* set-up, or a store buffer drains */
	explore_access(&state.words[root >> PAGE_SHIFT], sizeof(u64), kind,
		       true, caller);
}

bool
mmu_is_word(const void *word, paddr_t *root)
{
	size_t offset = (size_t)((const char *)word -
				 (const char *)state.words);

	*root = offset / sizeof(u64) << PAGE_SHIFT;
	return offset < sizeof(state.words);
}

/* ---- Loading and flushing ------------------------------------------------------------ */

static void
drop_all(struct mmu *mmu)
{
	mmu->flushed = mmu->walked = ++state.now;
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
		touch_root(mmu->root, OP_READ, CALLER);
	touch_root(root, OP_READ, CALLER);
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
	touch_root(mmus[cpu].root, OP_READ, CALLER);
	drop_all(&mmus[cpu]);
}

/* INVLPG drops the paging-structure cache as well, for whatever address. Intel
 * SDM volume 3, 4.10.4.1. */
void
mmu_flush_page(unsigned cpu, uaddr_t addr)
{
	struct mmu *mmu = &mmus[cpu];

	explore_fence(CALLER);
	touch_root(mmu->root, OP_READ, CALLER);
	if (mmu->nr_pages == MAX_PAGE_FLUSHES)
		explore_fail(EXPLORE_TOOL_ERROR, "MAX_PAGE_FLUSHES is too "
			     "small");
	mmu->walked = ++state.now;
	mmu->pages[mmu->nr_pages].addr = ALIGN_DOWN(addr, PAGE_SIZE);
	mmu->pages[mmu->nr_pages++].when = state.now;
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

/* May this CPU hold the page translation as it was before @change? */
static bool
may_hold(const struct mmu *mmu, const struct change *change)
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
	if (!may_hold(mmu, change))
		return false;
	return change->freed || mm->lock.owner != change->author;
}

static const char *
author_name(const struct change *change)
{
	return memory_is_object(change->author) ? change->author->name
						: "a task that has ended";
}

static void __noreturn
stale(unsigned cpu, const struct change *change)
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
	for (unsigned i = 0; i < state.nr_changes; i++)
		if (is_stale(&mmus[cpu], &changes[i], mm))
			stale(cpu, &changes[i]);
}

/* ---- User mode ----------------------------------------------------------------------------- */

void
mmu_enter_user(unsigned cpu)
{
	const struct mm *mm = cpus[cpu].curr->mm;
	struct mmu *mmu = &mmus[cpu];

	touch_root(mmu->root, OP_READ, CALLER);
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

/* The entry of @addr, or NULL with *err. */
static const pte_t *
walk(paddr_t root, uaddr_t addr)
{
	const pte_t *entry = NULL;
	paddr_t table = root;

	for (int level = TABLE_LEVELS; level > 0; level--) {
		if (!memory_is_table(table))
			sim_violation("I7b: cpu%u walks a table that was "
				      "freed, for %#lx", sim_cpu_id(), addr);
		entry = (pte_t *)phys_to_virt(table) + pte_index(addr, level);
		if (level == 1)
			break;
		if (!pte_present(*entry))
			return NULL;
		table = pte_paddr(*entry);
	}
	explore_access(entry, sizeof(*entry), OP_READ, true, CALLER);
	return entry;
}

int
mmu_translate(unsigned cpu, uaddr_t addr, bool write, paddr_t *address)
{
	const struct mm *mm = cpus[cpu].curr->mm;
	struct mmu *mmu = &mmus[cpu];
	uaddr_t page = ALIGN_DOWN(addr, PAGE_SIZE);
	const pte_t *entry;

	touch_root(mmu->root, OP_READ, CALLER);
	for (unsigned i = 0; i < state.nr_changes; i++)
		if (changes[i].addr == page && is_stale(mmu, &changes[i], mm))
			stale(cpu, &changes[i]);
	entry = walk(mmu->root, addr);
	if (!entry || !pte_present(*entry) || !pte_user(*entry) ||
	    (write && !pte_writable(*entry)))
		return -EFAULT;
	*address = pte_paddr(*entry) + addr % PAGE_SIZE;
	return 0;
}

/* ---- Changes of entries ------------------------------------------------------------------------ */

/* What @entry leads to now: learns which table hangs where. */
static void
note_link(unsigned table, u32 offset, pte_t new)
{
	unsigned below = pte_paddr(new) >> PAGE_SHIFT;

	if (memory_is_table(pte_paddr(new))) {
		state.parent[below] = offset;
		state.level[table] = state.level[below] + 1;
	} else {
		state.level[table] = 1;
	}
}

/* Up from the entry at @offset: false when its table hangs nowhere. */
static bool
locate(u32 offset, struct change *change)
{
	unsigned table = offset / PAGE_SIZE;
	unsigned level = state.level[table];

	change->level = level;
	change->addr = 0;
	for (;; level++) {
		change->addr += offset % PAGE_SIZE / sizeof(pte_t) *
				pte_span(level);
		if (level == TABLE_LEVELS)
			break;
		offset = state.parent[table];
		table = offset / PAGE_SIZE;
		if (!offset)
			return false;
	}
	change->root = table * PAGE_SIZE;
	return true;
}

/* Set-up told nobody what it stored: learns all links from the tables. */
static void
learn_tables(paddr_t table, unsigned level)
{
	const pte_t *entries = phys_to_virt(table);
	unsigned n = level == TABLE_LEVELS ? USER_ROOT_PTES : PTES_PER_TABLE;

	state.level[table >> PAGE_SHIFT] = (u8)level;
	for (unsigned i = 0; level > 1 && i < n; i++) {
		paddr_t below = pte_paddr(entries[i]);

		if (!pte_present(entries[i]))
			continue;
		state.parent[below >> PAGE_SHIFT] =
			(u32)(table + i * sizeof(pte_t));
		learn_tables(below, level - 1);
	}
}

static bool
learn_mm(struct mm *mm, void *unused)
{
	(void)unused;
	learn_tables(mm->root, TABLE_LEVELS);
	return true;
}

void
mmu_save(void)
{
	explore_quiet_begin();
	mm_for_each(learn_mm, NULL);
	explore_quiet_end();
}

static bool
loses(pte_t old, pte_t new)
{
	if (!pte_present(old))
		return false;
	return !pte_present(new) || pte_paddr(old) != pte_paddr(new) ||
	       (pte_writable(old) && !pte_writable(new)) ||
	       (pte_executable(old) && !pte_executable(new));
}

/* Who stored: under x86-TSO a store may come out of its buffer while another
 * CPU runs. */
static const struct task *
author(void)
{
	unsigned agent = explore_agent();

	return agent == MAX_AGENTS ? current : cpus[agent % sim_nr_cpus].curr;
}

/*
 * The machine is taken to see the new entry only now, after the announcement:
 * a moment later than a CPU that reads it. Its author does nothing in between.
 */
static void
record(u32 offset, pte_t old, pte_t new)
{
	struct change change = { .frame = pte_paddr(old) };

	if (!locate(offset, &change))
		return;
	touch_root(change.root, OP_UPDATE, CALLER);
	change.when = ++state.now;
	change.author = author();
	change.writable = pte_present(new) &&
			  pte_paddr(old) == pte_paddr(new);
	if (state.nr_changes == MAX_CHANGES)
		explore_fail(EXPLORE_TOOL_ERROR, "MAX_CHANGES is too small");
	changes[state.nr_changes++] = change;
}

void
mmu_entry_stored(u64 *entry, u64 old, u64 new)
{
	u32 offset = (u32)((char *)entry - sim_memory);
	pte_t was = { old }, is = { new };

	memory_dirty(offset & PAGE_MASK);
	if (!memory_is_table(offset & PAGE_MASK))
		return;
	if (pte_present(is))
		note_link(offset / PAGE_SIZE, offset, is);
	if (loses(was, is))
		record(offset, was, is);
}

/* ---- Frames that go ----------------------------------------------------------------------------- */

/* The newest change that took the table @frame out of its tree, or NULL. */
static const struct change *
find_unlinking(paddr_t frame)
{
	for (unsigned i = state.nr_changes; i-- > 0;)
		if (changes[i].frame == frame && changes[i].level > 1)
			return &changes[i];
	return NULL;
}

static void
table_freed(paddr_t frame)
{
	const struct change *change = find_unlinking(frame);

	touch_root(frame, OP_UPDATE, CALLER);
	for (unsigned cpu = 0; cpu < sim_nr_cpus; cpu++) {
		if (mmus[cpu].root == frame)
			sim_violation("I4: the root %#lx is freed while it is "
				      "in CR3 of cpu%u (%s)", frame, cpu,
				      cpus[cpu].curr->name);
		if (change && mmus[cpu].root == change->root &&
		    mmus[cpu].walked < change->when)
			sim_violation("I7b: a page table of %#lx is freed, but "
				      "cpu%u (%s) may still walk it: it has "
				      "not flushed since the table was taken "
				      "out", change->addr, cpu,
				      cpus[cpu].curr->name);
	}
	state.parent[frame >> PAGE_SHIFT] = 0;
	state.level[frame >> PAGE_SHIFT] = 0;
}

static void
page_freed(paddr_t frame)
{
	for (unsigned i = 0; i < state.nr_changes; i++) {
		struct change *change = &changes[i];

		if (change->frame != frame || change->level != 1)
			continue;
		change->freed = true;
		for (unsigned cpu = 0; cpu < sim_nr_cpus; cpu++)
			if (mmus[cpu].in_user && may_hold(&mmus[cpu], change))
				stale(cpu, change);
	}
}

void
mmu_frame_freed(paddr_t frame, enum alloc_class class, u64 caller)
{
	(void)caller;
	if (class == ALLOC_TABLE)
		table_freed(frame);
	else
		page_freed(frame);
}
