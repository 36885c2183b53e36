/* What a panic shows: registers, and who called whom. */
#include "arch/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/platform.h"
#include "arch/x86/regs.h"
#include "kernel/base/printk.h"
#include "mm/kstack.h"

enum { MAX_FRAMES = 32 };

/* What rbp points at in code that keeps frame pointers. */
struct frame {
	u64 caller_fp;
	u64 return_address;
};

static bool
in_boot_stack(vaddr_t addr)
{
	return addr >= (vaddr_t)boot_stack && addr < (vaddr_t)boot_stack_top;
}

static bool
in_some_stack(vaddr_t addr)
{
	return in_boot_stack(addr) || ist_stack_contains(addr) ||
	       kstack_contains(addr);
}

/* Reading a frame must not fault: we may be in a panic about just that. */
static bool
readable(u64 fp)
{
	return IS_ALIGNED(fp, sizeof(u64)) && in_some_stack(fp) &&
	       in_some_stack(fp + sizeof(struct frame) - 1);
}

/* Frames lie higher and higher; anything else is damage, or a user's rbp. */
void
arch_backtrace(u64 fp, void (*fn)(u64 address))
{
	const struct frame *frame;

	if (fp == 0)
		fp = (u64)__builtin_frame_address(0);
	for (int i = 0; i < MAX_FRAMES && readable(fp); i++) {
		frame = (const struct frame *)fp;
		if (frame->return_address < KERNEL_BASE)
			return;
		fn(frame->return_address);
		if (frame->caller_fp <= fp)
			return;
		fp = frame->caller_fp;
	}
}

static void
dump_control_registers(void)
{
	pr_err("cr0 %016lx cr2 %016lx cr3 %016lx cr4 %016lx", READ_CR(0),
	       READ_CR(2), READ_CR(3), READ_CR(4));
	pr_err("fs base %016lx gs base %016lx user gs base %016lx",
	       rdmsr(MSR_FS_BASE), rdmsr(MSR_GS_BASE),
	       rdmsr(MSR_KERNEL_GS_BASE));
}

/* All that is left of the caller's registers by the time C runs. */
static void
dump_here(u64 ip)
{
	pr_err("rip %016lx rsp %016lx rbp %016lx", ip,
	       (u64)__builtin_frame_address(0),
	       *(u64 *)__builtin_frame_address(0));
}

void
arch_dump_regs(const struct regs *r)
{
	if (!r) {
		dump_here(CALLER);
		dump_control_registers();
		return;
	}
	pr_err("rip %016lx cs %02lx rflags %08lx, vector %lu, error %lx",
	       r->rip, r->cs, r->rflags, r->vector, r->error);
	pr_err("rsp %016lx ss %02lx rbp %016lx", r->rsp, r->ss, r->rbp);
	pr_err("rax %016lx rbx %016lx rcx %016lx", r->rax, r->rbx, r->rcx);
	pr_err("rdx %016lx rsi %016lx rdi %016lx", r->rdx, r->rsi, r->rdi);
	pr_err("r8  %016lx r9  %016lx r10 %016lx", r->r8, r->r9, r->r10);
	pr_err("r11 %016lx r12 %016lx r13 %016lx", r->r11, r->r12, r->r13);
	pr_err("r14 %016lx r15 %016lx", r->r14, r->r15);
	dump_control_registers();
}
