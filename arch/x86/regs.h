/*
 * The registers of interrupted code, as the entry code pushes them. Those of
 * user mode always lie at the very top of the task's kernel stack:
 * task_regs() relies on it. Offsets are in asm_offsets.c.
 *
 * A system call goes back the short way: rip and the flags are what SYSCALL
 * left in rcx and r11, and the registers that C preserves have not been lost,
 * so they are not restored, but for rbx. The call itself may change rax, rsp,
 * the arguments and rbx. Whoever changes more must clear vector, as arch_start_user() does: then
 * return_to_user restores everything.
 *
 * The accessors of arch.h are on the path of every system call, so they are
 * inline here; inline.c makes ordinary functions of the same text.
 */
#pragma once

#include "kernel/base/types.h"

struct regs {
	u64 r15, r14, r13, r12, rbp, rbx;
	u64 r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 vector; /* 0 .. 255, or VECTOR_SYSCALL */
	union {
		u64 error;  /* an exception's error code, or 0 */
		u64 number; /* a system call's: rax is also its result */
	};
	/* What the CPU pushes, and IRETQ pops. */
	u64 rip, cs, rflags, rsp, ss;
};

enum { PRIVILEGE_MASK = 3 }; /* of a selector: 0 kernel, 3 user */

#ifndef ARCH_INLINE
#define ARCH_INLINE extern inline __attribute__((gnu_inline))
#endif

ARCH_INLINE u64
regs_syscall(const struct regs *regs)
{
	return regs->number;
}

/* Where argument @i is. The fourth is in r10, since SYSCALL itself overwrites
 * rcx. */
u64 *regs_word(struct regs *regs, unsigned i);

ARCH_INLINE u64 *
regs_word(struct regs *regs, unsigned i)
{
	switch (i) {
	case 0:
		return &regs->rdi;
	case 1:
		return &regs->rsi;
	case 2:
		return &regs->rdx;
	case 3:
		return &regs->r10;
	case 4:
		return &regs->r8;
	default:
		return &regs->r9;
	}
}

ARCH_INLINE u64
regs_arg(const struct regs *regs, unsigned i)
{
	return *regs_word((struct regs *)regs, i);
}

ARCH_INLINE void
regs_set_result(struct regs *regs, s64 result)
{
	regs->rax = result;
}

ARCH_INLINE s64
regs_result(const struct regs *regs)
{
	return (s64)regs->rax;
}

ARCH_INLINE void
regs_set_sp(struct regs *regs, uaddr_t sp)
{
	regs->rsp = sp;
}

ARCH_INLINE u64
regs_ip(const struct regs *regs)
{
	return regs->rip;
}

ARCH_INLINE u64
regs_sp(const struct regs *regs)
{
	return regs->rsp;
}

ARCH_INLINE u64
regs_fp(const struct regs *regs)
{
	return regs->rbp;
}

ARCH_INLINE bool
regs_from_user(const struct regs *regs)
{
	return regs->cs & PRIVILEGE_MASK;
}

ARCH_INLINE void
regs_copy_words(struct regs *to, const struct regs *from)
{
	for (unsigned i = 0; i < 6; i++)
		*regs_word(to, i) = regs_arg(from, i);
}

ARCH_INLINE void
regs_set_word(struct regs *regs, unsigned i, u64 word)
{
	*regs_word(regs, i) = word;
}

ARCH_INLINE u64
regs_more(const struct regs *regs, unsigned i)
{
	switch (i) {
	case 0:
		return regs->rbx;
	case 1:
		return regs->r12;
	case 2:
		return regs->r13;
	default:
		return regs->r14;
	}
}

ARCH_INLINE void
regs_set_badge(struct regs *regs, u64 badge)
{
	regs->rbx = badge;
}
