/*
 * The registers of interrupted code, as the entry code pushes them. Those of
 * user mode always lie at the very top of the task's kernel stack:
 * task_regs() relies on it. Offsets are in asm_offsets.c.
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
