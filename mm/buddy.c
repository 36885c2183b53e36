/*
 * The buddy allocator: free memory as blocks of 2^order frames, each aligned
 * to its size. Two blocks that differ in one bit of their number are buddies;
 * when both are free they are one block of the next order.
 *
 * The page struct of a block's first frame stands for the block. The others
 * are PAGE_RESERVED, so that none of them is ever taken for a block.
 *
 * Read Linux: mm/page_alloc.c, __rmqueue_smallest and __free_one_page.
 */
#include "mm/frames.h"

#include "kernel/base/panic.h"

struct page *frames;
pfn_t nr_frames;

struct spinlock frames_lock = SPINLOCK_INIT("frames", RANK_FRAMES);
struct free_area free_areas[MAX_ORDER + 1];
static u64 nr_free; /* frames in all areas; under frames_lock */

static void
add_block(struct page *page, unsigned order)
{
	page->state = PAGE_FREE;
	page->order = order;
	list_add(&free_areas[order].blocks, &page->link);
	free_areas[order].nr_blocks++;
	nr_free += 1ul << order;
}

static void
remove_block(struct page *page, unsigned order)
{
	DEBUG_ASSERT(page->state == PAGE_FREE && page->order == order);
	DEBUG_ASSERT(atomic_read(&page->refs) == 0);
	list_del(&page->link);
	page->state = PAGE_RESERVED;
	free_areas[order].nr_blocks--;
	nr_free -= 1ul << order;
}

/* Takes the smallest block that will do; the halves not needed stay free. */
static struct page *
take_block(unsigned order)
{
	unsigned from = order;
	struct page *page;

	while (from <= MAX_ORDER && list_empty(&free_areas[from].blocks))
		from++;
	if (from > MAX_ORDER)
		return NULL;
	page = list_first(&free_areas[from].blocks, struct page, link);
	remove_block(page, from);
	while (from > order) {
		from--;
		add_block(page + (1ul << from), from);
	}
	page->state = PAGE_PCP;
	page->order = order;
	return page;
}

struct page *
free_buddy(pfn_t pfn, unsigned order)
{
	pfn_t buddy = pfn ^ (1ul << order);

	if (buddy >= nr_frames || frames[buddy].state != PAGE_FREE ||
	    frames[buddy].order != order)
		return NULL;
	return &frames[buddy];
}

static void
give_block(struct page *page, unsigned order)
{
	pfn_t pfn = page - frames;
	struct page *buddy;

	DEBUG_ASSERT(IS_ALIGNED(pfn, 1ul << order));
	DEBUG_ASSERT(page->state != PAGE_FREE);
	page->state = PAGE_RESERVED;
	while (order < MAX_ORDER && (buddy = free_buddy(pfn, order))) {
		remove_block(buddy, order);
		pfn &= ~(1ul << order);
		order++;
	}
	add_block(&frames[pfn], order);
}

void
buddy_init(void)
{
	for (unsigned order = 0; order <= MAX_ORDER; order++)
		list_init(&free_areas[order].blocks);
}

/* The largest order that @pfn is aligned to and that ends by @end. */
static unsigned
largest_order(pfn_t pfn, pfn_t end)
{
	unsigned order = 0;

	while (order < MAX_ORDER && IS_ALIGNED(pfn, 2ul << order) &&
	       pfn + (2ul << order) <= end)
		order++;
	return order;
}

void
buddy_add_range(pfn_t start, pfn_t end)
{
	irq_flags_t flags = spin_lock_irqsave(&frames_lock);

	ASSERT(start < end && end <= nr_frames);
	while (start < end) {
		unsigned order = largest_order(start, end);

		give_block(&frames[start], order);
		start += 1ul << order;
	}
	spin_unlock_irqrestore(&frames_lock, flags);
}

struct page *
buddy_take(unsigned order)
{
	irq_flags_t flags;
	struct page *page;

	ASSERT(order <= MAX_ORDER);
	flags = spin_lock_irqsave(&frames_lock);
	page = take_block(order);
	spin_unlock_irqrestore(&frames_lock, flags);
	return page;
}

void
buddy_give(struct page *page, unsigned order)
{
	irq_flags_t flags = spin_lock_irqsave(&frames_lock);

	give_block(page, order);
	spin_unlock_irqrestore(&frames_lock, flags);
}

unsigned
buddy_take_many(struct page **pages, unsigned n)
{
	irq_flags_t flags = spin_lock_irqsave(&frames_lock);
	unsigned got = 0;

	while (got < n && (pages[got] = take_block(0)))
		got++;
	spin_unlock_irqrestore(&frames_lock, flags);
	return got;
}

void
buddy_give_many(struct page **pages, unsigned n)
{
	irq_flags_t flags = spin_lock_irqsave(&frames_lock);

	for (unsigned i = 0; i < n; i++)
		give_block(pages[i], 0);
	spin_unlock_irqrestore(&frames_lock, flags);
}

u64
buddy_nr_free(void)
{
	return READ_ONCE(nr_free);
}
