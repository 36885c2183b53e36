/*
 * What the files of arch/x86 share: selectors, vectors, the set-up of one CPU,
 * and the instructions that C has no words for. Intel SDM volume 3.
 */
#pragma once

#include "kernel/base/types.h"

struct cpu;
struct regs;

/* ---- Segments --------------------------------------------------------- */
/*
 * The order is SYSCALL's and SYSRET's: kernel data follows kernel code; user
 * code follows user data, which follows an empty slot where a 32-bit user code
 * segment would be. So no user selector but these two can be loaded.
 */
enum {
	KERNEL_CS = 0x08,
	KERNEL_DS = 0x10,
	SYSRET_BASE = 0x1b, /* the empty slot 0x18, with privilege 3 */
	USER_DS = 0x23,
	USER_CS = 0x2b,
	TSS_SELECTOR = 0x30, /* two slots */
	GDT_BYTES = 0x40,
};

/* ---- Vectors ---------------------------------------------------------- */

enum {
	VECTOR_NMI = 2,
	VECTOR_BREAKPOINT = 3,
	VECTOR_OVERFLOW = 4,
	VECTOR_DOUBLE_FAULT = 8,
	VECTOR_PAGE_FAULT = 14,
	VECTOR_X87 = 16,
	VECTOR_MACHINE_CHECK = 18,
	VECTOR_SIMD = 19,

	VECTOR_IRQ_BASE = 0x20, /* first of the interrupt lines */
	VECTOR_IRQ_END = 0xf0,
	VECTOR_TIMER = 0xf0, /* the highest priority class: our own */
	VECTOR_RESCHED = 0xf1,
	VECTOR_TLB = 0xf2,
	VECTOR_LOG = 0xf3,
	VECTOR_SPURIOUS = 0xff,
	NR_VECTORS = 0x100,
	VECTOR_SYSCALL = NR_VECTORS, /* regs->vector of a system call */
};

/* Each vector has a stub of this size in trap_entry.asm. */
enum { TRAP_STUB_BYTES = 16 };

/* Set before IPI_STOP is sent: the next NMI parks its CPU. */
extern bool cpus_must_stop;

/* ---- Setting up the CPU that runs ------------------------------------- */

/*
 * GDT, IDT, TSS with its own stacks for NMI, double fault and machine check,
 * GS base (this_cpu() works afterwards), system-call registers, and all
 * protection features that CPUID lists. Fills cpu->self and cpu->id.
 */
void cpu_init_early(struct cpu *cpu);

/*
 * Called by the boot CPU, once there are kernel stacks and before @cpu is
 * started: takes memory for the three stacks. The boot CPU's are static.
 * -ENOMEM.
 */
int cpu_alloc_stacks(struct cpu *cpu);

enum { NR_IST = 7 };

struct tss {
	u32 reserved0;
	u64 rsp[3];	/* stack on entry to privilege 0, 1, 2 */
	u64 reserved1;
	u64 ist[NR_IST]; /* ist[i] is "IST i + 1" */
	u64 reserved2;
	u16 reserved3;
	u16 io_bitmap;	/* beyond the limit: every port is forbidden */
} __packed;

struct cpu_tables {
	u64 gdt[GDT_BYTES / sizeof(u64)];
	struct tss tss;
} __aligned(256);

extern struct cpu_tables cpu_tables[MAX_CPUS];

/* Where entry from user mode finds its stack: the task's, from the top. */
static inline void
tss_set_kernel_sp(unsigned cpu_id, u64 sp)
{
	cpu_tables[cpu_id].tss.rsp[0] = sp;
}

/* ---- Parts of cpu_init_early ------------------------------------------ */

void descriptors_init(struct cpu *cpu);	/* descriptors.c */
void features_init(struct cpu *cpu);	/* features.c */
void syscall_init(void);		/* features.c */
void fpu_init(void);			/* fpu.c */

/* Is @addr in a stack that is neither a task's nor kstack_alloc()'s: the boot
 * CPU's for NMI, double fault and machine check? */
bool ist_stack_contains(vaddr_t addr);

/* Memory for the tasks' FPU areas; after slab_init(). */
void arch_task_cache_init(void);

/* Turned on, on every CPU. */
struct features {
	bool smap;     /* entry code and user copies test this byte */
	bool fsgsbase;
	bool xsave;
	bool both;     /* of these two: see arch_task.whole */
	u64 xcr0;      /* components that XSAVE keeps */
	u32 fpu_bytes; /* size of the area */
	u32 mxcsr_mask; /* bits of MXCSR that exist */
};
extern struct features features;

/*
 * Linker script: entries of section __ex_table, kept in order, lie in
 * [ex_table_start, ex_table_end).
 */
struct ex_entry {
	u64 fault, fixup; /* addresses of instructions */
};
extern const struct ex_entry ex_table_start[], ex_table_end[];

/* ---- Instructions ----------------------------------------------------- */

enum {
	MSR_APIC_BASE = 0x1b,
	MSR_SYSENTER_CS = 0x174,
	MSR_EFER = 0xc0000080,
	MSR_STAR = 0xc0000081,
	MSR_LSTAR = 0xc0000082,
	MSR_CSTAR = 0xc0000083,
	MSR_FMASK = 0xc0000084,
	MSR_FS_BASE = 0xc0000100,
	MSR_GS_BASE = 0xc0000101,
	MSR_KERNEL_GS_BASE = 0xc0000102,
};

static inline u64
rdmsr(u32 msr)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static inline void
wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)value),
			 "d"((u32)(value >> 32))
			 : "memory");
}

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid
cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline u8
inb(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void
outb(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

static inline u16
inw(u16 port)
{
	u16 value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void
outw(u16 port, u16 value)
{
	__asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

static inline u32
inl(u16 port)
{
	u32 value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void
outl(u16 port, u32 value)
{
	__asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

static inline u64
rdtsc(void)
{
	u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (u64)high << 32 | low;
}

/* READ_CR(2), WRITE_CR(4, value) */
#define READ_CR(n)                                                            \
	({                                                                    \
		u64 cr_value;                                                 \
		__asm__ volatile("movq %%cr" #n ", %0" : "=r"(cr_value));     \
		cr_value;                                                     \
	})
#define WRITE_CR(n, value) \
	__asm__ volatile("movq %0, %%cr" #n ::"r"((u64)(value)) : "memory")
