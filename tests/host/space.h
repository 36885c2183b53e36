/*
 * Address spaces on the host, for tests of regions and faults: the kernel's
 * own region, fault and page table code over host_boot_memory(), plus a
 * machine that touches pages through a TLB, so that a missing or late flush
 * is seen. Name tests/host/space.c in the test's "// with:" line.
 */
#pragma once

#include "host.h"

#include "mm/mm.h"

enum { SPACE_TLB_SIZE = 512 };

struct space_tlb_entry {
	uaddr_t page;	/* 0: unused */
	paddr_t frame;
	bool writable, executable;
};

struct space {
	struct mm mm;
	struct space_tlb_entry tlb[SPACE_TLB_SIZE];
	/* Leaf tables that a lazy CPU may still walk: it is told of freed
	 * tables alone. */
	struct page *walked[SPACE_TLB_SIZE];
	unsigned flushes;     /* calls of flush_tlb_*() */
	unsigned table_flushes; /* those with freed_tables */
};

/* What the machine saved at a fault. */
struct regs {
	bool user;	/* came from user mode */
	bool may_fault; /* the instruction is in the exception table */
	bool fixed;	/* arch_fixup_exception() has moved it on */
	u64 ip;
};

/* What user_exception() was last called with. */
extern int space_signal;
extern char space_signal_text[256];

/* What another CPU does while a flush is on its way. Called once. */
extern void (*space_during_flush)(void);

/* Boots the memory code with @bytes and notes what is free. */
void space_boot(u64 bytes);
/* Everything allocated since space_boot() must have come back. */
void space_check_all_back(void);

/* An empty address space; NULL: no memory. */
struct space *space_new(void);
/* Tears it down as the last mmput would, and checks that it is empty. */
void space_free(struct space *space);

/* One access to 8 bytes, with as many faults as it takes. 0, or the error of
 * the fault that refused it. */
int space_read(struct space *space, uaddr_t addr, u64 *value);
int space_write(struct space *space, uaddr_t addr, u64 value);
int space_execute(struct space *space, uaddr_t addr);

/* Checks regions, page counts, and that nothing in the TLB is stale. */
void space_check(struct space *space);

/* The system calls, under mm->lock. */
#define SPACE_CALL(space, fn, ...)                                  \
	({                                                          \
		mutex_lock(&(space)->mm.lock);                      \
		long result_ = fn(&(space)->mm, ##__VA_ARGS__);     \
		mutex_unlock(&(space)->mm.lock);                    \
		result_;                                            \
	})

/* Fork: a new space with a copy of @parent; NULL: -ENOMEM. */
struct space *space_fork(struct space *parent);
