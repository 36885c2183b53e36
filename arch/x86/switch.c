/*
 * Tasks, as the CPU knows them: a kernel stack, FPU state, FS and GS bases.
 *
 * What a kernel stack holds while its task is switched away from, top first:
 *
 *	struct regs		the user's registers (user tasks)
 *	frames of C functions	(none in a new task)
 *	struct switch_frame	what switch_stacks() saved; task->arch.sp
 *
 * Read Linux: __switch_to() and copy_thread() in arch/x86/kernel.
 */
#include "arch/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/fpu.h"
#include "arch/x86/regs.h"
#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "sched/task.h"

/* switch.asm pushes and pops these. */
struct switch_frame {
	u64 r15, r14, r13, r12, rbx, rbp;
	u64 rip;
};

STATIC_ASSERT(sizeof(struct switch_frame) == 7 * sizeof(u64),
	      "six pushes and a return address in switch.asm");

struct task *switch_stacks(struct task *prev, struct task *next);
extern const u8 task_entry[];

enum { RFLAGS_ALWAYS = 1 << 1 };

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

static void
read_current_bases(struct task *task)
{
	irq_flags_t flags;

	if (task != current || !task->arch.fpu)
		return;
	flags = arch_irq_save();
	read_bases(&task->arch, features.fsgsbase);
	arch_irq_restore(flags);
}

static void
write_current_bases(const struct task *task)
{
	irq_flags_t flags;

	if (task != current)
		return;
	flags = arch_irq_save();
	write_fs_base(task->arch.fs_base, features.fsgsbase);
	write_user_gs_base(task->arch.gs_base, features.fsgsbase);
	arch_irq_restore(flags);
}

/* WRMSR faults on an address that is not canonical; and the kernel's own
 * addresses are nobody's thread-local storage. */
int
arch_set_fs_base(struct task *task, u64 base)
{
	if (base >= USER_END)
		return -EPERM;
	read_current_bases(task);
	task->arch.fs_base = base;
	write_current_bases(task);
	return 0;
}

int
arch_set_gs_base(struct task *task, u64 base)
{
	if (base >= USER_END)
		return -EPERM;
	read_current_bases(task);
	task->arch.gs_base = base;
	write_current_bases(task);
	return 0;
}

u64
arch_get_fs_base(struct task *task)
{
	read_current_bases(task);
	return task->arch.fs_base;
}

u64
arch_get_gs_base(struct task *task)
{
	read_current_bases(task);
	return task->arch.gs_base;
}

/* ---- The switch ------------------------------------------------------- */

/*
 * A kernel thread (no FPU area) neither saves nor loads: the state of the user
 * task before it has been saved, and stays in the registers, unused.
 */
static __always_inline void
exchange_user_state(struct task *prev, struct task *next, bool xsave,
		    bool fsgsbase)
{
	if (prev->arch.fpu) {
		fpu_save_by(prev->arch.fpu, xsave);
		read_bases(&prev->arch, fsgsbase);
	}
	if (next->arch.fpu) {
		fpu_restore_by(next->arch.fpu, xsave);
		write_fs_base(next->arch.fs_base, fsgsbase);
		write_user_gs_base(next->arch.gs_base, fsgsbase);
	}
}

struct task *
arch_switch_to(struct task *prev, struct task *next)
{
	struct cpu *cpu = this_cpu();
	u64 top = next->stack + KSTACK_SIZE;

	DEBUG_ASSERT(!arch_irqs_on());
	if (likely(features.both))
		exchange_user_state(prev, next, true, true);
	else
		exchange_user_state(prev, next, features.xsave,
				    features.fsgsbase);
	cpu->kernel_sp = top;	     /* for SYSCALL */
	tss_set_kernel_sp(cpu->id, top); /* for interrupts and exceptions */
	return switch_stacks(prev, next);
}

/* ---- A task's life ---------------------------------------------------- */

struct regs *
task_regs(struct task *task)
{
	return (struct regs *)(task->stack + KSTACK_SIZE) - 1;
}

/* Registers with which user mode can be entered: no privilege in CS and SS,
 * interrupts on, and all else zero. So is vector: these are no longer a system
 * call's. */
static void
zero_user_regs(struct regs *regs)
{
	memset(regs, 0, sizeof(*regs));
	regs->cs = USER_CS;
	regs->ss = USER_DS;
	regs->rflags = RFLAGS_IF | RFLAGS_ALWAYS;
}

void
arch_task_init(struct task *task, void (*fn)(void *), void *arg,
	       const struct regs *from)
{
	struct regs *regs = task_regs(task);
	struct switch_frame *frame = (struct switch_frame *)regs - 1;

	ASSERT(task->stack != 0);
	if (from)
		*regs = *from;
	else
		zero_user_regs(regs);
	*frame = (struct switch_frame){
		.r12 = (u64)fn,
		.r13 = (u64)arg,
		.rip = (u64)task_entry,
	};
	task->arch.sp = (u64)frame;
}

int
arch_task_copy(struct task *child)
{
	struct task *parent = current;

	ASSERT(child->arch.fpu == NULL);
	if (!parent->arch.fpu)
		return 0;
	child->arch.fpu = fpu_alloc();
	if (!child->arch.fpu)
		return -ENOMEM;
	fpu_save(child->arch.fpu);
	child->arch.fs_base = arch_get_fs_base(parent);
	child->arch.gs_base = arch_get_gs_base(parent);
	return 0;
}

int
arch_task_make_user(struct task *task)
{
	if (task->arch.fpu)
		return 0;
	task->arch.fpu = fpu_alloc();
	if (!task->arch.fpu)
		return -ENOMEM;
	fpu_reset(task->arch.fpu);
	task->arch.fs_base = task->arch.gs_base = 0;
	return 0;
}

void
arch_task_free(struct task *task)
{
	fpu_free(task->arch.fpu);
	task->arch.fpu = NULL;
}

void
arch_start_user(struct regs *regs, uaddr_t ip, uaddr_t sp)
{
	struct task *task = current;

	ASSERT(regs == task_regs(task) && task->arch.fpu != NULL);
	zero_user_regs(regs);
	regs->rip = ip;
	regs->rsp = sp;

	fpu_start();
	task->arch.fs_base = task->arch.gs_base = 0;
	write_current_bases(task);
}
