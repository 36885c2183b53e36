/* The free lists of mm/buddy.c against the frame array, each way. */
#include "kernel/base/panic.h"
#include "mm/frames.h"

static void
bad_frame(pfn_t pfn, const char *why)
{
	panic("frame %#lx (state %u, order %u, refs %d): %s",
	      pfn << PAGE_SHIFT, frames[pfn].state, frames[pfn].order,
	      atomic_read(&frames[pfn].refs), why);
}

/* Frame @pfn heads a block, by its state: is it one, and alone? */
static void
check_block(pfn_t pfn)
{
	const struct page *page = &frames[pfn];
	pfn_t size = 1ul << page->order;

	if (page->order > MAX_ORDER || !IS_ALIGNED(pfn, size) ||
	    pfn + size > nr_frames)
		bad_frame(pfn, "no block has this place and order");
	for (pfn_t i = pfn + 1; i < pfn + size; i++)
		if (frames[i].state != PAGE_RESERVED)
			bad_frame(i, "it heads a block inside another block");
	if (page->state == PAGE_USED)
		return;
	if (atomic_read(&page->refs) != 0)
		bad_frame(pfn, "it is free and has owners");
	if (page->state == PAGE_FREE && page->order < MAX_ORDER &&
	    free_buddy(pfn, page->order))
		bad_frame(pfn, "it and its buddy are free and not merged");
}

/* Walks the frame array; counts the free blocks of each order. */
static void
check_frames(u64 *nr_blocks)
{
	pfn_t pfn = 0;

	while (pfn < nr_frames) {
		const struct page *page = &frames[pfn];

		if (page->state == PAGE_RESERVED) {
			pfn++;
			continue;
		}
		check_block(pfn);
		if (page->state == PAGE_FREE)
			nr_blocks[page->order]++;
		pfn += 1ul << page->order;
	}
}

/* Every block on the list is free and of its order. Together with the counts
 * of check_frames() this means that each is on it once. */
static u64
check_area(unsigned order)
{
	const struct page *page;
	u64 n = 0;

	list_for_each(page, &free_areas[order].blocks, link) {
		if (page->state != PAGE_FREE || page->order != order)
			bad_frame(page - frames, "on the wrong free list");
		if (++n > nr_frames)
			panic("the free list of order %u has a loop", order);
	}
	return n;
}

void
check_free_lists(void)
{
	irq_flags_t flags = spin_lock_irqsave(&frames_lock);
	u64 nr_blocks[MAX_ORDER + 1] = { 0 };
	u64 sum = 0;

	check_frames(nr_blocks);
	for (unsigned order = 0; order <= MAX_ORDER; order++) {
		u64 listed = check_area(order);

		if (listed != nr_blocks[order] ||
		    listed != free_areas[order].nr_blocks)
			panic("free blocks of order %u: %lu listed, %lu "
			      "counted, %lu in the frame array", order, listed,
			      free_areas[order].nr_blocks, nr_blocks[order]);
		sum += listed << order;
	}
	if (sum != buddy_nr_free())
		panic("%lu frames on the free lists, but %lu counted", sum,
		      buddy_nr_free());
	spin_unlock_irqrestore(&frames_lock, flags);
}
