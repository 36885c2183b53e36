/*
 * The local APIC: one in each CPU, at the same address for all. It delivers
 * interrupts, sends them to other CPUs, and has a timer. Intel SDM volume 3,
 * chapter 11. Only the memory-mapped form (xAPIC) is used.
 */
#include "arch/arch.h"
#include "arch/x86/platform.h"
#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"
#include "kernel/base/printk.h"

enum apic_register {
	APIC_ID = 0x20,
	APIC_TASK_PRIORITY = 0x80,
	APIC_EOI = 0xb0,
	APIC_SPURIOUS = 0xf0,
	APIC_COMMAND = 0x300,
	APIC_COMMAND_TO = 0x310,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_COUNT = 0x380,
	APIC_TIMER_LEFT = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
};

enum {
	ID_SHIFT = 24,
	SOFTWARE_ENABLE = 1 << 8,
	LVT_MASKED = 1 << 16,
	LVT_NMI = 4 << 8,
	DIVIDE_BY_1 = 0x0b,

	COMMAND_FIXED = 0 << 8,
	COMMAND_NMI = 4 << 8,
	COMMAND_INIT = 5 << 8,
	COMMAND_STARTUP = 6 << 8,
	COMMAND_PENDING = 1 << 12,
	COMMAND_ASSERT = 1 << 14,
	COMMAND_TRIES = 1 << 20,

	BASE_ENABLE = 1 << 11,
	BASE_X2APIC = 1 << 10,

	CPUID_FEATURES = 1,
	FEATURES_EDX_APIC = 1 << 9,
	APIC_BYTES = 0x400,
};

static volatile u8 *registers;

static u32
apic_read(enum apic_register reg)
{
	return mmio_read32(registers + reg);
}

static void
apic_write(enum apic_register reg, u32 value)
{
	mmio_write32(registers + reg, value);
}

void
apic_init(void)
{
	if (!(cpuid(CPUID_FEATURES, 0).edx & FEATURES_EDX_APIC))
		panic("This CPU has no local APIC, which Lodger needs for its "
		      "timer: use a newer CPU; in QEMU -cpu max.");
	if (rdmsr(MSR_APIC_BASE) & BASE_X2APIC)
		panic("The firmware left the local APIC in x2APIC mode: "
		      "switch x2APIC off in the firmware setup.");
	registers = map_device(acpi.lapic, APIC_BYTES);
}

/* Device interrupts come through the IOAPIC, so LINT0, where the old
 * interrupt controller hangs, is shut. LINT1 is the NMI line of a PC. */
void
apic_init_this_cpu(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BASE_ENABLE);
	apic_write(APIC_SPURIOUS, SOFTWARE_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_NMI);
	apic_write(APIC_LVT_ERROR, LVT_MASKED);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_TIMER_COUNT, 0);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	apic_write(APIC_TASK_PRIORITY, 0); /* any interrupt may come */
	this_cpu()->apic_id = apic_this_id();
}

unsigned
apic_this_id(void)
{
	return apic_read(APIC_ID) >> ID_SHIFT;
}

/* ---- Interrupts to other CPUs --------------------------------------- */

bool cpus_must_stop;

/* The command goes out when its lower half is written; an interrupt between
 * the two writes could send one of its own. */
static void
apic_command(unsigned apic_id, u32 command)
{
	u64 flags = arch_irq_save();
	int tries = COMMAND_TRIES;

	while (apic_read(APIC_COMMAND) & COMMAND_PENDING && --tries > 0)
		arch_cpu_relax();
	apic_write(APIC_COMMAND_TO, apic_id << ID_SHIFT);
	apic_write(APIC_COMMAND, command);
	arch_irq_restore(flags);
}

/* Words written before are seen by the other CPU's handler: on x86 the write
 * to the APIC's register is ordered after them. */
void
arch_send_ipi(unsigned cpu_id, enum ipi kind)
{
	static const u32 commands[NR_IPIS] = {
		[IPI_RESCHED] = COMMAND_FIXED | VECTOR_RESCHED,
		[IPI_TLB] = COMMAND_FIXED | VECTOR_TLB,
		[IPI_LOG] = COMMAND_FIXED | VECTOR_LOG,
		[IPI_STOP] = COMMAND_NMI,
	};

	DEBUG_ASSERT(cpu_id < nr_cpus && kind < NR_IPIS);
	if (!registers) /* a panic before arch_map_kernel() */
		return;
	if (kind == IPI_STOP)
		WRITE_ONCE(cpus_must_stop, true);
	apic_command(cpu_by_id(cpu_id)->apic_id,
		     commands[kind] | COMMAND_ASSERT);
}

void
apic_send_init(unsigned apic_id)
{
	apic_command(apic_id, COMMAND_INIT | COMMAND_ASSERT);
}

void
apic_send_startup(unsigned apic_id, paddr_t page)
{
	apic_command(apic_id,
		     COMMAND_STARTUP | COMMAND_ASSERT | page >> PAGE_SHIFT);
}

/* ---- Interrupts that arrive ----------------------------------------- */

void
apic_end_of_interrupt(void)
{
	apic_write(APIC_EOI, 0);
}

/* ---- The timer ------------------------------------------------------ */

void
apic_timer_start(u32 ticks)
{
	apic_write(APIC_TIMER_COUNT, ticks);
}

u32
apic_timer_left(void)
{
	return apic_read(APIC_TIMER_LEFT);
}
