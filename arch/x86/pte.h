/*
 * The page table entry of x86-64. Intel SDM volume 3, chapter 4 for the bits.
 * No instruction of the machine is needed here, so that host builds use the
 * same file.
 *
 * A leaf entry is in one of four states:
 *
 *   none      all zero
 *   present   translates
 *   hidden    keeps its frame and does not translate (PROT_NONE)
 *   detached  on its way out: its frame is given back after the TLB flush
 *
 * An entry for a lower table is none, present or detached. While the present
 * bit is off the other bits are software's.
 */
#pragma once

#include "kernel/base/types.h"

typedef struct {
	u64 bits;
} pte_t;

#define PTES_PER_TABLE 512u
#define TABLE_LEVELS   4 /* level 4 is the root, level 1 holds pages */
#define USER_ROOT_PTES 256u /* root entries below this are the user's */

#define PTE_P	     (1ul << 0)
#define PTE_W	     (1ul << 1)
#define PTE_U	     (1ul << 2)
#define PTE_PWT	     (1ul << 3)
#define PTE_PCD	     (1ul << 4)
#define PTE_A	     (1ul << 5)
#define PTE_D	     (1ul << 6)
#define PTE_PS	     (1ul << 7)
#define PTE_G	     (1ul << 8)
#define PTE_HIDDEN   (1ul << 9)  /* ours: with P off, the entry is hidden */
#define PTE_DETACHED (1ul << 10) /* ours: with P off, it is detached */
#define PTE_FIXED    (1ul << 11) /* ours: no frame of the allocator's */
#define PTE_NX	     (1ul << 63)
#define PTE_FRAME    0x000ffffffffff000ul
/* What belongs to the memory, whatever may be done with it. */
#define PTE_KIND     (PTE_FIXED | PTE_PWT | PTE_PCD)

/* Which entry of the table at @level translates @addr. */
static inline unsigned
pte_index(u64 addr, int level)
{
	return (addr >> (PAGE_SHIFT + 9 * (level - 1))) & (PTES_PER_TABLE - 1);
}

/* Bytes that one entry of a table at @level covers. */
static inline u64
pte_span(int level)
{
	return PAGE_SIZE << (9 * (level - 1));
}

/* ---- Access: the machine walks the tables while we change them --------- */

static inline pte_t
pte_read(const pte_t *entry)
{
	return (pte_t){ __atomic_load_n(&entry->bits, __ATOMIC_RELAXED) };
}

/* Release: what the entry points at is complete before the entry is seen.
 * A plain store may lose an accessed or dirty bit that the machine sets at
 * the same moment; nothing here relies on those two. */
static inline void
pte_write(pte_t *entry, pte_t pte)
{
	__atomic_store_n(&entry->bits, pte.bits, __ATOMIC_RELEASE);
}

static inline void
pte_clear(pte_t *entry)
{
	pte_write(entry, (pte_t){ 0 });
}

/* ---- Making ------------------------------------------------------------ */

/* A 4 KiB page with the PAGE_* permissions @prot. */
static inline pte_t
pte_make(paddr_t frame, unsigned prot)
{
	return (pte_t){ frame | PTE_P |
			((prot & PAGE_WRITE) ? PTE_W : 0) |
			((prot & PAGE_USER) ? PTE_U : PTE_G) |
			((prot & PAGE_UNCACHED) ? PTE_PCD | PTE_PWT : 0) |
			((prot & PAGE_FIXED) ? PTE_FIXED : 0) |
			((prot & PAGE_EXEC) ? 0 : PTE_NX) };
}

/* An entry that points at the next lower table; leaves decide permissions. */
static inline pte_t
pte_make_table(paddr_t table, bool user)
{
	return (pte_t){ table | PTE_P | PTE_W | (user ? PTE_U : 0) };
}

static inline pte_t
pte_wrprotect(pte_t pte)
{
	return (pte_t){ pte.bits & ~PTE_W };
}

/* A user's page that keeps its frame but may not be touched at all. */
static inline pte_t
pte_make_hidden(paddr_t frame)
{
	return (pte_t){ frame | PTE_HIDDEN };
}

/* The same frame or table, no longer translating, waiting for its release. */
static inline pte_t
pte_detach(pte_t pte)
{
	return (pte_t){ (pte.bits & (PTE_FRAME | PTE_FIXED)) | PTE_DETACHED };
}

/* @pte for memory of the kind that @old is for. */
static inline pte_t
pte_of_kind(pte_t pte, pte_t old)
{
	return (pte_t){ pte.bits | (old.bits & PTE_KIND) };
}

/* ---- Asking ------------------------------------------------------------ */

static inline bool
pte_none(pte_t pte)
{
	return pte.bits == 0;
}

static inline bool
pte_present(pte_t pte)
{
	return pte.bits & PTE_P;
}

static inline bool
pte_hidden(pte_t pte)
{
	return (pte.bits & (PTE_P | PTE_HIDDEN)) == PTE_HIDDEN;
}

static inline bool
pte_detached(pte_t pte)
{
	return (pte.bits & (PTE_P | PTE_DETACHED)) == PTE_DETACHED;
}

/* Does a leaf entry hold a frame that is in use? */
static inline bool
pte_mapped(pte_t pte)
{
	return pte_present(pte) || pte_hidden(pte);
}

/* The same, but for the bits that the machine sets by itself? */
static inline bool
pte_same(pte_t a, pte_t b)
{
	return ((a.bits ^ b.bits) & ~(PTE_A | PTE_D)) == 0;
}

/* Is it for memory without a reference count: a device's, or the boot
 * module's? */
static inline bool
pte_fixed(pte_t pte)
{
	return pte.bits & PTE_FIXED;
}

/* Is it a device's, which the direct map does not have? */
static inline bool
pte_uncached(pte_t pte)
{
	return pte.bits & PTE_PCD;
}

static inline bool
pte_writable(pte_t pte)
{
	return pte.bits & PTE_W;
}

static inline bool
pte_executable(pte_t pte)
{
	return !(pte.bits & PTE_NX);
}

static inline bool
pte_user(pte_t pte)
{
	return pte.bits & PTE_U;
}

static inline paddr_t
pte_paddr(pte_t pte)
{
	return pte.bits & PTE_FRAME;
}
