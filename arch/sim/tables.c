/*
 * Page tables as the MMUs see them: which table hangs where, and what becomes
 * of entries and frames.
 */
#include "arch/sim/mmu.h"
#include "mm/mm.h"

struct change mmu_changes[MAX_CHANGES];
SIM_STATE unsigned mmu_nr_changes;

/* Of a table, by frame: the offset of the entry that leads to it; the level of
 * its own entries, 0 when nothing is in it. */
static SIM_STATE u32 parent[SIM_FRAMES];
static SIM_STATE u8 level_of[SIM_FRAMES];

/* ---- Changes of entries ------------------------------------------------------------ */

/* What @entry leads to now: learns which table hangs where. */
static void
note_link(unsigned table, u32 offset, pte_t new)
{
	unsigned below = pte_paddr(new) >> PAGE_SHIFT;

	if (memory_is_table(pte_paddr(new))) {
		parent[below] = offset;
		level_of[table] = level_of[below] + 1;
	} else {
		level_of[table] = 1;
	}
}

/* Up from the entry at @offset: false when its table hangs nowhere. */
static bool
locate(u32 offset, struct change *change)
{
	unsigned table = offset / PAGE_SIZE;
	unsigned level = level_of[table];

	change->level = level;
	change->addr = 0;
	for (;; level++) {
		change->addr += offset % PAGE_SIZE / sizeof(pte_t) *
				pte_span(level);
		if (level == TABLE_LEVELS)
			break;
		offset = parent[table];
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

	level_of[table >> PAGE_SHIFT] = (u8)level;
	for (unsigned i = 0; level > 1 && i < n; i++) {
		paddr_t below = pte_paddr(entries[i]);

		if (!pte_present(entries[i]))
			continue;
		parent[below >> PAGE_SHIFT] =
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
	mmu_touch_root(change.root, OP_UPDATE, CALLER);
	change.when = mmu_tick();
	change.author = author();
	change.writable = pte_present(new) &&
			  pte_paddr(old) == pte_paddr(new);
	if (mmu_nr_changes == MAX_CHANGES)
		explore_fail(EXPLORE_TOOL_ERROR, "MAX_CHANGES is too small");
	mmu_changes[mmu_nr_changes++] = change;
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
	for (unsigned i = mmu_nr_changes; i-- > 0;)
		if (mmu_changes[i].frame == frame && mmu_changes[i].level > 1)
			return &mmu_changes[i];
	return NULL;
}

static void
table_freed(paddr_t frame)
{
	const struct change *change = find_unlinking(frame);

	mmu_touch_root(frame, OP_UPDATE, CALLER);
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
	parent[frame >> PAGE_SHIFT] = 0;
	level_of[frame >> PAGE_SHIFT] = 0;
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
