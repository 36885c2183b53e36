/*
 * The switch from one task to the next, for sched/switch.c, which makes one
 * function of this and its own: whose prologue then saves, for all of it, the
 * registers that C preserves.
 *
 * Read Linux: __switch_to() in arch/x86/kernel, switch_to() in arch/x86/include.
 */
#pragma once

#include "arch/x86/cpu.h"
#include "arch/x86/fpu.h"
#include "kernel/base/assert.h"
#include "sched/task.h"

/* ---- FS and GS bases -------------------------------------------------- */
/*
 * In the kernel, the user's GS base is in MSR_KERNEL_GS_BASE. With FSGSBASE
 * user mode changes both bases without telling us, so they are read back;
 * without it, arch_task always knows them.
 */

static inline u64
read_fs_base(void)
{
	u64 base;

	__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

static inline void
write_fs_base(u64 base, bool fsgsbase)
{
	if (likely(fsgsbase))
		__asm__ volatile("wrfsbase %0" ::"r"(base));
	else
		wrmsr(MSR_FS_BASE, base);
}

/* Interrupts must be off while the user's GS is in place; NMIs cope. */
static inline u64
read_user_gs_base(void)
{
	u64 base;

	__asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(base));
	return base;
}

static inline void
write_user_gs_base(u64 base, bool fsgsbase)
{
	if (likely(fsgsbase))
		__asm__ volatile("swapgs; wrgsbase %0; swapgs" ::"r"(base));
	else
		wrmsr(MSR_KERNEL_GS_BASE, base);
}

/* Brings current's arch_task up to what the CPU holds. Interrupts off. */
static inline void
read_bases(struct arch_task *arch, bool fsgsbase)
{
	if (likely(fsgsbase)) {
		arch->fs_base = read_fs_base();
		arch->gs_base = read_user_gs_base();
	}
}

static inline u64
exchange_user_gs_base(u64 base)
{
	u64 old;

	__asm__ volatile("swapgs; rdgsbase %0; wrgsbase %1; swapgs"
			 : "=&r"(old) : "r"(base));
	return old;
}

/* ---- The switch ------------------------------------------------------- */

/* The same when one of the two is a kernel thread, or the CPU lacks XSAVE or
 * FSGSBASE. */
void exchange_some_state(struct arch_task *prev, const struct arch_task *next);

static __always_inline void
exchange_user_state(struct arch_task *prev, const struct arch_task *next)
{
	if (unlikely(!(prev->whole & next->whole))) {
		exchange_some_state(prev, next);
		return;
	}
	fpu_save_by(prev->fpu, true);
	fpu_restore_by(next->fpu, true);
	prev->fs_base = read_fs_base();
	write_fs_base(next->fs_base, true);
	prev->gs_base = exchange_user_gs_base(next->gs_base);
}

/* switch.asm: it keeps rbp, and the rest is the compiler's to keep. */
static __always_inline struct task *
switch_stacks(struct task *prev, struct task *next)
{
	__asm__ volatile("call switch_stacks"
			 : "+D"(prev), "+S"(next)
			 :
			 : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11",
			   "r12", "r13", "r14", "r15", "cc", "memory");
	return prev;
}

static __always_inline struct task *
arch_switch_to(struct task *prev, struct task *next)
{
	struct cpu *cpu = this_cpu();
	u64 top = next->stack + KSTACK_SIZE;

	DEBUG_ASSERT(!arch_irqs_on());
	exchange_user_state(&prev->arch, &next->arch);
	cpu->kernel_sp = top;		 /* for SYSCALL */
	tss_set_kernel_sp(cpu->id, top); /* for interrupts and exceptions */
	return switch_stacks(prev, next);
}
