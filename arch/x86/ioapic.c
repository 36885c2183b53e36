/*
 * Interrupt lines of devices. Each IOAPIC serves a run of global system
 * interrupts; here each goes to the boot CPU, with vector VECTOR_IRQ_BASE + its
 * number. The old interrupt controller (two 8259) is shut. Intel 82093AA data
 * sheet; ACPI Specification 6.5, 5.2.15.
 */
#include "arch/arch.h"
#include "arch/x86/platform.h"
#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"
#include "kernel/base/errno.h"
#include "kernel/base/printk.h"
#include "kernel/base/spinlock.h"

enum {
	/* Two windows in memory: choose a register, then read or write it. */
	IOAPIC_SELECT = 0x00,
	IOAPIC_WINDOW = 0x10,
	IOAPIC_BYTES = 0x20,

	IOAPIC_VERSION = 0x01,
	LAST_PIN_SHIFT = 16, /* in the version register */
	IOAPIC_ROUTES = 0x10, /* two registers a pin */

	ROUTE_ACTIVE_LOW = 1 << 13,
	ROUTE_LEVEL = 1 << 15,
	ROUTE_MASKED = 1 << 16,
	ROUTE_CPU_SHIFT = 24, /* in the second register */

	NR_LINES = VECTOR_IRQ_END - VECTOR_IRQ_BASE,

	PIC1_COMMAND = 0x20,
	PIC1_DATA = 0x21,
	PIC2_COMMAND = 0xa0,
	PIC2_DATA = 0xa1,
	PIC_INIT = 0x11, /* three more words follow */
	PIC1_CASCADE = 1 << 2,
	PIC2_CASCADE = 2,
	PIC_8086 = 0x01,
	PIC_ALL = 0xff,
};

struct ioapic {
	volatile u8 *window;
	unsigned gsi_base, nr_pins;
};

struct line {
	irq_handler_t fn; /* NULL: nobody's */
	void *arg;
};

static struct ioapic ioapics[MAX_IOAPICS];
static unsigned nr_ioapics;

/* Guards the two windows and the lines. Nothing is locked or printed under
 * it, so it is as inner as can be. */
static struct spinlock lock = SPINLOCK_INIT("ioapic", RANK_LOG);
static struct line lines[NR_LINES];

static u32
ioapic_read(const struct ioapic *io, u8 reg)
{
	mmio_write32(io->window + IOAPIC_SELECT, reg);
	return mmio_read32(io->window + IOAPIC_WINDOW);
}

static void
ioapic_write(const struct ioapic *io, u8 reg, u32 value)
{
	mmio_write32(io->window + IOAPIC_SELECT, reg);
	mmio_write32(io->window + IOAPIC_WINDOW, value);
}

/* ---- Set-up --------------------------------------------------------- */

/* Masked, and its vectors moved away from the exceptions, since it can raise
 * a spurious interrupt even so. */
static void
pic_shut(void)
{
	outb(PIC1_COMMAND, PIC_INIT);
	outb(PIC2_COMMAND, PIC_INIT);
	outb(PIC1_DATA, VECTOR_IRQ_END - 16);
	outb(PIC2_DATA, VECTOR_IRQ_END - 8);
	outb(PIC1_DATA, PIC1_CASCADE);
	outb(PIC2_DATA, PIC2_CASCADE);
	outb(PIC1_DATA, PIC_8086);
	outb(PIC2_DATA, PIC_8086);
	outb(PIC1_DATA, PIC_ALL);
	outb(PIC2_DATA, PIC_ALL);
}

static void
add_ioapic(const struct ioapic_info *info)
{
	struct ioapic *io = &ioapics[nr_ioapics++];

	io->window = map_device(info->addr, IOAPIC_BYTES);
	io->gsi_base = info->gsi_base;
	io->nr_pins = (ioapic_read(io, IOAPIC_VERSION) >> LAST_PIN_SHIFT &
		       0xff) + 1;
	for (unsigned pin = 0; pin < io->nr_pins; pin++)
		ioapic_write(io, IOAPIC_ROUTES + 2 * pin, ROUTE_MASKED);
}

void
ioapic_init(void)
{
	pic_shut();
	for (unsigned i = 0; i < acpi.nr_ioapics; i++)
		add_ioapic(&acpi.ioapics[i]);
}

/* ---- Lines ---------------------------------------------------------- */

static const struct ioapic *
ioapic_of(unsigned gsi)
{
	for (unsigned i = 0; i < nr_ioapics; i++)
		if (gsi >= ioapics[i].gsi_base &&
		    gsi - ioapics[i].gsi_base < ioapics[i].nr_pins)
			return &ioapics[i];
	return NULL;
}

/* An ISA interrupt is wired as the MADT says; all others are PCI's. */
static u32
wiring(unsigned gsi)
{
	for (unsigned irq = 0; irq < NR_ISA_IRQS; irq++) {
		const struct isa_irq *isa = &acpi.isa_irqs[irq];

		if (isa->gsi == gsi)
			return (isa->level ? ROUTE_LEVEL : 0) |
			       (isa->active_low ? ROUTE_ACTIVE_LOW : 0);
	}
	return gsi < NR_ISA_IRQS ? 0 : ROUTE_LEVEL | ROUTE_ACTIVE_LOW;
}

/* The line is open when this returns. */
int
arch_irq_register(unsigned gsi, irq_handler_t fn, void *arg)
{
	const struct ioapic *io = ioapic_of(gsi);
	irq_flags_t flags;
	u8 reg;

	ASSERT(fn);
	if (!io || gsi >= NR_LINES)
		return -EINVAL;
	flags = spin_lock_irqsave(&lock);
	if (lines[gsi].fn) {
		spin_unlock_irqrestore(&lock, flags);
		return -EBUSY;
	}
	lines[gsi] = (struct line){ fn, arg };
	reg = IOAPIC_ROUTES + 2 * (gsi - io->gsi_base);
	ioapic_write(io, reg + 1, cpu_by_id(0)->apic_id << ROUTE_CPU_SHIFT);
	ioapic_write(io, reg, (VECTOR_IRQ_BASE + gsi) | wiring(gsi));
	spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static void
set_masked(unsigned gsi, bool masked)
{
	const struct ioapic *io = ioapic_of(gsi);
	irq_flags_t flags;
	u32 route;
	u8 reg;

	ASSERT(io && gsi < NR_LINES);
	reg = IOAPIC_ROUTES + 2 * (gsi - io->gsi_base);
	flags = spin_lock_irqsave(&lock);
	route = ioapic_read(io, reg) & ~ROUTE_MASKED;
	ioapic_write(io, reg, route | (masked ? ROUTE_MASKED : 0));
	spin_unlock_irqrestore(&lock, flags);
}

void
arch_irq_mask(unsigned gsi)
{
	set_masked(gsi, true);
}

void
arch_irq_unmask(unsigned gsi)
{
	set_masked(gsi, false);
}

void
ioapic_interrupt(unsigned line)
{
	ASSERT(line < NR_LINES);
	if (lines[line].fn)
		lines[line].fn(lines[line].arg);
	else
		pr_warn("interrupt on line %u, which nobody registered", line);
}
