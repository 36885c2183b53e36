/*
 * What the files behind mm/region.h share: mm/region.c (a region's life),
 * mm/region_change.c (mprotect, mremap, madvise) and mm/fault.c. All of it
 * needs mm->lock.
 */
#pragma once

#include "mm/mm.h"
#include "mm/region_tree.h"

/* A copy of @like that is in no tree, with a reference on its object; NULL:
 * no memory. */
struct region *region_dup(const struct region *like) __must_check;
/* Frees a region that is in no tree, and its reference on its object. */
void region_free(struct region *region);

/* Joins @region with neighbours of the same kind; returns the result. */
struct region *region_merge(struct mm *mm, struct region *region);

/* Moves the start of @region up or down to @start, its offset with it. */
void region_set_start(struct mm *mm, struct region *region, uaddr_t start);

/* Cuts @region in two at @addr; @upper, a copy of it, becomes the upper part. */
void region_split(struct mm *mm, struct region *region, uaddr_t addr,
		  struct region *upper);

/* Is [addr, addr + len) whole pages below USER_END, without overflow? */
bool user_range_ok(uaddr_t addr, u64 len);

/* Where a new range of @len bytes may go: at @hint if that is free, else
 * where placement finds room; -ENOMEM. */
long find_free_range(struct mm *mm, uaddr_t hint, u64 len);
/* May MAP_FIXED and its kin use [addr, addr + len)? -ENOMEM, -EINVAL (not on
 * a page), -EPERM (below USER_START). */
int check_fixed_range(uaddr_t addr, u64 len);

/* The pages of [start, end) and emptied tables go back; the regions stay. */
void unmap_pages(struct mm *mm, uaddr_t start, uaddr_t end);

/* Takes [start, end) out of the tree, where nothing is mapped any more.
 * @spare is used up when a hole is made in the middle of a region, which is
 * what needs_spare() tells beforehand; else it may be NULL. */
bool needs_spare(struct mm *mm, uaddr_t start, uaddr_t end);
void cut_regions(struct mm *mm, uaddr_t start, uaddr_t end,
		 struct region *spare);

/* PAGE_* permissions for page table entries of memory with @prot. Without
 * PAGE_USER (PROT_NONE) the entry is hidden: it keeps its frame. Whatever can
 * be used can be read. */
unsigned page_prot(u8 prot);

/* Makes the page at @addr, inside @region, present, for writing if @write:
 * -ENOMEM. Rights have been checked. mm/fault.c. */
int fault_in(struct mm *mm, struct region *region, uaddr_t addr, bool write);
