/*
 * Turns on what the CPU offers, and nothing that CPUID does not list: QEMU's
 * emulator executes a write of an unsupported control bit for ever, without a
 * word, where a real CPU would fault.
 *
 * Intel SDM volume 3, sections 2.5 (control registers), 4.6 (SMEP, SMAP).
 */
#include "arch/x86/cpu.h"

#include "arch/arch.h"
#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"

struct features features;

#define BIT(n) (1ul << (n))

enum {
	CR0_MP = BIT(1),
	CR0_EM = BIT(2),
	CR0_TS = BIT(3),
	CR0_NE = BIT(5),
	CR0_WP = BIT(16),
	CR0_AM = BIT(18),
};

enum {
	CR4_MCE = BIT(6),
	CR4_PGE = BIT(7),
	CR4_OSFXSR = BIT(9),
	CR4_OSXMMEXCPT = BIT(10),
	CR4_UMIP = BIT(11),
	CR4_FSGSBASE = BIT(16),
	CR4_OSXSAVE = BIT(18),
	CR4_SMEP = BIT(20),
	CR4_SMAP = BIT(21),
};

enum { EFER_SCE = BIT(0), EFER_NXE = BIT(11) };

enum { CPUID_MAX = 0, CPUID_BASIC = 1, CPUID_STRUCTURED = 7 };
enum cpuid_register { EBX, ECX, EDX };

/* A CR4 bit and the CPUID bit that permits it. */
struct cr4_feature {
	u64 cr4;
	u32 leaf;
	enum cpuid_register reg;
	u8 bit;
	const char *name; /* NULL: not worth a word in the log */
};

static const struct cr4_feature cr4_features[] = {
	{ CR4_MCE, CPUID_BASIC, EDX, 7, NULL },
	{ CR4_PGE, CPUID_BASIC, EDX, 13, NULL },
	{ CR4_OSFXSR | CR4_OSXMMEXCPT, CPUID_BASIC, EDX, 24, NULL },
	{ CR4_SMEP, CPUID_STRUCTURED, EBX, 7, "SMEP" },
	{ CR4_SMAP, CPUID_STRUCTURED, EBX, 20, "SMAP" },
	{ CR4_UMIP, CPUID_STRUCTURED, ECX, 2, "UMIP" },
	{ CR4_FSGSBASE, CPUID_STRUCTURED, EBX, 0, "FSGSBASE" },
	{ CR4_OSXSAVE, CPUID_BASIC, ECX, 26, "XSAVE" },
};

static u32
cpuid_reg(u32 leaf, enum cpuid_register reg)
{
	struct cpuid r;

	if (leaf > cpuid(CPUID_MAX, 0).eax)
		return 0;
	r = cpuid(leaf, 0);
	return reg == EBX ? r.ebx : reg == ECX ? r.ecx : r.edx;
}

static u64
supported_cr4(void)
{
	u64 cr4 = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(cr4_features); i++) {
		const struct cr4_feature *f = &cr4_features[i];

		if (cpuid_reg(f->leaf, f->reg) & BIT(f->bit))
			cr4 |= f->cr4;
	}
	return cr4;
}

/* NX has been checked, and WP set, before the first line of C. */
static void
log_features(u64 cr4)
{
	char line[64] = "NX WP";
	size_t len = strlen(line);

	for (unsigned i = 0; i < ARRAY_SIZE(cr4_features); i++) {
		const struct cr4_feature *f = &cr4_features[i];

		if (f->name && (cr4 & f->cr4))
			len += snprintf(line + len, sizeof(line) - len, " %s",
					f->name);
	}
	pr_info("cpu: %s on; %u bytes of FPU state a task", line,
		features.fpu_bytes);
}

/*
 * Without CR0.AM user alignment checks stay off; AC then means SMAP's
 * permission and nothing else. TS is never set: FPU state is switched eagerly.
 */
static void
set_control_registers(u64 cr4)
{
	u64 cr0 = READ_CR(0);

	cr0 |= CR0_WP | CR0_NE | CR0_MP;
	cr0 &= ~(CR0_EM | CR0_TS | CR0_AM);
	WRITE_CR(0, cr0);
	WRITE_CR(4, READ_CR(4) | cr4);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
}

void
features_init(struct cpu *cpu)
{
	static u64 boot_cr4;
	u64 cr4 = supported_cr4();

	if (cpu == &cpus[0]) {
		boot_cr4 = cr4;
		features.smap = cr4 & CR4_SMAP;
		features.fsgsbase = cr4 & CR4_FSGSBASE;
		features.xsave = cr4 & CR4_OSXSAVE;
		features.both = features.fsgsbase && features.xsave;
	}
	if (boot_cr4 & ~cr4)
		panic("cpu %u lacks features of the boot CPU (CR4 bits %lx)",
		      cpu->id, boot_cr4 & ~cr4);
	set_control_registers(boot_cr4);
	fpu_init();
	if (cpu == &cpus[0])
		log_features(boot_cr4);
}

/* ---- System calls ----------------------------------------------------- */

/* Cleared on entry. With AC clear, user memory is closed; with TF clear, a
 * user who single-steps does not step into the kernel; NT would upset IRET. */
enum {
	FLAG_TF = BIT(8),
	FLAG_IF = BIT(9),
	FLAG_DF = BIT(10),
	FLAG_IOPL = BIT(12) | BIT(13),
	FLAG_NT = BIT(14),
	FLAG_RF = BIT(16),
	FLAG_AC = BIT(18),
	FLAG_ID = BIT(21),
	SYSCALL_MASK = FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT |
		       FLAG_RF | FLAG_AC | FLAG_ID,
};

extern const u8 syscall_entry[]; /* syscall_entry.asm */

void
syscall_init(void)
{
	wrmsr(MSR_STAR, (u64)SYSRET_BASE << 48 | (u64)KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (u64)syscall_entry);
	wrmsr(MSR_CSTAR, 0); /* from 32-bit code, of which there is none */
	wrmsr(MSR_FMASK, SYSCALL_MASK);
	wrmsr(MSR_SYSENTER_CS, 0); /* SYSENTER raises #GP */
}

/* ---- One CPU, in order ------------------------------------------------ */

void
cpu_init_early(struct cpu *cpu)
{
	descriptors_init(cpu);
	wrmsr(MSR_GS_BASE, (u64)cpu);
	wrmsr(MSR_KERNEL_GS_BASE, 0); /* the user's, until SWAPGS */
	cpu->self = cpu;
	cpu->id = cpu - cpus;
	syscall_init();
	features_init(cpu);
}

/* The capabilities that Linux hands to programs are CPUID's own word. */
u64
arch_hwcap(void)
{
	return cpuid_reg(CPUID_BASIC, EDX);
}
