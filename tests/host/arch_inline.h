/*
 * The inline half of arch/arch.h for programs on the host: one CPU at a time,
 * chosen by host_use_cpu(); interrupts are a variable; physical memory is an
 * arena. The page table entry is the machine's own.
 */
#pragma once

#include "kernel/base/types.h"
#include "arch/x86/pte.h"

#define USER_START  0x0000000000010000ul
#define USER_END    0x00007ffffffff000ul
#define KSTACK_BASE 0xffffc00000000000ul
#define KSTACK_END  0xffffc08000000000ul
#define KSTACK_SIZE 16384ul

struct cpu;
struct task;

extern struct cpu *host_cpu;
extern bool host_irqs_on;
extern char *host_memory;	/* where physical address 0 is */
struct task *host_current(void);

static inline void *
phys_to_virt(paddr_t addr)
{
	return host_memory + addr;
}

static inline paddr_t
virt_to_phys(const void *ptr)
{
	return (paddr_t)((const char *)ptr - host_memory);
}

static inline struct cpu *
this_cpu(void)
{
	return host_cpu;
}

static inline struct task *
arch_current(void)
{
	return host_current();
}

static inline void
arch_cpu_relax(void)
{
}

static inline u64
arch_irq_save(void)
{
	u64 flags = host_irqs_on;

	host_irqs_on = false;
	return flags;
}

static inline void
arch_irq_restore(u64 flags)
{
	host_irqs_on = flags;
}

static inline bool
arch_irqs_on(void)
{
	return host_irqs_on;
}

static inline void
arch_irq_enable(void)
{
	host_irqs_on = true;
}

static inline void
arch_irq_disable(void)
{
	host_irqs_on = false;
}

struct arch_task {
	u64 unused;
};
