/*
 * The inline half of arch/arch.h for x86-64: this CPU, interrupts, and (in
 * pte.h and regs.h) the page table entry and the user's registers.
 */
#pragma once

#include "kernel/base/types.h"
#include "arch/x86/pte.h"
#include "arch/x86/regs.h"

/* ---- Where things are ------------------------------------------------- */
/*
 *   from                 to                   what
 *   0000000000000000     0000000000010000     never mapped
 *   0000000000010000     00007ffffffff000     user (one page below the hole)
 *   ffff800000000000     ffffbfffffffffff     all physical memory (64 TiB)
 *   ffffc00000000000     ffffc07fffffffff     kernel stacks (mm/kstack.c)
 *   ffffd00000000000     ffffd07fffffffff     device registers, uncached
 *   ffffffff80000000     ffffffffffffffff     the kernel image
 */
#define USER_START	0x0000000000010000ul
#define USER_END	0x00007ffffffff000ul
#define DIRECT_MAP_BASE 0xffff800000000000ul
#define DIRECT_MAP_END	0xffffc00000000000ul
#define KSTACK_BASE	0xffffc00000000000ul
#define KSTACK_END	0xffffc08000000000ul
#define DEVICE_BASE	0xffffd00000000000ul
#define DEVICE_END	0xffffd08000000000ul
#define KERNEL_BASE	0xffffffff80000000ul

#define KSTACK_SIZE 16384ul

static inline void *
phys_to_virt(paddr_t addr)
{
	return (void *)(addr + DIRECT_MAP_BASE);
}

/* @ptr must point into the direct map or the kernel image. */
static inline paddr_t
virt_to_phys(const void *ptr)
{
	vaddr_t addr = (vaddr_t)ptr;

	return addr >= KERNEL_BASE ? addr - KERNEL_BASE
				   : addr - DIRECT_MAP_BASE;
}

/* ---- This CPU --------------------------------------------------------- */

/* Volatile: two reads around a switch must not be merged into one. */
static inline struct cpu *
this_cpu(void)
{
	struct cpu *cpu;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

static inline struct task *
arch_current(void)
{
	struct task *task;

	__asm__ volatile("movq %%gs:8, %0" : "=r"(task));
	return task;
}

static inline void
arch_cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

#define RFLAGS_IF (1ul << 9)

static inline u64
arch_irq_save(void)
{
	u64 flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
	return flags;
}

static inline bool
arch_irqs_on(void)
{
	u64 flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags)::"memory");
	return flags & RFLAGS_IF;
}

static inline void
arch_irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline void
arch_irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline void
arch_irq_restore(u64 flags)
{
	if (flags & RFLAGS_IF)
		arch_irq_enable();
}

/* ---- CR3 -------------------------------------------------------------- */

/* On the path of every switch to another address space. */
ARCH_INLINE void
arch_load_root(paddr_t root)
{
	__asm__ volatile("movq %0, %%cr3" ::"r"(root) : "memory");
}

/* ---- Tasks ------------------------------------------------------------ */

/* What a task leaves behind when it is switched away from. The callee-saved
 * registers are on its stack. Offsets are in asm_offsets.c. */
struct arch_task {
	u64 sp;		/* kernel stack pointer */
	void *fpu;	/* XSAVE or FXSAVE area; NULL: a kernel thread */
	bool whole;	/* there is one, and the CPU has features.both */
	u64 fs_base, gs_base;
};
