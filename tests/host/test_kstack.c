// with: mm/kstack.c mm/pgtable.c mm/page_alloc.c mm/buddy.c mm/zero_pool.c mm/boot_mem.c kernel/debug/pgtable_check.c kernel/debug/poison.c kernel/debug/fail.c
#include "host.h"

#include "kernel/base/spinlock.h"
#include "mm/fail.h"
#include "mm/kstack.h"
#include "mm/pgtable.h"
#include "mm/tlb.h"

#define MiB (1ul << 20)

enum { MANY = 1000 };

static vaddr_t stacks[MANY];
static unsigned nr_flushes;
static u64 frames_at_flush;

void
flush_tlb_all(void)
{
	assert_no_spinlocks();
	nr_flushes++;
	frames_at_flush = nr_free_pages();
}

static void
boot(void)
{
	host_boot_memory(128 * MiB);
	kstack_init();
}

static void
drain_everywhere(void)
{
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		host_use_cpu(cpu);
		kstack_drain();
	}
	host_use_cpu(0);
}

static void
hole_below_each(void)
{
	boot();
	for (unsigned i = 0; i < MANY; i++) {
		vaddr_t stack = stacks[i] = kstack_alloc();

		CHECK(stack);
		CHECK_EQ(stack % KSTACK_SIZE, 0);
		for (unsigned j = 0; j < i; j++)
			CHECK(stacks[j] != stack);
		CHECK(kstack_contains(stack));
		CHECK(kstack_contains(stack + KSTACK_SIZE - 1));
		CHECK(!kstack_contains(stack - 1));
		CHECK(!kstack_contains(stack + KSTACK_SIZE));
		CHECK(kstack_is_guard(stack - 1));
		CHECK(kstack_is_guard(stack - KSTACK_SIZE));
		CHECK(!kstack_is_guard(stack));
		CHECK(!kstack_is_guard(stack + KSTACK_SIZE - 1));
	}
	CHECK_EQ(nr_class_pages(ALLOC_STACK), 4 * MANY);
	CHECK(!kstack_contains(0));
	CHECK(!kstack_contains(KSTACK_END));
	CHECK(!kstack_is_guard(KSTACK_END));
	CHECK(!kstack_is_guard(KSTACK_BASE - 1));
}

static void
given_back_after_flush(void)
{
	u64 free;

	boot();
	free = nr_free_pages();
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < MANY; i++) {
			host_use_cpu(i % 4);
			stacks[i] = kstack_alloc();
		}
		for (unsigned i = 0; i < MANY; i++) {
			host_use_cpu(i % 3);
			kstack_free(stacks[i]);
		}
		CHECK_EQ(nr_class_pages(ALLOC_STACK), 4 * MANY);
		nr_flushes = 0;
		drain_everywhere();
		CHECK(nr_flushes >= MANY / 64 && nr_flushes <= MANY / 64 + 4);
		CHECK_EQ(nr_class_pages(ALLOC_STACK), 0);
		CHECK_EQ(nr_class_pages(ALLOC_TABLE), 0);
		CHECK_EQ(nr_free_pages(), free);
		for (unsigned i = 0; i < MANY; i++)
			CHECK(!kstack_contains(stacks[i]));
	}
	stacks[0] = kstack_alloc();
	kstack_free(stacks[0]);
	kstack_drain();
	/* At the flush nothing had been freed yet. */
	CHECK_EQ(frames_at_flush, free - 4 - 2);
	nr_flushes = 0;
	drain_everywhere();
	CHECK_EQ(nr_flushes, 0); /* nothing to unmap: nobody is disturbed */
	CHECK(pgtable_kernel_intact(arch_kernel_root()));
}

static void
cached_first(void)
{
	u64 free;

	boot();
	for (unsigned i = 0; i < 20; i++)
		stacks[i] = kstack_alloc();
	for (unsigned i = 0; i < 20; i++)
		kstack_free(stacks[i]);
	free = nr_free_pages();
	CHECK_EQ(kstack_alloc(), stacks[3]); /* the CPU's own: four of them */
	for (unsigned i = 1; i < 20; i++)
		CHECK(kstack_alloc());
	CHECK_EQ(nr_free_pages(), free);
	CHECK(kstack_alloc());
	CHECK_EQ(nr_free_pages(), free - 4);
	CHECK_EQ(nr_flushes, 0);
}

static void
out_of_memory(void)
{
	unsigned n = 0, again = 0;
	u64 free;

	host_boot_memory(18 * MiB);
	kstack_init();
	free = nr_free_pages();
	while (n < ARRAY_SIZE(stacks) * 4 && (stacks[n % MANY] = kstack_alloc()))
		n++;
	CHECK(n > 500 && n < MANY * 4);
	CHECK(nr_free_pages() < 4);
	CHECK_EQ(nr_class_pages(ALLOC_STACK), 4 * n);
	for (unsigned i = 0; i < n && i < MANY; i++)
		kstack_free(stacks[i]);
	CHECK(kstack_cache_full());
	drain_everywhere();
	CHECK(!kstack_cache_full());
	while ((stacks[again % MANY] = kstack_alloc()))
		again++;
	CHECK_EQ(again, MIN(n, (unsigned)MANY));
	CHECK(nr_free_pages() < free);
}

static void
failures(void)
{
	u64 free;

	boot();
	free = nr_free_pages();
	fail_allocation(ALLOC_STACK, 1);
	CHECK_EQ(kstack_alloc(), 0);
	for (unsigned nth = 1; nth <= 2; nth++) {
		fail_allocation(ALLOC_TABLE, nth);
		CHECK_EQ(kstack_alloc(), 0);
		CHECK(failure_happened());
		CHECK_EQ(nr_free_pages(), free);
	}
	fail_allocation(ALLOC_TABLE, 3);
	stacks[0] = kstack_alloc();
	CHECK_EQ(stacks[0], KSTACK_BASE + KSTACK_SIZE); /* no slot was lost */
	CHECK(!failure_happened());
	CHECK_EQ(nr_free_pages(), free - 4 - 2);
	CHECK_PANICS("stack_of(slot_of(stack))", kstack_free(stacks[0] + 4096));
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("every stack has an unmapped hole below it", hole_below_each);
	test("a drain unmaps, flushes, and then gives frames and tables back",
	     given_back_after_flush);
	test("a freed stack is handed out again as it is", cached_first);
	test("stacks run out with 0 and come back", out_of_memory);
	test("a failed allocation leaves nothing behind", failures);
	return host_result();
}
