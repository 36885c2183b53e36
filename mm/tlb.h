/*
 * What each CPU has loaded, lazy mode, and shootdowns.
 *
 * Every change to an address space that some CPU may have cached raises
 * mm->tlb_gen; each CPU remembers in seen_gen how far it has flushed. A lazy
 * CPU uses no user address, so it is not interrupted for freed *pages*: it
 * compares generations when it stops being lazy. Freed *tables* are another
 * matter, since the machine may walk them on its own: lazy CPUs are told.
 *
 * Read Linux: arch/x86/mm/tlb.c.
 */
#pragma once

#include "kernel/base/cpu.h"

struct mm;

/* The two rarer cases of switch_mm(), on this CPU: another root, or the same
 * one, but lazy so far. */
void load_mm(struct cpu *cpu, struct mm *next);
void leave_lazy_tlb(struct cpu *cpu);

/* Makes @next the loaded address space and leaves lazy mode. Interrupts off.
 * Writes CR3 only when @next is not loaded yet or has changed meanwhile. */
static inline void
switch_mm(struct mm *next)
{
	struct cpu *cpu = this_cpu();

	if (cpu->loaded != next)
		load_mm(cpu, next);
	else if (cpu->lazy)
		leave_lazy_tlb(cpu);
	else
		cpu->counts[COUNT_CR3_SPARED]++;
}

/* This CPU's next task only borrows what is loaded. Interrupts off. */
void enter_lazy_tlb(void);

/* This CPU, lazy, moves to init_mm's root. Touches no counter: the borrow
 * stays. Interrupts off. */
void leave_mm(void);

/* After entries of @mm in [start, end) lost rights or went away: returns when
 * no CPU can use the old ones. @freed_tables: page tables will be freed, so
 * lazy CPUs are told too. May be called with interrupts on only, and with no
 * spin lock held. */
void flush_tlb_range(struct mm *mm, uaddr_t start, uaddr_t end,
		     bool freed_tables);
void flush_tlb_page(struct mm *mm, uaddr_t addr);
/* The whole user half, at teardown. */
void flush_tlb_mm(struct mm *mm);

/* Every CPU drops everything: after kernel mappings were taken away. */
void flush_tlb_all(void);
