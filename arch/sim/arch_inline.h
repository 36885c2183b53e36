/*
 * The inline half of arch/arch.h for the simulated machine. Next to nothing is
 * inline here: what the simulator does must not be instrumented, so the
 * kernel's files, which are, call it. The page table entry is the machine's.
 */
#pragma once

#include "kernel/base/types.h"
#include "arch/x86/pte.h"

#define USER_START  0x0000000000010000ul
#define USER_END    0x00007ffffffff000ul
#define KSTACK_SIZE 16384ul

struct cpu;
struct task;

/* Physical memory; address 0 is its first byte. */
extern char sim_memory[];

static inline void *
phys_to_virt(paddr_t addr)
{
	return sim_memory + addr;
}

static inline paddr_t
virt_to_phys(const void *ptr)
{
	return (paddr_t)((const char *)ptr - sim_memory);
}

/* Calls, and no variables that a compiler could read once for two: the next
 * line may run on another CPU. machine.c */
struct cpu *this_cpu(void);
struct task *arch_current(void);

/* interrupts.c */
void arch_cpu_relax(void);
u64 arch_irq_save(void);
void arch_irq_restore(u64 flags);
void arch_irq_enable(void);
void arch_irq_disable(void);
bool arch_irqs_on(void);

/* The user's registers: none are simulated. */
struct regs {
	u64 unused;
};

struct arch_task {
	u64 sp;			/* where coro_switch() left it */
	bool on_stack;		/* some CPU runs on its stack */
	void (*fn)(void *);	/* NULL: a user task */
	void *arg;
	struct regs regs;
};
