// with: mm/slab.c mm/page_alloc.c mm/buddy.c kernel/debug/frames_check.c mm/zero_pool.c mm/boot_mem.c kernel/debug/slab_debug.c kernel/debug/poison.c kernel/debug/fail.c
#include "host.h"

#include "mm/fail.h"
#include "mm/slab.h"

#define MiB (1ul << 20)

enum { MANY = 3000 };

static void *held[MANY];
static size_t sizes[MANY];
static unsigned nr_held;
static u64 frames_at_start;

static void
boot(void)
{
	host_boot_memory(64 * MiB);
	frames_at_start = nr_free_pages();
}

/* Empties everything that keeps memory: free frames must be as at boot. */
static void
check_all_back(void)
{
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		host_use_cpu(cpu);
		slab_drain_local();
	}
	slab_shrink();
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		host_use_cpu(cpu);
		drain_local_pages();
	}
	host_use_cpu(0);
	check_free_lists();
	CHECK_EQ(nr_free_pages(), frames_at_start);
}

/* What a cache itself takes stays taken. */
static struct kmem_cache *
create(const char *name, size_t size, size_t align, void (*ctor)(void *))
{
	u64 free = nr_free_pages();
	struct kmem_cache *cache = kmem_cache_create(name, size, align, ctor);

	frames_at_start -= free - nr_free_pages();
	return cache;
}

static void
objects_do_not_overlap(void)
{
	struct kmem_cache *cache;

	boot();
	cache = create("thing", 72, 64, NULL);
	for (unsigned i = 0; i < MANY; i++) {
		host_use_cpu(i % 4);
		held[i] = kmem_cache_alloc(cache);
		CHECK(held[i]);
		CHECK_EQ((u64)held[i] % 64, 0);
		memset(held[i], i & 0xff, 72);
	}
	CHECK_EQ(kmem_cache_in_use(cache), MANY);
	for (unsigned i = 0; i < MANY; i++)
		for (unsigned j = 0; j < 72; j++)
			CHECK_EQ(((u8 *)held[i])[j], i & 0xff);
	for (unsigned i = 0; i < MANY; i++) {
		host_use_cpu(i % 3);
		kmem_cache_free(cache, held[i]);
	}
	CHECK_EQ(kmem_cache_in_use(cache), 0);
	check_all_back();
}

static unsigned nr_constructed;

struct made {
	u64 magic;
	char rest[120];
};

static void
construct(void *obj)
{
	struct made *made = obj;

	memset(made, 0, sizeof(*made));
	made->magic = 0x1234;
	nr_constructed++;
}

static void
constructor(void)
{
	struct kmem_cache *cache;
	struct made *made;

	boot();
	cache = create("made", sizeof(struct made), 8, construct);
	for (int i = 0; i < 100; i++) {
		made = kmem_cache_alloc(cache);
		CHECK_EQ(made->magic, 0x1234);
		CHECK_EQ(made->rest[119], 0);
		kmem_cache_free(cache, made);
	}
	CHECK(nr_constructed > 0);
}

static void
kmalloc_sizes_all(void)
{
	boot();
	for (size_t size = 0; size < 2 * PAGE_SIZE; size++) {
		u8 *p = kmalloc(size);

		CHECK(p);
		CHECK_EQ((u64)p % 16, 0);
		memset(p, 0x77, size);
		kfree(p);
		p = kzalloc(size);
		for (size_t i = 0; i < size; i++)
			CHECK_EQ(p[i], 0);
		kfree(p);
	}
	kfree(NULL);
	for (size_t size = PAGE_SIZE; size <= 4 * MiB; size *= 2) {
		u8 *p = kmalloc(size);

		CHECK(p);
		memset(p, 0x78, size);
		kfree(p);
	}
	CHECK(!kmalloc(4 * MiB + 1));
	check_all_back();
}

static void
random_step(void)
{
	static const size_t limits[] = { 20, 200, 2000, 20000 };

	host_use_cpu(host_random(4));
	if (host_random(200) == 0)
		slab_drain_local();
	if (host_random(200) == 0)
		slab_shrink();
	if (nr_held == MANY || (nr_held && host_random(100) < 49)) {
		unsigned i = host_random(nr_held);
		u8 *p = held[i];

		for (size_t j = 0; j < sizes[i]; j++)
			CHECK_EQ(p[j], (u8)sizes[i]);
		kfree(p);
		nr_held--;
		held[i] = held[nr_held];
		sizes[i] = sizes[nr_held];
	} else {
		size_t size = host_random(limits[host_random(4)]);
		u8 *p = kmalloc(size);

		if (!p)
			return;
		memset(p, (u8)size, size);
		sizes[nr_held] = size;
		held[nr_held++] = p;
	}
}

static void
random_steps(void)
{
	boot();
	for (host_seed = 1; host_seed <= 3; host_seed++) {
		for (int i = 0; i < 8000; i++)
			random_step();
		check_free_lists();
	}
	while (nr_held)
		kfree(held[--nr_held]);
	check_all_back();
}

static void
write_after_free(void)
{
	struct kmem_cache *cache;
	char *obj;

	boot();
	cache = create("victim", 100, 8, NULL);
	obj = kmem_cache_alloc(cache);
	kmem_cache_free(cache, obj);
	CHECK_EQ(obj[99], 0x6b);
	CHECK(kmem_cache_alloc(cache) == obj);
	CHECK_EQ(obj[99], 0x5a);
	kmem_cache_free(cache, obj);
	obj[42] = 1;
	CHECK_PANICS("written to after it was freed: 0x1 at offset 42",
		     CHECK(kmem_cache_alloc(cache)));
}

static void
write_behind(void)
{
	struct kmem_cache *cache;
	char *obj;

	boot();
	cache = create("victim", 100, 8, NULL);
	obj = kmem_cache_alloc(cache);
	obj[104] = 1;
	CHECK_PANICS("red zone behind its 100 bytes",
		     kmem_cache_free(cache, obj));
	obj[104] = (char)0xbb;
	obj[100] = 1; /* between the size and the next multiple of 8 */
	CHECK_PANICS("red zone behind its 100 bytes",
		     kmem_cache_free(cache, obj));
}

static void
write_before(void)
{
	struct kmem_cache *cache;
	char *obj;

	boot();
	cache = create("victim", 100, 64, NULL);
	obj = kmem_cache_alloc(cache);
	obj[-1] = 1;
	CHECK_PANICS("red zone before it", kmem_cache_free(cache, obj));
}

static void
freed_twice(void)
{
	void *p;

	boot();
	p = kmalloc(33);
	kfree(p);
	CHECK_PANICS("freed twice", kfree(p));
	p = kmalloc(PAGE_SIZE * 3);
	kfree(p);
	CHECK_PANICS("ALLOC_SLAB", kfree(p));
	CHECK_PANICS("is no object of it", kfree((char *)kmalloc(64) + 8));
}

static void
runs_out_cleanly(void)
{
	struct kmem_cache *cache;
	unsigned n = 0, again = 0;
	void **list = NULL, *obj;

	boot();
	cache = create("greedy", 4096, 8, NULL);
	while ((obj = kmem_cache_alloc(cache))) {
		*(void **)obj = list;
		list = obj;
		n++;
	}
	CHECK(n > 12000);
	CHECK(!kmem_cache_alloc(cache));
	CHECK_EQ(kmem_cache_in_use(cache), n);
	while (list) {
		obj = list;
		list = *list;
		kmem_cache_free(cache, obj);
	}
	check_all_back();
	while (kmem_cache_alloc(cache))
		again++;
	CHECK_EQ(again, n);
}

static void
few_empty_slabs(void)
{
	struct kmem_cache *cache;

	boot();
	cache = create("burst", 256, 8, NULL);
	for (unsigned i = 0; i < MANY; i++)
		held[i] = kmem_cache_alloc(cache);
	for (unsigned i = 0; i < MANY; i++)
		kmem_cache_free(cache, held[i]);
	/* A slab in use, and three slabs of at most 8 pages. */
	CHECK(nr_free_pages() + 40 > frames_at_start);
	CHECK_EQ(kmem_cache_in_use(cache), 0);
}

static void
failure_injection(void)
{
	struct kmem_cache *cache;
	void *obj;

	boot();
	cache = create("thing", 64, 8, NULL);
	for (unsigned nth = 1; nth < 60; nth++) {
		/* The count is of objects, whatever they need beneath. */
		fail_allocation(ALLOC_SLAB, nth);
		for (unsigned i = 1; i < nth; i++)
			CHECK(kmem_cache_alloc(cache));
		CHECK(!failure_happened());
		CHECK(!kmem_cache_alloc(cache));
		CHECK(failure_happened());
	}
	fail_allocation(ALLOC_SLAB, 2);
	obj = kmalloc(100);
	CHECK(obj);
	CHECK(!kmalloc(PAGE_SIZE * 4));
	fail_allocation(ALLOC_SLAB, 1);
	CHECK(!kzalloc(100));
}

static u64 listed_in_use;
static bool listed;

static void
list_cache(const char *name, size_t size, u64 in_use, u64 pages)
{
	if (strcmp(name, "thing") != 0)
		return;
	listed = true;
	listed_in_use = in_use;
	CHECK_EQ(size, 64);
	CHECK(pages >= 1);
}

static void
statistics(void)
{
	struct kmem_cache *cache;

	boot();
	cache = create("thing", 64, 8, NULL);
	for (int i = 0; i < 7; i++)
		CHECK(kmem_cache_alloc(cache));
	kmem_cache_for_each(list_cache);
	CHECK(listed);
	CHECK_EQ(listed_in_use, 7);
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("objects are aligned, do not overlap, and all come back",
	     objects_do_not_overlap);
	test("an object is in its constructed state when handed out",
	     constructor);
	test("kmalloc serves every size up to 4 MiB", kmalloc_sizes_all);
	test("random kmalloc and kfree on four CPUs keep every byte",
	     random_steps);
	test("a write after the free is found at the next allocation",
	     write_after_free);
	test("a write behind an object is found at its free", write_behind);
	test("a write before an object is found at its free", write_before);
	test("a second free, or a free of no object, panics", freed_twice);
	test("a cache runs out with NULL and recovers", runs_out_cleanly);
	test("a cache keeps few empty slabs", few_empty_slabs);
	test("exactly the Nth object fails", failure_injection);
	test("statistics list each cache with its objects", statistics);
	return host_result();
}
