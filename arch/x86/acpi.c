/*
 * The firmware's tables, as far as we need them: the MADT, which lists CPUs
 * and interrupt controllers. ACPI Specification 6.5, sections 5.2.5 (RSDP),
 * 5.2.7 and 5.2.8 (RSDT, XSDT), 5.2.12 (MADT).
 *
 * Every length is checked before it is believed; a damaged table is reported
 * and passed over, and the machine then has one CPU and no interrupt lines.
 */
#include "arch/arch.h"
#include "arch/x86/platform.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot_info.h"
#include "mm/boot_mem.h"

struct acpi_info acpi;

enum {
	DEFAULT_LAPIC = 0xfee00000,
	MAX_TABLE = 1 << 20, /* a longer one is taken for damaged */
	MAX_TABLES = 256,    /* that we look at */
};

struct rsdp {
	char signature[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt;
	/* from revision 2 */
	u32 length;
	u64 xsdt;
	u8 checksum_all;
	u8 reserved[3];
} __packed;

enum { RSDP_V1_SIZE = 20 };

struct table {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem[6], oem_table[8];
	u32 oem_revision, creator, creator_revision;
} __packed;

/* Tables mostly lie in memory that the boot map calls reserved. NULL: no such
 * memory can exist. */
static const void *
view(paddr_t addr, size_t size)
{
	if (boot_mem_usable(addr, size))
		return phys_to_virt(addr);
	if (addr == 0 || addr + size < addr || addr + size > arch_phys_end())
		return NULL;
	return map_device(addr, size);
}

static bool
sums_to_zero(const void *data, size_t size)
{
	const u8 *bytes = data;
	u8 sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
	return sum == 0;
}

/* ---- The root pointer ----------------------------------------------- */

static bool
rsdp_valid(const struct rsdp *rsdp)
{
	if (memcmp(rsdp->signature, "RSD PTR ", 8) != 0 ||
	    !sums_to_zero(rsdp, RSDP_V1_SIZE))
		return false;
	return rsdp->revision < 2 || sums_to_zero(rsdp, sizeof(*rsdp));
}

/* All loaders that we know pass it on, from wherever the firmware has it. */
static const struct rsdp *
find_rsdp(const struct boot_info *boot)
{
	const struct rsdp *rsdp = NULL;

	if (boot->have_rsdp_copy)
		rsdp = (const void *)boot->rsdp_copy;
	else if (boot->rsdp)
		rsdp = view(boot->rsdp, sizeof(*rsdp));
	if (!rsdp || rsdp_valid(rsdp))
		return rsdp;
	pr_warn("ACPI: the loader's root pointer is damaged");
	return NULL;
}

/* ---- Tables --------------------------------------------------------- */

/* The table at @addr, whole and checked, or NULL. */
static const struct table *
read_table(paddr_t addr)
{
	const struct table *table;
	u32 length;

	table = view(addr, sizeof(*table));
	if (!table) {
		pr_warn("ACPI: there can be no table at 0x%lx", addr);
		return NULL;
	}
	length = table->length;
	if (length < sizeof(*table) || length > MAX_TABLE) {
		pr_warn("ACPI: table at 0x%lx ignored: it claims %u bytes",
			addr, length);
		return NULL;
	}
	table = view(addr, length);
	if (!table || !sums_to_zero(table, length)) {
		pr_warn("ACPI: table at 0x%lx ignored: wrong checksum", addr);
		return NULL;
	}
	return table;
}

static bool
has_signature(paddr_t addr, const char *signature)
{
	const struct table *table = view(addr, sizeof(*table));

	return table && memcmp(table->signature, signature, 4) == 0;
}

/* Looks through the RSDT (@entry_size 4) or XSDT (8). */
static const struct table *
find_table(const struct table *root, size_t entry_size, const char *signature)
{
	const u8 *entry = (const u8 *)(root + 1);
	const u8 *end = (const u8 *)root + root->length;

	for (int i = 0; i < MAX_TABLES && entry + entry_size <= end; i++) {
		paddr_t addr = 0;

		memcpy(&addr, entry, entry_size);
		entry += entry_size;
		if (has_signature(addr, signature))
			return read_table(addr);
	}
	return NULL;
}

static const struct table *
find_madt(const struct rsdp *rsdp)
{
	const struct table *root = NULL;

	if (rsdp->revision >= 2)
		root = read_table(rsdp->xsdt);
	if (root)
		return find_table(root, sizeof(u64), "APIC");
	root = read_table(rsdp->rsdt);
	return root ? find_table(root, sizeof(u32), "APIC") : NULL;
}

/* ---- The MADT ------------------------------------------------------- */

struct madt {
	struct table table;
	u32 lapic, flags;
} __packed;

struct madt_entry {
	u8 type, length;
} __packed;

enum {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_ADDRESS = 5,
	MADT_X2APIC = 9,

	CPU_ENABLED = 1 << 0,

	POLARITY_MASK = 3 << 0,
	POLARITY_LOW = 3 << 0,
	TRIGGER_MASK = 3 << 2,
	TRIGGER_LEVEL = 3 << 2,

	LAST_XAPIC_ID = 254, /* 255 means all */
};

struct madt_lapic {
	struct madt_entry entry;
	u8 processor, apic_id;
	u32 flags;
} __packed;

struct madt_x2apic {
	struct madt_entry entry;
	u16 reserved;
	u32 apic_id, flags, processor;
} __packed;

struct madt_ioapic {
	struct madt_entry entry;
	u8 id, reserved;
	u32 addr, gsi_base;
} __packed;

struct madt_override {
	struct madt_entry entry;
	u8 bus, irq;
	u32 gsi;
	u16 flags;
} __packed;

struct madt_lapic_address {
	struct madt_entry entry;
	u16 reserved;
	u64 addr;
} __packed;

static bool
listed(u32 apic_id)
{
	for (unsigned i = 0; i < acpi.nr_cpus; i++)
		if (acpi.apic_ids[i] == apic_id)
			return true;
	return false;
}

/* A CPU may be listed in the old form and in the new one. */
static void
add_cpu(u32 apic_id, u32 flags)
{
	if (listed(apic_id))
		return;
	if (!(flags & CPU_ENABLED))
		acpi.nr_disabled++;
	else if (apic_id > LAST_XAPIC_ID || acpi.nr_cpus == MAX_LISTED_CPUS)
		acpi.nr_beyond++;
	else
		acpi.apic_ids[acpi.nr_cpus++] = apic_id;
}

static void
add_ioapic(const struct madt_ioapic *io)
{
	if (acpi.nr_ioapics < MAX_IOAPICS)
		acpi.ioapics[acpi.nr_ioapics++] =
			(struct ioapic_info){ io->addr, io->gsi_base };
}

static void
add_override(const struct madt_override *o)
{
	if (o->irq < NR_ISA_IRQS)
		acpi.isa_irqs[o->irq] = (struct isa_irq){
			.gsi = o->gsi,
			.level = (o->flags & TRIGGER_MASK) == TRIGGER_LEVEL,
			.active_low = (o->flags & POLARITY_MASK) ==
				      POLARITY_LOW,
		};
}

/* Longer entries than we know are fine, shorter ones are not. */
static const u8 entry_sizes[] = {
	[MADT_LAPIC] = sizeof(struct madt_lapic),
	[MADT_X2APIC] = sizeof(struct madt_x2apic),
	[MADT_IOAPIC] = sizeof(struct madt_ioapic),
	[MADT_OVERRIDE] = sizeof(struct madt_override),
	[MADT_LAPIC_ADDRESS] = sizeof(struct madt_lapic_address),
};

static bool
too_short(const struct madt_entry *entry)
{
	return entry->length < sizeof(*entry) ||
	       (entry->type < ARRAY_SIZE(entry_sizes) &&
		entry->length < entry_sizes[entry->type]);
}

static void
read_entry(const void *entry)
{
	const struct madt_lapic *lapic = entry;
	const struct madt_x2apic *x2apic = entry;
	const struct madt_lapic_address *address = entry;

	switch (lapic->entry.type) {
	case MADT_LAPIC:
		add_cpu(lapic->apic_id, lapic->flags);
		break;
	case MADT_X2APIC:
		add_cpu(x2apic->apic_id, x2apic->flags);
		break;
	case MADT_IOAPIC:
		add_ioapic(entry);
		break;
	case MADT_OVERRIDE:
		add_override(entry);
		break;
	case MADT_LAPIC_ADDRESS:
		acpi.lapic = address->addr;
		break;
	}
}

static void
read_madt(const struct madt *madt)
{
	const u8 *at = (const u8 *)(madt + 1);
	const u8 *end = (const u8 *)madt + madt->table.length;

	if (madt->table.length < sizeof(*madt)) {
		pr_warn("ACPI: the MADT is cut short");
		return;
	}
	acpi.lapic = madt->lapic;
	while (at + sizeof(struct madt_entry) <= end) {
		const struct madt_entry *entry = (const void *)at;

		if (too_short(entry) || entry->length > end - at) {
			pr_warn("ACPI: MADT entry of type %u has %u bytes, "
				"%ld are left: the rest is ignored",
				entry->type, entry->length, (long)(end - at));
			return;
		}
		read_entry(entry);
		at += entry->length;
	}
}

void
acpi_init(const struct boot_info *boot)
{
	const struct rsdp *rsdp = find_rsdp(boot);
	const struct table *madt = rsdp ? find_madt(rsdp) : NULL;

	acpi.lapic = DEFAULT_LAPIC;
	for (unsigned irq = 0; irq < NR_ISA_IRQS; irq++)
		acpi.isa_irqs[irq].gsi = irq;

	if (madt)
		read_madt((const void *)madt);
	else
		pr_warn("ACPI: no %s: only one CPU and no device interrupts",
			rsdp ? "MADT" : "root pointer");
}
