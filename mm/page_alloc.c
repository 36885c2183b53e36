/*
 * Frames for everybody: who owns how many, and a short list of free frames on
 * each CPU, so that the common allocation takes no lock. The lists belong to
 * their CPU: interrupts off is all the protection they need.
 */
#include "mm/frames.h"

#include "kernel/base/cpu.h"
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/debug/poison.h"
#include "mm/boot_mem.h"
#include "mm/fail.h"

enum { LIST_MIN = 8, LIST_MAX = 64 };

/* One CPU's, touched by that CPU alone with interrupts off. */
struct page_list {
	unsigned count;
	struct page *pages[LIST_MAX]; /* the last one in is the first out */
	s64 used[NR_ALLOC_CLASSES];   /* may be negative: the sum counts */
} __aligned(64);

static struct page_list lists[MAX_CPUS];
static unsigned list_size; /* set at boot: how many frames a list may hold */
static u64 total_pages;

STATIC_ASSERT(PAGE_RESERVED == 0, "a zeroed frame array is all reserved");

static void
add_free_range(paddr_t start, paddr_t end)
{
	buddy_add_range(start >> PAGE_SHIFT, end >> PAGE_SHIFT);
	total_pages += (end - start) >> PAGE_SHIFT;
}

void
frames_init(void)
{
	nr_frames = boot_mem_end() >> PAGE_SHIFT;
	frames = boot_alloc(nr_frames * sizeof(struct page), 64);
	buddy_init();
	boot_mem_release(add_free_range);
	/* 1/2048 of memory for each CPU: all 64 of them keep 1/32. */
	list_size = MIN(MAX(total_pages / 2048, LIST_MIN), LIST_MAX);
	zero_pool_init(total_pages);
}

static struct page_list *
local_list(void)
{
	return &lists[this_cpu()->id];
}

/* ---- Free frames, nobody's --------------------------------------------- */

/*
 * The common case of each operation is straight code that calls nothing; the
 * rest is apart, out of its way. All of these: interrupts off.
 */
static __noinline bool
refill_list(struct page_list *list)
{
	list->count = buddy_take_many(list->pages, list_size / 2);
	return list->count > 0;
}

/* A full list keeps the half that was freed last, which is the half that is
 * still in the caches. */
static __noinline void
spill_list(struct page_list *list)
{
	unsigned half = list_size / 2;

	buddy_give_many(list->pages, half);
	list->count -= half;
	memmove(list->pages, list->pages + half,
		list->count * sizeof(list->pages[0]));
}

static inline struct page *
pop_page(struct page_list *list)
{
	struct page *page = list->pages[--list->count];

	DEBUG_ASSERT(page->state == PAGE_PCP);
	DEBUG_ASSERT(atomic_read(&page->refs) == 0);
	return page;
}

static inline void
push_page(struct page_list *list, struct page *page)
{
	page->state = PAGE_PCP;
	list->pages[list->count++] = page;
}

struct page *
take_free_page(void)
{
	irq_flags_t flags = arch_irq_save();
	struct page_list *list = local_list();
	struct page *page = NULL;

	if (list->count > 0 || refill_list(list))
		page = pop_page(list);
	arch_irq_restore(flags);
	if (page)
		check_poison(page, 0);
	return page;
}

void
give_free_page(struct page *page)
{
	struct page_list *list;
	irq_flags_t flags;

	poison_frames(page, 0);
	flags = arch_irq_save();
	list = local_list();
	if (list->count == list_size)
		spill_list(list);
	push_page(list, page);
	arch_irq_restore(flags);
}

void
drain_local_pages(void)
{
	irq_flags_t flags = arch_irq_save();
	struct page_list *list = local_list();

	buddy_give_many(list->pages, list->count);
	list->count = 0;
	arch_irq_restore(flags);
}

/* ---- Owned frames ------------------------------------------------------ */

/* A free block becomes the caller's. */
static struct page *
own_block(struct page *page, unsigned order, enum alloc_class class)
{
	DEBUG_ASSERT(class < NR_ALLOC_CLASSES);
	page->order = order;
	page->state = PAGE_USED;
	page->class = class;
	page->slab_order = 0;
	atomic_set(&page->refs, 1);
	return page;
}

static void
count_used(enum alloc_class class, s64 n)
{
	irq_flags_t flags = arch_irq_save();

	local_list()->used[class] += n;
	arch_irq_restore(flags);
}

/* One frame of zeroes from the pool. */
static struct page *
own_zeroed(enum alloc_class class)
{
	struct page *page = zero_pool_take();

	if (!page)
		return NULL;
	count_used(class, 1);
	return own_block(page, 0, class);
}

/* This CPU's list is empty. */
static __noinline struct page *
own_page_slowly(enum alloc_class class)
{
	struct page *page = take_free_page();

	if (!page)
		return own_zeroed(class); /* the last ones */
	count_used(class, 1);
	return own_block(page, 0, class);
}

static struct page *
own_page(enum alloc_class class)
{
	irq_flags_t flags = arch_irq_save();
	struct page_list *list = local_list();
	struct page *page;

	if (unlikely(list->count == 0)) {
		arch_irq_restore(flags);
		return own_page_slowly(class);
	}
	page = pop_page(list);
	list->used[class]++;
	arch_irq_restore(flags);
	check_poison(page, 0);
	return own_block(page, 0, class);
}

struct page *
alloc_page(enum alloc_class class)
{
	if (should_fail_allocation(class))
		return NULL;
	return own_page(class);
}

struct page *
alloc_zeroed_page(enum alloc_class class)
{
	struct page *page;

	if (should_fail_allocation(class))
		return NULL;
	page = own_zeroed(class);
	if (page)
		return page;
	page = own_page(class);
	if (page)
		memset(page_address(page), 0, PAGE_SIZE);
	return page;
}

struct page *
alloc_pages_uncounted(unsigned order, enum alloc_class class)
{
	struct page *page;

	if (order == 0)
		return own_page(class);
	page = buddy_take(order);
	if (!page) {
		/* What it needs to merge may be on this CPU's list. */
		drain_local_pages();
		page = buddy_take(order);
	}
	if (!page)
		return NULL;
	count_used(class, 1l << order);
	check_poison(page, order);
	return own_block(page, order, class);
}

struct page *
alloc_pages(unsigned order, enum alloc_class class)
{
	if (should_fail_allocation(class))
		return NULL;
	return alloc_pages_uncounted(order, class);
}

/* ---- Giving back ------------------------------------------------------- */

static __noinline void
bad_free(const struct page *page)
{
	panic("frame %#lx given back by somebody who does not own it (state "
	      "%u, refs %d)", page_to_phys(page), page->state,
	      atomic_read(&page->refs));
}

/* A block of several frames, or a full list. */
static __noinline void
free_slowly(struct page *page, unsigned order, enum alloc_class class)
{
	count_used(class, -(1l << order));
	if (order > 0)
		buddy_give(page, order);
	else
		give_free_page(page);
}

/* The last reference is gone. */
static inline void
free_block(struct page *page)
{
	unsigned order = page->order;
	enum alloc_class class = page->class;
	struct page_list *list;
	irq_flags_t flags;

	if (unlikely(page->state != PAGE_USED))
		bad_free(page);
	poison_frames(page, order);
	flags = arch_irq_save();
	list = local_list();
	if (unlikely(order > 0 || list->count == list_size)) {
		arch_irq_restore(flags);
		free_slowly(page, order, class);
		return;
	}
	list->used[class]--;
	push_page(list, page);
	arch_irq_restore(flags);
}

void
put_page(struct page *page)
{
	/* Below 0 means a frame that nobody owned: its state tells. */
	if (atomic_add_return(&page->refs, -1) <= 0)
		free_block(page);
}

void
free_pages(struct page *page, unsigned order)
{
	ASSERT(page->order == order);
	if (atomic_add_return(&page->refs, -1) != 0)
		bad_free(page);
	free_block(page);
}

void
no_such_frame(paddr_t addr)
{
	panic("physical address %#lx has no frame: memory ends at %#lx", addr,
	      nr_frames << PAGE_SHIFT);
}

/* ---- Counts ------------------------------------------------------------ */

u64
nr_total_pages(void)
{
	return total_pages;
}

u64
nr_free_pages(void)
{
	u64 n = buddy_nr_free() + zero_pool_count();

	for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
		n += READ_ONCE(lists[cpu].count);
	return n;
}

bool
memory_is_low(u64 spare)
{
	return buddy_nr_free() < total_pages / 16 + spare;
}

u64
nr_class_pages(enum alloc_class class)
{
	s64 n = 0;

	ASSERT(class < NR_ALLOC_CLASSES);
	for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
		n += READ_ONCE(lists[cpu].used[class]);
	return n;
}
