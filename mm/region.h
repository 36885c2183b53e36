/*
 * Regions: what a process may find where. A tree by address, balanced, with
 * the largest gap of each subtree, so that lookup and placement are O(log n).
 *
 * Everything here needs mm->lock, but for the calls made by the last user.
 * Numbers, flags and errors are Linux's (mm/mmap.c, mm/mprotect.c,
 * mm/mremap.c, mm/madvise.c).
 */
#pragma once

#include "kernel/base/types.h"

#define PROT_NONE  0
#define PROT_READ  1
#define PROT_WRITE 2
#define PROT_EXEC  4
#define PROT_ALL   7
#define PROT_SEM   8 /* means nothing */
#define PROT_GROWSDOWN 0x01000000 /* mprotect: from the stack's start on */
#define PROT_GROWSUP   0x02000000

#define MAP_SHARED	    0x01
#define MAP_PRIVATE	    0x02
#define MAP_SHARED_VALIDATE 0x03
#define MAP_TYPE	    0x0f
#define MAP_FIXED	    0x10
#define MAP_ANONYMOUS	    0x20
#define MAP_GROWSDOWN	    0x0100
#define MAP_NORESERVE	    0x4000
#define MAP_POPULATE	    0x8000
#define MAP_NONBLOCK	    0x10000
#define MAP_STACK	    0x20000
#define MAP_FIXED_NOREPLACE 0x100000

#define MREMAP_MAYMOVE	 1
#define MREMAP_FIXED	 2
#define MREMAP_DONTUNMAP 4

#define MADV_NORMAL	    0
#define MADV_WILLNEED	    3
#define MADV_DONTNEED	    4
#define MADV_FREE	    8
#define MADV_HUGEPAGE	    14
#define MADV_DODUMP	    17
#define MADV_COLD	    20
#define MADV_PAGEOUT	    21
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23

struct mm;

/* A page store for MAP_SHARED memory, shared by the mms that map it. */
struct shared_object;

struct region {
	uaddr_t start, end;	/* [start, end), whole pages */
	u8 prot;		/* PROT_* */
	u8 denied;		/* PROT_* that mprotect cannot give */
	bool shared;
	bool stack;		/* grows down; keeps a guard gap below */
	struct shared_object *object; /* its pages, with shared; those that it
				 * has not written to, without; or NULL ... */
	u64 offset;		/* ... and which of them start is, in pages */

	/* the tree: guarded by mm->lock */
	struct region *parent, *child[2]; /* of lower, of higher addresses */
	int height;
	u64 gap_before;		/* bytes free between the previous region and
				 * this one, a stack's guard gap not counted */
	u64 max_gap;		/* the largest gap_before in this subtree */
};

/* Two regions that touch are never of the same kind: they are joined. */
struct region_tree {
	struct region *root;
	u64 nr_regions;
	u64 bytes;		/* sum of sizes */
};

void regions_init(void); /* at boot, after slab_init(): caches */
void region_tree_init(struct region_tree *tree);

/* The first region with end > @addr, or NULL. */
struct region *region_find(struct mm *mm, uaddr_t addr);
struct region *region_next(struct region *region);
/* Checks order, overlap, heights, gaps and totals; panics with what is wrong.
 * Debug builds and host tests: kernel/debug/region_check.c. */
void region_check(struct mm *mm);

/*
 * The system calls, with mm->lock held. What fails for want of memory has
 * changed nothing, with two exceptions, as in Linux: after mprotect, regions
 * before the one that failed have the new rights; mremap may have unmapped
 * MREMAP_FIXED's target and what is cut off the old range.
 *
 * do_mmap and do_mremap return an address or a negative errno; do_brk returns
 * the new brk, or the old one when it failed. @stack: mark the region as
 * growing down. Without MAP_ANONYMOUS do_mmap returns -ENOSYS: files are a
 * server's business. MAP_POPULATE is served.
 */
long do_mmap(struct mm *mm, uaddr_t hint, u64 len, unsigned prot,
	     unsigned flags, bool stack);
int do_munmap(struct mm *mm, uaddr_t addr, u64 len);
/* Maps like->object, from page like->offset on, with like's prot, denied and
 * shared, at @addr, or, with 0, where there is room; the region takes a
 * reference of its own. */
long do_map_object(struct mm *mm, uaddr_t addr, u64 len,
		   const struct region *like);
int do_mprotect(struct mm *mm, uaddr_t addr, u64 len, unsigned prot);
long do_mremap(struct mm *mm, uaddr_t addr, u64 old_len, u64 new_len,
	       unsigned flags, uaddr_t new_addr);
long do_brk(struct mm *mm, uaddr_t brk);
/* MADV_DONTNEED, MADV_FREE (the same here), MADV_POPULATE_* (served at once)
 * and the advice that needs nothing; -EINVAL for any other. */
int do_madvise(struct mm *mm, uaddr_t addr, u64 len, int advice);

/* Makes the pages of [addr, addr + len) present, for writing if @write, as
 * their regions allow: -ENOMEM (a hole, or no memory), -EINVAL (forbidden, or
 * not whole user pages), -EINTR (told to die); what came before stays present.
 * Used by madvise(MADV_POPULATE_*), MAP_POPULATE, exec and the prefaulter. Read
 * Linux: mm/gup.c, faultin_vma_page_range. */
int regions_populate(struct mm *mm, uaddr_t addr, u64 len, bool write);

/* Fork: regions and page tables of @src into the empty @dst, both sides of a
 * private page unwritable. @src's lock held. -ENOMEM: @dst is half filled,
 * to be torn down by mmput. Flushes @src where it lost rights. */
int regions_copy(struct mm *dst, struct mm *src);

/* Teardown at users == 0: detach everything, tell every CPU that may walk
 * these tables (also lazy ones), then give frames, tables, regions and shared
 * objects back. Called by mmput alone. Read Linux: mm/mmap.c, exit_mmap. */
void exit_mmap(struct mm *mm);

/* Serves a fault of the current task's own mm, or of an adopted one.
 * @flags: FAULT_*. 0: try again; -EFAULT: no such right (signal 11);
 * -ENOMEM. Takes mm->lock. */
int mm_fault(struct mm *mm, uaddr_t addr, unsigned flags);
