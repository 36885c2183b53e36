/*
 * Interrupt lines of devices. Each IOAPIC serves a run of global system
 * interrupts; here each goes to the boot CPU, with vector VECTOR_IRQ_BASE + the
 * line's number, which for an ISA interrupt is the old one. The old interrupt controller (two 8259) is shut. Intel 82093AA data
 * sheet; ACPI Specification 6.5, 5.2.15.
 */
#include "arch/arch.h"
#include "arch/x86/platform.h"
#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"
#include "kernel/base/errno.h"
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

static struct ioapic ioapics[MAX_IOAPICS];
static unsigned nr_ioapics;

/* Guards the two windows. Nothing is locked or printed under it, so it is as
 * inner as can be. */
static struct spinlock lock = SPINLOCK_INIT("ioapic", RANK_LOG);

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

/* Which ISA interrupt arrives there; NR_ISA_IRQS: none. Where the firmware has
 * moved one to another one's place (the timer to the cascade's), that one is not
 * there. */
static unsigned
isa_irq_at(unsigned gsi)
{
	for (unsigned irq = 0; irq < NR_ISA_IRQS; irq++)
		if (acpi.isa_irqs[irq].gsi == gsi)
			return irq;
	return NR_ISA_IRQS;
}

/* Where @line arrives, and how it is wired; false: there is no such line. All
 * that are not the ISA bus's are PCI's. */
static bool
find_line(unsigned line, struct isa_irq *wiring)
{
	unsigned isa;

	if (line >= NR_LINES)
		return false;
	*wiring = (struct isa_irq){ line, true, true };
	if (line < NR_ISA_IRQS)
		*wiring = acpi.isa_irqs[line];
	isa = isa_irq_at(wiring->gsi);
	return ioapic_of(wiring->gsi) &&
	       isa == (line < NR_ISA_IRQS ? line : NR_ISA_IRQS);
}

/* The register of the pin where @line arrives. */
static u8
route_of(unsigned gsi)
{
	return IOAPIC_ROUTES + 2 * (gsi - ioapic_of(gsi)->gsi_base);
}

unsigned
arch_nr_irqs(void)
{
	return NR_LINES;
}

int
arch_irq_open(unsigned line)
{
	struct isa_irq wiring;
	const struct ioapic *io;
	irq_flags_t flags;
	u8 reg;

	if (!find_line(line, &wiring))
		return -EINVAL;
	io = ioapic_of(wiring.gsi);
	reg = route_of(wiring.gsi);
	flags = spin_lock_irqsave(&lock);
	ioapic_write(io, reg + 1, cpu_by_id(0)->apic_id << ROUTE_CPU_SHIFT);
	ioapic_write(io, reg, (VECTOR_IRQ_BASE + line) |
				      (wiring.level ? ROUTE_LEVEL : 0) |
				      (wiring.active_low ? ROUTE_ACTIVE_LOW
							 : 0));
	spin_unlock_irqrestore(&lock, flags);
	return 0;
}

bool
arch_irq_is_level(unsigned line)
{
	return line >= NR_ISA_IRQS || acpi.isa_irqs[line].level;
}

static void
set_masked(unsigned line, bool masked)
{
	struct isa_irq wiring;
	const struct ioapic *io;
	irq_flags_t flags;
	u32 route;
	u8 reg;

	if (!find_line(line, &wiring))
		return;
	io = ioapic_of(wiring.gsi);
	reg = route_of(wiring.gsi);
	flags = spin_lock_irqsave(&lock);
	route = ioapic_read(io, reg) & ~ROUTE_MASKED;
	ioapic_write(io, reg, route | (masked ? ROUTE_MASKED : 0));
	spin_unlock_irqrestore(&lock, flags);
}

void
arch_irq_mask(unsigned line)
{
	set_masked(line, true);
}

void
arch_irq_unmask(unsigned line)
{
	set_masked(line, false);
}

bool
arch_owns_device(paddr_t start, paddr_t end)
{
	bool owned = acpi.lapic < end &&
		     start < ALIGN_UP(acpi.lapic + 1, PAGE_SIZE);

	for (unsigned i = 0; i < acpi.nr_ioapics; i++)
		owned |= acpi.ioapics[i].addr < end &&
			 start < ALIGN_UP(acpi.ioapics[i].addr + IOAPIC_BYTES,
					  PAGE_SIZE);
	return owned;
}
