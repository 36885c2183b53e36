// with: mm/page_alloc.c mm/buddy.c kernel/debug/frames_check.c mm/zero_pool.c mm/boot_mem.c kernel/debug/poison.c kernel/debug/fail.c
#include "host.h"

#include "mm/boot_mem.h"
#include "mm/fail.h"
#include "mm/page.h"

#define MiB (1ul << 20)
#define GiB (1ul << 30)

enum { MANY = 20000 };

static struct page *held[MANY];
static unsigned orders[MANY];
static unsigned nr_held;

static void
hold(struct page *page, unsigned order)
{
	CHECK(page);
	CHECK(nr_held < MANY);
	orders[nr_held] = order;
	held[nr_held++] = page;
}

static void
let_go(unsigned i)
{
	free_pages(held[i], orders[i]);
	nr_held--;
	held[i] = held[nr_held];
	orders[i] = orders[nr_held];
}

static void
drain_everywhere(void)
{
	zero_pool_drain();
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		host_use_cpu(cpu);
		drain_local_pages();
	}
	host_use_cpu(0);
}

static void
starts_with_everything_free(void)
{
	host_boot_memory(64 * MiB);
	check_free_lists();
	CHECK_EQ(nr_free_pages(), nr_total_pages());
	CHECK(nr_total_pages() > 60 * 256);
	CHECK(nr_total_pages() < 64 * 256);
	for (int class = 0; class < NR_ALLOC_CLASSES; class++)
		CHECK_EQ(nr_class_pages(class), 0);
	CHECK_EQ(nr_frames, 64 * 256);
	CHECK(phys_valid(64 * MiB - 1));
	CHECK(!phys_valid(64 * MiB));
	CHECK_PANICS("has no frame", (void)phys_to_page(64 * MiB));
}

static void
sixty_four_gib(void)
{
	struct page *page;

	host_boot_memory(64 * GiB);
	CHECK_EQ(nr_frames, 65 * GiB / 4096);
	CHECK_EQ(nr_free_pages(), nr_total_pages());
	CHECK(nr_total_pages() > 63 * GiB / 4096);
	page = alloc_pages(MAX_ORDER, ALLOC_KERNEL);
	CHECK(page);
	memset(page_address(page), 1, 4 * MiB);
	CHECK(virt_to_page(page_address(page)) == page);
	put_page(page);
	check_free_lists();
}

/* At 32 MiB what four CPUs and the pool keep is under 1/128 of memory. */
static void
small_machine(void)
{
	u64 kept = 0;

	host_boot_memory(32 * MiB);
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		host_use_cpu(cpu);
		for (int i = 0; i < 500; i++)
			hold(alloc_page(ALLOC_USER), 0);
		while (nr_held)
			let_go(0);
	}
	while (zero_pool_refill())
		;
	CHECK_EQ(nr_free_pages(), nr_total_pages());
	for (pfn_t pfn = 0; pfn < nr_frames; pfn++)
		kept += frames[pfn].state == PAGE_PCP;
	CHECK(kept > 16);
	CHECK(kept < nr_total_pages() / 128);
}

/* Both halves of the only free pair are on the CPU's list. */
static void
last_pair(void)
{
	struct page *page;

	host_boot_memory(18 * MiB);
	while ((page = alloc_pages(1, ALLOC_USER)))
		hold(page, 1);
	drain_local_pages();
	while (alloc_page(ALLOC_USER))
		;
	page = held[0];
	let_go(0);
	CHECK(alloc_page(ALLOC_USER));
	CHECK(alloc_page(ALLOC_USER));
	put_page(page);
	put_page(page + 1);
	CHECK(alloc_pages(1, ALLOC_USER) == page);
}

static void
counts_by_class(void)
{
	struct page *user, *table;
	u64 free;

	host_boot_memory(64 * MiB);
	free = nr_free_pages();
	user = alloc_pages(3, ALLOC_USER);
	table = alloc_page(ALLOC_TABLE);
	CHECK_EQ(nr_class_pages(ALLOC_USER), 8);
	CHECK_EQ(nr_class_pages(ALLOC_TABLE), 1);
	CHECK_EQ(nr_free_pages(), free - 9);
	host_use_cpu(2); /* freed elsewhere: the sums stay right */
	put_page(user);
	put_page(table);
	CHECK_EQ(nr_class_pages(ALLOC_USER), 0);
	CHECK_EQ(nr_class_pages(ALLOC_TABLE), 0);
	CHECK_EQ(nr_free_pages(), free);
}

static void
last_reference_frees(void)
{
	struct page *page;
	u64 free;

	host_boot_memory(64 * MiB);
	free = nr_free_pages();
	page = alloc_page(ALLOC_USER);
	get_page(page);
	get_page(page);
	put_page(page);
	put_page(page);
	CHECK_EQ(atomic_read(&page->refs), 1);
	CHECK_EQ(nr_free_pages(), free - 1);
	put_page(page);
	CHECK_EQ(nr_free_pages(), free);
	CHECK_PANICS("does not own it", put_page(page));
	CHECK_PANICS("refs > 1", get_page(page));
}

static void
no_overlap_until_exhausted(void)
{
	u64 total;

	host_boot_memory(32 * MiB);
	total = nr_total_pages();
	for (u64 i = 0; i < total; i++) {
		struct page *page = alloc_page(ALLOC_USER);

		hold(page, 0);
		*(u64 *)page_address(page) = i;
		CHECK_EQ((u64)page_address(page) % PAGE_SIZE, 0);
	}
	CHECK(!alloc_page(ALLOC_USER));
	CHECK(!alloc_zeroed_page(ALLOC_USER));
	CHECK(!alloc_pages(1, ALLOC_USER));
	CHECK_EQ(nr_free_pages(), 0);
	check_free_lists();
	for (u64 i = 0; i < total; i++)
		CHECK_EQ(*(u64 *)page_address(held[i]), i);
	while (nr_held)
		let_go(nr_held - 1);
	drain_everywhere();
	check_free_lists();
	CHECK_EQ(nr_free_pages(), total);
	CHECK(alloc_pages(MAX_ORDER, ALLOC_USER)); /* all merged again */
}

static void
one_random_step(void)
{
	unsigned order = host_random(4) ? 0 : host_random(MAX_ORDER + 1);
	struct page *page;

	host_use_cpu(host_random(4));
	if (host_random(100) == 0)
		drain_local_pages();
	if (host_random(20) == 0)
		zero_pool_refill();
	if (nr_held && host_random(100) < 48) {
		let_go(host_random(nr_held));
		return;
	}
	page = order == 0 && host_random(2) ? alloc_zeroed_page(ALLOC_USER) :
					      alloc_pages(order, ALLOC_USER);
	if (!page)
		return;
	CHECK_EQ((page - frames) % (1l << order), 0);
	CHECK_EQ(atomic_read(&page->refs), 1);
	hold(page, order);
	memset(page_address(page), 0x11, PAGE_SIZE << order);
}

static void
random_steps(void)
{
	u64 total;

	host_boot_memory(18 * MiB);
	total = nr_total_pages();
	for (int i = 0; i < 1500; i++) {
		u64 sum = 0;

		one_random_step();
		check_free_lists();
		for (unsigned j = 0; j < nr_held; j++)
			sum += 1ul << orders[j];
		CHECK_EQ(nr_class_pages(ALLOC_USER), sum);
		CHECK_EQ(nr_free_pages(), total - sum);
	}
	while (nr_held)
		let_go(0);
	drain_everywhere();
	check_free_lists();
	CHECK_EQ(nr_free_pages(), total);
}

static void
random_seed_1(void)
{
	host_seed = 1;
	random_steps();
}

static void
random_seed_2(void)
{
	host_seed = 2;
	random_steps();
}

static void
random_seed_3(void)
{
	host_seed = 3;
	random_steps();
}

/* Writes one word into a freed frame; some later allocation of it panics. */
static void
write_after_free(void)
{
	struct page *page;
	u64 *words;

	host_boot_memory(64 * MiB);
	page = alloc_page(ALLOC_USER);
	words = page_address(page);
	put_page(page);
	CHECK_EQ(words[100], 0xaaaaaaaaaaaaaaaal);
	for (int i = 0; i < 8; i++) { /* untouched: no complaint */
		CHECK(alloc_page(ALLOC_USER) == page);
		put_page(page);
	}
	words[100] = 7;
	CHECK_PANICS("was written to: 0x7 at offset 0x320", {
		for (int i = 0; i < 8; i++) {
			page = alloc_page(ALLOC_USER);
			put_page(page);
			words[100] = 7;
		}
	});
}

static void
write_to_zeroed(void)
{
	struct page *page;

	host_boot_memory(64 * MiB);
	page = alloc_page(ALLOC_USER);
	memset(page_address(page), 0x55, PAGE_SIZE);
	put_page(page);
	CHECK(zero_pool_refill()); /* takes that very frame */
	memset(page_address(page), 0x55, PAGE_SIZE);
	CHECK_PANICS("zeroed frame", CHECK(alloc_zeroed_page(ALLOC_USER)));
}

static void
bad_frees(void)
{
	struct page *page;

	host_boot_memory(64 * MiB);
	page = alloc_pages(2, ALLOC_USER);
	CHECK_PANICS("does not own it", put_page(page + 1));
	CHECK_PANICS("page->order == order", free_pages(page, 1));
	get_page(page);
	CHECK_PANICS("does not own it", free_pages(page, 2));
}

static void
zero_pool(void)
{
	struct page *page;
	unsigned pooled = 0;
	u64 free;

	host_boot_memory(64 * MiB);
	free = nr_free_pages();
	for (int i = 0; i < 300; i++) {
		hold(alloc_page(ALLOC_USER), 0);
		memset(page_address(held[i]), 0xff, PAGE_SIZE);
	}
	while (nr_held)
		let_go(0);
	CHECK(zero_pool_low());
	while (zero_pool_refill())
		pooled++;
	CHECK(!zero_pool_low());
	CHECK(pooled >= 8 && pooled <= 256);
	CHECK_EQ(nr_free_pages(), free);
	for (unsigned i = 0; i < pooled + 10; i++) {
		page = alloc_zeroed_page(ALLOC_TABLE);
		hold(page, 0);
		for (unsigned j = 0; j < PAGE_SIZE; j++)
			CHECK_EQ(((char *)page_address(page))[j], 0);
	}
	CHECK_EQ(nr_class_pages(ALLOC_TABLE), pooled + 10);
	while (nr_held)
		let_go(0);
	while (zero_pool_refill())
		;
	drain_everywhere();
	check_free_lists();
	CHECK_EQ(nr_free_pages(), free);
	CHECK(zero_pool_low());
}

static void
pool_yields_its_last(void)
{
	unsigned pooled = 0;

	host_boot_memory(32 * MiB);
	while (zero_pool_refill())
		pooled++;
	while (nr_free_pages() > pooled)
		CHECK(alloc_page(ALLOC_USER));
	CHECK(!zero_pool_refill());
	CHECK(!zero_pool_low()); /* nothing that waking the zeroer would do */
	for (unsigned i = 0; i < pooled; i++)
		hold(alloc_page(ALLOC_USER), 0);
	CHECK(!alloc_page(ALLOC_USER));
	CHECK_EQ(nr_free_pages(), 0);
	while (nr_held)
		let_go(0);
	CHECK(!zero_pool_refill()); /* memory is short: it does not hoard */
}

static void
failure_injection(void)
{
	struct page *page;

	host_boot_memory(64 * MiB);
	fail_allocation(ALLOC_TABLE, 3);
	CHECK(alloc_page(ALLOC_TABLE));
	CHECK(alloc_page(ALLOC_USER)); /* another class: not counted */
	CHECK(alloc_zeroed_page(ALLOC_TABLE));
	host_cpu->irq_depth = 1;       /* an interrupt's: not counted */
	CHECK(alloc_page(ALLOC_TABLE));
	host_cpu->irq_depth = 0;
	page = alloc_pages_uncounted(0, ALLOC_TABLE);
	CHECK(page);
	CHECK(!failure_happened());
	CHECK(!alloc_pages(1, ALLOC_TABLE));
	CHECK(failure_happened());
	CHECK(alloc_page(ALLOC_TABLE)); /* only that one */
	fail_allocation(NR_ALLOC_CLASSES, 2);
	CHECK(!failure_happened());
	CHECK(alloc_page(ALLOC_STACK));
	CHECK(!alloc_zeroed_page(ALLOC_USER));
	fail_allocation(ALLOC_USER, 0);
	CHECK(alloc_page(ALLOC_USER));
	CHECK(!failure_happened());
}

static void
check_finds_damage(void)
{
	struct page *block;

	host_boot_memory(64 * MiB);
	CHECK(alloc_page(ALLOC_USER));
	block = alloc_pages(4, ALLOC_USER);
	put_page(block); /* free, in state PAGE_FREE, or merged above */
	while (block->state != PAGE_FREE)
		block--;
	block[1].state = PAGE_USED;
	CHECK_PANICS("inside another block", check_free_lists());
	this_cpu()->nr_held = 0;
}

static void
check_finds_owner(void)
{
	struct page *block;

	host_boot_memory(64 * MiB);
	block = alloc_pages(MAX_ORDER, ALLOC_USER);
	put_page(block);
	atomic_set(&block->refs, 1);
	CHECK_PANICS("it is free and has owners", check_free_lists());
	this_cpu()->nr_held = 0;
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("after boot every frame is free and accounted",
	     starts_with_everything_free);
	test("64 GiB of memory are taken in and usable", sixty_four_gib);
	test("a 32 MiB machine keeps little in lists and pool", small_machine);
	test("a block is found even when its halves are on the CPU's list",
	     last_pair);
	test("frames are counted by class, whichever CPU frees them",
	     counts_by_class);
	test("the last reference frees, one more is found",
	     last_reference_frees);
	test("every frame is handed out once, and NULL comes at the end",
	     no_overlap_until_exhausted);
	test("free lists hold after every random step, seed 1", random_seed_1);
	test("free lists hold after every random step, seed 2", random_seed_2);
	test("free lists hold after every random step, seed 3", random_seed_3);
	test("a write to a freed frame is found when it is allocated",
	     write_after_free);
	test("a write to a frame of the zero pool is found", write_to_zeroed);
	test("freeing a frame wrongly panics with a sentence", bad_frees);
	test("the zero pool hands out zeroes and gives frames back",
	     zero_pool);
	test("the last frames come out of the zero pool", pool_yields_its_last);
	test("exactly the Nth allocation of a class fails", failure_injection);
	test("check_free_lists finds a block inside a block",
	     check_finds_damage);
	test("check_free_lists finds an owned free block", check_finds_owner);
	return host_result();
}
