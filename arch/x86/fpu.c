/*
 * FPU areas, and the set-up of the FPU.
 *
 * Intel SDM volume 1, chapters 10 (FXSAVE) and 13 (XSAVE).
 */
#include "arch/x86/fpu.h"

#include "arch/arch.h"
#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "mm/slab.h"

enum {
	CPUID_XSAVE = 0xd,
	XCR0_X87 = 1 << 0,
	XCR0_SSE = 1 << 1,
	XCR0_AVX = 1 << 2,
	XCR0_AVX512 = 7 << 5,
	XCR0_WANTED = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512,
};

/* The first 512 bytes of both formats. */
struct fxsave_area {
	u16 control;
	u16 status_and_more[11];
	u32 mxcsr;
	u8 rest[484];
};

/* The XSAVE header that follows. */
struct xsave_header {
	u64 components; /* in use; the others are in their initial state */
	u64 must_be_zero[7];
};

enum {
	FPU_ALIGN = 64,
	FPU_CONTROL_START = 0x37f, /* all exceptions masked, 64-bit precision */
	MXCSR_START = 0x1f80,	   /* all exceptions masked */
};

STATIC_ASSERT(sizeof(struct fxsave_area) == 512, "the layout is the CPU's");

static struct kmem_cache *fpu_cache;

static void
set_xcr0(u64 value)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"((u32)value),
			 "d"((u32)(value >> 32)));
}

/* This CPU. Protection keys and anything newer stay off: nobody would
 * initialise them. */
void
fpu_init(void)
{
	features.fpu_bytes = sizeof(struct fxsave_area);
	if (features.xsave) {
		features.xcr0 = cpuid(CPUID_XSAVE, 0).eax & XCR0_WANTED;
		set_xcr0(features.xcr0);
		features.fpu_bytes = cpuid(CPUID_XSAVE, 0).ebx;
	}
	__asm__ volatile("fninit");
}

/* XSAVE leaves must_be_zero alone and XRSTOR faults when it is not. */
static void
construct_area(void *area)
{
	memset(area, 0, features.fpu_bytes);
}

void
arch_task_cache_init(void)
{
	fpu_cache = kmem_cache_create("fpu", features.fpu_bytes, FPU_ALIGN,
				      construct_area);
	ASSERT(fpu_cache != NULL);
}

void *
fpu_alloc(void)
{
	return kmem_cache_alloc(fpu_cache);
}

void
fpu_free(void *area)
{
	if (area)
		kmem_cache_free(fpu_cache, area);
}

/* XRSTOR sets each component that the header does not list to its start; only
 * MXCSR comes from the area in any case. FXRSTOR takes all of it. */
void
fpu_reset(void *area)
{
	struct fxsave_area *fx = area;

	memset(fx, 0, sizeof(*fx));
	fx->control = FPU_CONTROL_START;
	fx->mxcsr = MXCSR_START;
	if (features.xsave)
		((struct xsave_header *)(fx + 1))->components = 0;
}
