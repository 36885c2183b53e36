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
#include "sched/sched.h"

enum { ROOT_LEVEL = TABLE_LEVELS };

struct walk {
	u64 addr;			/* where it stands */
	int level;			/* of the lowest entry reached */
	pte_t *entry[TABLE_LEVELS + 1]; /* by level, from level up */

	/* in a leaf table, set by next_leaf() */
	struct page *leaf;		/* its frame */
	pte_t *end;			/* look at entry[1] and on, up to here */
	u64 next;			/* where the next leaf table begins */
};

STATIC_ASSERT(TABLE_LEVELS == 4, "the steps down are written out");

static inline pte_t *
table_at(paddr_t table)
{
	return phys_to_virt(table);
}

/* The frame of the table that @entry is in. Tables are reached through the
 * direct map alone, so virt_to_phys() need not look for the image. */
static inline struct page *
table_of(const pte_t *entry)
{
	return phys_to_page((vaddr_t)entry - (vaddr_t)phys_to_virt(0));
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

/* Tables got ahead of need, so that nothing can fail once a change has begun. */
struct table_reserve {
	struct page *first; /* chained by their private word */
};

static struct page *
take_table(struct table_reserve *reserve)
{
	struct page *table = reserve->first;

	ASSERT(table != NULL);
	reserve->first = (struct page *)table->private;
	return table;
}

static void
free_reserve(struct table_reserve *reserve)
{
	while (reserve->first)
		put_page(take_table(reserve));
}

static int
reserve_tables(struct table_reserve *reserve, unsigned n)
{
	reserve->first = NULL;
	while (n-- > 0) {
		struct page *table = alloc_table();

		if (!table) {
			free_reserve(reserve);
			return -ENOMEM;
		}
		table->private = (u64)reserve->first;
		reserve->first = table;
	}
	return 0;
}

/* Widens the bounds of what was ever used in @table. */
static inline void
note_used(struct page *table, unsigned index)
{
	if (index < table->first_entry)
		table->first_entry = index;
	if (index > table->last_entry)
		table->last_entry = index;
}

/* Fills an entry that is none. */
static inline void
use_entry(pte_t *entry, pte_t pte)
{
	struct page *table = table_of(entry);

	DEBUG_ASSERT(pte_none(pte_read(entry)));
	table->used_entries++;
	note_used(table, index_of(entry));
	pte_write(entry, pte);
}

/* ---- Walking ------------------------------------------------------------ */

/* One level down from @level, unless its entry leads nowhere. */
static inline bool
step_down(struct walk *walk, int level, bool releasing)
{
	pte_t pte = pte_read(walk->entry[level]);

	if (!pte_present(pte) && !(releasing && pte_detached(pte)))
		return false;
	level--;
	walk->level = level;
	walk->entry[level] =
		&table_at(pte_paddr(pte))[pte_index(walk->addr, level)];
	return true;
}

/* Goes down to the leaf entry of walk->addr; false: stopped above, at the
 * first entry that leads nowhere. A release follows detached entries too. */
static inline bool
descend(paddr_t root, struct walk *walk, bool releasing)
{
	walk->level = ROOT_LEVEL;
	walk->entry[ROOT_LEVEL] =
		&table_at(root)[pte_index(walk->addr, ROOT_LEVEL)];
	return step_down(walk, 4, releasing) &&
	       step_down(walk, 3, releasing) &&
	       step_down(walk, 2, releasing);
}

/* Are these four entries none? Tables are mostly empty. */
static inline bool
four_none(const pte_t *entry)
{
	return (pte_read(entry).bits | pte_read(entry + 1).bits |
		pte_read(entry + 2).bits | pte_read(entry + 3).bits) == 0;
}

/* A walk to @addr stopped at @entry, of @level, which leads nowhere: the
 * address of the next entry of its table that leads somewhere, or else of
 * what comes after the table. */
static __noinline u64
skip_hole(u64 addr, const pte_t *entry, int level)
{
	const struct page *table = table_of(entry);
	u64 span = pte_span(level);
	unsigned from = index_of(entry);
	unsigned to = MAX(from + 1, table->first_entry);

	entry -= from;
	while (to + 3u <= table->last_entry && four_none(entry + to))
		to += 4;
	while (to <= table->last_entry && pte_none(pte_read(entry + to)))
		to++;
	if (to > table->last_entry)
		to = PTES_PER_TABLE;
	return ALIGN_DOWN(addr, span) + (to - from) * span;
}

/* In the leaf table: on to the first entry ever used, and up to the last one
 * or @end. Returns whether there are any. */
static inline bool
clip_leaf(struct walk *walk, u64 end)
{
	pte_t *entry = walk->entry[1];
	pte_t *table = entry - index_of(entry);

	walk->leaf = table_of(entry);
	walk->next = ALIGN_DOWN(walk->addr, pte_span(2)) + pte_span(2);
	walk->end = entry + (MIN(end, walk->next) - walk->addr) / PAGE_SIZE;
	walk->end = MIN(walk->end, table + walk->leaf->last_entry + 1);
	walk->entry[1] = MAX(entry, table + walk->leaf->first_entry);
	walk->addr += (walk->entry[1] - entry) * PAGE_SIZE;
	return walk->entry[1] < walk->end;
}

/* Moves to the next leaf table with anything in [walk->addr, end): then the
 * entries to look at are those from walk->entry[1] up to walk->end. */
static __always_inline bool
next_leaf(paddr_t root, struct walk *walk, u64 end, bool releasing)
{
	while (walk->addr < end) {
		if (!descend(root, walk, releasing))
			walk->addr = skip_hole(walk->addr,
					       walk->entry[walk->level],
					       walk->level);
		else if (clip_leaf(walk, end))
			return true;
		else
			walk->addr = walk->next;
	}
	return false;
}

/* A preemption point between two leaf tables. Returns where the next begins. */
static __always_inline u64
after_leaf(const struct walk *walk, u64 end)
{
	if (walk->next < end)
		cond_resched();
	return walk->next;
}

/* for (each leaf table with something in [start, end) of root). Others may run
 * between two tables: of what was done until then no flush has been, so the
 * frames are still there for whoever has an old translation. */
#define for_each_leaf(walk, root, start, end, releasing)              \
	for ((walk)->addr = (start);                                  \
	     next_leaf((root), (walk), (end), (releasing));           \
	     (walk)->addr = after_leaf((walk), (end)))

/* for (each mapped page in [start, end) of root): walk->addr is where it is,
 * walk->entry[1] its entry. */
#define for_each_mapped(walk, root, start, end)                       \
	for_each_leaf(walk, root, start, end, false)                  \
		for (; skip_unmapped(walk);                           \
		     (walk)->entry[1]++, (walk)->addr += PAGE_SIZE)

/* Skips the walk's leaf entries that hold nothing; false: all of them. */
static inline bool
skip_unmapped(struct walk *walk)
{
	while (walk->entry[1] < walk->end &&
	       !pte_mapped(pte_read(walk->entry[1]))) {
		walk->entry[1]++;
		walk->addr += PAGE_SIZE;
	}
	return walk->entry[1] < walk->end;
}

/* From a table to the one below it. False: there is none. */
static inline bool
lower_table(pte_t **table, uaddr_t addr, int level)
{
	pte_t pte = pte_read(&(*table)[pte_index(addr, level)]);

	*table = table_at(pte_paddr(pte));
	return pte_present(pte);
}

static inline pte_t *
lookup(paddr_t root, u64 addr)
{
	pte_t *table = table_at(root);

	if (!lower_table(&table, addr, 4) || !lower_table(&table, addr, 3) ||
	    !lower_table(&table, addr, 2))
		return NULL;
	return &table[pte_index(addr, 1)];
}

pte_t *
pgtable_lookup(struct mm *mm, uaddr_t addr)
{
	return lookup(mm->root, addr);
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

/* ---- Mapping ------------------------------------------------------------ */

/* Makes the tables between where the walk stopped and its leaf entry, out of
 * @reserve. Built from the bottom: the entry that makes them visible to the
 * machine is written last. Returns the leaf entry. */
static pte_t *
grow(struct mm *mm, const struct walk *walk, bool user, struct table_reserve *reserve)
{
	pte_t *leaf = NULL;
	paddr_t below = 0;

	ASSERT(pte_none(pte_read(walk->entry[walk->level])));
	for (int level = 1; level < walk->level; level++) {
		paddr_t table = page_to_phys(take_table(reserve));
		pte_t *entry = &table_at(table)[pte_index(walk->addr, level)];

		if (level == 1)
			leaf = entry;
		else
			use_entry(entry, pte_make_table(below, user));
		below = table;
		mm->nr_tables++;
	}
	use_entry(walk->entry[walk->level], pte_make_table(below, user));
	return leaf;
}

static __noinline pte_t *
make_leaf_entry(struct mm *mm, u64 addr, bool user)
{
	struct table_reserve reserve;
	struct walk walk;

	walk.addr = addr;
	if (descend(mm->root, &walk, false))
		return walk.entry[1];
	if (reserve_tables(&reserve, walk.level - 1) < 0)
		return NULL;
	return grow(mm, &walk, user, &reserve);
}

/* The leaf entry of @addr, with tables made as needed; NULL: no memory. */
static inline pte_t *
leaf_entry(struct mm *mm, u64 addr, bool user)
{
	pte_t *entry = lookup(mm->root, addr);

	return likely(entry) ? entry : make_leaf_entry(mm, addr, user);
}

static int
map_frame(struct mm *mm, uaddr_t addr, paddr_t frame, unsigned prot)
{
	bool user = prot & PAGE_USER;
	pte_t *entry;

	DEBUG_ASSERT(IS_ALIGNED(addr, PAGE_SIZE));
	DEBUG_ASSERT(user == (addr < USER_END));
	entry = leaf_entry(mm, addr, user);
	if (unlikely(!entry))
		return -ENOMEM;
	ASSERT(pte_none(pte_read(entry)));
	use_entry(entry, pte_make(frame, prot));
	mm->nr_pages++;
	return 0;
}

int
pgtable_map(struct mm *mm, uaddr_t addr, struct page *page, unsigned prot)
{
	return map_frame(mm, addr, page_to_phys(page), prot);
}

int
pgtable_map_fixed(struct mm *mm, uaddr_t addr, paddr_t frame, unsigned prot)
{
	DEBUG_ASSERT((prot & PAGE_FIXED) && (prot & PAGE_USER));
	return map_frame(mm, addr, frame, prot);
}

void
pgtable_fill(struct mm *mm, pte_t *entry, struct page *page, unsigned prot)
{
	DEBUG_ASSERT(prot & PAGE_USER);
	ASSERT(pte_none(pte_read(entry)));
	use_entry(entry, pte_make(page_to_phys(page), prot));
	mm->nr_pages++;
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
		return pte_of_kind(pte_make_hidden(frame), old);
	if (cow && atomic_read(&phys_to_page(frame)->refs) > 1)
		prot &= ~PAGE_WRITE;
	return pte_of_kind(pte_make(frame, prot), old);
}

bool
pgtable_protect(struct mm *mm, uaddr_t start, uaddr_t end, unsigned prot,
		bool cow)
{
	struct walk walk;
	bool lost = false;

	for_each_mapped(&walk, mm->root, start, end) {
		pte_t old = pte_read(walk.entry[1]);
		pte_t new = change_prot(old, prot, cow);

		lost |= lost_right(old, new);
		pte_write(walk.entry[1], new);
	}
	return lost;
}

/* ---- Unmapping, first pass ---------------------------------------------- */

/* Detaches the walk's leaf entries; returns how many were mapped. */
static unsigned
detach_leaf(struct walk *walk)
{
	unsigned n = 0;

	for (pte_t *entry = walk->entry[1]; entry < walk->end; entry++) {
		pte_t pte = pte_read(entry);

		if (!pte_mapped(pte))
			continue;
		pte_write(entry, pte_detach(pte));
		n++;
	}
	walk->leaf->detached_entries += n;
	return n;
}

/* Detaches the tables of which nothing is left, from the leaf table up;
 * returns how many. */
static unsigned
detach_emptied(struct walk *walk)
{
	struct page *table = walk->leaf;
	unsigned n = 0;

	for (int level = 2; level <= ROOT_LEVEL; level++) {
		pte_t *above = walk->entry[level];

		DEBUG_ASSERT(table->detached_entries <= table->used_entries);
		if (table->detached_entries < table->used_entries)
			break;
		pte_write(above, pte_detach(pte_read(above)));
		table = table_of(above);
		table->detached_entries++;
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
	for (pte_t *entry = walk->entry[1]; entry < walk->end; entry++) {
		pte_t pte = pte_read(entry);

		if (!pte_detached(pte))
			continue;
		pte_clear(entry);
		walk->leaf->used_entries--;
		walk->leaf->detached_entries--;
		if (likely(!pte_fixed(pte)))
			put_page(phys_to_page(pte_paddr(pte)));
	}
}

/* Gives back the tables in which nothing is left, from the leaf table up. */
static void
free_emptied(struct mm *mm, struct walk *walk)
{
	struct page *table = walk->leaf;

	for (int level = 2; level <= ROOT_LEVEL; level++) {
		pte_t *above = walk->entry[level];
		struct page *upper;

		if (table->used_entries > 0)
			break;
		ASSERT(pte_detached(pte_read(above)));
		pte_clear(above);
		upper = table_of(above);
		upper->used_entries--;
		upper->detached_entries--;
		put_page(table);
		mm->nr_tables--;
		table = upper;
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

/* Shares the frames of @from's leaf entries with those from @to on, in one
 * leaf table; @cow: neither may write. Returns whether @from lost a right. */
static bool
share_leaf(struct mm *mm, struct walk *from, pte_t *to, bool cow)
{
	struct page *table = table_of(to);
	unsigned index = index_of(to), pages = 0, last = 0;
	bool lost = false;

	note_used(table, index);
	for (pte_t *entry = from->entry[1]; entry < from->end; entry++, to++) {
		pte_t pte = pte_read(entry);

		if (!pte_mapped(pte))
			continue;
		if (cow && pte_writable(pte)) {
			pte = pte_wrprotect(pte);
			pte_write(entry, pte);
			lost = true;
		}
		DEBUG_ASSERT(pte_none(pte_read(to)));
		get_page(phys_to_page(pte_paddr(pte)));
		pte_write(to, pte);
		last = entry - from->entry[1];
		pages++;
	}
	note_used(table, index + last);
	table->used_entries += pages;
	mm->nr_pages += pages;
	return lost;
}

int
pgtable_copy(struct mm *dst, struct mm *src, uaddr_t start, uaddr_t end,
	     bool cow, bool *wrprotected)
{
	struct walk from;

	for_each_leaf(&from, src->root, start, end, false) {
		pte_t *to;

		if (!skip_unmapped(&from))
			continue;
		to = leaf_entry(dst, from.addr, true);
		if (!to)
			return -ENOMEM;
		if (share_leaf(dst, &from, to, cow))
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

/* How many tables are needed to map at @to what is mapped in [from,
 * from + len). */
static unsigned
tables_for(struct mm *mm, uaddr_t to, uaddr_t from, u64 len)
{
	uaddr_t before = ~0ul;
	struct walk walk;
	unsigned n = 0;

	for_each_mapped(&walk, mm->root, from, from + len) {
		uaddr_t addr = walk.addr - from + to;

		n += missing_tables(mm, addr, before);
		before = addr;
	}
	return n;
}

/* Gives one page a second place, at @to. */
static void
share_page(struct mm *mm, pte_t pte, uaddr_t to, struct table_reserve *reserve)
{
	struct walk walk;
	pte_t *entry;

	walk.addr = to;
	entry = descend(mm->root, &walk, false) ?
			walk.entry[1] :
			grow(mm, &walk, true, reserve);
	if (!pte_fixed(pte))
		get_page(phys_to_page(pte_paddr(pte)));
	use_entry(entry, pte);
	mm->nr_pages++;
}

/* Everything is shared before anything is detached: a table that the source
 * empties may be one that the destination has pages in. */
int
pgtable_move(struct mm *mm, uaddr_t from, uaddr_t to, u64 len)
{
	struct table_reserve reserve;
	struct walk walk;

	DEBUG_ASSERT(from + len <= to || to + len <= from);
	if (reserve_tables(&reserve, tables_for(mm, to, from, len)) < 0)
		return -ENOMEM;
	for_each_mapped(&walk, mm->root, from, from + len)
		share_page(mm, pte_read(walk.entry[1]), walk.addr - from + to,
			   &reserve);
	ASSERT(reserve.first == NULL);
	return pgtable_detach(mm, from, from + len).tables;
}
