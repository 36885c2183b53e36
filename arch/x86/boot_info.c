/*
 * Reads what the loader left in memory: multiboot2's list of tags, or PVH's
 * start info. Nothing in it is trusted: an address must lie where the boot
 * page tables reach, a length inside what contains it.
 */
#include "arch/arch.h"
#include "arch/x86/platform.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot_info.h"

/* The boot page tables map the first GiB. */
#define BOOT_MAPPED (1ul << 30)

/* [addr, addr + size) as the boot page tables show it, or NULL. */
static const void *
boot_view(paddr_t addr, size_t size)
{
	if (addr == 0 || size > BOOT_MAPPED || addr > BOOT_MAPPED - size)
		return NULL;
	return phys_to_virt(addr);
}

static const void *
need_view(paddr_t addr, size_t size, const char *what)
{
	const void *view = boot_view(addr, size);

	if (!view)
		panic("The loader's %s lies at 0x%lx (%zu bytes), outside the "
		      "first GiB: use another loader, or another version.",
		      what, addr, size);
	return view;
}

/* ---- Filling in ----------------------------------------------------- */

/* Types as BIOS call e820 numbers them; both loaders pass them on. */
enum { E820_USABLE = 1, E820_ACPI_TABLES = 3 };

static enum memory_kind
memory_kind(u32 type)
{
	switch (type) {
	case E820_USABLE:
		return MEMORY_USABLE;
	case E820_ACPI_TABLES:
		return MEMORY_ACPI;
	default:
		return MEMORY_RESERVED;
	}
}

static void
add_memory(struct boot_info *boot, u64 start, u64 len, u32 type)
{
	u64 end = start + len;

	if (len == 0)
		return;
	if (end < start)
		end = ~0ul;
	if (boot->nr_memory == MAX_MEMORY_RANGES) {
		boot->memory_truncated = true;
		return;
	}
	boot->memory[boot->nr_memory++] = (struct memory_range){
		.start = start,
		.end = end,
		.kind = memory_kind(type),
	};
}

/* @text ends with a 0 within @size bytes, or is cut there. */
static void
set_cmdline(struct boot_info *boot, const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	if (len >= MAX_CMDLINE)
		pr_warn("boot options: only the first %d characters are read",
			MAX_CMDLINE - 1);
	len = MIN(len, MAX_CMDLINE - 1ul);
	memcpy(boot->cmdline, text, len);
	boot->cmdline[len] = 0;
}

static void
set_initrd(struct boot_info *boot, paddr_t start, paddr_t end)
{
	if (boot->initrd != boot->initrd_end) {
		pr_warn("only the first boot module is used");
		return;
	}
	if (end < start) {
		pr_warn("boot module ignored: it ends (0x%lx) before it begins "
			"(0x%lx)", end, start);
		return;
	}
	boot->initrd = start;
	boot->initrd_end = end;
}

/* ---- Multiboot2 --------------------------------------------------------
 * Multiboot2 Specification 2.0, section 3.6. */

struct mb2_info {
	u32 total_size;
	u32 reserved;
};

struct mb2_tag {
	u32 type;
	u32 size; /* this header included; the next one is 8-aligned */
};

enum {
	MB2_END = 0,
	MB2_CMDLINE = 1,
	MB2_MODULE = 3,
	MB2_MEMORY_MAP = 6,
	MB2_FRAMEBUFFER = 8,
	MB2_RSDP_V1 = 14,
	MB2_RSDP_V2 = 15,
	MB2_TAG_ALIGN = 8,

	MB2_RGB = 1, /* kind of framebuffer */
};

struct mb2_module {
	struct mb2_tag tag;
	u32 start, end;
};

struct mb2_memory_map {
	struct mb2_tag tag;
	u32 entry_size, entry_version;
};

struct mb2_memory {
	u64 start, len;
	u32 type, zero;
};

struct mb2_framebuffer {
	struct mb2_tag tag;
	u64 addr;
	u32 pitch, width, height;
	u8 bits_per_pixel, kind;
	u16 reserved;
	struct {
		u8 shift, bits;
	} red, green, blue;
};

static void
mb2_memory_map(struct boot_info *boot, const struct mb2_memory_map *map)
{
	const u8 *next = (const u8 *)(map + 1);
	const u8 *end = (const u8 *)map + map->tag.size;

	if (map->tag.size < sizeof(*map))
		panic("The loader's memory map is damaged: it has %u bytes. "
		      "Use another version of GRUB.", map->tag.size);
	if (map->entry_size < sizeof(struct mb2_memory))
		panic("The loader's memory map is damaged: its entries have "
		      "%u bytes. Use another version of GRUB.",
		      map->entry_size);

	while (next + sizeof(struct mb2_memory) <= end) {
		const struct mb2_memory *m = (const void *)next;

		add_memory(boot, m->start, m->len, m->type);
		next += map->entry_size;
	}
}

/* A text screen, or one of few colours, is not what a driver expects: it is as
 * if there were none. */
static void
mb2_framebuffer(struct boot_info *boot, const struct mb2_framebuffer *screen)
{
	unsigned bytes;

	if (screen->tag.size < offsetof(struct mb2_framebuffer, blue.bits) + 1 ||
	    screen->kind != MB2_RGB)
		return;
	bytes = screen->bits_per_pixel / 8;
	if (bytes < 3 || bytes > 4 || screen->red.bits != 8 ||
	    screen->green.bits != 8 || screen->blue.bits != 8 ||
	    screen->pitch / bytes < screen->width) {
		pr_warn("the screen is not used: %u bits per pixel",
			screen->bits_per_pixel);
		return;
	}
	boot->framebuffer = (struct lodger_framebuffer){
		.address = screen->addr,
		.width = screen->width,
		.height = screen->height,
		.pitch = screen->pitch,
		.pixel_bytes = (u8)bytes,
		.red_shift = screen->red.shift,
		.green_shift = screen->green.shift,
		.blue_shift = screen->blue.shift,
	};
}

static void
mb2_rsdp(struct boot_info *boot, const struct mb2_tag *tag)
{
	size_t len = MIN(tag->size - sizeof(*tag), sizeof(boot->rsdp_copy));

	/* The old form (20 bytes) must not replace the new one (36). */
	if (tag->type == MB2_RSDP_V1 && boot->have_rsdp_copy)
		return;
	memset(boot->rsdp_copy, 0, sizeof(boot->rsdp_copy));
	memcpy(boot->rsdp_copy, tag + 1, len);
	boot->have_rsdp_copy = true;
}

static void
mb2_read_tag(struct boot_info *boot, const struct mb2_tag *tag)
{
	const struct mb2_module *module = (const void *)tag;

	switch (tag->type) {
	case MB2_CMDLINE:
		set_cmdline(boot, (const char *)(tag + 1),
			    tag->size - sizeof(*tag));
		break;
	case MB2_MODULE:
		if (tag->size < sizeof(*module))
			pr_warn("boot module ignored: its tag is cut short");
		else
			set_initrd(boot, module->start, module->end);
		break;
	case MB2_MEMORY_MAP:
		mb2_memory_map(boot, (const void *)tag);
		break;
	case MB2_FRAMEBUFFER:
		mb2_framebuffer(boot, (const void *)tag);
		break;
	case MB2_RSDP_V1:
	case MB2_RSDP_V2:
		mb2_rsdp(boot, tag);
		break;
	}
}

static void
mb2_read(struct boot_info *boot, paddr_t addr)
{
	const struct mb2_info *info =
		need_view(addr, sizeof(*info), "information");
	size_t total = info->total_size;
	const u8 *start = need_view(addr, total, "information");
	size_t at = sizeof(*info);

	boot->loader = "multiboot2";
	while (at + sizeof(struct mb2_tag) <= total) {
		const struct mb2_tag *tag = (const void *)(start + at);

		if (tag->type == MB2_END)
			return;
		if (tag->size < sizeof(*tag) || tag->size > total - at)
			panic("The loader's information is damaged: a tag of "
			      "type %u claims %u of the %zu bytes left. Use "
			      "another version of GRUB.",
			      tag->type, tag->size, total - at);
		mb2_read_tag(boot, tag);
		at = ALIGN_UP(at + tag->size, MB2_TAG_ALIGN);
	}
	pr_warn("the loader's information has no end tag");
}

/* ---- PVH ---------------------------------------------------------------
 * Xen's public header arch-x86/hvm/start_info.h. */

enum { PVH_MAGIC = 0x336ec578 };

struct pvh_info {
	u32 magic, version, flags, nr_modules;
	u64 modules, cmdline, rsdp;
	/* from version 1 */
	u64 memory_map;
	u32 nr_memory, reserved;
};

struct pvh_module {
	u64 start, len, cmdline, reserved;
};

struct pvh_memory {
	u64 start, len;
	u32 type, reserved;
};

static void
pvh_read_memory(struct boot_info *boot, const struct pvh_info *info)
{
	const struct pvh_memory *map;

	if (info->version < 1 || info->nr_memory == 0)
		panic("The PVH loader gave no memory map (version %u, %u "
		      "entries): QEMU 4.0 or newer is needed.",
		      info->version, info->nr_memory);
	map = need_view(info->memory_map, info->nr_memory * sizeof(*map),
			"memory map");
	for (u32 i = 0; i < info->nr_memory; i++)
		add_memory(boot, map[i].start, map[i].len, map[i].type);
}

static void
pvh_read_modules(struct boot_info *boot, const struct pvh_info *info)
{
	const struct pvh_module *modules;

	if (info->nr_modules == 0)
		return;
	modules = need_view(info->modules,
			    info->nr_modules * sizeof(*modules),
			    "list of modules");
	for (u32 i = 0; i < info->nr_modules; i++)
		set_initrd(boot, modules[i].start,
			   modules[i].start + modules[i].len);
}

static void
pvh_read(struct boot_info *boot, paddr_t addr)
{
	const struct pvh_info *info = need_view(addr, sizeof(*info),
						"start info");

	boot->loader = "PVH";
	if (info->magic != PVH_MAGIC)
		panic("The PVH loader's start info at 0x%lx begins with 0x%x "
		      "instead of 0x%x.", addr, info->magic, PVH_MAGIC);
	boot->rsdp = info->rsdp;
	pvh_read_memory(boot, info);
	pvh_read_modules(boot, info);
	if (info->cmdline)
		set_cmdline(boot, need_view(info->cmdline, 1, "command line"),
			    MIN(BOOT_MAPPED - info->cmdline,
				MAX_CMDLINE + 0ul));
}

void
boot_info_read(struct boot_info *boot, enum loader loader, paddr_t info)
{
	memset(boot, 0, sizeof(*boot));
	boot->kernel = (paddr_t)image_start;
	boot->kernel_end = (paddr_t)image_end;
	if (loader == LOADER_PVH)
		pvh_read(boot, info);
	else
		mb2_read(boot, info);
	if (boot->nr_memory == 0)
		panic("The loader gave no memory map: use GRUB 2 with the "
		      "command multiboot2, or qemu-system-x86_64 -kernel.");
}
