/*
 * Descriptor tables. Each CPU has its own GDT and TSS; all share one IDT.
 *
 * Three exceptions may strike where the stack or the GS base cannot be
 * trusted: NMI, double fault, machine check. They have stacks of their own,
 * and above each such stack lies the address of the CPU's block, so that their
 * entry code needs no GS. NMI and machine check share a stack: neither ever
 * returns, so neither has anything to lose to the other.
 *
 * Intel SDM volume 3, sections 3.4.5, 6.14 and 8.7.
 */
#include "arch/x86/cpu.h"

#include "arch/arch.h"
#include "arch/x86/platform.h"
#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"
#include "kernel/base/errno.h"
#include "mm/kstack.h"

/* ---- Tables ----------------------------------------------------------- */

struct cpu_tables cpu_tables[MAX_CPUS];

struct gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_middle;
	u32 offset_high;
	u32 reserved;
} __packed;

static struct gate idt[NR_VECTORS] __aligned(PAGE_SIZE);

STATIC_ASSERT(sizeof(struct tss) == 104, "the layout is the CPU's");
STATIC_ASSERT(sizeof(struct gate) == 16, "the layout is the CPU's");

/* Descriptors; the accessed bit is set, so that the CPU need not write. */
#define DESC_CODE64	0x00209b0000000000ul
#define DESC_DATA	0x0000930000000000ul
#define DESC_USER	0x0000600000000000ul
#define DESC_TSS	0x0000890000000000ul

#define GATE_INTERRUPT 0x8e /* present, interrupts off on entry */
#define GATE_USER      0x60 /* user mode may raise it by INT n */

/* What lgdt and lidt want. */
struct table_pointer {
	u16 limit;
	u64 base;
} __packed;

/* ---- Stacks ----------------------------------------------------------- */

enum {
	IST_DOUBLE_FAULT = 1,
	IST_NMI = 2, /* and machine check */
	IST_SLOT = 16, /* above the stack: the CPU's block, and padding */
};

/* One kstack_alloc() stack is cut in two; its guard lies below the one that
 * panics at length. The boot CPU's is in the image, with such a guard. */
#define IST_STACK_SIZE (KSTACK_SIZE / 2)

bool
ist_stack_contains(vaddr_t addr)
{
	return addr >= (vaddr_t)boot_ist_stacks &&
	       addr < (vaddr_t)boot_ist_stacks_end;
}

/* The stack whose end is @top becomes @cpu's IST @number. */
static void
set_ist(struct cpu *cpu, unsigned number, vaddr_t top)
{
	vaddr_t slot = top - IST_SLOT;

	*(struct cpu **)slot = cpu;
	cpu_tables[cpu - cpus].tss.ist[number - 1] = slot;
}

static void
set_ist_stacks(struct cpu *cpu, vaddr_t stack)
{
	set_ist(cpu, IST_DOUBLE_FAULT, stack + IST_STACK_SIZE);
	set_ist(cpu, IST_NMI, stack + 2 * IST_STACK_SIZE);
}

int
cpu_alloc_stacks(struct cpu *cpu)
{
	vaddr_t stack = kstack_alloc();

	if (!stack)
		return -ENOMEM;
	set_ist_stacks(cpu, stack);
	return 0;
}

/* ---- GDT and TSS ------------------------------------------------------ */

static void
fill_gdt(u64 *gdt, const struct tss *tss)
{
	u64 base = (u64)tss, limit = sizeof(*tss) - 1;

	gdt[KERNEL_CS / 8] = DESC_CODE64;
	gdt[KERNEL_DS / 8] = DESC_DATA;
	gdt[USER_DS / 8] = DESC_DATA | DESC_USER;
	gdt[USER_CS / 8] = DESC_CODE64 | DESC_USER;
	gdt[TSS_SELECTOR / 8] = DESC_TSS | limit | (base & 0xffffff) << 16 |
				(base >> 24 & 0xff) << 56;
	gdt[TSS_SELECTOR / 8 + 1] = base >> 32;
}

static void
load_gdt(const u64 *gdt)
{
	struct table_pointer pointer = { GDT_BYTES - 1, (u64)gdt };

	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t" /* a far return loads CS */
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movl %2, %%ss\n\t"
			 "movl %3, %%ds\n\t"
			 "movl %3, %%es\n\t"
			 "movl %3, %%fs\n\t"
			 "movl %3, %%gs\n\t" /* zeroes the GS base */
			 "ltr %w4"
			 :
			 : "m"(pointer), "i"(KERNEL_CS), "r"(KERNEL_DS),
			   "r"(0), "r"(TSS_SELECTOR)
			 : "rax", "memory");
}

/* ---- IDT -------------------------------------------------------------- */

extern const u8 trap_stubs[]; /* trap_entry.asm */

static void
fill_idt(void)
{
	for (unsigned i = 0; i < NR_VECTORS; i++) {
		u64 stub = (u64)trap_stubs + i * TRAP_STUB_BYTES;

		idt[i] = (struct gate){
			.offset_low = stub,
			.offset_middle = stub >> 16,
			.offset_high = stub >> 32,
			.selector = KERNEL_CS,
			.type = GATE_INTERRUPT,
		};
	}
	idt[VECTOR_BREAKPOINT].type |= GATE_USER;
	idt[VECTOR_OVERFLOW].type |= GATE_USER;
	idt[VECTOR_DOUBLE_FAULT].ist = IST_DOUBLE_FAULT;
	idt[VECTOR_NMI].ist = IST_NMI;
	idt[VECTOR_MACHINE_CHECK].ist = IST_NMI;
}

static void
load_idt(void)
{
	struct table_pointer pointer = { sizeof(idt) - 1, (u64)idt };

	__asm__ volatile("lidt %0" ::"m"(pointer));
}

void
descriptors_init(struct cpu *cpu)
{
	struct cpu_tables *mine = &cpu_tables[cpu - cpus];

	if (cpu == &cpus[0]) {
		ASSERT(boot_ist_stacks_end - boot_ist_stacks == KSTACK_SIZE);
		fill_idt();
		set_ist_stacks(cpu, (vaddr_t)boot_ist_stacks);
	}
	ASSERT(mine->tss.ist[IST_NMI - 1] != 0); /* cpu_alloc_stacks() */
	mine->tss.io_bitmap = sizeof(mine->tss);
	fill_gdt(mine->gdt, &mine->tss);
	load_gdt(mine->gdt);
	load_idt();
}
