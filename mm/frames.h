/*
 * Between the files of the frame allocator; nobody else includes this.
 *
 *   page_alloc.c  references, classes, per-CPU lists: what mm/page.h promises
 *   buddy.c       free blocks of 2^order frames
 *   zero_pool.c   frames zeroed ahead of need
 *
 * A free frame outside the buddy allocator has the state PAGE_PCP.
 */
#pragma once

#include "mm/page.h"

/* ---- buddy.c ----------------------------------------------------------- */

/* The free blocks of one order. Under frames_lock, as is free_buddy(). */
struct free_area {
	struct list blocks; /* struct page, link */
	u64 nr_blocks;
};
extern struct free_area free_areas[MAX_ORDER + 1];
extern struct spinlock frames_lock;

/* The buddy of block @pfn when all of it is free, else NULL. */
struct page *free_buddy(pfn_t pfn, unsigned order);

void buddy_init(void);
/* Gives memory that was never free before; whole frames. */
void buddy_add_range(pfn_t start, pfn_t end);

/* One block, in state PAGE_PCP; NULL: there is none. Any context. */
struct page *buddy_take(unsigned order);
void buddy_give(struct page *page, unsigned order);
/* Single frames, up to @n of them under one lock; returns how many. */
unsigned buddy_take_many(struct page **pages, unsigned n);
void buddy_give_many(struct page **pages, unsigned n);
u64 buddy_nr_free(void); /* frames */

/* ---- page_alloc.c ------------------------------------------------------ */

/* A free frame for nobody yet, from this CPU's list; or NULL. */
struct page *take_free_page(void);
/* Gives such a frame back. */
void give_free_page(struct page *page);

/* ---- zero_pool.c ------------------------------------------------------- */

void zero_pool_init(u64 total_pages);
/* A frame of zeroes in state PAGE_PCP, or NULL. */
struct page *zero_pool_take(void);
u64 zero_pool_count(void);
