/* Between mmu.c and tables.c: what CPUs may hold, and what changed. */
#pragma once

#include "arch/sim/sim.h"

enum { MAX_CHANGES = 1024, MAX_PAGE_FLUSHES = 128 };

/* An entry of some table under @root lost something. */
struct change {
	paddr_t root;
	uaddr_t addr;		/* first address that it translated */
	paddr_t frame;		/* where to: a page, or a table */
	u64 when;
	const struct task *author;
	u8 level;		/* of the entry; 1: it led to a page */
	bool writable;		/* only the right to write was lost */
	bool freed;		/* nobody has the page any more */
};

struct mmu {
	paddr_t root;		/* CR3 */
	u64 flushed;		/* when everything was dropped */
	u64 walked;		/* when the paging-structure cache was dropped */
	bool in_user;
	unsigned nr_pages;
	struct {
		uaddr_t addr;
		u64 when;
	} pages[MAX_PAGE_FLUSHES]; /* single pages flushed since */
};

extern struct mmu mmus[SIM_MAX_CPUS];
extern struct change mmu_changes[MAX_CHANGES];
extern unsigned mmu_nr_changes;

/* A moment later than all before. */
u64 mmu_tick(void);

/* To the explorer a root is one word, which this announces. */
void mmu_touch_root(paddr_t root, enum op_kind kind, u64 caller);

/* May this CPU hold the page translation as it was before @change? */
bool mmu_may_hold(const struct mmu *mmu, const struct change *change);
/* It does, and must not. */
void mmu_stale(unsigned cpu, const struct change *change) __noreturn;
