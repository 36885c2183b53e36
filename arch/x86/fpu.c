/*
 * FPU areas, and the set-up of the FPU.
 *
 * Intel SDM volume 1, chapters 10 (FXSAVE) and 13 (XSAVE).
 */
#include "arch/x86/fpu.h"

#include "arch/arch.h"
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/signal.h"
#include "kernel/base/string.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "sched/task.h"

enum {
	CPUID_XSAVE = 0xd,
	XCR0_X87 = 1 << 0,
	XCR0_SSE = 1 << 1,
	XCR0_AVX = 1 << 2,
	XCR0_AVX512 = 7 << 5,
	XCR0_WANTED = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512,
};

/* In bytes that the CPU leaves to software: how the state in a signal's frame
 * goes on after the first 512 bytes. Linux's. */
struct frame_note {
	u32 magic;		/* FRAME_MAGIC, else it does not */
	u32 bytes_with_end;	/* with FRAME_END behind it */
	u64 components;		/* that are meant */
	u32 bytes;
	u32 unused[7];
};

#define FRAME_MAGIC 0x46505853u
#define FRAME_END   0x46505845u

/* The first 512 bytes of both formats. */
struct fxsave_area {
	u16 control, status;
	u16 tag_and_more[10];
	u32 mxcsr;
	u32 mxcsr_mask;		/* its bits that exist; 0: MXCSR_USUAL */
	u8 registers[432];
	struct frame_note note;
};

/* The XSAVE header that follows. */
struct xsave_header {
	u64 components; /* in use; the others are in their initial state */
	u64 must_be_zero[7];
};

enum {
	FPU_CONTROL_START = 0x37f, /* all exceptions masked, 64-bit precision */
	MXCSR_START = 0x1f80,	   /* all exceptions masked */
	MXCSR_USUAL = 0xffbf,
};

STATIC_ASSERT(sizeof(struct fxsave_area) == 512, "the layout is the CPU's");

static struct kmem_cache *fpu_cache;

static void
set_xcr0(u64 value)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"((u32)value),
			 "d"((u32)(value >> 32)));
}

static u32
read_mxcsr_mask(void)
{
	struct fxsave_area area __aligned(16);

	memset(&area, 0, sizeof(area));
	fpu_save_by(&area, false);
	return area.mxcsr_mask ? area.mxcsr_mask : MXCSR_USUAL;
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
	features.mxcsr_mask = read_mxcsr_mask();
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

void
fpu_start(void)
{
	void *area = current->arch.fpu;

	fpu_reset(area);
	fpu_restore(area);
}

/* ---- In a signal's frame ---------------------------------------------- */
/*
 * A user task's state is in the registers; its area is free for other use until
 * it is switched away, which overwrites all of it but the header's zeros. So
 * what is copied here is done again if that happened meanwhile.
 */

size_t
fpu_frame_bytes(void)
{
	return features.fpu_bytes + (features.xsave ? sizeof(u32) : 0);
}

int
fpu_save_to_frame(uaddr_t at)
{
	struct fxsave_area *area = current->arch.fpu;
	u32 end = FRAME_END;

	fpu_save(area);
	memset(&area->note, 0, sizeof(area->note));
	if (features.xsave) {
		area->note.magic = FRAME_MAGIC;
		area->note.bytes_with_end = (u32)fpu_frame_bytes();
		area->note.components = features.xcr0;
		area->note.bytes = features.fpu_bytes;
		if (copy_to_user(at + features.fpu_bytes, &end, sizeof(end)))
			return -EFAULT;
	}
	return copy_to_user(at, area, features.fpu_bytes);
}

/* The components of the state at @at that are to be loaded; 0: only the first
 * 512 bytes are there. */
static u64
components_at(uaddr_t at, const struct frame_note *note)
{
	u32 end;

	if (!features.xsave || note->magic != FRAME_MAGIC ||
	    note->bytes != features.fpu_bytes ||
	    note->bytes_with_end != fpu_frame_bytes())
		return 0;
	if (copy_from_user(&end, at + note->bytes, sizeof(end)) ||
	    end != FRAME_END)
		return 0;
	return note->components & features.xcr0;
}

/* All but the header, where only one word may ever be anything but 0. */
static int
copy_area(struct fxsave_area *area, uaddr_t at, bool extended)
{
	size_t first = sizeof(*area) + sizeof(struct xsave_header);

	if (copy_from_user(area, at, sizeof(*area)))
		return -EFAULT;
	if (!extended)
		return 0;
	return copy_from_user((u8 *)area + first, at + first,
			      features.fpu_bytes - first);
}

/* XRSTOR faults on others, of whose zeros it looks at two; and on bits of MXCSR
 * that do not exist, as FXRSTOR does. */
static bool
good_header(const struct xsave_header *header)
{
	return !header->must_be_zero[0] && !header->must_be_zero[1] &&
	       !(header->components & ~features.xcr0);
}

int
fpu_load_from_frame(uaddr_t at)
{
	struct task *me = current;
	struct fxsave_area *area = me->arch.fpu;
	struct xsave_header header = { .components = XCR0_X87 | XCR0_SSE };
	struct frame_note note;
	u64 meant, switches;

	if (!at) {
		fpu_start();
		return 0;
	}
	if (!IS_ALIGNED(at, FPU_ALIGN) ||
	    copy_from_user(&note, at + offsetof(struct fxsave_area, note),
			   sizeof(note)))
		return -EFAULT;
	meant = components_at(at, &note);
	if (meant && copy_from_user(&header, at + sizeof(*area),
				    sizeof(header)))
		return -EFAULT;
	if (!good_header(&header))
		return -EFAULT;
	do {
		switches = me->switches;
		if (copy_area(area, at, meant))
			return -EFAULT;
	} while (switches != me->switches && !READ_ONCE(me->kill_signal));
	if (switches != me->switches || (area->mxcsr & ~features.mxcsr_mask))
		return -EFAULT;
	if (features.xsave)
		((struct xsave_header *)(area + 1))->components =
			meant ? header.components & meant : header.components;
	fpu_restore(area);
	return 0;
}

/* ---- Exceptions ------------------------------------------------------- */

enum {
	FPU_INVALID = 1, FPU_DENORMAL = 2, FPU_ZERO_DIVIDE = 4,
	FPU_OVERFLOW = 8, FPU_UNDERFLOW = 16, FPU_PRECISION = 32,
};

int
fpu_exception_code(bool simd)
{
	struct fxsave_area *area = current->arch.fpu;
	u32 raised;

	fpu_save(area);
	raised = simd ? area->mxcsr & ~(area->mxcsr >> 7)
		      : area->status & ~(u32)area->control;
	if (raised & FPU_INVALID)
		return FPE_FLTINV;
	if (raised & FPU_ZERO_DIVIDE)
		return FPE_FLTDIV;
	if (raised & FPU_OVERFLOW)
		return FPE_FLTOVF;
	if (raised & (FPU_UNDERFLOW | FPU_DENORMAL))
		return FPE_FLTUND;
	return raised & FPU_PRECISION ? FPE_FLTRES : 0;
}
