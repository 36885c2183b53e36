// with: mm/pgtable.c mm/page_alloc.c mm/buddy.c kernel/debug/frames_check.c mm/zero_pool.c mm/boot_mem.c kernel/debug/pgtable_check.c kernel/debug/poison.c kernel/debug/fail.c
#include "host.h"

#include "kernel/base/errno.h"
#include "mm/fail.h"
#include "mm/mm.h"

#define MiB (1ul << 20)
#define GiB (1ul << 30)

#define RW (PAGE_USER | PAGE_WRITE)

static struct mm a, b;

static void
boot(void)
{
	host_boot_memory(64 * MiB);
	a.root = pgtable_alloc_root();
	b.root = pgtable_alloc_root();
	CHECK(a.root && b.root);
}

/* ---- An independent count of everything --------------------------------- */

struct count {
	u64 pages, tables, detached;
};

static void
check_table(pte_t *table, int level, bool dying, struct count *count)
{
	struct page *page = virt_to_page(table);
	unsigned top = level == TABLE_LEVELS ? USER_ROOT_PTES : PTES_PER_TABLE;
	unsigned used = 0, detached = 0;

	for (unsigned i = 0; i < top; i++) {
		pte_t pte = table[i];

		if (pte_none(pte))
			continue;
		CHECK(i >= page->first_entry && i <= page->last_entry);
		used++;
		detached += pte_detached(pte);
		CHECK(!dying || pte_detached(pte));
		if (level == 1) {
			count->pages += pte_mapped(pte);
			continue;
		}
		CHECK(pte_present(pte) ? pte_user(pte) : pte_detached(pte));
		count->tables++;
		check_table(phys_to_virt(pte_paddr(pte)), level - 1,
			    pte_detached(pte), count);
	}
	CHECK_EQ(page->used_entries, used);
	CHECK_EQ(page->detached_entries, detached);
	/* A table with nothing left is cut off at once, the root excepted. */
	if (level < TABLE_LEVELS) {
		CHECK(used > 0);
		CHECK_EQ(dying, used == detached);
	}
	count->detached += detached;
}

static void
check_mm(struct mm *mm)
{
	struct count count = { 0 };

	check_table(phys_to_virt(mm->root), TABLE_LEVELS, false, &count);
	CHECK_EQ(mm->nr_pages, count.pages);
	CHECK_EQ(mm->nr_tables, count.tables);
	CHECK(pgtable_kernel_intact(mm->root));
}

static void
unmap(struct mm *mm, uaddr_t start, uaddr_t end)
{
	pgtable_detach(mm, start, end);
	check_mm(mm);
	pgtable_release(mm, start, end);
	check_mm(mm);
}

/* Everything is given back: no user page, no table. */
static void
check_all_back(void)
{
	struct mm *mms[] = { &a, &b };

	for (int i = 0; i < 2; i++) {
		pgtable_detach_all(mms[i]);
		check_mm(mms[i]);
		pgtable_release_all(mms[i]);
		CHECK(pgtable_user_empty(mms[i]->root));
		pgtable_free_root(mms[i]->root);
	}
	CHECK_EQ(nr_class_pages(ALLOC_TABLE), 0);
	CHECK_EQ(nr_class_pages(ALLOC_USER), 0);
	CHECK_EQ(nr_free_pages(), nr_total_pages());
	drain_local_pages();
	check_free_lists();
}

static struct page *
map_new(struct mm *mm, uaddr_t addr, unsigned prot)
{
	struct page *page = alloc_page(ALLOC_USER);

	CHECK(page);
	CHECK_EQ(pgtable_map(mm, addr, page, prot), 0);
	return page;
}

static pte_t
look(struct mm *mm, uaddr_t addr)
{
	pte_t *entry = pgtable_lookup(mm, addr);

	return entry ? *entry : (pte_t){ 0 };
}

static struct page *
page_at(struct mm *mm, uaddr_t addr)
{
	pte_t pte = look(mm, addr);

	return pte_mapped(pte) ? phys_to_page(pte_paddr(pte)) : NULL;
}

/* ---- Tests --------------------------------------------------------------- */

static void
map_and_lookup(void)
{
	/* Both sides of every kind of table boundary, first and last page. */
	static const uaddr_t addrs[] = {
		USER_START, 2 * MiB - 4096, 2 * MiB, GiB - 4096, GiB,
		512 * GiB - 4096, 512 * GiB, 0x7fffffffe000,
	};
	struct page *pages[ARRAY_SIZE(addrs)];

	boot();
	for (unsigned i = 0; i < ARRAY_SIZE(addrs); i++) {
		CHECK(!page_at(&a, addrs[i]));
		pages[i] = map_new(&a, addrs[i], RW);
		check_mm(&a);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(addrs); i++) {
		CHECK(page_at(&a, addrs[i]) == pages[i]);
		CHECK(!page_at(&a, addrs[i] ^ 0x4000));
	}
	CHECK_EQ(a.nr_pages, 8);
	/* Every address its own leaf table, but for the first two. */
	CHECK_EQ(a.nr_tables, 7 + 5 + 3);
	CHECK(!pgtable_lookup(&a, 3 * GiB));
	CHECK(!pgtable_lookup(&b, USER_START));
	CHECK_PANICS("pte_none",
		     (void)pgtable_map(&a, addrs[0], pages[0], RW));
	check_all_back();
}

static void
permissions(void)
{
	pte_t pte;

	boot();
	map_new(&a, 0x10000, PAGE_USER);
	map_new(&a, 0x11000, PAGE_USER | PAGE_WRITE);
	map_new(&a, 0x12000, PAGE_USER | PAGE_EXEC);
	pte = look(&a, 0x10000);
	CHECK(pte_present(pte) && pte_user(pte));
	CHECK(!pte_writable(pte) && !pte_executable(pte));
	pte = look(&a, 0x11000);
	CHECK(pte_writable(pte) && !pte_executable(pte));
	pte = look(&a, 0x12000);
	CHECK(!pte_writable(pte) && pte_executable(pte));
	check_all_back();
}

static void
protect(void)
{
	boot();
	map_new(&a, 2 * MiB - 4096, RW);
	map_new(&a, 2 * MiB, RW);
	map_new(&a, 2 * MiB + 4096, RW);
	/* Only the middle one, and the hole behind it. */
	CHECK(pgtable_protect(&a, 2 * MiB, 2 * MiB + 4096, PAGE_USER, true));
	CHECK(pte_writable(look(&a, 2 * MiB - 4096)));
	CHECK(!pte_writable(look(&a, 2 * MiB)));
	CHECK(pte_writable(look(&a, 2 * MiB + 4096)));
	CHECK(!pgtable_protect(&a, 2 * MiB, 2 * MiB + 4096, PAGE_USER, true));
	/* Rights gained, none lost. */
	CHECK(!pgtable_protect(&a, 2 * MiB, 2 * MiB + 4096,
			       RW | PAGE_EXEC, true));
	CHECK(pte_writable(look(&a, 2 * MiB)));
	CHECK(pgtable_protect(&a, 2 * MiB, 2 * MiB + 4096, RW, true));
	CHECK(!pgtable_protect(&a, 4 * GiB, 8 * GiB, PAGE_USER, true));
	check_mm(&a);
	check_all_back();
}

static void
protect_shared_frame(void)
{
	struct page *page;

	boot();
	page = map_new(&a, 0x10000, PAGE_USER);
	get_page(page);
	CHECK_EQ(pgtable_map(&b, 0x10000, page, PAGE_USER), 0);
	CHECK(!pgtable_protect(&a, 0x10000, 0x11000, RW, true));
	CHECK(!pte_writable(look(&a, 0x10000)));
	CHECK(!pgtable_protect(&b, 0x10000, 0x11000, RW, false));
	CHECK(pte_writable(look(&b, 0x10000)));
	check_all_back();
}

static void
hide(void)
{
	struct page *page, *other;

	boot();
	page = map_new(&a, 0x10000, RW);
	other = map_new(&a, 0x11000, RW);
	CHECK(pgtable_protect(&a, 0x10000, 0x11000, 0, true));
	CHECK(!pte_present(look(&a, 0x10000)));
	CHECK(page_at(&a, 0x10000) == page);
	CHECK_EQ(a.nr_pages, 2);
	check_mm(&a);
	CHECK(!pgtable_protect(&a, 0x10000, 0x11000, RW, true));
	CHECK(pte_present(look(&a, 0x10000)));
	CHECK(pte_writable(look(&a, 0x10000)));
	CHECK(page_at(&a, 0x10000) == page);
	/* A hidden page is unmapped and copied as any other. */
	CHECK(pgtable_protect(&a, 0x10000, 0x12000, 0, true));
	CHECK_EQ(pgtable_detach(&a, 0x10000, 0x11000).pages, 1);
	pgtable_release(&a, 0x10000, 0x11000);
	CHECK_EQ(atomic_read(&page->refs), 0);
	CHECK_EQ(pgtable_copy(&b, &a, 0, USER_END, true, &(bool){ 0 }), 0);
	CHECK(page_at(&b, 0x11000) == other);
	CHECK(!pte_present(look(&b, 0x11000)));
	CHECK_EQ(atomic_read(&other->refs), 2);
	check_all_back();
}

static void
replace(void)
{
	struct page *old, *new;

	boot();
	old = map_new(&a, 0x10000, PAGE_USER);
	new = alloc_page(ALLOC_USER);
	CHECK(pgtable_replace(&a, 0x10000, new, RW) == old);
	CHECK(page_at(&a, 0x10000) == new);
	CHECK(pte_writable(look(&a, 0x10000)));
	CHECK_EQ(atomic_read(&old->refs), 1);
	CHECK_EQ(atomic_read(&new->refs), 1);
	CHECK_EQ(a.nr_pages, 1);
	put_page(old);
	CHECK_PANICS("pte_mapped",
		     (void)pgtable_replace(&a, 0x11000, new, RW));
	check_all_back();
}

static void
two_passes(void)
{
	struct page *page;
	struct detached found;
	pte_t pte;

	boot();
	page = map_new(&a, 2 * MiB, RW);
	map_new(&a, 4 * MiB, RW);
	found = pgtable_detach(&a, 2 * MiB, 2 * MiB + 4096);
	CHECK_EQ(found.pages, 1);
	CHECK_EQ(found.tables, 1); /* its leaf table; the other stays */
	check_mm(&a);
	CHECK_EQ(atomic_read(&page->refs), 1);
	CHECK(!pgtable_lookup(&a, 2 * MiB));
	CHECK_EQ(a.nr_pages, 1);
	CHECK_EQ(a.nr_tables, 4);
	pgtable_release(&a, 2 * MiB, 2 * MiB + 4096);
	check_mm(&a);
	CHECK_EQ(atomic_read(&page->refs), 0);
	CHECK_EQ(a.nr_tables, 3);
	/* The last page takes all tables with it. */
	pte = *pgtable_lookup(&a, 4 * MiB);
	found = pgtable_detach(&a, 0, USER_END);
	CHECK(pte_present(pte));
	CHECK_EQ(found.pages, 1);
	CHECK_EQ(found.tables, 3);
	check_mm(&a);
	pgtable_release(&a, 0, USER_END);
	CHECK_EQ(a.nr_tables, 0);
	CHECK(pgtable_user_empty(a.root));
	check_all_back();
}

static void
detach_in_pieces(void)
{
	struct detached found;

	boot();
	map_new(&a, 0x10000, RW);
	map_new(&a, 0x20000, RW);
	found = pgtable_detach(&a, 0x10000, 0x11000);
	CHECK_EQ(found.pages, 1);
	CHECK_EQ(found.tables, 0);
	/* Counted as used until it is released. */
	CHECK_EQ(virt_to_page(pgtable_lookup(&a, 0x20000))->used_entries, 2);
	found = pgtable_detach(&a, 0x10000, 0x21000);
	CHECK_EQ(found.pages, 1);
	CHECK_EQ(found.tables, 3);
	pgtable_release(&a, 0x20000, 0x21000);
	check_mm(&a);
	CHECK_EQ(a.nr_tables, 3); /* one entry is still there */
	pgtable_release(&a, 0x10000, 0x11000);
	CHECK_EQ(a.nr_tables, 0);
	check_all_back();
}

static void
detach_across_tables(void)
{
	struct detached found;

	boot();
	for (uaddr_t addr = GiB - 8 * 4096; addr < GiB + 8 * 4096;
	     addr += 4096)
		map_new(&a, addr, RW);
	map_new(&a, 600 * GiB, RW);
	/* The last 4 before the boundary and the first 4 behind it. */
	found = pgtable_detach(&a, GiB - 4 * 4096, GiB + 4 * 4096);
	CHECK_EQ(found.pages, 8);
	CHECK_EQ(found.tables, 0);
	pgtable_release(&a, GiB - 4 * 4096, GiB + 4 * 4096);
	check_mm(&a);
	CHECK_EQ(a.nr_pages, 9);
	for (int i = -8; i < 8; i++)
		CHECK_EQ(page_at(&a, GiB + i * 4096) != NULL, i < -4 || i >= 4);
	found = pgtable_detach(&a, GiB, 700 * GiB);
	CHECK_EQ(found.pages, 5);
	CHECK_EQ(found.tables, 2 + 3);
	pgtable_release(&a, GiB, 700 * GiB);
	check_mm(&a);
	CHECK_EQ(a.nr_tables, 3);
	check_all_back();
}

static void
map_over_detached(void)
{
	struct page *page;

	boot();
	map_new(&a, 0x10000, RW);
	pgtable_detach(&a, 0x10000, 0x11000);
	page = alloc_page(ALLOC_USER);
	CHECK_PANICS("pte_none",
		     (void)pgtable_map(&a, 0x11000, page, RW));
}

static void
copy_on_write(void)
{
	struct page *pages[20];
	bool lost = false;

	boot();
	for (int i = 0; i < 20; i++)
		pages[i] = map_new(&a, 2 * MiB + (i - 10) * 4096,
				   i % 2 ? RW : PAGE_USER);
	CHECK_EQ(pgtable_copy(&b, &a, 2 * MiB - 5 * 4096,
			      2 * MiB + 5 * 4096, true, &lost), 0);
	CHECK(lost);
	check_mm(&a);
	check_mm(&b);
	CHECK_EQ(b.nr_pages, 10);
	for (int i = 0; i < 20; i++) {
		uaddr_t addr = 2 * MiB + (i - 10) * 4096;
		bool inside = i >= 5 && i < 15;

		CHECK(page_at(&a, addr) == pages[i]);
		CHECK(page_at(&b, addr) == (inside ? pages[i] : NULL));
		CHECK_EQ(atomic_read(&pages[i]->refs), inside ? 2 : 1);
		CHECK_EQ(pte_writable(look(&a, addr)), i % 2 && !inside);
		CHECK(!pte_writable(look(&b, addr)));
	}
	lost = false;
	unmap(&b, 0, USER_END);
	CHECK_EQ(pgtable_copy(&b, &a, 2 * MiB - 4096, 2 * MiB, true, &lost),
		 0);
	CHECK(!lost); /* it had lost it before */
	for (int i = 0; i < 20; i++)
		CHECK_EQ(atomic_read(&pages[i]->refs), i == 9 ? 2 : 1);
	check_all_back();
}

static void
copy_shared(void)
{
	bool lost = false;

	boot();
	map_new(&a, 0x10000, RW);
	CHECK_EQ(pgtable_copy(&b, &a, 0, USER_END, false, &lost), 0);
	CHECK(!lost);
	CHECK(pte_writable(look(&a, 0x10000)));
	CHECK(pte_writable(look(&b, 0x10000)));
	check_all_back();
}

static void
copy_nothing(void)
{
	bool lost = false;

	boot();
	/* Bounds of the leaf table are wide, the middle is empty. */
	map_new(&a, 0, RW);
	map_new(&a, 2 * MiB - 4096, RW);
	map_new(&a, 4 * MiB, RW);
	CHECK_EQ(pgtable_copy(&b, &a, 4096, 2 * MiB - 4096, true, &lost), 0);
	CHECK_EQ(b.nr_tables, 0); /* no table for nothing */
	unmap(&a, 2 * MiB - 4096, 2 * MiB);
	CHECK_EQ(pgtable_copy(&b, &a, 4096, 4 * MiB + 4096, true, &lost), 0);
	CHECK_EQ(b.nr_pages, 1);
	CHECK(page_at(&b, 4 * MiB) == page_at(&a, 4 * MiB));
	check_all_back();
}

static void
move_one_range(uaddr_t from, uaddr_t to, u64 pages)
{
	struct page *page[1100];
	int emptied;

	for (u64 i = 0; i < pages; i++)
		page[i] = i % 7 == 3 ? NULL : map_new(&a, from + i * 4096, RW);
	emptied = pgtable_move(&a, from, to, pages * 4096);
	CHECK(emptied >= 0);
	check_mm(&a);
	for (u64 i = 0; i < pages; i++) {
		CHECK(page_at(&a, to + i * 4096) == page[i]);
		CHECK(!page_at(&a, from + i * 4096));
	}
	pgtable_release(&a, from, from + pages * 4096);
	check_mm(&a);
	for (u64 i = 0; i < pages; i++)
		CHECK(!page[i] || atomic_read(&page[i]->refs) == 1);
	unmap(&a, to, to + pages * 4096);
	CHECK_EQ(a.nr_pages, 0);
	CHECK_EQ(a.nr_tables, 0);
}

static void
move(void)
{
	boot();
	move_one_range(GiB, 3 * GiB, 10);
	move_one_range(2 * MiB - 5 * 4096, 600 * GiB - 3 * 4096, 10);
	/* Next to each other, sharing leaf tables, both directions. */
	move_one_range(6 * MiB + 4096, 6 * MiB + 4096 + 1100 * 4096, 1100);
	move_one_range(6 * MiB + 4096 + 1000 * 4096, 6 * MiB + 4096, 1000);
	move_one_range(3 * MiB, 3 * MiB - 300 * 4096, 300);
	check_all_back();
}

static void
no_memory_for_map(void)
{
	struct page *page;

	boot();
	page = alloc_page(ALLOC_USER);
	map_new(&a, 0x10000, RW);
	for (unsigned nth = 1; nth <= 3; nth++) {
		fail_allocation(ALLOC_TABLE, nth);
		CHECK_EQ(pgtable_map(&a, 600 * GiB, page, RW), -ENOMEM);
		CHECK(failure_happened());
		check_mm(&a);
		CHECK_EQ(a.nr_tables, 3);
		CHECK_EQ(nr_class_pages(ALLOC_TABLE), 2 + 3);
		CHECK_EQ(atomic_read(&page->refs), 1);
	}
	fail_allocation(ALLOC_TABLE, 4);
	CHECK_EQ(pgtable_map(&a, 600 * GiB, page, RW), 0);
	CHECK(!failure_happened());
	check_all_back();
}

static void
no_memory_for_root(void)
{
	boot();
	fail_allocation(ALLOC_TABLE, 1);
	CHECK_EQ(pgtable_alloc_root(), 0);
	check_all_back();
}

static void
no_memory_for_copy(void)
{
	bool lost = false;
	unsigned nth = 1;
	int err;

	boot();
	map_new(&a, 0x10000, RW);
	map_new(&a, 2 * GiB, RW);
	map_new(&a, 600 * GiB, RW);
	for (;; nth++) {
		fail_allocation(ALLOC_TABLE, nth);
		err = pgtable_copy(&b, &a, 0, USER_END, true, &lost);
		if (!failure_happened())
			break;
		CHECK_EQ(err, -ENOMEM);
		check_mm(&a);
		CHECK_EQ(a.nr_pages, 3);
		unmap(&b, 0, USER_END);
		CHECK_EQ(nr_class_pages(ALLOC_TABLE), 2 + a.nr_tables);
		CHECK_EQ(atomic_read(&page_at(&a, 600 * GiB)->refs), 1);
	}
	CHECK_EQ(err, 0);
	CHECK_EQ(nth, a.nr_tables + 1);
	check_all_back();
}

static void
no_memory_for_move(void)
{
	const uaddr_t to = 600 * GiB - 4 * 4096;
	struct page *pages[8];
	unsigned nth = 1;
	int err;

	boot();
	for (int i = 0; i < 8; i++)
		pages[i] = map_new(&a, GiB + i * 4096, RW);
	map_new(&a, 700 * GiB, RW); /* the destination needs 2 + 2 tables */
	for (;; nth++) {
		fail_allocation(ALLOC_TABLE, nth);
		err = pgtable_move(&a, GiB, to, 8 * 4096);
		if (!failure_happened())
			break;
		CHECK_EQ(err, -ENOMEM);
		check_mm(&a);
		CHECK_EQ(a.nr_pages, 9);
		CHECK_EQ(a.nr_tables, 6);
		CHECK_EQ(nr_class_pages(ALLOC_TABLE), 2 + 6);
		for (int i = 0; i < 8; i++) {
			CHECK(page_at(&a, GiB + i * 4096) == pages[i]);
			CHECK_EQ(atomic_read(&pages[i]->refs), 1);
		}
	}
	CHECK_EQ(err, 3);
	CHECK_EQ(nth, 4 + 1);
	check_mm(&a);
	pgtable_release(&a, GiB, GiB + 8 * 4096);
	check_mm(&a);
	check_all_back();
}

static void
broken_kernel_half(void)
{
	pte_t *root;

	boot();
	root = phys_to_virt(a.root);
	CHECK(pgtable_kernel_intact(a.root));
	root[300].bits |= PTE_A; /* the machine's own doing */
	CHECK(pgtable_kernel_intact(a.root));
	root[300].bits ^= PTE_W;
	CHECK(!pgtable_kernel_intact(a.root));
	root[300].bits ^= PTE_W;
	CHECK(pgtable_user_empty(a.root));
	root[255].bits = 0x5000;
	CHECK(!pgtable_user_empty(a.root));
	root[255].bits = 0;
	map_new(&a, 0x10000, RW);
	CHECK_PANICS("used_entries == 0", pgtable_free_root(a.root));
}

/* ---- Random steps against a plain model ---------------------------------- */

enum { SPOTS = 96 };

static struct page *model[2][SPOTS];

/* Spots lie on both sides of boundaries of all levels. */
static uaddr_t
spot(unsigned i)
{
	static const u64 centres[] = { 2 * MiB, GiB, 512 * GiB };

	return centres[i / 32] + ((long)(i % 32) - 16) * 4096;
}

static void
compare(int which, struct mm *mm)
{
	check_mm(mm);
	for (unsigned i = 0; i < SPOTS; i++)
		CHECK(page_at(mm, spot(i)) == model[which][i]);
}

static void
random_unmap(int which, struct mm *mm)
{
	unsigned first = host_random(SPOTS), last = first + host_random(40);

	last = MIN(last, SPOTS - 1u);
	pgtable_detach(mm, spot(first), spot(last) + 4096);
	check_mm(mm);
	pgtable_release(mm, spot(first), spot(last) + 4096);
	for (unsigned i = first; i <= last; i++)
		model[which][i] = NULL;
}

static void
random_copy(void)
{
	bool lost;

	unmap(&b, 0, USER_END);
	CHECK_EQ(pgtable_copy(&b, &a, spot(8), spot(90), true, &lost), 0);
	for (unsigned i = 0; i < SPOTS; i++)
		model[1][i] = i >= 8 && i < 90 ? model[0][i] : NULL;
}

static void
random_move(int which, struct mm *mm)
{
	/* Within one group, from its first half to its second. */
	unsigned group = host_random(3) * 32, n = 1 + host_random(15);
	unsigned from = group + host_random(16 - n + 1);
	unsigned to = group + 16 + host_random(16 - n + 1);

	pgtable_detach(mm, spot(to), spot(to) + n * 4096);
	pgtable_release(mm, spot(to), spot(to) + n * 4096);
	CHECK(pgtable_move(mm, spot(from), spot(to), n * 4096) >= 0);
	check_mm(mm);
	pgtable_release(mm, spot(from), spot(from) + n * 4096);
	for (unsigned i = 0; i < n; i++) {
		model[which][to + i] = model[which][from + i];
		model[which][from + i] = NULL;
	}
}

static void
random_step(void)
{
	int which = host_random(2);
	struct mm *mm = which ? &b : &a;
	unsigned i = host_random(SPOTS);

	switch (host_random(12)) {
	case 0:
		random_unmap(which, mm);
		break;
	case 1:
		random_copy();
		break;
	case 2:
		random_move(which, mm);
		break;
	case 3:
		pgtable_protect(mm, spot(0), spot(i), RW, true);
		break;
	case 4:
		pgtable_protect(mm, spot(i), spot(SPOTS - 1),
				host_random(2) ? PAGE_USER : 0, true);
		break;
	default:
		if (!model[which][i])
			model[which][i] = map_new(mm, spot(i), RW);
	}
	compare(0, &a);
	compare(1, &b);
}

static void
random_steps(void)
{
	boot();
	for (host_seed = 1; host_seed <= 3; host_seed++)
		for (int i = 0; i < 2000; i++)
			random_step();
	check_all_back();
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("pages on both sides of every table boundary are found",
	     map_and_lookup);
	test("an entry allows what it was made for", permissions);
	test("protect changes its range only and tells of lost rights",
	     protect);
	test("protect keeps a shared private frame unwritable",
	     protect_shared_frame);
	test("a page without any right is kept, and out of reach", hide);
	test("replace hands the old frame to the caller", replace);
	test("unmapping takes two passes, and frees frames in the second",
	     two_passes);
	test("a table goes when the last of its entries is released",
	     detach_in_pieces);
	test("unmapping across table boundaries takes its range only",
	     detach_across_tables);
	test("mapping into a table that is on its way out panics",
	     map_over_detached);
	test("copy shares frames, and nobody may write", copy_on_write);
	test("copy of a shared region keeps the right to write", copy_shared);
	test("copy makes no table for nothing", copy_nothing);
	test("move takes frames along and leaves nothing", move);
	test("map without memory changes nothing", no_memory_for_map);
	test("a root without memory is 0", no_memory_for_root);
	test("copy without memory can be torn down", no_memory_for_copy);
	test("move without memory moves nothing", no_memory_for_move);
	test("a damaged kernel half or a left-over is noticed",
	     broken_kernel_half);
	test("random steps agree with a plain model", random_steps);
	return host_result();
}
