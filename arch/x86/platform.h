/*
 * The parts of the PC around the CPUs, as arch/x86 sees them among itself:
 * tables of the loader and of the firmware, interrupt controllers, timers,
 * console. Portable code uses arch/arch.h only.
 */
#pragma once

#include "arch/x86/cpu.h"

struct boot_info;
struct cpu;

/* ---- Sections of the image (linker.ld) ------------------------------ */

extern u8 image_start[], image_end[]; /* physical */
extern u8 text_start[], text_end[];
extern u8 rodata_start[], rodata_end[];
extern u8 data_start[], bss_end[];
extern u8 boot_stack_guard[], boot_stack[], boot_stack_top[];
extern u8 boot_ist_guard[], boot_ist_stacks[], boot_ist_stacks_end[];

/* ---- Device registers in memory: one access, of just this size ------ */

static inline u32
mmio_read32(const volatile void *reg)
{
	return *(const volatile u32 *)reg;
}

static inline void
mmio_write32(volatile void *reg, u32 value)
{
	*(volatile u32 *)reg = value;
}

/* ---- Boot (start.c, boot_info.c, smp.c) ----------------------------- */

/* Who called us; boot/start.asm passes it. */
enum loader {
	LOADER_MULTIBOOT2 = 1,
	LOADER_PVH = 2,
};

/* First C function of the boot CPU, on the boot stack and boot page tables.
 * @info: physical address of the loader's information. @tsc: when the kernel
 * was entered. */
void start_boot_cpu(enum loader loader, paddr_t info, u64 tsc) __noreturn;
/* First C function of each other CPU, on a stack from kstack_alloc(). */
void start_secondary_cpu(struct cpu *cpu) __noreturn;

/* Fills @boot from the loader's information, every length checked; panics
 * with a sentence when something needed is missing or damaged. */
void boot_info_read(struct boot_info *boot, enum loader loader, paddr_t info);

/* ---- Mappings (paging.c) -------------------------------------------- */

/* Builds the kernel's half of every root, and loads it. Once, on the boot CPU:
 * the first thing that arch_map_kernel() does. */
void paging_init(const struct boot_info *boot);

/* Maps @size bytes at @addr, uncached and not executable, into the DEVICE
 * area, for good. Possible after paging_init(); panics when the area's
 * tables are full. */
void *map_device(paddr_t addr, size_t size);

/* Where other CPUs start, in real mode: a page of the first MiB that holds
 * nothing else; 0 when there is none. Chosen by paging_init(). */
paddr_t trampoline_page(void);

/* The root that they pass through: the kernel half, and the trampoline's page
 * mapped where it is, executable and not writable. Below 4 GiB. */
paddr_t ap_root(void);

/* ---- Firmware tables (acpi.c) --------------------------------------- */

enum {
	MAX_LISTED_CPUS = 256, /* as many as xAPIC ids */
	MAX_IOAPICS = 8,
	NR_ISA_IRQS = 16,
};

struct ioapic_info {
	paddr_t addr;
	unsigned gsi_base; /* the first global interrupt it serves */
};

/* How an ISA interrupt is wired. */
struct isa_irq {
	unsigned gsi;
	bool level, active_low;
};

/* What the MADT says; without one, a PC with one CPU. */
struct acpi_info {
	paddr_t lapic;
	unsigned nr_cpus; /* entries in apic_ids */
	u8 apic_ids[MAX_LISTED_CPUS];
	unsigned nr_disabled; /* sockets for CPUs to be plugged in */
	unsigned nr_beyond;   /* CPUs that only x2APIC could address */
	unsigned nr_ioapics;
	struct ioapic_info ioapics[MAX_IOAPICS];
	struct isa_irq isa_irqs[NR_ISA_IRQS];
};

extern struct acpi_info acpi;

void acpi_init(const struct boot_info *boot);

/* ---- Interrupt controllers (apic.c, ioapic.c) ----------------------- */

void apic_init(void);		/* maps the registers; boot CPU, once */
void apic_init_this_cpu(void);	/* accepts interrupts; each CPU */
unsigned apic_this_id(void);	/* the id in the registers */

/* The way to start a CPU: INIT, then STARTUP with the page to begin at. */
void apic_send_init(unsigned apic_id);
void apic_send_startup(unsigned apic_id, paddr_t page);

/* Arms this CPU's timer to count @ticks down once; 0 stops it. */
void apic_timer_start(u32 ticks);
u32 apic_timer_left(void);

/* Tells the APIC that its interrupt is dealt with: the next one may come. */
void apic_end_of_interrupt(void);

void ioapic_init(void);

/* ---- Time (timer.c) ------------------------------------------------- */

/* No earlier read may still be under way when the counter is read, or a CPU
 * could see another's later time and then tell an earlier one. */
static inline u64
read_tsc(void)
{
	__asm__ volatile("lfence" ::: "memory");
	return rdtsc();
}

void clock_init(u64 tsc);	/* arch_time_ns() from here on; 0 was at @tsc */
void timer_init(void);		/* arch_timer_set() from here on; after apic */
void timer_expired(void);	/* the timer's interrupt */
void delay_us(u64 us);

/* The TSCs of two CPUs differ: arch_time_ns() takes a slower, safe way. */
void clock_not_synchronous(void);

/* ---- Console (console.c) -------------------------------------------- */

void console_init(void);
void console_map(void); /* the screen, through the final page tables */
void console_drain(void); /* before power goes: until the last byte is out */
