/*
 * Object caches. Three layers, from fast to slow:
 *
 *   magazine  a CPU's own stack of free objects: interrupts off, no lock
 *   slab      a block of frames cut into objects, with a list of free ones;
 *             under the cache's lock
 *   frames    mm/page.h
 *
 * A slab's page struct holds its bookkeeping; every frame of a slab names the
 * cache and the slab's order, so that any pointer into it finds both.
 *
 * A free object's link lies in the object itself, or behind it when a
 * constructor has made it (or a debug build poisons it).
 */
#include "mm/slab.h"

#include "kernel/base/cpu.h"
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/debug/slab_debug.h"
#include "mm/fail.h"

enum {
	MAGAZINE_SIZE = 15,   /* with its header: 128 bytes */
	MAX_SLAB_ORDER = 3,
	MIN_PER_SLAB = 8,     /* objects that a slab should hold */
	MAX_EMPTY_SLABS = 2,  /* kept by a cache until slab_shrink() */
	MIN_ALIGN = 8,
	BIG_OBJECT = 1024,    /* magazines of these keep fewer */
	BIG_MAGAZINE = 4,
};

#define NO_OBJECT (~0u)

struct magazine {
	u64 count;
	void *objects[MAGAZINE_SIZE];
};

struct kmem_cache {
	/* set once */
	struct magazine *magazines; /* by CPU, each under its CPU's irqs */
	const char *name;
	void (*ctor)(void *);
	u32 size;	   /* what the user asked for */
	u32 stride;	   /* from one object to the next */
	u32 object_offset; /* of the first object in a slab */
	u32 link_offset;   /* in an object: where a free one's link is */
	u32 per_slab;
	u32 capacity;	   /* of its magazines */
	u8 slab_order;
	struct list link;  /* caches */

	struct spinlock lock;
	/* under lock */
	struct list partial; /* slabs with a free object: page, slab_link */
	u32 nr_empty;	     /* slabs in partial with no object in use */
	u64 nr_slabs;
	u64 nr_taken;	     /* objects outside slabs: users', magazines' */
};

static struct kmem_cache cache_of_caches;
static struct list caches = LIST_INIT(caches); /* grows at boot only */

/* ---- Slabs -------------------------------------------------------------- */

static struct page *
slab_of(const void *obj)
{
	pfn_t pfn = virt_to_page(obj) - frames;

	return &frames[ALIGN_DOWN(pfn, 1ul << frames[pfn].slab_order)];
}

static void *
object_at(const struct page *slab, u32 offset)
{
	return (char *)page_address(slab) + offset;
}

static u32 *
link_of(const struct kmem_cache *cache, void *obj)
{
	return (u32 *)((char *)obj + cache->link_offset);
}

static void
push_object(struct kmem_cache *cache, struct page *slab, void *obj)
{
	*link_of(cache, obj) = slab->free_offset;
	slab->free_offset = (char *)obj - (char *)page_address(slab);
}

static void *
pop_object(struct kmem_cache *cache, struct page *slab)
{
	void *obj = object_at(slab, slab->free_offset);

	slab->free_offset = *link_of(cache, obj);
	return obj;
}

/* A new slab with every object constructed and free; or NULL. */
static struct page *
make_slab(struct kmem_cache *cache)
{
	struct page *slab = alloc_pages_uncounted(cache->slab_order,
						  ALLOC_SLAB);

	if (!slab)
		return NULL;
	for (unsigned i = 0; i < 1u << cache->slab_order; i++) {
		slab[i].cache = cache;
		slab[i].slab_order = cache->slab_order;
	}
	slab->in_use = 0;
	slab->free_offset = NO_OBJECT;
	/* Backwards, so that they are handed out in ascending order. */
	for (u32 i = cache->per_slab; i-- > 0;) {
		void *obj = object_at(slab, cache->object_offset +
						    i * cache->stride);

		if (cache->ctor)
			cache->ctor(obj);
		slab_debug_new(obj, cache->size);
		push_object(cache, slab, obj);
	}
	return slab;
}

static void
free_slab(struct page *slab)
{
	unsigned order = slab->slab_order;

	ASSERT(slab->in_use == 0);
	for (unsigned i = 0; i < 1u << order; i++) {
		slab[i].cache = NULL;
		slab[i].slab_order = 0;
	}
	free_pages(slab, order);
}

/* The cache's lock is held. */
static void
add_slab(struct kmem_cache *cache, struct page *slab)
{
	list_add(&cache->partial, &slab->slab_link);
	cache->nr_slabs++;
	cache->nr_empty++;
}

/* Takes up to @n objects out of slabs; the cache's lock is held. */
static unsigned
take_objects(struct kmem_cache *cache, void **objects, unsigned n)
{
	unsigned got = 0;

	while (got < n && !list_empty(&cache->partial)) {
		struct page *slab =
			list_first(&cache->partial, struct page, slab_link);

		DEBUG_ASSERT(slab->free_offset != NO_OBJECT);
		if (slab->in_use++ == 0)
			cache->nr_empty--;
		objects[got++] = pop_object(cache, slab);
		if (slab->free_offset == NO_OBJECT)
			list_del(&slab->slab_link);
	}
	cache->nr_taken += got;
	return got;
}

/* Puts one object back into its slab; the cache's lock is held. A slab that
 * becomes empty when there are enough of those moves to @surplus. */
static void
put_object(struct kmem_cache *cache, void *obj, struct list *surplus)
{
	struct page *slab = slab_of(obj);

	DEBUG_ASSERT(slab->cache == cache);
	DEBUG_ASSERT(slab->in_use > 0);
	if (slab->free_offset == NO_OBJECT)
		list_add(&cache->partial, &slab->slab_link);
	push_object(cache, slab, obj);
	cache->nr_taken--;
	if (--slab->in_use > 0)
		return;
	list_del(&slab->slab_link);
	if (cache->nr_empty == MAX_EMPTY_SLABS) {
		list_add(surplus, &slab->slab_link);
		cache->nr_slabs--;
		return;
	}
	/* Empty ones last, so that the others are used up first. */
	list_add_tail(&cache->partial, &slab->slab_link);
	cache->nr_empty++;
}

/* Interrupts off. Objects from slabs, making one if there is none. */
static unsigned
get_objects(struct kmem_cache *cache, void **objects, unsigned n)
{
	struct page *slab;
	unsigned got;

	spin_lock(&cache->lock);
	got = take_objects(cache, objects, n);
	spin_unlock(&cache->lock);
	if (got > 0)
		return got;
	slab = make_slab(cache);
	if (!slab)
		return 0;
	spin_lock(&cache->lock);
	add_slab(cache, slab);
	got = take_objects(cache, objects, n);
	spin_unlock(&cache->lock);
	return got;
}

/* Interrupts off. */
static void
put_objects(struct kmem_cache *cache, void **objects, unsigned n)
{
	struct list surplus = LIST_INIT(surplus);

	spin_lock(&cache->lock);
	for (unsigned i = 0; i < n; i++)
		put_object(cache, objects[i], &surplus);
	spin_unlock(&cache->lock);
	while (!list_empty(&surplus)) {
		struct page *slab = list_first(&surplus, struct page,
					       slab_link);

		list_del(&slab->slab_link);
		free_slab(slab);
	}
}

/* ---- Magazines ---------------------------------------------------------- */

/* All of these: interrupts off. */
static struct magazine *
local_magazine(struct kmem_cache *cache)
{
	return &cache->magazines[this_cpu()->id];
}

/* False: there is no memory. */
static bool
refill(struct kmem_cache *cache, struct magazine *magazine)
{
	magazine->count = get_objects(cache, magazine->objects,
				      (cache->capacity + 1) / 2);
	return magazine->count > 0;
}

/* Gives the @n objects back that were freed first. */
static void
spill(struct kmem_cache *cache, struct magazine *magazine, unsigned n)
{
	put_objects(cache, magazine->objects, n);
	magazine->count -= n;
	memmove(magazine->objects, magazine->objects + n,
		magazine->count * sizeof(void *));
}

static void *
alloc_object(struct kmem_cache *cache)
{
	irq_flags_t flags = arch_irq_save();
	struct magazine *magazine = local_magazine(cache);
	void *obj = NULL;

	if (likely(magazine->count > 0) || refill(cache, magazine))
		obj = magazine->objects[--magazine->count];
	arch_irq_restore(flags);
	return obj;
}

static void
free_object(struct kmem_cache *cache, void *obj)
{
	irq_flags_t flags = arch_irq_save();
	struct magazine *magazine = local_magazine(cache);

	if (unlikely(magazine->count == cache->capacity))
		spill(cache, magazine, (cache->capacity + 1) / 2);
	magazine->objects[magazine->count++] = obj;
	arch_irq_restore(flags);
}

/* ---- What callers see --------------------------------------------------- */

static __always_inline void *
alloc_for(struct kmem_cache *cache, u64 caller)
{
	void *obj;

	if (should_fail_allocation(ALLOC_SLAB))
		return NULL;
	obj = alloc_object(cache);
	if (obj)
		slab_debug_alloc(cache->name, obj, cache->size, cache->ctor,
				 caller);
	return obj;
}

void *
kmem_cache_alloc(struct kmem_cache *cache)
{
	return alloc_for(cache, CALLER);
}

void
kmem_cache_free(struct kmem_cache *cache, void *obj)
{
	DEBUG_ASSERT(slab_of(obj)->cache == cache);
	slab_debug_free(cache->name, obj, cache->size, CALLER);
	free_object(cache, obj);
}

u64
kmem_cache_in_use(const struct kmem_cache *cache)
{
	u64 n = READ_ONCE(cache->nr_taken);

	for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
		n -= READ_ONCE(cache->magazines[cpu].count);
	return n;
}

void
kmem_cache_for_each(void (*fn)(const char *name, size_t size, u64 in_use,
			       u64 pages))
{
	const struct kmem_cache *cache;

	list_for_each(cache, &caches, link)
		fn(cache->name, cache->size, kmem_cache_in_use(cache),
		   READ_ONCE(cache->nr_slabs) << cache->slab_order);
}

void
slab_drain_local(void)
{
	irq_flags_t flags = arch_irq_save();
	struct kmem_cache *cache;

	list_for_each(cache, &caches, link)
		spill(cache, local_magazine(cache),
		      local_magazine(cache)->count);
	arch_irq_restore(flags);
}

/* Takes one empty slab out of @cache; they are the last ones in partial. */
static struct page *
remove_empty_slab(struct kmem_cache *cache)
{
	irq_flags_t flags = spin_lock_irqsave(&cache->lock);
	struct page *slab = NULL;

	if (cache->nr_empty > 0) {
		slab = list_entry(cache->partial.prev, struct page, slab_link);
		ASSERT(slab->in_use == 0);
		list_del(&slab->slab_link);
		cache->nr_empty--;
		cache->nr_slabs--;
	}
	spin_unlock_irqrestore(&cache->lock, flags);
	return slab;
}

void
slab_shrink(void)
{
	struct kmem_cache *cache;
	struct page *slab;

	list_for_each(cache, &caches, link)
		while ((slab = remove_empty_slab(cache)))
			free_slab(slab);
}

/* ---- Making caches ------------------------------------------------------ */

/* The smallest order whose slab holds enough objects and wastes less than an
 * eighth, or else the largest. */
static unsigned
choose_order(u32 stride)
{
	unsigned order = 0;

	while (order < MAX_SLAB_ORDER) {
		u64 bytes = PAGE_SIZE << order;

		if (bytes / stride >= MIN_PER_SLAB &&
		    bytes % stride <= bytes / 8)
			break;
		order++;
	}
	return order;
}

/* Where in a slab's object everything is. */
static void
lay_out(struct kmem_cache *cache, size_t size, size_t align)
{
	size_t end = ALIGN_UP(size, MIN_ALIGN);

	cache->object_offset = ALIGN_UP(SLAB_DEBUG_BEFORE, align);
	cache->link_offset = 0;
	if (cache->ctor || SLAB_DEBUG_AFTER > 0) {
		cache->link_offset = end + SLAB_DEBUG_AFTER;
		end = cache->link_offset + sizeof(u64);
	}
	cache->stride = ALIGN_UP(end + SLAB_DEBUG_BEFORE, align);
	cache->slab_order = choose_order(cache->stride);
	cache->per_slab = ((PAGE_SIZE << cache->slab_order) -
			   cache->object_offset - end) / cache->stride + 1;
}

static unsigned
order_for(size_t size)
{
	unsigned order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

static struct magazine *
make_magazines(const char *name)
{
	size_t size = MAX_CPUS * sizeof(struct magazine);
	struct page *page = alloc_pages_uncounted(order_for(size), ALLOC_SLAB);

	if (!page)
		panic("no memory for the object cache \"%s\"", name);
	return memset(page_address(page), 0, size);
}

static void
init_cache(struct kmem_cache *cache, const char *name, size_t size,
	   size_t align, void (*ctor)(void *))
{
	align = MAX(align, (size_t)MIN_ALIGN);
	ASSERT(size > 0 && size <= PAGE_SIZE);
	ASSERT((align & (align - 1)) == 0 && align <= PAGE_SIZE);
	memset(cache, 0, sizeof(*cache));
	cache->magazines = make_magazines(name);
	cache->name = name;
	cache->ctor = ctor;
	cache->size = size;
	lay_out(cache, size, align);
	ASSERT(cache->per_slab > 0);
	cache->capacity = size >= BIG_OBJECT ? BIG_MAGAZINE : MAGAZINE_SIZE;
	spin_init(&cache->lock, name, RANK_SLAB);
	list_init(&cache->partial);
	list_add_tail(&caches, &cache->link);
}

struct kmem_cache *
kmem_cache_create(const char *name, size_t size, size_t align,
		  void (*ctor)(void *))
{
	struct kmem_cache *cache = alloc_object(&cache_of_caches);

	if (!cache)
		panic("no memory for the object cache \"%s\"", name);
	init_cache(cache, name, size, align, ctor);
	return cache;
}

/* ---- By size ------------------------------------------------------------ */

enum { KMALLOC_STEP = 16, KMALLOC_LARGEST = 2048, KMALLOC_ALIGN = 16 };

static const struct {
	u16 size;
	const char *name;
} kmalloc_sizes[] = {
	{ 16, "kmalloc-16" },	  { 32, "kmalloc-32" },
	{ 64, "kmalloc-64" },	  { 96, "kmalloc-96" },
	{ 128, "kmalloc-128" },	  { 192, "kmalloc-192" },
	{ 256, "kmalloc-256" },	  { 512, "kmalloc-512" },
	{ 1024, "kmalloc-1024" }, { KMALLOC_LARGEST, "kmalloc-2048" },
};

/* The cache for sizes up to index * KMALLOC_STEP. */
static struct kmem_cache *kmalloc_caches[KMALLOC_LARGEST / KMALLOC_STEP + 1];

void
slab_init(void)
{
	unsigned index = 0;

	init_cache(&cache_of_caches, "kmem_cache", sizeof(struct kmem_cache), 8,
		   NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(kmalloc_sizes); i++) {
		struct kmem_cache *cache =
			kmem_cache_create(kmalloc_sizes[i].name,
					  kmalloc_sizes[i].size, KMALLOC_ALIGN,
					  NULL);

		while (index * KMALLOC_STEP <= kmalloc_sizes[i].size)
			kmalloc_caches[index++] = cache;
	}
	ASSERT(index == ARRAY_SIZE(kmalloc_caches));
}

/* Whole frames, not in any cache: their page struct names none. */
static void *
alloc_large(size_t size)
{
	struct page *page;

	if (size > PAGE_SIZE << MAX_ORDER)
		return NULL;
	page = alloc_pages(order_for(size), ALLOC_SLAB);
	if (!page)
		return NULL;
	page->cache = NULL;
	return page_address(page);
}

void *
kmalloc(size_t size)
{
	if (size > KMALLOC_LARGEST)
		return alloc_large(size);
	return alloc_for(kmalloc_caches[(size + KMALLOC_STEP - 1) /
					KMALLOC_STEP], CALLER);
}

void *
kzalloc(size_t size)
{
	void *obj = kmalloc(size);

	return obj ? memset(obj, 0, size) : NULL;
}

void
kfree(void *ptr)
{
	struct page *slab;

	if (!ptr)
		return;
	slab = slab_of(ptr);
	ASSERT(slab->state == PAGE_USED && slab->class == ALLOC_SLAB);
	if (!slab->cache) {
		ASSERT(ptr == page_address(slab));
		free_pages(slab, slab->order);
		return;
	}
	slab_debug_free(slab->cache->name, ptr, slab->cache->size, CALLER);
	free_object(slab->cache, ptr);
}
