/*
 * A handler's frame, with the layout that programs know from Linux. From the
 * top of the stack down: 128 bytes that a function uses without moving rsp (the
 * red zone), the FPU's state, struct frame. rsp points to the frame's first
 * word: to the handler it looks as if the restorer had called it.
 *
 * Read Linux: arch/x86/kernel/signal.c, signal_64.c, fpu/signal.c.
 */
#include "arch/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/fpu.h"
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/signal.h"
#include "kernel/base/string.h"
#include "mm/usercopy.h"
#include "sched/task.h"

enum { RED_ZONE = 128, SIGINFO_SIZE = 128, SYSCALL_BYTES = 2 };

/* ucontext.flags: the FPU's state is XSAVE's; ss is to be restored as it is. */
enum { UC_FP_XSTATE = 1, UC_SIGCONTEXT_SS = 2, UC_STRICT_RESTORE_SS = 4 };

/* What user mode may set: AC OF DF TF SF ZF AF PF CF RF. */
#define RFLAGS_USER 0x50dd5ul
/* A handler begins without TF, DF, RF. */
#define RFLAGS_CLEARED 0x10500ul

struct sigcontext {
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	u16 cs, gs, fs, ss;
	u64 error, trapno, oldmask, cr2;
	uaddr_t fpu;	/* 0: none, the FPU is to be reset */
	u64 reserved[8];
};

struct ucontext {
	u64 flags;
	uaddr_t link;
	struct altstack stack;
	struct sigcontext context;
	u64 mask;
};

struct frame {
	uaddr_t restorer;	/* the handler's return address */
	struct ucontext uc;
	struct kernel_siginfo info;
	u8 more_info[SIGINFO_SIZE - sizeof(struct kernel_siginfo)];
};

STATIC_ASSERT(sizeof(struct sigcontext) == 256, "as in Linux");
STATIC_ASSERT(offsetof(struct frame, uc.context.rip) == 8 + 168, "as in Linux");
STATIC_ASSERT(offsetof(struct frame, info) == 312, "as in Linux");

/* ---- Registers -------------------------------------------------------- */

bool
regs_in_syscall(const struct regs *regs)
{
	return regs->vector == VECTOR_SYSCALL;
}

/* The arguments are where they were; SYSCALL itself is done again. */
void
regs_restart(struct regs *regs, u64 number)
{
	regs->rip -= SYSCALL_BYTES;
	regs->rax = number;
	regs->vector = 0; /* rip is no longer rcx: return_to_user */
}

static void
save_registers(struct sigcontext *c, const struct regs *regs)
{
	*c = (struct sigcontext){
		.r8 = regs->r8, .r9 = regs->r9, .r10 = regs->r10,
		.r11 = regs->r11, .r12 = regs->r12, .r13 = regs->r13,
		.r14 = regs->r14, .r15 = regs->r15, .rdi = regs->rdi,
		.rsi = regs->rsi, .rbp = regs->rbp, .rbx = regs->rbx,
		.rdx = regs->rdx, .rax = regs->rax, .rcx = regs->rcx,
		.rsp = regs->rsp, .rip = regs->rip, .rflags = regs->rflags,
		.cs = (u16)regs->cs, .ss = (u16)regs->ss,
	};
}

static void
restore_registers(struct regs *regs, const struct sigcontext *c)
{
	u64 rflags = (regs->rflags & ~RFLAGS_USER) | (c->rflags & RFLAGS_USER);

	*regs = (struct regs){
		.r8 = c->r8, .r9 = c->r9, .r10 = c->r10, .r11 = c->r11,
		.r12 = c->r12, .r13 = c->r13, .r14 = c->r14, .r15 = c->r15,
		.rdi = c->rdi, .rsi = c->rsi, .rbp = c->rbp, .rbx = c->rbx,
		.rdx = c->rdx, .rax = c->rax, .rcx = c->rcx, .rsp = c->rsp,
		.rip = c->rip, .rflags = rflags, .cs = USER_CS, .ss = USER_DS,
	};
}

/* No other selectors can be loaded. A bad rip is found in return_to_user. */
static bool
good_segments(const struct ucontext *uc)
{
	const struct sigcontext *c = &uc->context;

	return (c->cs | PRIVILEGE_MASK) == USER_CS &&
	       ((c->ss | PRIVILEGE_MASK) == USER_DS ||
		!(uc->flags & UC_STRICT_RESTORE_SS));
}

/* ---- Entering a handler ----------------------------------------------- */

uaddr_t
arch_signal_frame_at(const struct regs *regs, uaddr_t top)
{
	uaddr_t at = top ? top : regs->rsp - RED_ZONE;

	at = ALIGN_DOWN(at - fpu_frame_bytes(), FPU_ALIGN);
	return ALIGN_DOWN(at - sizeof(struct frame), 16) - 8;
}

static uaddr_t
fpu_frame_at(uaddr_t frame)
{
	return ALIGN_UP(frame + sizeof(struct frame), FPU_ALIGN);
}

/* What the CPU said of an exception that is still being handled. */
static void
save_exception(struct sigcontext *c, const struct regs *regs,
	       const struct kernel_siginfo *info)
{
	if (regs->vector >= VECTOR_IRQ_BASE)
		return;
	c->trapno = regs->vector;
	c->error = regs->error;
	if (regs->vector == VECTOR_PAGE_FAULT && info->signo == SIGSEGV)
		c->cr2 = info->addr;
}

static void
fill_frame(struct frame *f, uaddr_t at, const struct regs *regs,
	   const struct signal_frame *frame)
{
	memset(f, 0, sizeof(*f));
	f->restorer = frame->action.restorer;
	f->uc.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	if (features.xsave)
		f->uc.flags |= UC_FP_XSTATE;
	f->uc.stack = frame->altstack;
	f->uc.mask = frame->mask;
	save_registers(&f->uc.context, regs);
	save_exception(&f->uc.context, regs, &frame->info);
	f->uc.context.oldmask = frame->mask;
	f->uc.context.fpu = fpu_frame_at(at);
	f->info = frame->info;
}

int
arch_enter_handler(struct regs *regs, uaddr_t at,
		   const struct signal_frame *frame)
{
	struct frame f;

	if (!(frame->action.flags & SA_RESTORER))
		return -EFAULT; /* it could never return */
	fill_frame(&f, at, regs, frame);
	if (fpu_save_to_frame(fpu_frame_at(at)) ||
	    copy_to_user(at, &f, sizeof(f)))
		return -EFAULT;

	regs->rdi = (u64)frame->info.signo;
	regs->rsi = at + offsetof(struct frame, info);
	regs->rdx = at + offsetof(struct frame, uc);
	regs->rax = 0; /* no vector arguments, should it take any number */
	regs->rsp = at;
	regs->rip = frame->action.handler;
	regs->rflags &= ~RFLAGS_CLEARED;
	regs->vector = 0; /* no longer a system call's */
	fpu_start();
	return 0;
}

/* ---- Leaving it ------------------------------------------------------- */

int
arch_leave_handler(struct regs *regs, struct signal_frame *frame)
{
	struct ucontext uc;

	/* The handler has popped its return address. */
	if (copy_from_user(&uc, regs->rsp, sizeof(uc)) || !good_segments(&uc))
		return -EFAULT;
	if (fpu_load_from_frame(uc.context.fpu))
		return -EFAULT;
	restore_registers(regs, &uc.context);
	frame->mask = uc.mask;
	frame->altstack = uc.stack;
	return 0;
}
