/*
 * The user half of an address space's page tables, built on demand. Nothing
 * here flushes a TLB: callers do, between the two passes of an unmap.
 *
 * Unmapping takes two passes so that one shootdown serves any range and no
 * list of frames is needed: pgtable_detach() takes the present bit away but
 * leaves the address in the entry; after the flush pgtable_release() gives
 * the frames and the emptied tables back. Between the two nothing else may
 * touch the range: the caller holds mm->lock, or is the last user.
 *
 * A table's frame counts its entries in use (struct page, used_entries), so
 * that an emptied table is noticed at once: when the last entry of a table is
 * detached, so is the entry above that leads to it, up to the root.
 *
 * What works on a range has preemption points between leaf tables.
 *
 * mm->nr_pages goes down with the detach, mm->nr_tables with the release.
 *
 * Everything here needs mm->lock, or the last user; and all addresses are
 * those of pages. Kernel stacks (mm/kstack.c) are mapped by the same code,
 * with @prot without PAGE_USER, in an area of the kernel's root.
 */
#pragma once

#include "mm/page.h"

struct mm;

/* A new root: kernel half as in init_mm, user half empty. 0: no memory. */
paddr_t pgtable_alloc_root(void);
/* The user half must be empty. */
void pgtable_free_root(paddr_t root);

/* The leaf entry of @addr, or NULL when there is no table for it. Something
 * is mapped there when pte_mapped(); it translates when pte_present(). */
pte_t *pgtable_lookup(struct mm *mm, uaddr_t addr);

/* Maps @page at @addr, which must not be mapped; takes over the caller's
 * reference to @page. -ENOMEM: nothing changed. */
int pgtable_map(struct mm *mm, uaddr_t addr, struct page *page, unsigned prot);

/* The same where pgtable_lookup() has found @entry, which holds nothing. */
void pgtable_fill(struct mm *mm, pte_t *entry, struct page *page,
		  unsigned prot);

/* The same, with memory at @frame that is no frame of the allocator's: @prot
 * has PAGE_FIXED. -ENOMEM: nothing changed. */
int pgtable_map_fixed(struct mm *mm, uaddr_t addr, paddr_t frame,
		      unsigned prot);

/* Puts @page in the place of what is mapped at @addr; returns the old frame,
 * whose reference is now the caller's, to be put after a flush. */
struct page *pgtable_replace(struct mm *mm, uaddr_t addr, struct page *page,
			     unsigned prot);

/* Changes the permissions of what is mapped in [start, end); pages with more
 * than one owner in a private region stay unwritable (@cow). @prot without
 * PAGE_USER is PROT_NONE: the pages are hidden, kept but out of reach, until
 * the next call. Returns whether any entry lost a right, so that a flush is
 * needed. */
bool pgtable_protect(struct mm *mm, uaddr_t start, uaddr_t end, unsigned prot,
		     bool cow);

/* What pgtable_detach() found. */
struct detached {
	u64 pages;  /* pages that were mapped */
	u64 tables; /* tables emptied, to be freed */
};
struct detached pgtable_detach(struct mm *mm, uaddr_t start, uaddr_t end);
void pgtable_release(struct mm *mm, uaddr_t start, uaddr_t end);

/* fork: maps in @dst what @src maps in [start, end), sharing the frames;
 * @cow: both sides lose the right to write. -ENOMEM: @dst may be partly
 * filled (the caller tears it down). *wrprotected: @src lost a right. */
int pgtable_copy(struct mm *dst, struct mm *src, uaddr_t start, uaddr_t end,
		 bool cow, bool *wrprotected);

/* Moves the mapped pages of [from, from + len) to @to (mremap); nothing may
 * be mapped there and the ranges may not overlap. -ENOMEM: nothing moved.
 * Otherwise [from, from + len) is detached, and the result is the number of
 * tables that this emptied: the caller flushes that range and releases it. */
int pgtable_move(struct mm *mm, uaddr_t from, uaddr_t to, u64 len);

/* Teardown at users == 0, in the same two passes over the whole user half. */
void pgtable_detach_all(struct mm *mm);
void pgtable_release_all(struct mm *mm);

/* ---- Checks of debug builds: kernel/debug/pgtable_check.c -------------- */

/* Is there no entry at all in the user half of @root? (I5) */
bool pgtable_user_empty(paddr_t root);
/* Is the kernel half the same as init_mm's, entry by entry? (I12) */
bool pgtable_kernel_intact(paddr_t root);
