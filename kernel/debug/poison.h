/*
 * Junk in free memory, so that use after free shows early and near. Debug
 * builds only: elsewhere all of it compiles to nothing.
 */
#pragma once

#include "mm/page.h"

#define POISON_FRAME  0xaaaaaaaaaaaaaaaaul /* a free frame */
#define POISON_FREE   0x6b6b6b6b6b6b6b6bul /* a free slab object */
#define POISON_NEW    0x5a5a5a5a5a5a5a5aul /* handed out, not yet written */
#define POISON_RED    0xbbbbbbbbbbbbbbbbul /* red zones around an object */

/* Fills the 2^order frames of a block that was just freed. */
void poison_frames(struct page *page, unsigned order);
/* Panics when one of them was written to since; looks at a sample of words,
 * others each time. Frames that were never used hold no poison. */
void check_poison(struct page *page, unsigned order);
/* The same for a frame of the zero pool. */
void check_zeroes(struct page *page);

#ifndef CONFIG_DEBUG
#define poison_frames(...) debug_only(poison_frames(__VA_ARGS__))
#define check_poison(...)  debug_only(check_poison(__VA_ARGS__))
#define check_zeroes(...)  debug_only(check_zeroes(__VA_ARGS__))
#endif
