/*
 * Page tables as the MMUs see them: which table hangs where, and what becomes
 * of entries and frames.
 */
#include "arch/sim/mmu.h"
#include "mm/mm.h"

struct change mmu_changes[MAX_CHANGES];
SIM_STATE unsigned mmu_nr_changes;

enum { NEVER = ~0ul };

/* Of a table, by frame: the offset of the entry that leads to it, 0 when none
 * ever did; when it was taken out of that entry, or NEVER. */
static SIM_STATE u32 parent[SIM_FRAMES];
static SIM_STATE u64 taken_out[SIM_FRAMES];

/* ---- Changes of entries ------------------------------------------------------------ */

/* The entry at @offset leads to @table now: learns which table hangs where. */
static void
note_link(u32 offset, paddr_t table)
{
	if (!memory_is_table(table))
		return;
	parent[table >> PAGE_SHIFT] = offset;
	taken_out[table >> PAGE_SHIFT] = NEVER;
}

/* Roots have the kernel's half in common, or one of its ends at least: a root may be
 * made wrong. */
static bool
is_root(unsigned table)
{
	const pte_t *entry = phys_to_virt(table * PAGE_SIZE);
	const pte_t *kernel = phys_to_virt(arch_kernel_root());

	return entry[USER_ROOT_PTES].bits == kernel[USER_ROOT_PTES].bits ||
	       entry[PTES_PER_TABLE - 1].bits ==
		       kernel[PTES_PER_TABLE - 1].bits;
}

/* The level of @table's entries; 0: it hangs nowhere. */
static int
level_of(unsigned table)
{
	int level = TABLE_LEVELS;

	for (; !is_root(table); level--) {
		if (!parent[table] || level == 1)
			return 0;
		table = parent[table] / PAGE_SIZE;
	}
	return level;
}

/* Up from the entry at @offset: false when its table hangs nowhere. */
static bool
locate(u32 offset, struct change *change)
{
	int level = level_of(offset / PAGE_SIZE);

	change->level = (u8)level;
	change->addr = 0;
	for (; level; level++) {
		change->addr += offset % PAGE_SIZE / sizeof(pte_t) *
				pte_span(level);
		change->root = offset & PAGE_MASK;
		if (level == TABLE_LEVELS)
			return true;
		offset = parent[offset / PAGE_SIZE];
	}
	return false;
}

/* Set-up told nobody what it stored: learns all links from the tables. */
static void
learn_tables(paddr_t table, unsigned level)
{
	const pte_t *entries = phys_to_virt(table);
	unsigned n = level == TABLE_LEVELS ? USER_ROOT_PTES : PTES_PER_TABLE;

	for (unsigned i = 0; level > 1 && i < n; i++) {
		paddr_t below = pte_paddr(entries[i]);

		if (!pte_present(entries[i]))
			continue;
		note_link((u32)(table + i * sizeof(pte_t)), below);
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
	mmu_touch_root(change.root, OP_UPDATE, CALLER);
	change.when = mmu_tick();
	change.author = author();
	change.writable = pte_present(new) &&
			  pte_paddr(old) == pte_paddr(new);
	if (mmu_nr_changes == MAX_CHANGES)
		explore_fail(EXPLORE_TOOL_ERROR, "MAX_CHANGES is too small");
	mmu_changes[mmu_nr_changes++] = change;
	if (change.level > 1 && !change.writable &&
	    parent[change.frame >> PAGE_SHIFT] == offset)
		taken_out[change.frame >> PAGE_SHIFT] = change.when;
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
		note_link(offset, pte_paddr(is));
	if (loses(was, is))
		record(offset, was, is);
}

/* ---- Frames that go ----------------------------------------------------------------------------- */

/* A walk gets into @table through each entry above it, in its place or cached:
 * from the moment on at which the first of them went, not without a cache. */
static u64
first_taken_out(unsigned table)
{
	u64 when = NEVER;

	for (; !is_root(table); table = parent[table] / PAGE_SIZE)
		when = MIN(when, taken_out[table]);
	return when;
}

/* @mmu's CPU has flushed after that, or else can still walk into the table. */
static bool
may_walk(const struct mmu *mmu, const struct change *way)
{
	return mmu->root == way->root && mmu->walked < way->when;
}

static void __noreturn
walks_freed_table(unsigned cpu, const struct change *way)
{
	const char *why = "it keeps the way there in its paging-structure "
			  "cache, not flushed since the table was taken out";

	if (way->when == NEVER)
		why = "the entries above still lead there";
	sim_violation("I7b: a table of level %u, for addresses from %#lx on, is "
		      "freed, but cpu%u (%s%s) may walk it at any moment: %s",
		      way->level - 1u, way->addr, cpu, cpus[cpu].curr->name,
		      cpus[cpu].curr->mm ? "" : ", lazy", why);
}

static void
table_freed(paddr_t frame)
{
	unsigned table = frame >> PAGE_SHIFT;
	struct change way = { .when = NEVER };
	bool hangs = parent[table] && locate(parent[table], &way);

	if (hangs)
		way.when = first_taken_out(table);
	mmu_touch_root(frame, OP_UPDATE, CALLER);
	for (unsigned cpu = 0; cpu < sim_nr_cpus; cpu++) {
		if (mmus[cpu].root == frame)
			sim_violation("I4: the root %#lx is freed while it is "
				      "in CR3 of cpu%u (%s)", frame, cpu,
				      cpus[cpu].curr->name);
		if (hangs && may_walk(&mmus[cpu], &way))
			walks_freed_table(cpu, &way);
	}
	parent[table] = 0;
}

static void
page_freed(paddr_t frame)
{
	for (unsigned i = 0; i < mmu_nr_changes; i++) {
		struct change *change = &mmu_changes[i];

		if (change->frame != frame || change->level != 1)
			continue;
		change->freed = true;
		for (unsigned cpu = 0; cpu < sim_nr_cpus; cpu++)
			if (mmus[cpu].in_user && mmu_may_hold(&mmus[cpu], change))
				mmu_stale(cpu, change);
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
