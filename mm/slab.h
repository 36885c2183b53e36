/*
 * Caches of objects of one size, cut from page frames; a small magazine a CPU
 * makes the common case a pop. Debug builds fill freed objects with junk and
 * put red zones around them, and check both.
 *
 * A constructor runs once when an object's memory is made, not at each
 * allocation: an object must be freed in its constructed state. (Debug builds
 * poison, so there it runs at each allocation.)
 *
 * Read Linux: mm/slub.c; Bonwick, "The Slab Allocator".
 */
#pragma once

#include "mm/page.h"

struct kmem_cache;

struct kmem_cache *kmem_cache_create(const char *name, size_t size,
				     size_t align, void (*ctor)(void *));
void *kmem_cache_alloc(struct kmem_cache *cache) __must_check; /* or NULL */
void kmem_cache_free(struct kmem_cache *cache, void *obj);

/* Objects handed out and not yet freed. */
u64 kmem_cache_in_use(const struct kmem_cache *cache);

void slab_init(void);

/* By size, up to 2 MiB; NULL when there is no memory. kfree(NULL) is legal. */
void *kmalloc(size_t size) __must_check;
void *kzalloc(size_t size) __must_check;
void kfree(void *ptr);

/* Empties this CPU's magazines; then gives all empty slabs back. */
void slab_drain_local(void);
void slab_shrink(void);

/* Calls @fn for each cache: for statistics and leak reports. */
void kmem_cache_for_each(void (*fn)(const char *name, size_t size, u64 in_use,
				    u64 pages));
