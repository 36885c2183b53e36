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

/* Areas come from a slab; their XSAVE header is valid at all times. */
void *fpu_alloc(void) __must_check; /* or NULL */
void fpu_free(void *area);
