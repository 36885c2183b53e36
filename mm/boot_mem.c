/*
 * Memory before there is an allocator: a list of free ranges, from which
 * everything that is taken, for whatever reason, is cut out by one function.
 */
#include "mm/boot_mem.h"

#include "kernel/base/assert.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot_info.h"
#include "arch/arch.h"

enum { MAX_RANGES = 2 * MAX_MEMORY_RANGES };

#define MIN_USABLE  (16ul << 20)  /* less than this: no use starting */
#define LOW_MEMORY  (1ul << 20)	  /* BIOS area and the trampoline's page */
#define EARLY_LIMIT (1ul << 30)	  /* what the boot tables map */
/* The frame array spans everything below the last byte: a bound on it. */
#define MAX_ADDRESS (128ul << 30)

struct range {
	paddr_t start, end;
};

/* Free memory, in ascending order, not overlapping. Boot runs on one CPU. */
static struct range ranges[MAX_RANGES];
static unsigned nr_ranges;
static paddr_t limit;	  /* boot_alloc() stays below */
static bool released;

/* All usable memory, taken or not. */
static struct range usable[MAX_RANGES];
static unsigned nr_usable;

static void
insert_range(unsigned at, paddr_t start, paddr_t end)
{
	ASSERT(nr_ranges < MAX_RANGES);
	ASSERT(start < end);
	memmove(&ranges[at + 1], &ranges[at],
		(nr_ranges - at) * sizeof(ranges[0]));
	ranges[at] = (struct range){ start, end };
	nr_ranges++;
}

static void
remove_range(unsigned at)
{
	ASSERT(at < nr_ranges);
	nr_ranges--;
	memmove(&ranges[at], &ranges[at + 1],
		(nr_ranges - at) * sizeof(ranges[0]));
}

/* Adds [start, end), merging it with every range that it touches. */
static void
add_range(paddr_t start, paddr_t end)
{
	unsigned at = 0;

	while (at < nr_ranges && ranges[at].end < start)
		at++;
	while (at < nr_ranges && ranges[at].start <= end) {
		start = MIN(start, ranges[at].start);
		end = MAX(end, ranges[at].end);
		remove_range(at);
	}
	insert_range(at, start, end);
}

/* Cuts [start, end) out of range @at, which holds it: two pieces may stay. */
static void
split_range(unsigned at, paddr_t start, paddr_t end)
{
	struct range *range = &ranges[at];
	u64 before = start - range->start, after = range->end - end;

	ASSERT(range->start <= start && end <= range->end);
	if (before && after && nr_ranges == MAX_RANGES) {
		/* No room for two: the smaller piece is given up. */
		if (before > after)
			after = 0;
		else
			before = 0;
	}
	if (before && after) {
		insert_range(at + 1, end, range->end);
		range->end = start;
	} else if (before) {
		range->end = start;
	} else if (after) {
		range->start = end;
	} else {
		remove_range(at);
	}
}

/* Makes sure that nothing of [start, end) is free. */
static void
take_range(paddr_t start, paddr_t end)
{
	/* Backwards: a split or a removal moves only what was looked at. */
	for (unsigned at = nr_ranges; at-- > 0;) {
		paddr_t from = MAX(start, ranges[at].start);
		paddr_t to = MIN(end, ranges[at].end);

		if (from < to)
			split_range(at, from, to);
	}
}

/* Whole pages inside a usable range; ranges too small or empty vanish. */
static void
add_usable(const struct memory_range *range)
{
	/* Two steps, since rounding up the last address would wrap. */
	paddr_t start = MIN(range->start, MAX_ADDRESS);
	paddr_t end = MIN(range->end, MAX_ADDRESS);

	if (range->end > MAX_ADDRESS)
		pr_warn("memory above %lu GiB is not used", MAX_ADDRESS >> 30);
	start = ALIGN_UP(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	if (start < end)
		add_range(start, end);
}

/* Every page that [start, end) touches is taken. */
static void
take_pages(paddr_t start, paddr_t end)
{
	start = ALIGN_DOWN(MIN(start, MAX_ADDRESS), PAGE_SIZE);
	end = ALIGN_UP(MIN(end, MAX_ADDRESS), PAGE_SIZE);
	if (start < end)
		take_range(start, end);
}

static u64
count_bytes(const struct range *list, unsigned nr)
{
	u64 bytes = 0;

	for (unsigned i = 0; i < nr; i++)
		bytes += list[i].end - list[i].start;
	return bytes;
}

/* Usable ranges first and then the others, so that the stricter kind wins
 * wherever two overlap, in whatever order the map has them. */
static void
read_map(const struct boot_info *boot)
{
	for (unsigned i = 0; i < boot->nr_memory; i++)
		if (boot->memory[i].kind == MEMORY_USABLE)
			add_usable(&boot->memory[i]);
	for (unsigned i = 0; i < boot->nr_memory; i++)
		if (boot->memory[i].kind != MEMORY_USABLE)
			take_pages(boot->memory[i].start, boot->memory[i].end);
	if (boot->memory_truncated)
		pr_warn("the boot map is too long: only %u entries are used",
			boot->nr_memory);
}

void
boot_mem_init(const struct boot_info *boot)
{
	ASSERT(boot->nr_memory <= MAX_MEMORY_RANGES);
	nr_ranges = 0;
	released = false;
	limit = EARLY_LIMIT;
	read_map(boot);
	memcpy(usable, ranges, sizeof(usable));
	nr_usable = nr_ranges;
	if (boot_mem_total() < MIN_USABLE)
		panic("only %lu KiB of memory are usable, and Lodger needs "
		      "%lu MiB: give the machine more (QEMU: -m 32M)",
		      boot_mem_total() >> 10, MIN_USABLE >> 20);
	take_pages(0, LOW_MEMORY);
	take_pages(boot->kernel, boot->kernel_end);
	take_pages(boot->initrd, boot->initrd_end);
}

/* Finds and takes @size bytes; 0: there are none. Physical address 0 is never
 * free, as it is in the first MiB. */
static paddr_t
find_memory(size_t size, size_t align)
{
	for (unsigned at = 0; at < nr_ranges; at++) {
		paddr_t start = ALIGN_UP(ranges[at].start, align);
		paddr_t end = MIN(ranges[at].end, limit);

		if (start < end && size <= end - start) {
			split_range(at, start, start + size);
			return start;
		}
	}
	return 0;
}

void *
boot_alloc(size_t size, size_t align)
{
	paddr_t start;

	ASSERT(!released);
	ASSERT(size > 0);
	ASSERT(align > 0 && (align & (align - 1)) == 0);
	start = find_memory(size, align);
	if (start == 0)
		panic("out of memory at boot: %lu KiB wanted below %lu MiB, "
		      "%lu KiB are free in all: give the machine more memory "
		      "or a smaller initrd",
		      size >> 10, limit >> 20,
		      count_bytes(ranges, nr_ranges) >> 10);
	return memset(phys_to_virt(start), 0, size);
}

void
boot_mem_open(void)
{
	limit = MAX_ADDRESS;
}

paddr_t
boot_mem_end(void)
{
	return usable[nr_usable - 1].end;
}

u64
boot_mem_total(void)
{
	return count_bytes(usable, nr_usable);
}

bool
boot_mem_usable(paddr_t start, size_t size)
{
	for (unsigned i = 0; i < nr_usable; i++)
		if (start >= usable[i].start && start < usable[i].end)
			return size <= usable[i].end - start;
	return false;
}

void
boot_mem_for_each(void (*fn)(paddr_t start, paddr_t end))
{
	for (unsigned i = 0; i < nr_usable; i++)
		fn(usable[i].start, usable[i].end);
}

void
boot_mem_release(void (*fn)(paddr_t start, paddr_t end))
{
	ASSERT(!released);
	released = true;
	for (unsigned i = 0; i < nr_ranges; i++) {
		paddr_t start = ALIGN_UP(ranges[i].start, PAGE_SIZE);
		paddr_t end = ALIGN_DOWN(ranges[i].end, PAGE_SIZE);

		if (start < end)
			fn(start, end);
	}
}
