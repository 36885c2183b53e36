/*
 * Constants for the assembly files: compiled to assembly only, from which the
 * build makes asm_offsets.inc. So no offset is written down twice.
 */
#include "arch/x86/cpu.h"
#include "arch/x86/regs.h"
#include "kernel/base/errno.h"
#include "sched/task.h"

#define EQU(name, value) \
	__asm__ volatile("\n->" #name " %0 " : : "i"((u64)(value)))

void asm_offsets(void);

void
asm_offsets(void)
{
	EQU(CPU_CURR, offsetof(struct cpu, curr));
	EQU(CPU_KERNEL_SP, offsetof(struct cpu, kernel_sp));
	EQU(CPU_USER_SP, offsetof(struct cpu, user_sp));
	EQU(CPU_NEED_RESCHED, offsetof(struct cpu, need_resched));

	EQU(TASK_SP, offsetof(struct task, arch.sp));
	EQU(TASK_SIGNAL_WORK, offsetof(struct task, signal_work));

	EQU(REGS_RBX, offsetof(struct regs, rbx));
	EQU(REGS_R11, offsetof(struct regs, r11));
	EQU(REGS_VECTOR, offsetof(struct regs, vector));
	EQU(REGS_RIP, offsetof(struct regs, rip));
	EQU(REGS_CS, offsetof(struct regs, cs));
	EQU(REGS_RSP, offsetof(struct regs, rsp));
	EQU(REGS_SIZE, sizeof(struct regs));

	EQU(FEATURES_SMAP, offsetof(struct features, smap));

	EQU(PRIVILEGE_MASK, PRIVILEGE_MASK);
	EQU(USER_CS, USER_CS);
	EQU(USER_DS, USER_DS);
	EQU(USER_END_VALUE, USER_END);
	EQU(MSR_GS_BASE, MSR_GS_BASE);
	EQU(NR_VECTORS, NR_VECTORS);
	EQU(VECTOR_SYSCALL, VECTOR_SYSCALL);
	EQU(TRAP_STUB_BYTES, TRAP_STUB_BYTES);
	EQU(EFAULT, EFAULT);
}

/* this_cpu() and arch_current() read these at fixed offsets. */
_Static_assert(offsetof(struct cpu, self) == 0, "see arch_inline.h");
_Static_assert(offsetof(struct cpu, curr) == 8, "see arch_inline.h");
_Static_assert(sizeof(struct regs) % 16 == 0,
	       "C wants the stack aligned when entry code calls it");
