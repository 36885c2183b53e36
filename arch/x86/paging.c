/*
 * The kernel half of every address space. Built once: all 256 upper entries
 * of the root are filled here and never change again, so that every root can
 * hold the same ones and a switch never has to look (I12).
 *
 *   image        text r-x, rodata r--, data and bss rw-; 4 KiB pages
 *   direct map   usable memory, rw-, in the largest pages that fit; r-- where
 *                the image's text and rodata lie
 *   stacks       one empty table, which mm/kstack.c fills
 *   devices      tables for DEVICE_PAGES, which map_device() fills
 *   all others   one shared table that is empty and lies in rodata
 *
 * Nothing is both writable and executable, and nothing is mapped at its
 * physical address: CPUs that start in real mode pass through ap_root().
 */
#include "arch/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/platform.h"
#include "kernel/base/assert.h"
#include "kernel/boot_info.h"
#include "mm/boot_mem.h"

enum {
	CR4_PGE = 1 << 7,
	CPUID_EXTENDED_FEATURES = 0x80000001,
	EXTENDED_EDX_GIB_PAGES = 1 << 26,

	/* Where it is looked for: clear of what a BIOS uses. */
	TRAMPOLINE_FIRST = 0x8000,
	TRAMPOLINE_LAST = 0x80000,

	DEVICE_TABLES = 4,
	DEVICE_PAGES = DEVICE_TABLES * PTES_PER_TABLE,
};

STATIC_ASSERT(KSTACK_END - KSTACK_BASE == 1ul << 39 &&
	      DEVICE_END - DEVICE_BASE == 1ul << 39,
	      "these areas have one root entry each");

static pte_t *kernel_root;
static pte_t *trampoline_table; /* a root */
static paddr_t trampoline;

static pte_t *device_ptes; /* DEVICE_PAGES in a row */
static unsigned device_used;

static const pte_t empty_table[PTES_PER_TABLE] __aligned(PAGE_SIZE);

/* ---- The loaded root ------------------------------------------------ */

paddr_t
arch_loaded_root(void)
{
	return READ_CR(3) & PTE_FRAME;
}

void
arch_flush_page(uaddr_t addr)
{
	__asm__ volatile("invlpg (%0)" ::"r"(addr) : "memory");
}

void
arch_flush_all(void)
{
	u64 flags = arch_irq_save();

	arch_load_root(arch_loaded_root());
	arch_irq_restore(flags);
}

/* Loading CR3 keeps global entries, which are the kernel's; taking CR4.PGE
 * away for a moment drops those too. SDM volume 3, 4.10.4.1. */
void
arch_flush_kernel(void)
{
	u64 flags = arch_irq_save();
	u64 cr4 = READ_CR(4);

	if (cr4 & CR4_PGE) {
		WRITE_CR(4, cr4 & ~(u64)CR4_PGE);
		WRITE_CR(4, cr4);
	} else {
		arch_load_root(arch_loaded_root());
	}
	arch_irq_restore(flags);
}

paddr_t
arch_kernel_root(void)
{
	return virt_to_phys(kernel_root);
}

paddr_t
trampoline_page(void)
{
	return trampoline;
}

paddr_t
ap_root(void)
{
	return virt_to_phys(trampoline_table);
}

static bool
cpu_has_gib_pages(void)
{
	return cpuid(CPUID_EXTENDED_FEATURES, 0).edx & EXTENDED_EDX_GIB_PAGES;
}

/* ---- Building ------------------------------------------------------- */

static pte_t *
new_table(void)
{
	return boot_alloc(PAGE_SIZE, PAGE_SIZE);
}

static pte_t *
table_of(pte_t *entry)
{
	if (!pte_present(*entry))
		*entry = pte_make_table(virt_to_phys(new_table()), false);
	return phys_to_virt(pte_paddr(*entry));
}

/* The entry for @addr at @level, with the tables above it. */
static pte_t *
entry_of(pte_t *root, vaddr_t addr, int level)
{
	pte_t *table = root;

	for (int above = TABLE_LEVELS; above > level; above--)
		table = table_of(&table[pte_index(addr, above)]);
	return &table[pte_index(addr, level)];
}

/* The highest level at which one entry can map @addr to @frame without
 * going past @size. */
static int
largest_level(vaddr_t addr, paddr_t frame, size_t size)
{
	int level = size >= pte_span(3) && cpu_has_gib_pages() ? 3 : 2;

	while (level > 1 && (!IS_ALIGNED(addr | frame, pte_span(level)) ||
			     size < pte_span(level)))
		level--;
	return level;
}

/* Maps whole pages, none of which may be mapped. */
static void
map(vaddr_t addr, paddr_t frame, size_t size, unsigned prot)
{
	ASSERT(IS_ALIGNED(addr | frame | size, PAGE_SIZE));
	ASSERT((prot & (PAGE_WRITE | PAGE_EXEC)) != (PAGE_WRITE | PAGE_EXEC));

	while (size > 0) {
		int level = largest_level(addr, frame, size);
		pte_t *entry = entry_of(kernel_root, addr, level);

		ASSERT(!pte_present(*entry));
		*entry = pte_make(frame, prot);
		if (level > 1)
			entry->bits |= PTE_PS;
		addr += pte_span(level);
		frame += pte_span(level);
		size -= pte_span(level);
	}
}

static void
map_image(const u8 *start, const u8 *end, unsigned prot)
{
	map((vaddr_t)start, virt_to_phys(start), end - start, prot);
}

/* ---- The direct map ------------------------------------------------- */

/* Maps [start, end), of which [image_start, rodata_end) read-only. */
static void
map_direct(paddr_t start, paddr_t end)
{
	paddr_t bounds[] = {
		start,
		MIN(MAX((paddr_t)image_start, start), end),
		MIN(MAX(virt_to_phys(rodata_end), start), end),
		end,
	};

	for (int i = 0; i < 3; i++)
		map(DIRECT_MAP_BASE + bounds[i], bounds[i],
		    bounds[i + 1] - bounds[i], i == 1 ? 0 : PAGE_WRITE);
}

/* ---- Devices -------------------------------------------------------- */

/* Tables for the whole area are made now, because device registers are also
 * mapped when boot_alloc() is no more. */
static void
make_device_tables(void)
{
	pte_t *tables = boot_alloc(DEVICE_TABLES * PAGE_SIZE, PAGE_SIZE);

	for (u64 i = 0; i < DEVICE_TABLES; i++) {
		vaddr_t addr = DEVICE_BASE + i * pte_span(2);
		pte_t *table = tables + i * PTES_PER_TABLE;

		*entry_of(kernel_root, addr, 2) =
			pte_make_table(virt_to_phys(table), false);
	}
	device_ptes = tables;
}

void *
map_device(paddr_t addr, size_t size)
{
	paddr_t first = ALIGN_DOWN(addr, PAGE_SIZE);
	size_t pages = (ALIGN_UP(addr + size, PAGE_SIZE) - first) / PAGE_SIZE;
	vaddr_t start = DEVICE_BASE + device_used * PAGE_SIZE;

	if (pages > DEVICE_PAGES - device_used)
		panic("No room to map the device registers at 0x%lx (%zu "
		      "bytes): raise DEVICE_TABLES in arch/x86/paging.c.",
		      addr, size);
	for (size_t i = 0; i < pages; i++)
		device_ptes[device_used++] = pte_make(
			first + i * PAGE_SIZE, PAGE_WRITE | PAGE_UNCACHED);
	return (void *)(start + (addr - first));
}

/* ---- The roots ------------------------------------------------------ */

/* An entry's accessed bit is set from the start: the CPU would set it in one
 * root and not in another, and the roots are compared. */
static void
fill_root(void)
{
	for (unsigned i = USER_ROOT_PTES; i < PTES_PER_TABLE; i++) {
		pte_t *entry = &kernel_root[i];

		if (!pte_present(*entry))
			*entry = pte_make_table(virt_to_phys(empty_table),
						false);
		entry->bits |= PTE_A;
	}
}

/* boot_alloc() leaves the first MiB alone, but a loader may have put the
 * module there. */
static paddr_t
choose_trampoline(const struct boot_info *boot)
{
	paddr_t page = TRAMPOLINE_FIRST;

	for (; page <= TRAMPOLINE_LAST; page += PAGE_SIZE)
		if (boot_mem_usable(page, PAGE_SIZE) &&
		    (page >= boot->initrd_end ||
		     page + PAGE_SIZE <= boot->initrd))
			return page;
	return 0;
}

static void
build_ap_root(void)
{
	trampoline_table = new_table();
	*entry_of(trampoline_table, trampoline, 1) =
		(pte_t){ trampoline | PTE_P };
	for (unsigned i = USER_ROOT_PTES; i < PTES_PER_TABLE; i++)
		trampoline_table[i] = kernel_root[i];
	ASSERT(ap_root() < 1ul << 32); /* a CPU in 32-bit mode loads it */
}

void
paging_init(const struct boot_info *boot)
{
	u64 flags;

	kernel_root = new_table();
	map_image(text_start, text_end, PAGE_EXEC);
	map_image(rodata_start, rodata_end, 0);
	map_image(data_start, boot_stack_guard, PAGE_WRITE);
	map_image(boot_stack, boot_ist_guard, PAGE_WRITE);
	map_image(boot_ist_stacks, bss_end, PAGE_WRITE);
	boot_mem_for_each(map_direct);
	table_of(&kernel_root[pte_index(KSTACK_BASE, TABLE_LEVELS)]);
	make_device_tables();
	fill_root();
	trampoline = choose_trampoline(boot);
	build_ap_root();

	flags = arch_irq_save();
	arch_load_root(arch_kernel_root());
	arch_irq_restore(flags);
}
