/*
 * The tree behind mm/region.h: balanced by height (AVL), ordered by address,
 * each node with the largest gap of its subtree. For mm/ alone; all of it
 * needs mm->lock.
 *
 * Read Linux 6.0 and before: mm/mmap.c, vm_unmapped_area. (Later kernels keep
 * their regions in a maple tree.)
 */
#pragma once

#include "mm/region.h"

/* What a stack may grow to, and how far it must stay from what is mapped
 * below it (Linux: RLIMIT_STACK, stack_guard_gap). */
#define STACK_MAX   (8ul << 20)
#define STACK_GUARD (1ul << 20)

/* Room for the first stack and its guard stays free above this address, where
 * placement begins, downwards. */
#define MMAP_BASE (USER_END - (16ul << 20))

/* Linux's max_map_count. */
enum { MAX_REGIONS = 65530 };

struct region *region_first(struct mm *mm);
struct region *region_prev(struct region *region);

/* How much room there is for a new region between @region and @prev, the one
 * before it (or NULL). */
u64 gap_between(const struct region *prev, const struct region *region);

/* @region, filled in but for the links, becomes part of the tree; it must
 * overlap none. */
void tree_insert(struct region_tree *tree, struct region *region);
/* Takes @region out; it stays the caller's. */
void tree_remove(struct region_tree *tree, struct region *region);
/* Moves the borders of @region, never past a neighbour. */
void tree_resize(struct region_tree *tree, struct region *region,
		 uaddr_t start, uaddr_t end);

/* The highest address of a free range of @len bytes inside [low, high), clear
 * of stacks' guard gaps; 0: there is none. */
uaddr_t tree_place(const struct region_tree *tree, u64 len, uaddr_t low,
		   uaddr_t high);
