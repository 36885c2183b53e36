// with: mm/boot_mem.c
#include "host.h"

#include "mm/boot_mem.h"

#define MiB (1ul << 20)
#define GiB (1ul << 30)

static struct boot_info boot;
static struct memory_range given[MAX_MEMORY_RANGES * 3];
static unsigned nr_given;
static u64 bytes_given;

static void
add(paddr_t start, paddr_t end, enum memory_kind kind)
{
	boot.memory[boot.nr_memory++] = (struct memory_range){ start, end,
							       kind };
}

static void
remember(paddr_t start, paddr_t end)
{
	given[nr_given++] = (struct memory_range){ .start = start, .end = end };
	bytes_given += end - start;
}

static bool
is_given(paddr_t addr)
{
	for (unsigned i = 0; i < nr_given; i++)
		if (addr >= given[i].start && addr < given[i].end)
			return true;
	return false;
}

/* The free ranges are whole pages, in ascending order, not touching. */
static void
release_and_check_order(void)
{
	boot_mem_release(remember);
	for (unsigned i = 0; i < nr_given; i++) {
		CHECK(given[i].start < given[i].end);
		CHECK_EQ(given[i].start % PAGE_SIZE, 0);
		CHECK_EQ(given[i].end % PAGE_SIZE, 0);
		if (i > 0)
			CHECK(given[i - 1].end < given[i].start);
	}
}

static void
a_pc_of_512_mib(void)
{
	host_make_memory(512 * MiB);
	host_fill_boot_info(&boot, 512 * MiB);
	boot_mem_init(&boot);
	CHECK_EQ(boot_mem_end(), 512 * MiB);
	CHECK_EQ(boot_mem_total(), 511 * MiB + 0x9f000);
	release_and_check_order();
	CHECK_EQ(nr_given, 1);
	CHECK_EQ(given[0].start, 0x301000);
	CHECK_EQ(given[0].end, 512 * MiB);
}

static void
sixty_four_gib(void)
{
	host_fill_boot_info(&boot, 64 * GiB);
	boot_mem_init(&boot);
	CHECK_EQ(boot_mem_end(), 65 * GiB);
	CHECK_EQ(boot_mem_total(), 64 * GiB - MiB + 0x9f000);
	release_and_check_order();
	CHECK_EQ(nr_given, 2);
	CHECK_EQ(bytes_given, 64 * GiB - 0x301000);
	CHECK(!is_given(3 * GiB));
	CHECK(is_given(4 * GiB));
	CHECK(is_given(65 * GiB - 1));
}

static void
overlapping_and_unsorted(void)
{
	add(64 * MiB, 128 * MiB, MEMORY_USABLE);
	add(80 * MiB, 81 * MiB, MEMORY_RESERVED);
	add(2 * MiB, 70 * MiB, MEMORY_USABLE);	  /* overlaps the first */
	add(128 * MiB, 130 * MiB, MEMORY_USABLE); /* touches it */
	add(60 * MiB, 66 * MiB, MEMORY_ACPI);	  /* across both */
	add(90 * MiB, 90 * MiB, MEMORY_RESERVED); /* empty */
	add(95 * MiB, 94 * MiB, MEMORY_USABLE);	  /* inside out */
	add(129 * MiB, 200 * MiB, MEMORY_RESERVED);
	boot_mem_init(&boot);
	CHECK_EQ(boot_mem_end(), 129 * MiB);
	CHECK_EQ(boot_mem_total(), (127 - 1 - 6) * MiB);
	CHECK(boot_mem_usable(2 * MiB, 58 * MiB));
	CHECK(!boot_mem_usable(2 * MiB, 58 * MiB + 1));
	CHECK(!boot_mem_usable(2 * MiB - 1, 2));
	CHECK(!boot_mem_usable(65 * MiB, 1));
	CHECK(!boot_mem_usable(100 * MiB, ~0ul));
	CHECK(boot_mem_usable(129 * MiB - 1, 1));
	CHECK(!boot_mem_usable(129 * MiB, 1));
	release_and_check_order();
	CHECK_EQ(nr_given, 3);
	CHECK_EQ(given[0].start, 2 * MiB);
	CHECK_EQ(given[0].end, 60 * MiB);
	CHECK_EQ(given[1].start, 66 * MiB);
	CHECK_EQ(given[1].end, 80 * MiB);
	CHECK_EQ(given[2].start, 81 * MiB);
	CHECK_EQ(given[2].end, 129 * MiB);
}

static void
part_pages(void)
{
	add(MiB + 1, 40 * MiB + 4095, MEMORY_USABLE);
	add(20 * MiB + 1, 20 * MiB + 2, MEMORY_RESERVED);
	boot.kernel = 10 * MiB + 5;
	boot.kernel_end = 11 * MiB + 5;
	boot.initrd = 30 * MiB + 77;
	boot.initrd_end = 30 * MiB + 78;
	boot_mem_init(&boot);
	release_and_check_order();
	CHECK(!is_given(MiB + 2));
	CHECK(is_given(MiB + 4096));
	CHECK(!is_given(40 * MiB));
	CHECK(!is_given(20 * MiB));
	CHECK(!is_given(20 * MiB + 4095));
	CHECK(is_given(20 * MiB + 4096));
	CHECK(!is_given(10 * MiB));
	CHECK(!is_given(11 * MiB + 4095));
	CHECK(!is_given(30 * MiB));
	CHECK(is_given(30 * MiB + 4096));
}

/* Compares a random map with a plain model, one byte a page. */
static void
random_map(void)
{
	enum { PAGES = 64 * 256 };
	static u8 model[PAGES];

	memset(&boot, 0, sizeof(boot));
	memset(model, 0, sizeof(model));
	nr_given = 0;
	add(0, 20 * MiB, MEMORY_USABLE);
	for (int i = 1; i < 100; i++) {
		u64 start = host_random(63 * MiB);

		add(start, start + host_random(MiB),
		    host_random(3) ? MEMORY_USABLE : MEMORY_RESERVED);
	}
	for (unsigned i = 0; i < 100; i++) {
		struct memory_range *range = &boot.memory[i];
		struct memory_range other = boot.memory[host_random(i + 1)];

		*range = other; /* doubles, and another order */
	}
	add(40 * MiB, 60 * MiB, MEMORY_USABLE);
	for (int pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < boot.nr_memory; i++) {
			struct memory_range *range = &boot.memory[i];
			bool usable = range->kind == MEMORY_USABLE;
			u64 page = usable ? (range->start + 4095) / 4096 :
					    range->start / 4096;
			u64 end = usable ? range->end / 4096 :
					   (range->end + 4095) / 4096;

			for (; usable == (pass == 0) && page < end; page++)
				model[page] = usable;
		}
	memset(model, 0, 256);
	boot_mem_init(&boot);
	boot_mem_release(remember);
	for (u64 page = 0; page < PAGES; page++)
		if (model[page] != is_given(page * 4096))
			FAIL("page %llu: %d", (unsigned long long)page,
			     model[page]);
}

static void
random_maps(void)
{
	for (host_seed = 1; host_seed <= 20; host_seed++)
		random_map();
}

static void
too_little(void)
{
	add(0, 17 * MiB, MEMORY_USABLE);
	add(15 * MiB, 17 * MiB, MEMORY_RESERVED);
	CHECK_PANICS("only 15360 KiB of memory are usable",
		     boot_mem_init(&boot));
	boot.nr_memory = 0;
	CHECK_PANICS("only 0 KiB", boot_mem_init(&boot));
	CHECK_PANICS("give the machine more", boot_mem_init(&boot));
	add(0, 16 * MiB, MEMORY_USABLE);
	boot_mem_init(&boot);
	CHECK_EQ(boot_mem_total(), 16 * MiB);
}

static void
beyond_the_last(void)
{
	add(MiB, 64 * MiB, MEMORY_USABLE);
	add(127 * GiB, 200 * GiB, MEMORY_USABLE);
	add(1024 * GiB, ~0ul, MEMORY_USABLE);
	add(500 * GiB, ~0ul, MEMORY_RESERVED);
	boot_mem_init(&boot);
	CHECK_EQ(boot_mem_end(), 128 * GiB);
	CHECK_EQ(boot_mem_total(), GiB + 63 * MiB);
	CHECK_EQ(host_warnings, 2);
}

static void
alloc_is_zeroed_and_aligned(void)
{
	char *first, *second, *third, *fourth;

	host_make_memory(64 * MiB);
	memset(host_memory, 0xee, 64 * MiB);
	add(MiB, 64 * MiB, MEMORY_USABLE);
	boot_mem_init(&boot);
	first = boot_alloc(24, 8);
	second = boot_alloc(100, 8);
	third = boot_alloc(4096, 2 * MiB);
	fourth = boot_alloc(4096, 4096); /* from the gap before the third */
	CHECK(second >= first + 24);
	CHECK_EQ(virt_to_phys(third) % (2 * MiB), 0);
	CHECK(fourth < third);
	CHECK_EQ(virt_to_phys(fourth) % 4096, 0);
	for (int i = 0; i < 4096; i++)
		CHECK(third[i] == 0 && fourth[i] == 0);
	CHECK_EQ(first[0], 0);
	CHECK_EQ(first[23], 0);
	release_and_check_order();
	CHECK(!is_given(virt_to_phys(first)));
	CHECK(!is_given(virt_to_phys(second) + 99));
	CHECK(!is_given(virt_to_phys(third)));
	CHECK(!is_given(virt_to_phys(fourth)));
	CHECK(is_given(virt_to_phys(third) + 4096));
}

static void
low_until_opened(void)
{
	host_make_memory(5 * GiB);
	add(MiB, 17 * MiB, MEMORY_USABLE);
	add(GiB - 4 * MiB, 5 * GiB, MEMORY_USABLE);
	boot_mem_init(&boot);
	CHECK(virt_to_phys(boot_alloc(15 * MiB, 4096)) < 17 * MiB);
	CHECK_EQ(virt_to_phys(boot_alloc(3 * MiB, 4096)), GiB - 4 * MiB);
	CHECK_PANICS("out of memory at boot: 3072 KiB wanted below 1024 MiB",
		     (void)boot_alloc(3 * MiB, 4096));
	boot_mem_open();
	CHECK_EQ(virt_to_phys(boot_alloc(3 * MiB, 4096)), GiB - MiB);
}

static void
closed_after_release(void)
{
	host_make_memory(64 * MiB);
	add(MiB, 64 * MiB, MEMORY_USABLE);
	boot_mem_init(&boot);
	boot_mem_release(remember);
	CHECK_PANICS("released", (void)boot_alloc(16, 8));
	CHECK_PANICS("released", boot_mem_release(remember));
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("a PC's map loses the first MiB and the image", a_pc_of_512_mib);
	test("a map of 64 GiB is used to its last byte", sixty_four_gib);
	test("overlapping, unsorted ranges: the stricter kind wins",
	     overlapping_and_unsorted);
	test("a page is free only if all of it is usable", part_pages);
	test("random maps agree with a page by page model", random_maps);
	test("too little memory panics with a sentence", too_little);
	test("memory beyond the frame array's bound is left out, with a warning",
	     beyond_the_last);
	test("boot_alloc gives zeroed, aligned memory that is never given again",
	     alloc_is_zeroed_and_aligned);
	test("boot_alloc stays below 1 GiB until boot_mem_open",
	     low_until_opened);
	test("boot_alloc after the release panics", closed_after_release);
	return host_result();
}
