/* struct regs, seen from portable code. */
#include "arch/x86/regs.h"

#include "arch/arch.h"
#include "kernel/base/assert.h"

u64
regs_syscall(const struct regs *regs)
{
	return regs->number;
}

/* The fourth is in r10, since SYSCALL itself overwrites rcx. */
u64
regs_arg(const struct regs *regs, unsigned i)
{
	switch (i) {
	case 0:
		return regs->rdi;
	case 1:
		return regs->rsi;
	case 2:
		return regs->rdx;
	case 3:
		return regs->r10;
	case 4:
		return regs->r8;
	case 5:
		return regs->r9;
	}
	panic("a system call has 6 arguments, no number %u", i);
}

void
regs_set_result(struct regs *regs, s64 result)
{
	regs->rax = result;
}

void
regs_set_sp(struct regs *regs, uaddr_t sp)
{
	regs->rsp = sp;
}

u64
regs_ip(const struct regs *regs)
{
	return regs->rip;
}

u64
regs_sp(const struct regs *regs)
{
	return regs->rsp;
}

u64
regs_fp(const struct regs *regs)
{
	return regs->rbp;
}

bool
regs_from_user(const struct regs *regs)
{
	return regs->cs & PRIVILEGE_MASK;
}
