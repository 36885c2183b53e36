/* See kernel/debug/poison.h. */
#include "kernel/debug/poison.h"

#include "kernel/base/panic.h"

enum {
	WORDS = PAGE_SIZE / sizeof(u64),
	STRIDE = 8, /* one word in so many is looked at */
	CLASS_POISONED = 0xaa, /* page->class of a free frame with poison */
};

static void
fill_frame(struct page *page, u64 junk)
{
	u64 *words = page_address(page);

	for (unsigned i = 0; i < WORDS; i++)
		words[i] = junk;
}

void
poison_frames(struct page *page, unsigned order)
{
	for (unsigned i = 0; i < 1u << order; i++) {
		fill_frame(&page[i], POISON_FRAME);
		page[i].class = CLASS_POISONED;
	}
}

/* A torn counter does no harm: it only chooses the sample. */
static unsigned
next_sample(void)
{
	static unsigned turn;

	WRITE_ONCE(turn, READ_ONCE(turn) + 1);
	return turn % STRIDE;
}

static void
check_frame(struct page *page, u64 junk, const char *what)
{
	const u64 *words = page_address(page);

	for (unsigned i = next_sample(); i < WORDS; i += STRIDE)
		if (words[i] != junk)
			panic("%s frame %#llx was written to: %#llx at offset "
			      "%#x, expected %#llx: somebody kept a pointer "
			      "or a mapping to it",
			      what, (unsigned long long)page_to_phys(page),
			      (unsigned long long)words[i],
			      i * (unsigned)sizeof(u64),
			      (unsigned long long)junk);
}

void
check_poison(struct page *page, unsigned order)
{
	for (unsigned i = 0; i < 1u << order; i++) {
		if (page[i].class == CLASS_POISONED)
			check_frame(&page[i], POISON_FRAME, "free");
		page[i].class = 0;
	}
}

void
check_zeroes(struct page *page)
{
	check_frame(page, 0, "zeroed");
}
