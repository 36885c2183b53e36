/*
 * Page tables, walked one leaf table at a time: a walk goes down from the
 * root and remembers the entry it passed at each level, so that a table that
 * becomes empty can be taken out of the one above it.
 *
 * Read Linux: mm/memory.c (unmap_page_range, copy_page_range), mm/mprotect.c,
 * mm/mremap.c (move_page_tables).
 */
#include "mm/pgtable.h"

#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "mm/mm.h"

enum { ROOT_LEVEL = TABLE_LEVELS };

struct walk {
	u64 addr;			/* where it stands */
	int level;			/* of the lowest entry reached */
	unsigned nr;			/* leaf entries from here to look at */
	u64 next;			/* where the next leaf table begins */
	pte_t *entry[TABLE_LEVELS + 1]; /* by level, from level up */
};

static inline pte_t *
table_at(paddr_t table)
{
	return phys_to_virt(table);
}

/* The frame of the table that @entry is in. */
static inline struct page *
table_of(const pte_t *entry)
{
	return virt_to_page(entry);
}

static inline unsigned
index_of(const pte_t *entry)
{
	return ((vaddr_t)entry / sizeof(pte_t)) % PTES_PER_TABLE;
}

/* ---- Tables ------------------------------------------------------------- */

static struct page *
alloc_table(void)
{
	struct page *table = alloc_zeroed_page(ALLOC_TABLE);

	if (!table)
		return NULL;
	table->used_entries = 0;
	table->detached_entries = 0;
	table->first_entry = PTES_PER_TABLE;
	table->last_entry = 0;
	return table;
}

/* Tables got ahead of need, chained by their private word, so that nothing
 * can fail once a change has begun. */
struct reserve {
	struct page *first;
};

static struct page *
take_table(struct reserve *reserve)
{
	struct page *table = reserve->first;

	ASSERT(table != NULL);
	reserve->first = (struct page *)table->private;
	return table;
}

static int
reserve_tables(struct reserve *reserve, unsigned n)
{
	reserve->first = NULL;
	while (n-- > 0) {
		struct page *table = alloc_table();

		if (!table) {
			while (reserve->first)
				put_page(take_table(reserve));
			return -ENOMEM;
		}
		table->private = (u64)reserve->first;
		reserve->first = table;
	}
	return 0;
}

/* Fills an entry that is none. */
static inline void
use_entry(pte_t *entry, pte_t pte)
{
	struct page *table = table_of(entry);
	unsigned index = index_of(entry);

	DEBUG_ASSERT(pte_none(pte_read(entry)));
	table->used_entries++;
	if (index < table->first_entry)
		table->first_entry = index;
	if (index > table->last_entry)
		table->last_entry = index;
	pte_write(entry, pte);
}

/* ---- Walking ------------------------------------------------------------ */

/* Goes down to the leaf entry of walk->addr; false: stopped above, at the
 * first entry that leads nowhere. A release follows detached entries too. */
static inline bool
descend(paddr_t root, struct walk *walk, bool releasing)
{
	pte_t *table = table_at(root);
	int level = ROOT_LEVEL;

	for (;;) {
		pte_t *entry = &table[pte_index(walk->addr, level)];
		pte_t pte;

		walk->entry[level] = entry;
		if (level == 1)
			break;
		pte = pte_read(entry);
		if (!pte_present(pte) && !(releasing && pte_detached(pte)))
			break;
		table = table_at(pte_paddr(pte));
		level--;
	}
	walk->level = level;
	return level == 1;
}

/* The first address that the table of walk's lowest entry does not cover. */
static inline u64
table_end(const struct walk *walk)
{
	u64 span = pte_span(walk->level + 1);

	return ALIGN_DOWN(walk->addr, span) + span;
}

/* The walk stopped at an entry that leads nowhere: on to the next one in the
 * same table that leads somewhere, or else past the table. */
static void
skip_hole(struct walk *walk)
{
	const pte_t *entry = walk->entry[walk->level];
	const struct page *table = table_of(entry);
	u64 span = pte_span(walk->level);
	unsigned from = index_of(entry), to = from + 1;

	if (to < table->first_entry)
		to = table->first_entry;
	while (to <= table->last_entry && pte_none(pte_read(entry + to - from)))
		to++;
	if (to > table->last_entry)
		walk->addr = table_end(walk);
	else
		walk->addr = ALIGN_DOWN(walk->addr, span) + (to - from) * span;
}

/* In the leaf table, on to the first entry ever used; counts those up to the
 * last one used or @end. Returns whether there are any. */
static inline bool
clip_leaf(struct walk *walk, u64 end)
{
	const struct page *table = table_of(walk->entry[1]);
	unsigned index = index_of(walk->entry[1]);
	u64 limit = (end - walk->addr) / PAGE_SIZE + index;

	walk->next = table_end(walk);
	if (limit > table->last_entry + 1u)
		limit = table->last_entry + 1u;
	if (index < table->first_entry) {
		unsigned skipped = table->first_entry - index;

		walk->entry[1] += skipped;
		walk->addr += skipped * PAGE_SIZE;
		index += skipped;
	}
	if (index >= limit)
		return false;
	walk->nr = limit - index;
	return true;
}

/* Moves to the next leaf table with anything in [walk->addr, end): then the
 * entries to look at are walk->entry[1][0 .. nr - 1]. */
static inline bool
next_leaf(paddr_t root, struct walk *walk, u64 end, bool releasing)
{
	while (walk->addr < end) {
		if (!descend(root, walk, releasing))
			skip_hole(walk);
		else if (clip_leaf(walk, end))
			return true;
		else
			walk->addr = walk->next;
	}
	return false;
}

/* for (each leaf table with something in [start, end) of root) */
#define for_each_leaf(walk, root, start, end, releasing)              \
	for ((walk)->addr = (start);                                  \
	     next_leaf((root), (walk), (end), (releasing));           \
	     (walk)->addr = (walk)->next)

pte_t *
pgtable_lookup(struct mm *mm, uaddr_t addr)
{
	pte_t *table = table_at(mm->root);

	for (int level = ROOT_LEVEL; level > 1; level--) {
		pte_t pte = pte_read(&table[pte_index(addr, level)]);

		if (!pte_present(pte))
			return NULL;
		table = table_at(pte_paddr(pte));
	}
	return &table[pte_index(addr, 1)];
}

/* ---- Roots -------------------------------------------------------------- */

static pte_t *
kernel_half(paddr_t root)
{
	return table_at(root) + USER_ROOT_PTES;
}

paddr_t
pgtable_alloc_root(void)
{
	struct page *root = alloc_table();

	if (!root)
		return 0;
	memcpy(kernel_half(page_to_phys(root)), kernel_half(arch_kernel_root()),
	       (PTES_PER_TABLE - USER_ROOT_PTES) * sizeof(pte_t));
	return page_to_phys(root);
}

void
pgtable_free_root(paddr_t root)
{
	ASSERT(root != arch_kernel_root());
	ASSERT(phys_to_page(root)->used_entries == 0);
	DEBUG_ASSERT(pgtable_user_empty(root));
	DEBUG_ASSERT(pgtable_kernel_intact(root));
	put_page(phys_to_page(root));
}

bool
pgtable_user_empty(paddr_t root)
{
	for (unsigned i = 0; i < USER_ROOT_PTES; i++)
		if (!pte_none(pte_read(&table_at(root)[i])))
			return false;
	return true;
}

bool
pgtable_kernel_intact(paddr_t root)
{
	const pte_t *own = table_at(root), *kernel = table_at(arch_kernel_root());

	for (unsigned i = USER_ROOT_PTES; i < PTES_PER_TABLE; i++)
		if (!pte_same(pte_read(&own[i]), pte_read(&kernel[i])))
			return false;
	return true;
}

/* ---- Mapping ------------------------------------------------------------ */

/* The tables between where the walk stopped and its leaf entry, out of
 * @reserve. Built from the bottom: the entry that makes them visible to the
 * machine is written last. */
static void
grow(struct mm *mm, struct walk *walk, bool user, struct reserve *reserve)
{
	paddr_t below = 0;

	ASSERT(pte_none(pte_read(walk->entry[walk->level])));
	for (int level = 1; level < walk->level; level++) {
		paddr_t table = page_to_phys(take_table(reserve));

		walk->entry[level] =
			&table_at(table)[pte_index(walk->addr, level)];
		if (level > 1)
			use_entry(walk->entry[level],
				  pte_make_table(below, user));
		below = table;
		mm->nr_tables++;
	}
	use_entry(walk->entry[walk->level], pte_make_table(below, user));
	walk->level = 1;
}

/* Goes down to the leaf entry of walk->addr, making tables as needed. */
static int
descend_making(struct mm *mm, struct walk *walk, bool user)
{
	struct reserve reserve;

	if (likely(descend(mm->root, walk, false)))
		return 0;
	if (reserve_tables(&reserve, walk->level - 1) < 0)
		return -ENOMEM;
	grow(mm, walk, user, &reserve);
	return 0;
}

int
pgtable_map(struct mm *mm, uaddr_t addr, struct page *page, unsigned prot)
{
	struct walk walk = { .addr = addr };
	bool user = prot & PAGE_USER;

	DEBUG_ASSERT(IS_ALIGNED(addr, PAGE_SIZE));
	DEBUG_ASSERT(user == (addr < USER_END));
	if (descend_making(mm, &walk, user) < 0)
		return -ENOMEM;
	ASSERT(pte_none(pte_read(walk.entry[1])));
	use_entry(walk.entry[1], pte_make(page_to_phys(page), prot));
	mm->nr_pages++;
	return 0;
}

struct page *
pgtable_replace(struct mm *mm, uaddr_t addr, struct page *page, unsigned prot)
{
	pte_t *entry = pgtable_lookup(mm, addr);
	pte_t old;

	ASSERT(entry != NULL);
	old = pte_read(entry);
	ASSERT(pte_mapped(old));
	ASSERT(prot & PAGE_USER);
	pte_write(entry, pte_make(page_to_phys(page), prot));
	return phys_to_page(pte_paddr(old));
}

/* ---- Permissions -------------------------------------------------------- */

static bool
lost_right(pte_t old, pte_t new)
{
	if (!pte_present(old))
		return false;
	return !pte_present(new) ||
	       (pte_writable(old) && !pte_writable(new)) ||
	       (pte_executable(old) && !pte_executable(new));
}

static pte_t
change_prot(pte_t old, unsigned prot, bool cow)
{
	paddr_t frame = pte_paddr(old);

	if (!(prot & PAGE_USER))
		return pte_make_hidden(frame);
	if (cow && atomic_read(&phys_to_page(frame)->refs) > 1)
		prot &= ~PAGE_WRITE;
	return pte_make(frame, prot);
}

bool
pgtable_protect(struct mm *mm, uaddr_t start, uaddr_t end, unsigned prot,
		bool cow)
{
	struct walk walk;
	bool lost = false;

	for_each_leaf(&walk, mm->root, start, end, false) {
		for (unsigned i = 0; i < walk.nr; i++) {
			pte_t *entry = &walk.entry[1][i];
			pte_t old = pte_read(entry), new;

			if (!pte_mapped(old))
				continue;
			new = change_prot(old, prot, cow);
			lost |= lost_right(old, new);
			pte_write(entry, new);
		}
	}
	return lost;
}

/* ---- Unmapping, first pass ---------------------------------------------- */

/* Detaches the walk's leaf entries; returns how many were mapped. */
static unsigned
detach_leaf(struct walk *walk)
{
	unsigned n = 0;

	for (unsigned i = 0; i < walk->nr; i++) {
		pte_t *entry = &walk->entry[1][i];
		pte_t pte = pte_read(entry);

		if (!pte_mapped(pte))
			continue;
		pte_write(entry, pte_detach(pte));
		n++;
	}
	table_of(walk->entry[1])->detached_entries += n;
	return n;
}

/* Detaches the tables of which nothing is left, from the leaf table up;
 * returns how many. */
static unsigned
detach_emptied(struct walk *walk)
{
	unsigned n = 0;

	for (int level = 1; level < ROOT_LEVEL; level++) {
		const struct page *table = table_of(walk->entry[level]);
		pte_t *upper = walk->entry[level + 1];

		DEBUG_ASSERT(table->detached_entries <= table->used_entries);
		if (table->detached_entries < table->used_entries)
			break;
		pte_write(upper, pte_detach(pte_read(upper)));
		table_of(upper)->detached_entries++;
		n++;
	}
	return n;
}

struct detached
pgtable_detach(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct detached found = { 0, 0 };
	struct walk walk;

	DEBUG_ASSERT(IS_ALIGNED(start | end, PAGE_SIZE));
	for_each_leaf(&walk, mm->root, start, end, false) {
		unsigned pages = detach_leaf(&walk);

		if (pages == 0)
			continue;
		found.pages += pages;
		found.tables += detach_emptied(&walk);
	}
	DEBUG_ASSERT(mm->nr_pages >= found.pages);
	mm->nr_pages -= found.pages;
	return found;
}

/* ---- Unmapping, second pass --------------------------------------------- */

/* Clears the walk's detached leaf entries and gives their frames back. */
static void
release_leaf(struct walk *walk)
{
	struct page *table = table_of(walk->entry[1]);

	for (unsigned i = 0; i < walk->nr; i++) {
		pte_t *entry = &walk->entry[1][i];
		pte_t pte = pte_read(entry);

		if (!pte_detached(pte))
			continue;
		pte_clear(entry);
		table->used_entries--;
		table->detached_entries--;
		put_page(phys_to_page(pte_paddr(pte)));
	}
}

/* Gives back the tables in which nothing is left, from the leaf table up. */
static void
free_emptied(struct mm *mm, struct walk *walk)
{
	for (int level = 1; level < ROOT_LEVEL; level++) {
		struct page *table = table_of(walk->entry[level]), *upper;
		pte_t *entry = walk->entry[level + 1];

		if (table->used_entries > 0)
			break;
		ASSERT(pte_detached(pte_read(entry)));
		pte_clear(entry);
		upper = table_of(entry);
		upper->used_entries--;
		upper->detached_entries--;
		put_page(table);
		mm->nr_tables--;
	}
}

void
pgtable_release(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct walk walk;

	DEBUG_ASSERT(IS_ALIGNED(start | end, PAGE_SIZE));
	for_each_leaf(&walk, mm->root, start, end, true) {
		release_leaf(&walk);
		free_emptied(mm, &walk);
	}
}

void
pgtable_detach_all(struct mm *mm)
{
	pgtable_detach(mm, 0, USER_END);
	ASSERT(mm->nr_pages == 0);
}

void
pgtable_release_all(struct mm *mm)
{
	pgtable_release(mm, 0, USER_END);
	ASSERT(mm->nr_tables == 0);
	ASSERT(phys_to_page(mm->root)->used_entries == 0);
}

/* ---- Copying and moving ------------------------------------------------- */

/* Skips the walk's leaf entries that hold nothing; false: all of them. */
static bool
skip_unmapped(struct walk *walk)
{
	while (walk->nr > 0 && !pte_mapped(pte_read(walk->entry[1]))) {
		walk->entry[1]++;
		walk->addr += PAGE_SIZE;
		walk->nr--;
	}
	return walk->nr > 0;
}

/* Shares the frames of @from's leaf entries with those from @to on, in one
 * leaf table; @cow: neither may write. Returns whether @from lost a right. */
static bool
share_leaf(struct mm *mm, struct walk *from, pte_t *to, bool cow)
{
	bool lost = false;

	for (unsigned i = 0; i < from->nr; i++) {
		pte_t *entry = &from->entry[1][i];
		pte_t pte = pte_read(entry);

		if (!pte_mapped(pte))
			continue;
		if (cow && pte_writable(pte)) {
			pte = pte_wrprotect(pte);
			pte_write(entry, pte);
			lost = true;
		}
		get_page(phys_to_page(pte_paddr(pte)));
		use_entry(&to[i], pte);
		mm->nr_pages++;
	}
	return lost;
}

int
pgtable_copy(struct mm *dst, struct mm *src, uaddr_t start, uaddr_t end,
	     bool cow, bool *wrprotected)
{
	struct walk from, to;

	for_each_leaf(&from, src->root, start, end, false) {
		if (!skip_unmapped(&from))
			continue;
		to.addr = from.addr;
		if (descend_making(dst, &to, true) < 0)
			return -ENOMEM;
		if (share_leaf(dst, &from, to.entry[1], cow))
			*wrprotected = true;
	}
	return 0;
}

/* How many tables the leaf table of @addr still needs, not counting those
 * that the one of @before needs as well (~0: there is none before). */
static unsigned
missing_tables(struct mm *mm, uaddr_t addr, uaddr_t before)
{
	struct walk walk = { .addr = addr };
	unsigned n = 0;

	descend(mm->root, &walk, false);
	for (int level = 1; level < walk.level; level++) {
		u64 span = pte_span(level + 1);

		if (addr / span != before / span)
			n++;
	}
	return n;
}

/* How many tables must be made to map at @to what [from, from + len) maps. */
static unsigned
tables_for_move(struct mm *mm, uaddr_t from, uaddr_t to, u64 len)
{
	uaddr_t before = ~0ul;
	struct walk walk;
	unsigned n = 0;

	for_each_leaf(&walk, mm->root, from, from + len, false) {
		for (unsigned i = 0; i < walk.nr; i++) {
			uaddr_t addr = walk.addr + i * PAGE_SIZE - from + to;

			if (!pte_mapped(pte_read(&walk.entry[1][i])))
				continue;
			n += missing_tables(mm, addr, before);
			before = addr;
		}
	}
	return n;
}

/* Gives one page a second place, at @to. */
static void
share_page(struct mm *mm, pte_t pte, uaddr_t to, struct reserve *reserve)
{
	struct walk walk = { .addr = to };

	if (!descend(mm->root, &walk, false))
		grow(mm, &walk, true, reserve);
	get_page(phys_to_page(pte_paddr(pte)));
	use_entry(walk.entry[1], pte);
	mm->nr_pages++;
}

/* Everything is shared before anything is detached: a table that the source
 * empties may be one that the destination has pages in. */
int
pgtable_move(struct mm *mm, uaddr_t from, uaddr_t to, u64 len)
{
	struct reserve reserve;
	struct walk walk;

	DEBUG_ASSERT(from + len <= to || to + len <= from);
	if (reserve_tables(&reserve, tables_for_move(mm, from, to, len)) < 0)
		return -ENOMEM;
	for_each_leaf(&walk, mm->root, from, from + len, false) {
		for (unsigned i = 0; i < walk.nr; i++) {
			uaddr_t addr = walk.addr + i * PAGE_SIZE - from + to;
			pte_t pte = pte_read(&walk.entry[1][i]);

			if (pte_mapped(pte))
				share_page(mm, pte, addr, &reserve);
		}
	}
	ASSERT(reserve.first == NULL);
	return pgtable_detach(mm, from, from + len).tables;
}
