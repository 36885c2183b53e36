/*
 * Frames zeroed ahead of need, by a kernel thread when the CPU has nothing
 * better to do, so that a page fault does not wait for it.
 */
#include "mm/frames.h"

#include "kernel/base/string.h"
#include "kernel/debug/poison.h"

enum { POOL_MIN = 8, POOL_MAX = 256 };

static struct spinlock pool_lock = SPINLOCK_INIT("zero pool", RANK_FRAMES);
/* under pool_lock; count is also read without it, as a hint */
static struct page *pool[POOL_MAX];
static unsigned count;
static unsigned size; /* set at boot */

/* 1/512 of memory: 1 MiB of 512. */
void
zero_pool_init(u64 total_pages)
{
	size = MIN(MAX(total_pages / 512, POOL_MIN), POOL_MAX);
	count = 0;
}

struct page *
zero_pool_take(void)
{
	struct page *page = NULL;
	irq_flags_t flags;

	if (READ_ONCE(count) == 0)
		return NULL;
	flags = spin_lock_irqsave(&pool_lock);
	if (count > 0)
		page = pool[--count];
	spin_unlock_irqrestore(&pool_lock, flags);
	if (page)
		check_zeroes(page);
	return page;
}

/* Puts a frame of zeroes in; false: the pool is full. */
static bool
put_in(struct page *page)
{
	irq_flags_t flags = spin_lock_irqsave(&pool_lock);
	bool room = count < size;

	if (room)
		pool[count++] = page;
	spin_unlock_irqrestore(&pool_lock, flags);
	return room;
}

/* The pool must not hoard the last frames. */
static bool
memory_is_short(void)
{
	return buddy_nr_free() < 4ul * size;
}

bool
zero_pool_refill(void)
{
	struct page *page;

	if (READ_ONCE(count) >= size || memory_is_short())
		return false;
	page = take_free_page();
	if (!page)
		return false;
	memset(page_address(page), 0, PAGE_SIZE);
	if (put_in(page))
		return true;
	give_free_page(page);
	return false;
}

bool
zero_pool_low(void)
{
	return READ_ONCE(count) < size / 2 && !memory_is_short();
}

void
zero_pool_drain(void)
{
	struct page *page;

	while ((page = zero_pool_take()))
		give_free_page(page);
}

u64
zero_pool_count(void)
{
	return READ_ONCE(count);
}
