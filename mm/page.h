/*
 * Page frames: a buddy allocator (orders 0 to MAX_ORDER) behind small per-CPU
 * lists of single frames, and one reference count a frame.
 *
 * Read Linux: mm/page_alloc.c, __rmqueue_smallest and __free_one_page.
 */
#pragma once

#include "kernel/base/assert.h"
#include "kernel/base/list.h"
#include "kernel/base/spinlock.h"
#include "arch/arch.h"

enum { MAX_ORDER = 10 };

/* What a frame is used for: shown in statistics, and the class that
 * fail_allocation() selects. */
enum alloc_class {
	ALLOC_USER,  /* a user's page */
	ALLOC_TABLE, /* a page table */
	ALLOC_SLAB,  /* kernel objects */
	ALLOC_STACK, /* kernel stacks */
	ALLOC_KERNEL, /* anything else */
	NR_ALLOC_CLASSES,
};

enum page_state { PAGE_RESERVED, PAGE_FREE, PAGE_PCP, PAGE_USED };

struct page {
	atomic_t refs;	 /* owners; 0 when free */
	u8 order;	 /* of the block this frame heads */
	u8 state;	 /* enum page_state */
	u8 class;	 /* enum alloc_class, when PAGE_USED */
	u8 slab_order;
	union {
		struct list link;     /* free lists */
		struct {	      /* class ALLOC_SLAB: mm/slab.c */
			struct kmem_cache *cache;
			void *free_objects;
		};
		u64 used_entries;     /* class ALLOC_TABLE: mm/pgtable.c */
	};
	union {
		struct list slab_link;
		u64 private;
	};
};

/* Builds the frame array from what boot_mem has left. Once, at boot. */
void frames_init(void);

/* 2^order frames, aligned to their size, one reference, contents undefined
 * (poisoned in debug builds). NULL when there is no memory. Any context. */
struct page *alloc_pages(unsigned order, enum alloc_class class) __must_check;
struct page *alloc_page(enum alloc_class class) __must_check;
/* One frame of zeroes, from the zeroer's pool when it has some. */
struct page *alloc_zeroed_page(enum alloc_class class) __must_check;

/* Takes one more reference; the frame must have one. */
void get_page(struct page *page);
/* Gives one back; the last one frees the block. Any context. */
void put_page(struct page *page);
/* Frees a block whose only reference is the caller's. */
void free_pages(struct page *page, unsigned order);

struct page *phys_to_page(paddr_t addr); /* panics: no such frame */
bool phys_valid(paddr_t addr);
paddr_t page_to_phys(const struct page *page);
void *page_address(const struct page *page);
struct page *virt_to_page(const void *ptr);

/* Zeroes one frame into the pool for alloc_zeroed_page(); false when the pool
 * is full or memory is short. The zeroer thread calls it. */
bool zero_pool_refill(void);
bool zero_pool_low(void);
void zero_pool_drain(void);

/* Gives this CPU's list of single frames back to the buddy allocator. */
void drain_local_pages(void);

u64 nr_total_pages(void);
/* Exact when nothing allocates: buddy, per-CPU lists and zero pool. */
u64 nr_free_pages(void);
u64 nr_class_pages(enum alloc_class class);

/* Frees every block on the free lists against the frame array: order,
 * alignment, state, no overlap. Panics with what it found. Debug builds. */
void check_free_lists(void);
