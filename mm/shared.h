/*
 * The page store behind MAP_SHARED memory: a sparse array of pages, found by
 * index, made when first asked for. Every region that maps a part of it holds
 * a reference, in whatever mm, so that parent and child of a fork share also
 * what is touched only after it. A private region shows the same pages, until
 * it writes. Its pages live as long as the store does. That
 * of mmap has no size: mremap may map more of it, where Linux would send SIGBUS.
 *
 * A fixed store is a run of physical memory that nobody allocated: a device's
 * registers, or what the loader brought. Its pages are mapped uncounted.
 *
 * Read Linux: mm/shmem.c, shmem_zero_setup and shmem_get_folio.
 */
#pragma once

#include "mm/page.h"

struct shared_object;

/* Indices below this are legal: twice the pages of a user's half. */
#define SHARED_MAX_PAGES (1ul << 36)

void shared_init(void);

/* An empty store with one reference; NULL: no memory. */
struct shared_object *shared_object_create(void) __must_check;
/* The same with a size, in pages. */
struct shared_object *shared_object_sized(u64 pages) __must_check;
/* A fixed store. @device: not to be cached, and not in the direct map. */
struct shared_object *shared_object_fixed(paddr_t start, u64 pages, bool device)
	__must_check;

void shared_object_get(struct shared_object *object);
/* The last one gives every page back. May sleep. */
void shared_object_put(struct shared_object *object);

/* Indices below this can be mapped. */
u64 shared_object_pages(const struct shared_object *object);

bool shared_object_is_fixed(const struct shared_object *object);
/* Where page @index of a fixed store is. */
paddr_t shared_object_frame(const struct shared_object *object, u64 index,
			    bool *device);

/* Page @index, zeroed when it is new, with a reference for the caller; NULL:
 * no memory. May sleep. */
struct page *shared_object_page(struct shared_object *object, u64 index)
	__must_check;
