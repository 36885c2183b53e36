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
#include "arch/x86/arch_switch.h"
#include "arch/x86/regs.h"
#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "sched/task.h"

/* switch.asm pushes and pops these. */
struct switch_frame {
	u64 rbp;
	u64 rip;
	u64 fn, arg; /* a new task's: popped by task_entry */
};

extern const u8 task_entry[];

enum { RFLAGS_ALWAYS = 1 << 1 };

/* ---- FS and GS bases -------------------------------------------------- */

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
static int
set_base(struct task *task, u64 *base, u64 value)
{
	if (value >= USER_END)
		return -EPERM;
	read_current_bases(task);
	*base = value;
	write_current_bases(task);
	return 0;
}

int
arch_set_fs_base(struct task *task, u64 base)
{
	return set_base(task, &task->arch.fs_base, base);
}

int
arch_set_gs_base(struct task *task, u64 base)
{
	return set_base(task, &task->arch.gs_base, base);
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

/* A kernel thread (no FPU area) neither saves nor loads: the state of the user
 * task before it has been saved, and stays in the registers, unused. */
void
exchange_some_state(struct arch_task *prev, const struct arch_task *next)
{
	if (prev->fpu) {
		fpu_save(prev->fpu);
		read_bases(prev, features.fsgsbase);
	}
	if (next->fpu) {
		fpu_restore(next->fpu);
		write_fs_base(next->fs_base, features.fsgsbase);
		write_user_gs_base(next->gs_base, features.fsgsbase);
	}
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
		.rip = (u64)task_entry,
		.fn = (u64)fn,
		.arg = (u64)arg,
	};
	task->arch.sp = (u64)frame;
}

static int
give_fpu_area(struct task *task)
{
	task->arch.fpu = fpu_alloc();
	task->arch.whole = task->arch.fpu && features.both;
	return task->arch.fpu ? 0 : -ENOMEM;
}

int
arch_task_copy(struct task *child)
{
	struct task *parent = current;

	ASSERT(child->arch.fpu == NULL);
	if (!parent->arch.fpu)
		return 0;
	if (give_fpu_area(child))
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
	if (give_fpu_area(task))
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
	task->arch.whole = false;
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
