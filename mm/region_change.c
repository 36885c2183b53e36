/*
 * Regions that change: other rights, another size or place, advice. Numbers,
 * order of checks and errors are Linux's.
 */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "mm/region_ops.h"
#include "mm/shared.h"
#include "mm/tlb.h"

/* ---- mprotect --------------------------------------------------------- */

/* What one flush at the end must cover. */
struct lost {
	uaddr_t start, end; /* end == 0: nothing */
};

/* Makes [start, end), a part of @region, a region of its own; NULL: there is no
 * memory, and nothing changed. */
static struct region *
isolate(struct mm *mm, struct region *region, uaddr_t start, uaddr_t end)
{
	struct region *middle = NULL, *upper = NULL;

	ASSERT(region->start <= start && start < end && end <= region->end);
	if (mm->regions.nr_regions + 2 > MAX_REGIONS)
		return NULL;
	if (region->start < start && !(middle = region_dup(region)))
		return NULL;
	if (region->end > end && !(upper = region_dup(region))) {
		if (middle)
			region_free(middle);
		return NULL;
	}
	if (upper)
		region_split(mm, region, end, upper);
	if (middle)
		region_split(mm, region, start, middle);
	return middle ? middle : region;
}

/* Gives [start, end), a part of @region, the rights @prot. */
static int
protect_part(struct mm *mm, struct region *region, uaddr_t start, uaddr_t end,
	     u8 prot, struct lost *lost)
{
	if (region->prot == prot)
		return 0;
	if (prot & region->denied)
		return -EACCES;
	region = isolate(mm, region, start, end);
	if (!region)
		return -ENOMEM;
	region->prot = prot;
	if (pgtable_protect(mm, start, end, page_prot(prot),
			    !region->shared)) {
		lost->start = lost->end ? lost->start : start;
		lost->end = end;
	}
	region_merge(mm, region);
	return 0;
}

static int
protect_range(struct mm *mm, uaddr_t start, uaddr_t end, u8 prot,
	      struct lost *lost)
{
	while (start < end) {
		struct region *region = region_find(mm, start);
		uaddr_t stop;
		int err;

		if (!region || region->start > start)
			return -ENOMEM; /* what came before stays changed */
		stop = MIN(end, region->end);
		err = protect_part(mm, region, start, stop, prot, lost);
		if (err)
			return err;
		start = stop;
	}
	return 0;
}

/* PROT_GROWSDOWN: *start moves down to the start of the stack there. Nothing
 * grows up here. */
static int
find_stack_start(struct mm *mm, uaddr_t *start, uaddr_t end, unsigned grows)
{
	struct region *region = region_find(mm, *start);

	if (!region || region->start >= end)
		return -ENOMEM;
	if (grows == PROT_GROWSUP)
		return region->start > *start ? -ENOMEM : -EINVAL;
	if (!region->stack)
		return -EINVAL;
	*start = region->start;
	return 0;
}

int
do_mprotect(struct mm *mm, uaddr_t addr, u64 len, unsigned prot)
{
	unsigned grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
	struct lost lost = { .end = 0 };
	uaddr_t end;
	int err = 0;

	DEBUG_ASSERT(mutex_held(&mm->lock));
	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (!len)
		return 0;
	end = addr + ALIGN_UP(len, PAGE_SIZE);
	if (end <= addr)
		return -ENOMEM;
	prot &= ~grows;
	if (prot & ~(PROT_ALL | PROT_SEM))
		return -EINVAL;
	if (grows)
		err = find_stack_start(mm, &addr, end, grows);
	if (!err)
		err = protect_range(mm, addr, end, prot & PROT_ALL, &lost);
	if (lost.end)
		flush_tlb_range(mm, lost.start, lost.end, false);
	return err;
}

/* ---- mremap ----------------------------------------------------------- */

struct move {
	uaddr_t from, to;
	u64 old_len, new_len; /* old_len 0: a second view of a shared object */
	bool keep;	      /* the old region stays, its pages go or not */
};

/* May the first @old_len bytes at @addr, in @region, become @new_len? */
static int
check_resize(const struct region *region, uaddr_t addr, u64 old_len,
	     u64 new_len)
{
	u64 index = region->offset + ((addr - region->start) >> PAGE_SHIFT);

	if (!old_len && !region->shared)
		return -EINVAL;
	if (old_len > region->end - addr)
		return -EFAULT;
	if (region->object &&
	    index + (new_len >> PAGE_SHIFT) >
		    shared_object_pages(region->object))
		return -EINVAL;
	return 0;
}

/* Allocates what move_region() needs: the moved region, and a spare one where
 * it leaves a hole in the middle of the old one. */
static int
prepare_move(struct mm *mm, const struct region *region,
	     const struct move *move, struct region **moved,
	     struct region **spare)
{
	uaddr_t end = move->from + move->old_len;

	*spare = NULL;
	if (mm->regions.nr_regions + 2 > MAX_REGIONS)
		return -ENOMEM;
	*moved = region_dup(region);
	if (!*moved)
		return -ENOMEM;
	(*moved)->start = move->to;
	(*moved)->end = move->to + move->new_len;
	if (region->object)
		(*moved)->offset += (move->from - region->start) >> PAGE_SHIFT;
	if (move->keep || !needs_spare(mm, move->from, end))
		return 0;
	*spare = region_dup(region);
	if (*spare)
		return 0;
	region_free(*moved);
	return -ENOMEM;
}

/* Moves what is mapped. The pages live on, but nobody may reach them at the
 * old place, where something new may be mapped soon. */
static int
move_pages(struct mm *mm, const struct move *move)
{
	uaddr_t end = move->from + move->old_len;
	int tables = pgtable_move(mm, move->from, move->to, move->old_len);

	if (tables < 0)
		return tables;
	flush_tlb_range(mm, move->from, end, tables > 0);
	pgtable_release(mm, move->from, end);
	return 0;
}

/* Moves a part of @region to a range that is free. */
static long
move_region(struct mm *mm, struct region *region, const struct move *move)
{
	struct region *moved, *spare;
	int err;

	err = prepare_move(mm, region, move, &moved, &spare);
	if (err)
		return err;
	if (move->old_len)
		err = move_pages(mm, move);
	if (err) {
		region_free(moved);
		if (spare)
			region_free(spare);
		return err;
	}
	if (!move->keep)
		cut_regions(mm, move->from, move->from + move->old_len, spare);
	tree_insert(&mm->regions, moved);
	region_merge(mm, moved);
	return (long)move->to;
}

/* MREMAP_FIXED and MREMAP_DONTUNMAP: always a move. */
static long
remap_to(struct mm *mm, struct region *region, struct move move,
	 unsigned flags)
{
	long addr;
	int err;

	err = check_resize(region, move.from, MIN(move.old_len, move.new_len),
			   move.new_len);
	if (!err && (flags & MREMAP_FIXED))
		err = do_munmap(mm, move.to, move.new_len);
	if (!err && move.old_len > move.new_len) {
		err = do_munmap(mm, move.from + move.new_len,
				move.old_len - move.new_len);
		move.old_len = move.new_len;
	}
	if (err)
		return err;
	if (!(flags & MREMAP_FIXED)) {
		addr = find_free_range(mm, move.to, move.new_len);
		if (addr < 0)
			return addr;
		move.to = addr;
	}
	/* The unmapping above may have cut the region in two. */
	return move_region(mm, region_find(mm, move.from), &move);
}

/* Grows @region in place, when it ends where the caller says and what follows
 * is free. */
static bool
grow_in_place(struct mm *mm, struct region *region, uaddr_t old_end,
	      u64 growth)
{
	struct region *next = region_next(region);
	uaddr_t limit = next ? next->start : USER_END;

	if (region->end != old_end || growth > limit - old_end)
		return false;
	tree_resize(&mm->regions, region, region->start, old_end + growth);
	region_merge(mm, region);
	return true;
}

static long
grow_region(struct mm *mm, struct region *region, struct move move,
	    unsigned flags)
{
	long addr;
	int err = check_resize(region, move.from, move.old_len, move.new_len);

	if (err)
		return err;
	if (grow_in_place(mm, region, move.from + move.old_len,
			  move.new_len - move.old_len))
		return (long)move.from;
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	addr = find_free_range(mm, 0, move.new_len);
	if (addr < 0)
		return addr;
	move.to = addr;
	return move_region(mm, region, &move);
}

/* What can be said of the arguments alone. */
static int
check_mremap(const struct move *move, unsigned flags)
{
	if (flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP))
		return -EINVAL;
	if (!IS_ALIGNED(move->from, PAGE_SIZE) || !move->new_len ||
	    move->new_len > USER_END)
		return -EINVAL;
	if (!(flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)))
		return 0;
	if (!(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && move->old_len != move->new_len)
		return -EINVAL;
	if (!user_range_ok(move->to, move->new_len))
		return -EINVAL;
	if (move->from + move->old_len > move->to &&
	    move->to + move->new_len > move->from)
		return -EINVAL;
	return flags & MREMAP_FIXED ?
		       check_fixed_range(move->to, move->new_len) : 0;
}

long
do_mremap(struct mm *mm, uaddr_t addr, u64 old_len, u64 new_len,
	  unsigned flags, uaddr_t new_addr)
{
	struct move move = {
		.from = addr,
		.to = new_addr,
		.old_len = ALIGN_UP(old_len, PAGE_SIZE),
		.new_len = ALIGN_UP(new_len, PAGE_SIZE),
		.keep = (flags & MREMAP_DONTUNMAP) || !old_len,
	};
	struct region *region;
	int err;

	DEBUG_ASSERT(mutex_held(&mm->lock));
	err = check_mremap(&move, flags);
	if (err)
		return err;
	region = region_find(mm, addr);
	if (!region || region->start > addr)
		return -EFAULT;
	if (old_len > USER_END)
		return -EINVAL;
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		return remap_to(mm, region, move, flags);
	if (move.old_len > move.new_len) {
		err = do_munmap(mm, addr + move.new_len,
				move.old_len - move.new_len);
		return err ? err : (long)addr;
	}
	if (move.old_len == move.new_len)
		return (long)addr;
	return grow_region(mm, region, move, flags);
}

/* ---- madvise ---------------------------------------------------------- */

static bool
advice_known(int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_FREE:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return true;
	}
	return (advice >= MADV_NORMAL && advice <= MADV_WILLNEED) ||
	       (advice >= MADV_HUGEPAGE && advice <= MADV_DODUMP);
}

/* What @advice means for [start, end), a part of @region. */
static int
advise_part(struct mm *mm, struct region *region, uaddr_t start, uaddr_t end,
	    int advice)
{
	if (advice == MADV_FREE && region->object)
		return -EINVAL;
	if (advice == MADV_DONTNEED || advice == MADV_FREE)
		unmap_pages(mm, start, end);
	return 0;
}

int
do_madvise(struct mm *mm, uaddr_t addr, u64 len, int advice)
{
	u64 size = ALIGN_UP(len, PAGE_SIZE);
	uaddr_t end = addr + size;
	bool hole = false;

	DEBUG_ASSERT(mutex_held(&mm->lock));
	if (!advice_known(advice) || !IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if ((len && !size) || end < addr)
		return -EINVAL;
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return regions_populate(mm, addr, size,
					advice == MADV_POPULATE_WRITE);
	while (addr < end) {
		struct region *region = region_find(mm, addr);
		uaddr_t stop;
		int err;

		if (!region)
			return -ENOMEM;
		hole |= region->start > addr;
		if (region->start >= end)
			break;
		addr = MAX(addr, region->start);
		stop = MIN(end, region->end);
		err = advise_part(mm, region, addr, stop, advice);
		if (err)
			return err;
		addr = stop;
	}
	return hole ? -ENOMEM : 0; /* holes are skipped, and told */
}
