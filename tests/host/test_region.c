// with: tests/host/space.c mm/region_tree.c kernel/debug/region_check.c mm/region.c mm/region_change.c mm/shared.c mm/pgtable.c mm/fault.c mm/page_alloc.c mm/buddy.c mm/zero_pool.c mm/slab.c mm/boot_mem.c kernel/debug/slab_debug.c kernel/debug/pgtable_check.c kernel/debug/poison.c kernel/debug/fail.c
/*
 * Regions against a model: an array of cells, one for each unit of a window
 * of addresses, which every call searches from end to end. Around the window
 * everything is taken, so that also placement is the model's to predict.
 */
#include "host.h"
#include "space.h"

#include "kernel/base/errno.h"
#include "mm/fail.h"
#include "mm/region_tree.h"

#define RW (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED (MAP_SHARED | MAP_ANONYMOUS)

/* ---- The model ---------------------------------------------------------- */

enum { CELLS = 40, MAX_INDEX = 256, MAX_OBJECTS = 4096, MAX_SPACES = 3 };

struct cell {
	bool mapped, shared;
	u8 prot;
	int object; /* shared: which one ... */
	int index;  /* ... and which of its cells */
	u64 value;  /* private: what is in it */
};

struct model {
	struct space *space;
	struct cell cells[CELLS];
	u64 brk;
};

static u64 objects[MAX_OBJECTS][MAX_INDEX];
static int nr_objects;
static struct model models[MAX_SPACES];
static u64 unit; /* bytes a cell; its first page is the one touched */
static u64 base; /* address of cell 0 */

static u64
cell_addr(int cell)
{
	return base + cell * unit;
}

static u64 *
cell_value(struct cell *cell)
{
	return cell->shared ? &objects[cell->object][cell->index]
			    : &cell->value;
}

static bool
joined(const struct cell *a, const struct cell *b)
{
	if (!a->mapped || !b->mapped || a->prot != b->prot ||
	    a->shared != b->shared)
		return false;
	return !a->shared ||
	       (a->object == b->object && a->index + 1 == b->index);
}

static bool
all_free(const struct model *m, int first, int n)
{
	if (first < 0 || first + n > CELLS)
		return false;
	for (int i = first; i < first + n; i++)
		if (m->cells[i].mapped)
			return false;
	return true;
}

static bool
all_mapped(const struct model *m, int first, int n)
{
	for (int i = first; i < first + n; i++)
		if (i >= CELLS || !m->cells[i].mapped)
			return false;
	return true;
}

/* Do the n cells from first on belong to one region? */
static bool
one_region(const struct model *m, int first, int n)
{
	if (!all_mapped(m, first, n))
		return false;
	for (int i = first; i + 1 < first + n; i++)
		if (!joined(&m->cells[i], &m->cells[i + 1]))
			return false;
	return true;
}

/* The highest free run of n cells; -1: none. */
static int
place(const struct model *m, int n)
{
	for (int first = CELLS - n; first >= 0; first--)
		if (all_free(m, first, n))
			return first;
	return -1;
}

static void
model_unmap(struct model *m, int first, int n)
{
	for (int i = first; i < first + n; i++)
		m->cells[i] = (struct cell){ 0 };
}

static void
model_map(struct model *m, int first, int n, u8 prot, bool shared)
{
	int object = shared ? nr_objects++ : 0;

	CHECK(nr_objects < MAX_OBJECTS);
	for (int i = 0; i < n; i++)
		m->cells[first + i] = (struct cell){
			.mapped = true, .shared = shared, .prot = prot,
			.object = object, .index = shared ? i : 0,
		};
}

/* ---- Comparing ---------------------------------------------------------- */

static void
compare_regions(struct model *m)
{
	struct region *region = region_first(&m->space->mm);
	int end;

	CHECK_EQ(region->end, base); /* the blocker below */
	region = region_next(region);
	for (int first = 0; first < CELLS; first = end) {
		const struct cell *cell = &m->cells[first];

		end = first + 1;
		if (!cell->mapped)
			continue;
		while (end < CELLS &&
		       joined(&m->cells[end - 1], &m->cells[end]))
			end++;
		CHECK_EQ(region->start, cell_addr(first));
		CHECK_EQ(region->end, cell_addr(end));
		CHECK_EQ(region->prot, cell->prot);
		CHECK_EQ(region->shared, cell->shared);
		if (cell->shared)
			CHECK_EQ(region->offset,
				 cell->index * (unit >> PAGE_SHIFT));
		region = region_next(region);
	}
	CHECK_EQ(region->start, MMAP_BASE); /* the blocker above */
	CHECK(!region_next(region));
	CHECK_EQ(m->space->mm.brk, m->brk);
}

/* Touches cell i, as the model says it must turn out. */
static void
touch(struct model *m, int i, unsigned access)
{
	struct cell *cell = &m->cells[i];
	u64 addr = cell_addr(i);
	u64 value = 0, new = host_random(~0ul);
	bool ok = cell->mapped && cell->prot != PROT_NONE;
	int err;

	if (access == FAULT_WRITE) {
		ok = ok && (cell->prot & PROT_WRITE);
		err = space_write(m->space, addr, new);
	} else if (access == FAULT_EXEC) {
		ok = ok && (cell->prot & PROT_EXEC);
		err = space_execute(m->space, addr);
	} else {
		err = space_read(m->space, addr, &value);
	}
	if (err == -ENOMEM && failure_happened())
		return;
	CHECK_EQ(err, ok ? 0 : -EFAULT);
	if (ok && access == FAULT_WRITE)
		*cell_value(cell) = new;
	if (ok && !access)
		CHECK_EQ(value, *cell_value(cell));
}

static void
compare(struct model *m)
{
	space_check(m->space);
	compare_regions(m);
}

static void
compare_contents(void)
{
	for (int s = 0; s < MAX_SPACES; s++)
		for (int i = 0; models[s].space && i < CELLS; i++)
			touch(&models[s], i, 0);
}

/* ---- Random calls ------------------------------------------------------- */

static bool injecting; /* one allocation of the call may fail */

static void
begin_injection(void)
{
	injecting = host_random(6) == 0;
	if (injecting)
		fail_allocation(NR_ALLOC_CLASSES, 1 + host_random(6));
}

/* Was it the injected failure that made the call fail? */
static bool
end_injection(long result)
{
	bool failed = injecting && failure_happened() && result == -ENOMEM;

	fail_allocation(NR_ALLOC_CLASSES, 0);
	injecting = false;
	return failed;
}

static u8
random_prot(void)
{
	static const u8 prots[] = {
		PROT_NONE, PROT_READ, RW, RW, RW, PROT_READ | PROT_EXEC,
		PROT_WRITE, PROT_EXEC, PROT_ALL,
	};

	return prots[host_random(ARRAY_SIZE(prots))];
}

/* A length in bytes that rounds up to n cells. */
static u64
random_len(int n)
{
	return n * unit - host_random(PAGE_SIZE);
}

static void
random_range(int *first, int *n)
{
	*first = host_random(CELLS);
	*n = 1 + host_random(MIN(CELLS - *first, 12));
}

static void
try_mmap(struct model *m)
{
	static const unsigned kinds[] = {
		0, 0, MAP_FIXED, MAP_FIXED, MAP_FIXED_NOREPLACE,
	};
	unsigned flags = kinds[host_random(ARRAY_SIZE(kinds))];
	bool shared = host_random(4) == 0;
	u8 prot = random_prot();
	long expected, result;
	int first, n, at;
	u64 hint;

	random_range(&first, &n);
	at = first;
	hint = cell_addr(first);
	if (!flags && host_random(2))
		hint += host_random(PAGE_SIZE); /* rounded down */
	else if (!flags)
		hint = 0;
	if (!flags && (!hint || !all_free(m, first, n)))
		at = place(m, n);
	expected = at < 0 ? -ENOMEM : (long)cell_addr(at);
	if (flags == MAP_FIXED_NOREPLACE && !all_free(m, first, n))
		expected = -EEXIST;

	flags |= shared ? SHARED : PRIVATE;
	if (host_random(8) == 0 && unit == PAGE_SIZE)
		flags |= MAP_POPULATE;
	begin_injection();
	result = SPACE_CALL(m->space, do_mmap, hint, random_len(n), prot,
			    flags, false);
	if (end_injection(result))
		return;
	CHECK_EQ(result, expected);
	if (result >= 0)
		model_map(m, at, n, prot, shared);
}

static void
try_munmap(struct model *m)
{
	int first, n;
	long result;

	random_range(&first, &n);
	begin_injection();
	result = SPACE_CALL(m->space, do_munmap, cell_addr(first),
			    random_len(n));
	if (end_injection(result))
		return;
	CHECK_EQ(result, 0);
	model_unmap(m, first, n);
}

/* After a failure part-way: what comes first may have the new rights. */
static void
adopt_rights(struct model *m, int first, int n, u8 prot)
{
	bool changing = true;

	for (int i = first; i < first + n; i++) {
		struct region *region = region_find(&m->space->mm,
						    cell_addr(i));

		if (!m->cells[i].mapped || m->cells[i].prot == prot)
			continue;
		changing = changing && region->prot == prot;
		if (changing)
			m->cells[i].prot = prot;
	}
}

static void
try_mprotect(struct model *m)
{
	u8 prot = random_prot();
	int first, n, end;
	long result;

	random_range(&first, &n);
	begin_injection();
	result = SPACE_CALL(m->space, do_mprotect, cell_addr(first),
			    random_len(n), prot);
	if (end_injection(result)) {
		adopt_rights(m, first, n, prot);
		return;
	}
	for (end = first; end < first + n && m->cells[end].mapped; end++)
		m->cells[end].prot = prot;
	CHECK_EQ(result, end == first + n ? 0 : -ENOMEM);
}

/* n cells from @from on become new_n cells at @to. */
static void
model_move(struct model *m, int from, int n, int to, int new_n, bool keep)
{
	struct cell moved[CELLS] = { 0 };
	struct cell kind = m->cells[from];

	for (int i = 0; i < new_n; i++) {
		moved[i] = i < n ? m->cells[from + i] : kind;
		if (kind.shared)
			moved[i].index = kind.index + i;
		CHECK(moved[i].index < MAX_INDEX);
		if (i >= n)
			moved[i].value = 0;
	}
	for (int i = from; i < from + n; i++)
		if (keep)
			m->cells[i].value = 0;
		else
			m->cells[i] = (struct cell){ 0 };
	memcpy(&m->cells[to], moved, new_n * sizeof(moved[0]));
}

/* What mremap must return; the model follows when it succeeds. */
static long
model_mremap(struct model *m, int from, int n, int new_n, unsigned flags,
	     int to, bool commit)
{
	bool keep = flags & MREMAP_DONTUNMAP, fixed = flags & MREMAP_FIXED;
	int stay = MIN(n, new_n);

	if ((fixed || keep) && from + n > to && to + new_n > from)
		return -EINVAL;
	if (!m->cells[from].mapped)
		return -EFAULT;
	if (fixed || keep) {
		if (!stay && !m->cells[from].shared)
			return -EINVAL;
		if (!one_region(m, from, stay))
			return -EFAULT;
		if (!fixed && !all_free(m, to, new_n))
			to = place(m, new_n);
		if (to < 0)
			return -ENOMEM;
		if (commit && fixed)
			model_unmap(m, to, new_n);
		if (commit)
			model_unmap(m, from + stay, n - stay);
	} else if (new_n <= n) {
		if (commit)
			model_unmap(m, from + new_n, n - new_n);
		return cell_addr(from);
	} else {
		if (!n && !m->cells[from].shared)
			return -EINVAL;
		if (!one_region(m, from, n))
			return -EFAULT;
		to = from;
		if (!n || one_region(m, from, n + 1) ||
		    !all_free(m, from + n, new_n - n))
			to = flags & MREMAP_MAYMOVE ? place(m, new_n) : -1;
		if (to < 0)
			return -ENOMEM;
	}
	if (commit)
		model_move(m, from, stay, to, new_n, keep && stay);
	return cell_addr(to);
}

/* After a failed MREMAP_FIXED: its target, and what is cut off, may be gone. */
static void
adopt_holes(struct model *m)
{
	for (int i = 0; i < CELLS; i++) {
		struct region *region = region_find(&m->space->mm,
						    cell_addr(i));

		if (region->start > cell_addr(i))
			m->cells[i] = (struct cell){ 0 };
	}
}

static void
try_mremap(struct model *m)
{
	static const unsigned kinds[] = {
		0, 0, MREMAP_MAYMOVE, MREMAP_MAYMOVE,
		MREMAP_MAYMOVE | MREMAP_FIXED,
		MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
	};
	unsigned flags = kinds[host_random(ARRAY_SIZE(kinds))];
	int from, n, to, new_n;
	long result, expected;
	bool shared;

	random_range(&from, &n);
	random_range(&to, &new_n);
	shared = m->cells[from].shared;
	if (flags & MREMAP_DONTUNMAP) {
		n = new_n;
		if (from + n > CELLS)
			return;
		flags |= host_random(2) ? MREMAP_FIXED : 0;
	} else if (host_random(10) == 0) {
		n = 0;
	}
	if (shared && m->cells[from].index + new_n > MAX_INDEX)
		return;
	expected = model_mremap(m, from, n, new_n, flags, to, false);
	begin_injection();
	result = SPACE_CALL(m->space, do_mremap, cell_addr(from), n * unit,
			    new_n * unit, flags, cell_addr(to));
	if (end_injection(result)) {
		if (flags & MREMAP_FIXED)
			adopt_holes(m);
		return;
	}
	CHECK_EQ(result, expected);
	if (result >= 0)
		model_mremap(m, from, n, new_n, flags, to, true);
}

static void
try_brk(struct model *m)
{
	u64 old = ALIGN_UP(m->brk, unit), new, expected;
	int from = (old - base) / unit, to = host_random(16);
	bool failed;
	long result;

	new = cell_addr(to) - (to ? host_random(PAGE_SIZE) : 0);
	to = (ALIGN_UP(new, PAGE_SIZE) - base) / unit;
	expected = new;
	if (to > from && !all_free(m, from, to - from + 1))
		expected = m->brk;
	begin_injection();
	result = SPACE_CALL(m->space, do_brk, new);
	failed = injecting && failure_happened() && (u64)result == m->brk;
	end_injection(0);
	if (failed && expected != m->brk)
		return;
	CHECK_EQ(result, expected);
	if (expected != new)
		return;
	m->brk = new;
	if (to < from)
		model_unmap(m, to, from - to);
	for (int i = from; i < to; i++)
		m->cells[i] = (struct cell){ .mapped = true, .prot = RW };
}

static void
try_madvise(struct model *m)
{
	int advice = host_random(2) ? MADV_DONTNEED : MADV_FREE;
	long expected = 0, result;
	int first, n;

	random_range(&first, &n);
	result = SPACE_CALL(m->space, do_madvise, cell_addr(first),
			    random_len(n), advice);
	for (int i = first; i < first + n; i++) {
		struct cell *cell = &m->cells[i];

		if (!cell->mapped) {
			expected = -ENOMEM;
		} else if (cell->shared && advice == MADV_FREE) {
			expected = -EINVAL;
			break;
		} else {
			cell->value = 0;
		}
	}
	CHECK_EQ(result, expected);
}

static void
try_populate(struct model *m)
{
	bool write = host_random(2);
	long expected = 0, result;
	int first, n;

	if (unit != PAGE_SIZE)
		return;
	random_range(&first, &n);
	begin_injection();
	result = SPACE_CALL(m->space, regions_populate, cell_addr(first),
			    random_len(n), write);
	if (end_injection(result))
		return;
	for (int i = first; i < first + n && !expected; i++)
		if (!m->cells[i].mapped)
			expected = -ENOMEM;
		else if (!(m->cells[i].prot &
			   (write ? PROT_WRITE : PROT_READ)))
			expected = -EINVAL;
	CHECK_EQ(result, expected);
	for (int i = first; i < first + n && !expected; i++) {
		pte_t *pte = pgtable_lookup(&m->space->mm, cell_addr(i));

		CHECK(pte && pte_present(*pte));
		CHECK(!write || pte_writable(*pte));
	}
}

static void
try_fork_or_exit(struct model *m)
{
	struct model *other = &models[host_random(MAX_SPACES)];

	if (other == m)
		return;
	if (other->space) {
		space_free(other->space);
		other->space = NULL;
		return;
	}
	begin_injection();
	*other = *m;
	other->space = space_fork(m->space);
	end_injection(0);
	if (other->space)
		compare(other);
}

static void
step(struct model *m)
{
	switch (host_random(16)) {
	case 0 ... 2: return try_mmap(m);
	case 3 ... 4: return try_munmap(m);
	case 5 ... 7: return try_mprotect(m);
	case 8 ... 10: return try_mremap(m);
	case 11: return try_brk(m);
	case 12: return try_madvise(m);
	case 13: return try_populate(m);
	default: return try_fork_or_exit(m);
	}
}

/* Everything outside the window is taken. */
static void
block_the_rest(struct model *m)
{
	CHECK_EQ(SPACE_CALL(m->space, do_mmap, USER_START, base - USER_START,
			    PROT_NONE, SHARED | MAP_FIXED, false),
		 USER_START);
	CHECK_EQ(SPACE_CALL(m->space, do_mmap, MMAP_BASE,
			    USER_END - MMAP_BASE, PROT_NONE,
			    SHARED | MAP_FIXED, false), MMAP_BASE);
}

static struct model *
random_model(void)
{
	struct model *m;

	do
		m = &models[host_random(MAX_SPACES)];
	while (!m->space);
	return m;
}

static void
random_run(u64 cell_bytes, int steps)
{
	unit = cell_bytes;
	base = MMAP_BASE - CELLS * unit;
	space_boot(64ul << 20);
	models[0].space = space_new();
	models[0].brk = models[0].space->mm.brk =
		models[0].space->mm.brk_start = base;
	block_the_rest(&models[0]);
	for (int i = 0; i < steps; i++) {
		struct model *m = random_model();

		step(m);
		compare(m);
		for (int j = 0; j < 6; j++) {
			static const unsigned accesses[] = {
				0, FAULT_WRITE, FAULT_WRITE, FAULT_EXEC,
			};

			m = random_model();
			begin_injection();
			touch(m, host_random(CELLS), accesses[host_random(4)]);
			end_injection(0);
		}
		if (i % 64 == 0)
			compare_contents();
		if (nr_objects > MAX_OBJECTS - 10)
			break;
	}
	compare_contents();
	for (int s = 0; s < MAX_SPACES; s++)
		if (models[s].space)
			space_free(models[s].space);
	space_check_all_back();
}

static void
small_random_run(void)
{
	random_run(PAGE_SIZE, 12000);
}

static void
wide_random_run(void)
{
	random_run(300 * PAGE_SIZE, 3000);
}

static void
other_seeds(void)
{
	host_seed = 77;
	random_run(PAGE_SIZE, 12000);
}

/* ---- The tree alone ----------------------------------------------------- */

enum { TREE_PAGES = 4096, TREE_REGIONS = 300 };

static struct mm tree_mm;
static struct region tree_regions[TREE_REGIONS];

static u64
tree_addr(u64 page)
{
	return USER_START + page * PAGE_SIZE;
}

/* The region that holds or follows @addr, found the slow way. */
static struct region *
slow_find(u64 addr)
{
	struct region *best = NULL;

	for (int i = 0; i < TREE_REGIONS; i++) {
		struct region *region = &tree_regions[i];

		if (region->end > addr && (!best || region->end < best->end))
			best = region;
	}
	return best;
}

static u64
slow_place(u64 len, u64 low, u64 high)
{
	for (u64 addr = high - len; addr >= low; addr -= PAGE_SIZE) {
		struct region *next = slow_find(addr);
		u64 guard = next && next->stack ? STACK_GUARD : 0;

		if (!next || (next->start >= addr + len &&
			      next->start - (addr + len) >= guard))
			return addr;
	}
	return 0;
}

static void
change_tree(struct region *region)
{
	u64 start = tree_addr(host_random(TREE_PAGES));
	u64 end = start + (1 + host_random(30)) * PAGE_SIZE;
	struct region *next;

	if (region->end && host_random(3) == 0) {
		tree_resize(&tree_mm.regions, region, region->start,
			    region->start + PAGE_SIZE);
		return;
	}
	if (region->end) {
		tree_remove(&tree_mm.regions, region);
		region->end = 0;
		return;
	}
	next = slow_find(start);
	if (next && next->start < end)
		return;
	*region = (struct region){
		.start = start, .end = end, .stack = host_random(5) == 0,
	};
	tree_insert(&tree_mm.regions, region);
}

static void
tree_test(void)
{
	for (int i = 0; i < 20000; i++) {
		u64 addr = tree_addr(host_random(TREE_PAGES));
		u64 low = tree_addr(host_random(TREE_PAGES));
		u64 high = tree_addr(host_random(TREE_PAGES + 50));
		u64 len = (1 + host_random(60)) * PAGE_SIZE;

		change_tree(&tree_regions[host_random(TREE_REGIONS)]);
		if (i % 8)
			continue;
		region_check(&tree_mm);
		CHECK_EQ((u64)region_find(&tree_mm, addr),
			 (u64)slow_find(addr));
		if (high < low + len)
			continue;
		CHECK_EQ(tree_place(&tree_mm.regions, len, low, high),
			 slow_place(len, low, high));
	}
	CHECK(tree_mm.regions.nr_regions > 50);
	CHECK(tree_mm.regions.root->height < 12);
}

/* Ascending, descending and zigzag insertion, then removal, of many. */
static void
balance_test(void)
{
	enum { N = 10000 };
	static struct region many[N];

	for (int order = 0; order < 3; order++) {
		for (int i = 0; i < N; i++) {
			int at = order == 0 ? i : order == 1 ? N - 1 - i
				 : i % 2 ? i : N - 2 - i;

			many[at] = (struct region){
				.start = tree_addr(2 * at),
				.end = tree_addr(2 * at + 1),
			};
			tree_insert(&tree_mm.regions, &many[at]);
		}
		region_check(&tree_mm);
		CHECK(tree_mm.regions.root->height <= 20);
		for (int i = 0; i < N; i++)
			tree_remove(&tree_mm.regions,
				    &many[(u64)i * 7919 % N]);
		CHECK(!tree_mm.regions.root);
		CHECK_EQ(tree_mm.regions.bytes, 0);
	}
}

/* ---- Linux's corner cases ----------------------------------------------- */

static struct space *space;

static long
mmap_at(u64 addr, u64 len, unsigned prot, unsigned flags)
{
	return SPACE_CALL(space, do_mmap, addr, len, prot, flags, false);
}

static void
begin(void)
{
	space_boot(64ul << 20);
	space = space_new();
}

static void
end(void)
{
	space_check(space);
	space_free(space);
	space_check_all_back();
}

static void
mmap_errors(void)
{
	begin();
	CHECK_EQ(mmap_at(0, 4096, RW, MAP_PRIVATE), -ENOSYS);
	CHECK_EQ(mmap_at(0, 0, RW, PRIVATE), -EINVAL);
	CHECK_EQ(mmap_at(0, ~0ul, RW, PRIVATE), -ENOMEM);
	CHECK_EQ(mmap_at(0, -4096ul, RW, PRIVATE), -ENOMEM);
	CHECK_EQ(mmap_at(0, USER_END, RW, PRIVATE), -ENOMEM);
	CHECK_EQ(mmap_at(0x10001, 4096, RW, PRIVATE | MAP_FIXED), -EINVAL);
	CHECK_EQ(mmap_at(USER_END, 4096, RW, PRIVATE | MAP_FIXED), -ENOMEM);
	CHECK_EQ(mmap_at(USER_END - 4096, 8192, RW, PRIVATE | MAP_FIXED),
		 -ENOMEM);
	CHECK_EQ(mmap_at(-4096ul, 4096, RW, PRIVATE | MAP_FIXED), -ENOMEM);
	CHECK_EQ(mmap_at(-4096ul, 8192, RW, PRIVATE | MAP_FIXED), -ENOMEM);
	CHECK_EQ(mmap_at(0, 4096, RW, PRIVATE | MAP_FIXED), -EPERM);
	CHECK_EQ(mmap_at(0, 4096, RW, MAP_ANONYMOUS), -EINVAL);
	CHECK_EQ(mmap_at(0, 4096, RW, MAP_ANONYMOUS | MAP_SHARED_VALIDATE),
		 -EINVAL);
	CHECK_EQ(mmap_at(0, 4096, RW, SHARED | MAP_GROWSDOWN), -EINVAL);
	CHECK_EQ(space->mm.regions.nr_regions, 0);
	CHECK_EQ(mmap_at(USER_START, 4096, RW, PRIVATE | MAP_FIXED),
		 USER_START);
	CHECK_EQ(mmap_at(USER_END - 4096, 4095, RW, PRIVATE | MAP_FIXED),
		 USER_END - 4096);
	/* A hint below the lowest address is raised, one too high ignored. */
	CHECK_EQ(mmap_at(1, 4096, RW, PRIVATE), MMAP_BASE - 4096);
	CHECK_EQ(mmap_at(4096, 4096, RW, PRIVATE), MMAP_BASE - 8192);
	CHECK_EQ(mmap_at(~0ul, 4096, RW, PRIVATE), MMAP_BASE - 12288);
	CHECK_EQ(mmap_at(0x20000, 4096, RW, PRIVATE), 0x20000);
	end();
}

static void
munmap_errors(void)
{
	begin();
	CHECK_EQ(SPACE_CALL(space, do_munmap, 0x20000, 0), -EINVAL);
	CHECK_EQ(SPACE_CALL(space, do_munmap, 0x20001, 4096), -EINVAL);
	CHECK_EQ(SPACE_CALL(space, do_munmap, USER_END, 4096), -EINVAL);
	CHECK_EQ(SPACE_CALL(space, do_munmap, 0x20000, ~0ul), -EINVAL);
	CHECK_EQ(SPACE_CALL(space, do_munmap, 0x20000, -0x20000ul), -EINVAL);
	CHECK_EQ(SPACE_CALL(space, do_munmap, -4096ul, 4096), -EINVAL);
	CHECK_EQ(SPACE_CALL(space, do_munmap, 0x20000, 4096), 0);
	CHECK_EQ(SPACE_CALL(space, do_munmap, 0, USER_END), 0);
	end();
}

static void
mprotect_errors(void)
{
	u64 addr, value;

	begin();
	addr = mmap_at(0x100000, 4 * 4096, RW, PRIVATE);
	CHECK_EQ(addr, 0x100000);
	CHECK_EQ(space_write(space, addr, 42), 0);
	CHECK_EQ(SPACE_CALL(space, do_mprotect, addr + 1, 4096, RW), -EINVAL);
	CHECK_EQ(SPACE_CALL(space, do_mprotect, addr, 0, RW), 0);
	CHECK_EQ(SPACE_CALL(space, do_mprotect, addr, 4096, 0x40), -EINVAL);
	CHECK_EQ(SPACE_CALL(space, do_mprotect, addr, ~0ul, RW), -ENOMEM);
	CHECK_EQ(SPACE_CALL(space, do_mprotect, addr, -addr, RW), -ENOMEM);
	CHECK_EQ(SPACE_CALL(space, do_mprotect, addr, 4096,
			    RW | PROT_GROWSDOWN), -EINVAL);
	CHECK_EQ(SPACE_CALL(space, do_mprotect, addr, 4096,
			    RW | PROT_GROWSUP), -EINVAL);
	/* Over a hole: what comes before it has changed. */
	CHECK_EQ(SPACE_CALL(space, do_munmap, addr + 4096, 4096), 0);
	CHECK_EQ(SPACE_CALL(space, do_mprotect, addr, 4 * 4096, PROT_NONE),
		 -ENOMEM);
	CHECK_EQ(space_read(space, addr, &value), -EFAULT);
	CHECK_EQ(space_write(space, addr + 2 * 4096, 1), 0);
	/* And back: the contents are kept. */
	CHECK_EQ(SPACE_CALL(space, do_mprotect, addr, 4096, PROT_WRITE), 0);
	CHECK_EQ(space_read(space, addr, &value), 0);
	CHECK_EQ(value, 42);
	CHECK_EQ(space_execute(space, addr), -EFAULT);
	end();
}

static void
mremap_errors(void)
{
	u64 addr = 0x100000, to = 0x200000;
	unsigned move = MREMAP_MAYMOVE | MREMAP_FIXED;

	begin();
	CHECK_EQ(mmap_at(addr, 4 * 4096, RW, PRIVATE), addr);
#define REMAP(...) SPACE_CALL(space, do_mremap, __VA_ARGS__)
	CHECK_EQ(REMAP(addr, 4096, 4096, 8, 0), -EINVAL);
	CHECK_EQ(REMAP(addr, 4096, 4096, MREMAP_FIXED, to), -EINVAL);
	CHECK_EQ(REMAP(addr, 4096, 4096, MREMAP_DONTUNMAP, to), -EINVAL);
	CHECK_EQ(REMAP(addr, 4096, 8192, 5, to), -EINVAL);
	CHECK_EQ(REMAP(addr + 1, 4096, 4096, 0, 0), -EINVAL);
	CHECK_EQ(REMAP(addr, 4096, 0, 0, 0), -EINVAL);
	CHECK_EQ(REMAP(addr, 4096, ~0ul, 0, 0), -EINVAL);
	CHECK_EQ(REMAP(addr, 0, 4096, MREMAP_MAYMOVE, 0), -EINVAL);
	CHECK_EQ(REMAP(to, 4096, 8192, 0, 0), -EFAULT);
	CHECK_EQ(REMAP(addr, 5 * 4096, 6 * 4096, 1, 0), -EFAULT);
	CHECK_EQ(REMAP(addr, 4096, 8192, 0, 0), -ENOMEM);
	CHECK_EQ(REMAP(addr, 4 * 4096, USER_END, 1, 0), -ENOMEM);
	CHECK_EQ(REMAP(addr, 4 * 4096, USER_END + 1, 1, 0), -EINVAL);
	CHECK_EQ(REMAP(addr, 4 * 4096, -8192ul, 1, 0), -EINVAL);
	CHECK_EQ(REMAP(addr, -addr, 4096, 1, 0), -EINVAL);
	CHECK_EQ(REMAP(addr, -4096ul, 4096, 1, 0), -EINVAL);
	CHECK_EQ(REMAP(addr, 4096, 4096, move, to + 1), -EINVAL);
	CHECK_EQ(REMAP(addr, 4096, 4096, move, USER_END), -EINVAL);
	CHECK_EQ(REMAP(addr, 4096, 8192, move, -4096ul), -EINVAL);
	CHECK_EQ(REMAP(addr, 8192, 8192, move, addr + 4096), -EINVAL);
	CHECK_EQ(REMAP(addr, 4096, 4096, move, 0), -EPERM);
	CHECK_EQ(space->mm.regions.nr_regions, 1);
	CHECK_EQ(space->mm.regions.bytes, 4 * 4096);
#undef REMAP
	end();
}

static void
brk_errors(void)
{
	begin();
	CHECK_EQ(SPACE_CALL(space, do_brk, 0x300000), 0); /* has no heap */
	space->mm.brk_start = space->mm.brk = 0x100008;
	CHECK_EQ(SPACE_CALL(space, do_brk, 0), 0x100008);
	CHECK_EQ(SPACE_CALL(space, do_brk, ~0ul), 0x100008);
	CHECK_EQ(SPACE_CALL(space, do_brk, USER_END), 0x100008);
	CHECK_EQ(SPACE_CALL(space, do_brk, 0x110001), 0x110001);
	CHECK_EQ(space->mm.regions.bytes, 0x10000);
	CHECK_EQ(space_write(space, 0x110ff8, 5), 0);
	CHECK_EQ(space_write(space, 0x100ff8, 5), -EFAULT);
	/* A guard page inside the heap, as musl's malloc makes it. */
	CHECK_EQ(mmap_at(0x102000, 4096, PROT_NONE, PRIVATE | MAP_FIXED),
		 0x102000);
	CHECK_EQ(SPACE_CALL(space, do_brk, 0x120000), 0x120000);
	/* It keeps a page clear of what follows. */
	CHECK_EQ(mmap_at(0x124000, 4096, RW, PRIVATE), 0x124000);
	CHECK_EQ(SPACE_CALL(space, do_brk, 0x124000), 0x120000);
	CHECK_EQ(SPACE_CALL(space, do_brk, 0x123000), 0x123000);
	CHECK_EQ(SPACE_CALL(space, do_brk, 0x100008), 0x100008);
	CHECK_EQ(space->mm.regions.nr_regions, 1);
	end();
}

static void
madvise_errors(void)
{
	u64 addr = 0x100000;

	begin();
	CHECK_EQ(mmap_at(addr, 4 * 4096, RW, PRIVATE), addr);
#define ADVISE(...) SPACE_CALL(space, do_madvise, __VA_ARGS__)
	CHECK_EQ(ADVISE(addr, 4096, 1000), -EINVAL);
	CHECK_EQ(ADVISE(addr, 4096, -1), -EINVAL);
	CHECK_EQ(ADVISE(addr + 1, 4096, MADV_DONTNEED), -EINVAL);
	CHECK_EQ(ADVISE(addr, ~0ul, MADV_DONTNEED), -EINVAL);
	CHECK_EQ(ADVISE(addr, -4096ul, MADV_DONTNEED), -EINVAL);
	CHECK_EQ(ADVISE(addr, 0, MADV_DONTNEED), 0);
	CHECK_EQ(ADVISE(addr, 5 * 4096, MADV_DONTNEED), -ENOMEM);
	CHECK_EQ(ADVISE(addr, 5 * 4096, MADV_POPULATE_WRITE), -ENOMEM);
	CHECK_EQ(space->mm.nr_pages, 4);
	CHECK_EQ(ADVISE(USER_END, 4096, MADV_POPULATE_READ), -ENOMEM);
	CHECK_EQ(ADVISE(addr, 4096, MADV_NORMAL), 0);
#undef ADVISE
	end();
}

static void
placement_respects_stacks(void)
{
	u64 top = USER_END, stack = USER_END - (128ul << 10);

	begin();
	CHECK_EQ(SPACE_CALL(space, do_mmap, stack, top - stack, RW,
			    PRIVATE | MAP_FIXED, true), stack);
	CHECK_EQ(mmap_at(stack - 4096, 4096, RW, PRIVATE), MMAP_BASE - 4096);
	CHECK_EQ(mmap_at(stack - STACK_GUARD - 4096, 4096, RW, PRIVATE),
		 stack - STACK_GUARD - 4096);
	/* Nothing left below: above, but still clear of the stack. */
	CHECK_EQ(mmap_at(USER_START, MMAP_BASE - USER_START, PROT_NONE,
			 PRIVATE | MAP_FIXED), USER_START);
	CHECK_EQ(mmap_at(0, 8192, RW, PRIVATE),
		 stack - STACK_GUARD - 4096 - 8192);
	end();
}

/* ---- Sharing ------------------------------------------------------------ */

static void
shared_pages(void)
{
	struct space *child;
	u64 addr = 0x100000, value;

	begin();
	CHECK_EQ(mmap_at(addr, 100 * 4096, RW, SHARED), addr);
	CHECK_EQ(space_write(space, addr, 1), 0);
	child = space_fork(space);
	/* Touched only after the fork, by either, first or second. */
	CHECK_EQ(space_write(child, addr + 70 * 4096, 2), 0);
	CHECK_EQ(space_read(space, addr + 70 * 4096, &value), 0);
	CHECK_EQ(value, 2);
	CHECK_EQ(space_write(space, addr + 99 * 4096, 3), 0);
	CHECK_EQ(space_read(child, addr + 99 * 4096, &value), 0);
	CHECK_EQ(value, 3);
	CHECK_EQ(space_read(child, addr, &value), 0);
	CHECK_EQ(value, 1);
	/* A second view, made by mremap with an old length of 0. */
	CHECK_EQ(SPACE_CALL(child, do_mremap, addr + 70 * 4096, 0, 4096,
			    MREMAP_MAYMOVE, 0), MMAP_BASE - 4096);
	CHECK_EQ(space_read(child, MMAP_BASE - 4096, &value), 0);
	CHECK_EQ(value, 2);
	/* The child keeps the object when the parent has gone. */
	CHECK_EQ(SPACE_CALL(space, do_munmap, addr, 100 * 4096), 0);
	CHECK_EQ(SPACE_CALL(child, do_madvise, addr, 100 * 4096,
			    MADV_DONTNEED), 0);
	CHECK_EQ(space_read(child, addr + 99 * 4096, &value), 0);
	CHECK_EQ(value, 3);
	space_free(child);
	end();
}

static void
sparse_shared_pages(void)
{
	u64 addr = 0x10000000, size = 1ul << 46, value;

	begin();
	CHECK_EQ(mmap_at(addr, size, RW, SHARED), addr);
	for (int i = 0; i < 40; i++)
		CHECK_EQ(space_write(space, addr + (size >> i) - 4096 *
				     (size >> i >= 4096), i), 0);
	CHECK_EQ(SPACE_CALL(space, do_madvise, addr, size, MADV_DONTNEED), 0);
	CHECK_EQ(space_read(space, addr + (size >> 3) - 4096, &value), 0);
	CHECK_EQ(value, 3);
	CHECK_EQ(space_read(space, addr + 8192 * 3, &value), 0);
	CHECK_EQ(value, 0);
	CHECK_EQ(space->mm.nr_pages, 2);
	CHECK_EQ(SPACE_CALL(space, do_munmap, addr, size), 0);
	end();
}

/* ---- Failure ------------------------------------------------------------ */

/* Runs a whole life with allocation @nth failing; false when it needs less. */
static bool
life_with_failure(unsigned nth)
{
	u64 addr = 0x40000000;
	struct space *child;

	fail_allocation(NR_ALLOC_CLASSES, nth);
	mmap_at(addr, 64 * 4096, RW, PRIVATE | MAP_FIXED);
	mmap_at(addr + 64 * 4096, 64 * 4096, RW, SHARED | MAP_FIXED);
	for (int i = 0; i < 128; i += 9)
		space_write(space, addr + i * 4096, i);
	SPACE_CALL(space, do_mprotect, addr + 4096, 8 * 4096, PROT_READ);
	SPACE_CALL(space, do_mprotect, addr + 60 * 4096, 8 * 4096, PROT_READ);
	SPACE_CALL(space, do_munmap, addr + 3 * 4096, 4096);
	SPACE_CALL(space, do_mremap, addr + 20 * 4096, 8 * 4096, 16 * 4096,
		   MREMAP_MAYMOVE, 0);
	SPACE_CALL(space, do_mremap, addr + 80 * 4096, 8 * 4096, 16 * 4096,
		   MREMAP_MAYMOVE | MREMAP_FIXED, addr + (1ul << 30));
	space_check(space);
	child = space_fork(space);
	if (child) {
		for (int i = 0; i < 128; i += 9)
			space_write(child, addr + i * 4096, i);
		space_check(child);
		space_free(child);
	}
	return failure_happened();
}

static void
every_failure(void)
{
	unsigned nth = 1;
	bool happened;

	begin();
	do {
		happened = life_with_failure(nth++);
		fail_allocation(NR_ALLOC_CLASSES, 0);
		space_check(space);
		space_free(space);
		space_check_all_back();
		space = space_new();
	} while (happened);
	CHECK(nth > 40);
	end();
}

static void
too_many_regions(void)
{
	u64 addr = 0x10000000;
	int i;

	begin();
	for (i = 0; i < MAX_REGIONS; i++)
		CHECK_EQ(mmap_at(addr + i * 8192ul, 4096, PROT_NONE,
				 PRIVATE | MAP_FIXED), addr + i * 8192ul);
	CHECK_EQ(mmap_at(addr + i * 8192ul, 4096, PROT_NONE,
			 PRIVATE | MAP_FIXED), -ENOMEM);
	CHECK_EQ(SPACE_CALL(space, do_munmap, addr, 4096), 0);
	CHECK_EQ(mmap_at(0, 3 * 4096, PROT_NONE, PRIVATE),
		 MMAP_BASE - 3 * 4096);
	CHECK_EQ(SPACE_CALL(space, do_munmap, MMAP_BASE - 2 * 4096, 4096),
		 -ENOMEM);
	CHECK_EQ(SPACE_CALL(space, do_mprotect, MMAP_BASE - 2 * 4096, 4096,
			    RW), -ENOMEM);
	CHECK(space->mm.regions.root->height <= 20);
	end();
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("the tree finds and places as a search of all regions does",
	     tree_test);
	test("the tree stays balanced whatever the order", balance_test);
	test("mmap refuses what Linux refuses", mmap_errors);
	test("munmap refuses what Linux refuses and accepts holes",
	     munmap_errors);
	test("mprotect refuses what Linux refuses and keeps contents",
	     mprotect_errors);
	test("mremap refuses what Linux refuses", mremap_errors);
	test("brk returns the old brk when it fails", brk_errors);
	test("madvise refuses what Linux refuses", madvise_errors);
	test("placement keeps clear of a stack's guard gap",
	     placement_respects_stacks);
	test("parent and child share also pages touched after the fork",
	     shared_pages);
	test("a shared object may be large and sparse", sparse_shared_pages);
	test("every allocation may fail in turn and nothing is lost",
	     every_failure);
	test("there is a limit to the number of regions", too_many_regions);
	test("random calls on pages agree with the model", small_random_run);
	test("random calls on pages agree with the model, another seed",
	     other_seeds);
	test("random calls over many tables agree with the model",
	     wide_random_run);
	return host_result();
}
