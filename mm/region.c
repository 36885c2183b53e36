/*
 * Regions from mmap to exit. Every change is prepared first: what can fail,
 * allocation, comes before the first thing that somebody could notice.
 *
 * Pages leave in three steps: pgtable_detach(), flush, pgtable_release(). A
 * frame given back before the flush could be another process's while a CPU
 * still reads or writes it through its old translation.
 */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "mm/region_ops.h"
#include "mm/shared.h"
#include "mm/slab.h"
#include "mm/tlb.h"
#include "sched/sched.h"

static struct kmem_cache *region_cache;

void
regions_init(void)
{
	region_cache = kmem_cache_create("region", sizeof(struct region), 8,
					 NULL);
	shared_init();
}

/* ---- One region ------------------------------------------------------- */

struct region *
region_dup(const struct region *like)
{
	struct region *region = kmem_cache_alloc(region_cache);

	if (!region)
		return NULL;
	*region = *like;
	if (region->object)
		shared_object_get(region->object);
	return region;
}

void
region_free(struct region *region)
{
	if (region->object)
		shared_object_put(region->object);
	kmem_cache_free(region_cache, region);
}

/* Could @b, which follows @a, be the same region? */
static bool
mergeable(const struct region *a, const struct region *b)
{
	return a && b && a->end == b->start && a->prot == b->prot &&
	       a->denied == b->denied && a->stack == b->stack &&
	       a->object == b->object && a->shared == b->shared &&
	       (!a->object ||
		a->offset + ((a->end - a->start) >> PAGE_SHIFT) == b->offset);
}

/* @b goes and @a takes over its range. */
static struct region *
absorb(struct mm *mm, struct region *a, struct region *b)
{
	uaddr_t end = b->end;

	tree_remove(&mm->regions, b);
	region_free(b);
	tree_resize(&mm->regions, a, a->start, end);
	return a;
}

struct region *
region_merge(struct mm *mm, struct region *region)
{
	struct region *prev = region_prev(region);
	struct region *next;

	if (mergeable(prev, region))
		region = absorb(mm, prev, region);
	next = region_next(region);
	if (mergeable(region, next))
		region = absorb(mm, region, next);
	return region;
}

void
region_set_start(struct mm *mm, struct region *region, uaddr_t start)
{
	if (region->object)
		region->offset += (s64)(start - region->start) >> PAGE_SHIFT;
	tree_resize(&mm->regions, region, start, region->end);
}

unsigned
page_prot(u8 prot)
{
	if (prot == PROT_NONE)
		return 0;
	return PAGE_USER | (prot & PROT_WRITE ? PAGE_WRITE : 0) |
	       (prot & PROT_EXEC ? PAGE_EXEC : 0);
}

/* ---- Places ----------------------------------------------------------- */

bool
user_range_ok(uaddr_t addr, u64 len)
{
	return IS_ALIGNED(addr, PAGE_SIZE) && len <= USER_END &&
	       addr <= USER_END - len;
}

int
check_fixed_range(uaddr_t addr, u64 len)
{
	if (len > USER_END || addr > USER_END - len)
		return -ENOMEM;
	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	return addr < USER_START ? -EPERM : 0;
}

/* Is [addr, addr + len) free, and clear of a stack's guard gap above? */
static bool
range_is_free(struct mm *mm, uaddr_t addr, u64 len)
{
	struct region *next = region_find(mm, addr);
	u64 guard = next && next->stack ? STACK_GUARD : 0;

	return !next || (next->start >= addr + len &&
			 next->start - (addr + len) >= guard);
}

long
find_free_range(struct mm *mm, uaddr_t hint, u64 len)
{
	uaddr_t addr;

	ASSERT(len && IS_ALIGNED(len, PAGE_SIZE));
	if (len > USER_END - USER_START)
		return -ENOMEM;
	hint = ALIGN_DOWN(hint, PAGE_SIZE);
	if (hint && hint < USER_START)
		hint = USER_START;
	if (hint && hint <= USER_END - len && range_is_free(mm, hint, len))
		return hint;
	addr = tree_place(&mm->regions, len, USER_START, MMAP_BASE);
	if (!addr) /* short of room: also where the stack might have grown */
		addr = tree_place(&mm->regions, len, USER_START, USER_END);
	return addr ? (long)addr : -ENOMEM;
}

/* ---- Going ------------------------------------------------------------ */

void
unmap_pages(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct detached found = pgtable_detach(mm, start, end);

	if (!found.pages && !found.tables)
		return;
	flush_tlb_range(mm, start, end, found.tables > 0);
	pgtable_release(mm, start, end);
}

/* The first region that has a part in [start, end), or NULL. */
static struct region *
region_in(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct region *region = region_find(mm, start);

	return region && region->start < end ? region : NULL;
}

bool
needs_spare(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct region *region = region_in(mm, start, end);

	return region && region->start < start && region->end > end;
}

void
region_split(struct mm *mm, struct region *region, uaddr_t addr,
	     struct region *upper)
{
	ASSERT(upper && region->start < addr && addr < region->end);
	upper->start = addr;
	upper->end = region->end;
	if (upper->object)
		upper->offset = region->offset +
				((addr - region->start) >> PAGE_SHIFT);
	tree_resize(&mm->regions, region, region->start, addr);
	tree_insert(&mm->regions, upper);
}

void
cut_regions(struct mm *mm, uaddr_t start, uaddr_t end, struct region *spare)
{
	struct region *region;

	while ((region = region_in(mm, start, end))) {
		if (region->start < start && region->end > end) {
			/* A hole in the middle: its lower part comes next. */
			region_split(mm, region, end, spare);
		} else if (region->start < start) {
			tree_resize(&mm->regions, region, region->start,
				    start);
		} else if (region->end > end) {
			region_set_start(mm, region, end);
		} else {
			tree_remove(&mm->regions, region);
			region_free(region);
		}
	}
}

int
do_munmap(struct mm *mm, uaddr_t addr, u64 len)
{
	struct region *spare = NULL;
	uaddr_t end;

	DEBUG_ASSERT(mutex_held(&mm->lock));
	if (!user_range_ok(addr, len) || !len)
		return -EINVAL;
	end = ALIGN_UP(addr + len, PAGE_SIZE);
	if (!region_in(mm, addr, end))
		return 0;
	if (needs_spare(mm, addr, end)) {
		if (mm->regions.nr_regions >= MAX_REGIONS)
			return -ENOMEM;
		spare = region_dup(region_find(mm, addr));
		if (!spare)
			return -ENOMEM;
	}
	unmap_pages(mm, addr, end);
	cut_regions(mm, addr, end, spare);
	return 0;
}

/* ---- Coming ----------------------------------------------------------- */

/* Chooses the address of a new mapping, as @flags say. */
static long
choose_address(struct mm *mm, uaddr_t hint, u64 len, unsigned flags)
{
	int err;

	if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
		return find_free_range(mm, hint, len);
	err = check_fixed_range(hint, len);
	if (err)
		return err;
	if ((flags & MAP_FIXED_NOREPLACE) && region_in(mm, hint, hint + len))
		return -EEXIST;
	return (long)hint;
}

/* A region outside the tree for @like's range, with an object of its own
 * where it is shared and has none. */
static struct region *
region_create(struct mm *mm, struct region like)
{
	struct region *region;

	if (mm->regions.nr_regions >= MAX_REGIONS)
		return NULL;
	if (like.object)
		return region_dup(&like);
	if (like.shared) {
		like.object = shared_object_create();
		if (!like.object)
			return NULL;
	}
	region = region_dup(&like);
	if (like.object) /* the region holds its own reference, if any */
		shared_object_put(like.object);
	return region;
}

/* A region like @like takes [addr, addr + len) over from whatever is there. */
static struct region *
place_region(struct mm *mm, struct region like, uaddr_t addr, u64 len)
{
	struct region *region;
	int err;

	like.start = addr;
	like.end = addr + len;
	region = region_create(mm, like);
	if (!region)
		return ERR_PTR(-ENOMEM);
	err = do_munmap(mm, addr, len);
	if (err) {
		region_free(region);
		return ERR_PTR(err);
	}
	tree_insert(&mm->regions, region);
	return region_merge(mm, region);
}

long
do_mmap(struct mm *mm, uaddr_t hint, u64 len, unsigned prot, unsigned flags,
	bool stack)
{
	struct region like = { .prot = prot & PROT_ALL }, *region;
	long addr;

	DEBUG_ASSERT(mutex_held(&mm->lock));
	if (!(flags & MAP_ANONYMOUS))
		return -ENOSYS;
	if (!len)
		return -EINVAL;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (!len)
		return -ENOMEM;
	addr = choose_address(mm, hint, len, flags);
	if (addr < 0)
		return addr;
	like.shared = (flags & MAP_TYPE) == MAP_SHARED;
	like.stack = stack || (flags & MAP_GROWSDOWN);
	if (!like.shared && (flags & MAP_TYPE) != MAP_PRIVATE)
		return -EINVAL;
	if (like.shared && like.stack)
		return -EINVAL;

	region = place_region(mm, like, addr, len);
	if (IS_ERR(region))
		return PTR_ERR(region);
	if ((flags & MAP_POPULATE) && !(flags & MAP_NONBLOCK))
		/* As in Linux, a page that cannot be had now is no error. */
		(void)regions_populate(mm, addr, len,
				       !region->shared &&
					       (prot & PROT_WRITE));
	return addr;
}

long
do_map_object(struct mm *mm, uaddr_t addr, u64 len, const struct region *like)
{
	struct region *region;
	long place;

	DEBUG_ASSERT(mutex_held(&mm->lock));
	DEBUG_ASSERT(like->object && !(like->prot & like->denied));
	DEBUG_ASSERT(like->shared || !shared_object_is_fixed(like->object));
	place = choose_address(mm, addr, len, addr ? MAP_FIXED : 0);
	if (place < 0)
		return place;
	region = place_region(mm, *like, place, len);
	return IS_ERR(region) ? PTR_ERR(region) : place;
}

/* ---- The heap --------------------------------------------------------- */

/* Adds [start, end), which is free, to the heap. */
static int
grow_heap(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct region like = {
		.start = start,
		.end = end,
		.prot = PROT_READ | PROT_WRITE,
	};
	struct region *region = region_create(mm, like);

	if (!region)
		return -ENOMEM;
	tree_insert(&mm->regions, region);
	region_merge(mm, region);
	return 0;
}

long
do_brk(struct mm *mm, uaddr_t brk)
{
	uaddr_t old_end = ALIGN_UP(mm->brk, PAGE_SIZE), new_end;
	int err = 0;

	DEBUG_ASSERT(mutex_held(&mm->lock));
	if (!mm->brk_start || brk < mm->brk_start ||
	    brk > USER_END - PAGE_SIZE)
		return (long)mm->brk;
	new_end = ALIGN_UP(brk, PAGE_SIZE);
	if (new_end < old_end)
		err = do_munmap(mm, new_end, old_end - new_end);
	else if (new_end > old_end && /* keeps a page clear of what follows */
		 !range_is_free(mm, old_end, new_end - old_end + PAGE_SIZE))
		err = -ENOMEM;
	else if (new_end > old_end)
		err = grow_heap(mm, old_end, new_end);
	if (!err)
		mm->brk = brk;
	return (long)mm->brk;
}

/* ---- Fork and exit ---------------------------------------------------- */

static int
copy_region(struct mm *dst, struct mm *src, struct region *region,
	    bool *wrprotected)
{
	struct region *copy = region_dup(region);

	if (!copy)
		return -ENOMEM;
	tree_insert(&dst->regions, copy);
	if (region->shared) /* its pages are found in the object when touched */
		return 0;
	return pgtable_copy(dst, src, region->start, region->end, true,
			    wrprotected);
}

int
regions_copy(struct mm *dst, struct mm *src)
{
	uaddr_t start = 0, end = 0; /* where src lost rights */
	int err = 0;

	DEBUG_ASSERT(mutex_held(&src->lock));
	ASSERT(!dst->regions.root);
	for (struct region *region = region_first(src); region && !err;
	     region = region_next(region)) {
		bool wrprotected = false;

		err = copy_region(dst, src, region, &wrprotected);
		if (!wrprotected)
			continue;
		start = end ? start : region->start;
		end = region->end;
	}
	/* Also after failure: a thread of src must not go on writing to a page
	 * whose entry says that it may not, because the next fork would not
	 * flush for it and parent and child would share what it writes. */
	if (end)
		flush_tlb_range(src, start, end, false);
	return err;
}

enum { PREEMPTION_HEIGHT = 5 }; /* of subtrees: a few dozen regions */

/* Frees a subtree; calls itself no deeper than the tree is high. */
static void
free_subtree(struct region *region)
{
	if (!region)
		return;
	if (region->height == PREEMPTION_HEIGHT)
		cond_resched();
	free_subtree(region->child[0]);
	free_subtree(region->child[1]);
	region_free(region);
}

void
exit_mmap(struct mm *mm)
{
	pgtable_detach_all(mm);
	flush_tlb_mm(mm);
	pgtable_release_all(mm);
	free_subtree(mm->regions.root);
	region_tree_init(&mm->regions);
}
