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

enum page_state {
	PAGE_RESERVED, /* never handed out, or inside a block: not its head */
	PAGE_FREE,     /* heads a block of the buddy allocator */
	PAGE_PCP,      /* free, on a CPU's list or in the zero pool */
	PAGE_USED,     /* heads a block that somebody owns */
};

struct page {
	atomic_t refs;	 /* owners; 0 when free */
	u8 order;	 /* of the block this frame heads */
	u8 state;	 /* enum page_state */
	u8 class;	 /* enum alloc_class, when PAGE_USED */
	u8 slab_order;	 /* of the slab that this frame is part of */
	union {
		struct list link;     /* free lists: the lock of mm/buddy.c */
		struct {	      /* class ALLOC_SLAB: mm/slab.c */
			struct kmem_cache *cache;
			u32 free_offset; /* of the first free object */
			u32 in_use;
		};
		struct {	      /* class ALLOC_TABLE: mm/pgtable.c */
			u32 used_entries;     /* detached ones included */
			u32 detached_entries;
			/* nothing below first or above last was ever used */
			u16 first_entry, last_entry;
		};
	};
	union {
		struct list slab_link;
		u64 private;
	};
};

/* One for each frame below boot_mem_end(). */
extern struct page *frames;
extern pfn_t nr_frames;

/* Builds the frame array from what boot_mem has left. Once, at boot. */
void frames_init(void);

/* 2^order frames, aligned to their size, one reference, contents undefined
 * (poisoned in debug builds). NULL when there is no memory. Any context. */
struct page *alloc_pages(unsigned order, enum alloc_class class) __must_check;
struct page *alloc_page(enum alloc_class class) __must_check;
/* One frame of zeroes, from the zeroer's pool when it has some. */
struct page *alloc_zeroed_page(enum alloc_class class) __must_check;

/* The same as alloc_pages(), but not seen by fail_allocation(): for other
 * allocators, which have asked already. */
struct page *alloc_pages_uncounted(unsigned order, enum alloc_class class)
	__must_check;

/* Takes one more reference; the frame must have one. */
static inline void
get_page(struct page *page)
{
	int refs = atomic_add_return(&page->refs, 1);

	DEBUG_ASSERT(refs > 1);
	(void)refs;
}

/* Gives one back; the last one frees the block. Any context. */
void put_page(struct page *page);
/* Frees a block whose only reference is the caller's. */
void free_pages(struct page *page, unsigned order);

/* Stops with a sentence: @addr is no frame's. */
void no_such_frame(paddr_t addr) __noreturn;

static inline bool
phys_valid(paddr_t addr)
{
	return addr >> PAGE_SHIFT < nr_frames;
}

static inline struct page *
phys_to_page(paddr_t addr)
{
	if (unlikely(!phys_valid(addr)))
		no_such_frame(addr);
	return &frames[addr >> PAGE_SHIFT];
}

static inline paddr_t
page_to_phys(const struct page *page)
{
	return (paddr_t)(page - frames) << PAGE_SHIFT;
}

static inline void *
page_address(const struct page *page)
{
	return phys_to_virt(page_to_phys(page));
}

static inline struct page *
virt_to_page(const void *ptr)
{
	return phys_to_page(virt_to_phys(ptr));
}

/* Zeroes one frame into the pool for alloc_zeroed_page(); false when the pool
 * is full or memory is short. The zeroer thread calls it. */
bool zero_pool_refill(void);
/* Is the pool less than half full, so that the zeroer should be woken? */
bool zero_pool_low(void);
void zero_pool_drain(void);

/* Gives this CPU's list of single frames back to the buddy allocator. */
void drain_local_pages(void);

u64 nr_total_pages(void);
/* Exact when nothing allocates: buddy, per-CPU lists and zero pool. */
u64 nr_free_pages(void);
u64 nr_class_pages(enum alloc_class class);
/* Besides @spare frames, is less than a sixteenth free? About: CPUs keep some. */
bool memory_is_low(u64 spare);

/* Frees every block on the free lists against the frame array: order,
 * alignment, state, no overlap. Panics with what it found. Debug builds:
 * kernel/debug/frames_check.c. */
void check_free_lists(void);
