/*
 * FPU, SSE and AVX state of user tasks. The kernel itself uses none of it
 * (-mgeneral-regs-only), so a user's state stays in the registers while
 * kernel code runs, and is changed in the switch alone.
 */
#pragma once

#include "arch/x86/cpu.h"

/* All components that XCR0 enables. */
#define ALL_COMPONENTS "a"(~0u), "d"(~0u)

/* @xsave: features.xsave, or what is known of it. */
static inline void
fpu_save_by(void *area, bool xsave)
{
	if (likely(xsave))
		__asm__ volatile("xsave64 (%0)" ::"r"(area), ALL_COMPONENTS
				 : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static inline void
fpu_restore_by(const void *area, bool xsave)
{
	if (likely(xsave))
		__asm__ volatile("xrstor64 (%0)" ::"r"(area), ALL_COMPONENTS
				 : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

#undef ALL_COMPONENTS

static inline void
fpu_save(void *area)
{
	fpu_save_by(area, features.xsave);
}

static inline void
fpu_restore(const void *area)
{
	fpu_restore_by(area, features.xsave);
}

/* @area becomes what a program starts with. */
void fpu_reset(void *area);

/* The registers become what a program starts with. */
void fpu_start(void);

/* ---- In a signal's frame ---------------------------------------------- */

enum { FPU_ALIGN = 64 };

/* Room that the current state takes there. */
size_t fpu_frame_bytes(void);
/* -EFAULT: it cannot be written. */
int fpu_save_to_frame(uaddr_t at) __must_check;
/* The other way; @at 0: to what a program starts with. -EFAULT: it cannot be
 * read, or the CPU would refuse it; the registers are then as they were. */
int fpu_load_from_frame(uaddr_t at) __must_check;

/* FPE_*: which exception the current task's FPU, or SSE, has raised. */
int fpu_exception_code(bool simd);

/* Areas come from a slab; their XSAVE header is valid at all times. */
void *fpu_alloc(void) __must_check; /* or NULL */
void fpu_free(void *area);
