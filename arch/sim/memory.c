/*
 * Memory of the simulated machine: frames, objects, kernel stacks.
 *
 * Each CPU allocates from a part of its own, so that an address does not
 * depend on what other CPUs did before. What was freed is used again as late
 * as possible: until then every access to it is one to freed memory.
 */
#include <string.h>

#include "arch/sim/sim.h"
#include "kernel/base/assert.h"
#include "kernel/debug/poison.h"
#include "mm/fail.h"
#include "mm/kstack.h"
#include "mm/slab.h"

enum {
	KERNEL_ROOT = 1,	/* frame 0 stays empty: 0 is no root */
	FIRST_FRAME,
	HEAP_PART = 128 * 1024, /* a CPU */
	MAX_CACHES = 12,
};

char sim_memory[SIM_FRAMES * PAGE_SIZE] __aligned(PAGE_SIZE);
static struct page sim_pages[ALIGN_UP(SIM_FRAMES, 64)] __aligned(PAGE_SIZE);
struct page *frames = sim_pages;
pfn_t nr_frames = SIM_FRAMES;

/* ---- What the explorer is told ---------------------------------------------------- */

/* Memory that was never freed is allocated as far as the explorer knows; and
 * what is done quietly, nobody looks at. */
static void
tell_allocated(const void *base, size_t size, u64 caller)
{
	if (shadow_is_freed(base) && !explore_quiet)
		shadow_allocated(base, size, caller);
}

static void
tell_freed(const void *base, size_t size, u64 caller)
{
	if (!explore_quiet)
		shadow_freed(base, size, caller);
}

/* ---- Numbers that go round ------------------------------------------------------ */

/* A queue of free things, by number: taken at the head, given back at the
 * tail. */
struct numbers {
	u16 ring[SIM_FRAMES];
	unsigned head, used;
};

static void
numbers_give(struct numbers *numbers, unsigned n)
{
	numbers->ring[(numbers->head + numbers->used++) % SIM_FRAMES] = n;
}

static bool
numbers_take_own(struct numbers *numbers, unsigned *n)
{
	if (!numbers->used)
		return false;
	*n = numbers->ring[numbers->head++ % SIM_FRAMES];
	numbers->used--;
	return true;
}

/* From this CPU's part, or where that is used up, from another one's. */
static bool
numbers_take(struct numbers *parts, unsigned *n)
{
	for (unsigned i = 0; i < sim_nr_cpus; i++)
		if (numbers_take_own(&parts[(sim_cpu_id() + i) % sim_nr_cpus],
				     n))
			return true;
	return false;
}

/* Everything that allocation changes, but for the things themselves. */
static SIM_STATE struct {
	struct numbers frames[SIM_MAX_CPUS], stacks[SIM_MAX_CPUS];
	u32 heap_used[SIM_MAX_CPUS];
	u32 frames_in_use;
	u32 objects_in_use;
	u32 failures_left;
} state;

SIM_STATE bool sim_may_fail;

/* ---- Frames ------------------------------------------------------------------------ */

/* Frames whose contents differ from what was saved. */
static bool is_dirty[SIM_FRAMES];
static u16 dirty[SIM_FRAMES];
static unsigned nr_dirty;
static char saved_memory[SIM_FRAMES * PAGE_SIZE];
static bool was_used[SIM_FRAMES];

void
memory_dirty(paddr_t frame)
{
	unsigned pfn = frame >> PAGE_SHIFT;

	if (is_dirty[pfn])
		return;
	is_dirty[pfn] = true;
	dirty[nr_dirty++] = pfn;
}

static unsigned
part_of(unsigned number)
{
	return number % sim_nr_cpus;
}

static struct page *
take_frame(enum alloc_class class, u64 caller)
{
	unsigned pfn;
	struct page *page;

	if (should_fail_allocation(class) || !numbers_take(state.frames, &pfn))
		return NULL;
	page = &frames[pfn];
	*page = (struct page){ .state = PAGE_USED, .class = class };
	page->refs.value = 1;
	tell_allocated(page_address(page), PAGE_SIZE, caller);
	memory_dirty(page_to_phys(page));
	state.frames_in_use++;
	return page;
}

static void
fill(void *at, u64 word, size_t size)
{
	for (u64 *p = at, *end = p + size / sizeof(u64); p < end; p++)
		*p = word;
}

struct page *
alloc_page(enum alloc_class class)
{
	struct page *page = take_frame(class, CALLER);

	if (page)
		fill(page_address(page), POISON_NEW, PAGE_SIZE);
	return page;
}

struct page *
alloc_zeroed_page(enum alloc_class class)
{
	struct page *page = take_frame(class, CALLER);

	if (page)
		fill(page_address(page), 0, PAGE_SIZE);
	return page;
}

/* There is always enough for what a scenario makes. */
bool
memory_is_low(u64 spare)
{
	(void)spare;
	return false;
}

void
put_page(struct page *page)
{
	u64 caller = CALLER;
	unsigned pfn = page - frames;

	if (page->state != PAGE_USED)
		panic("frame %#lx is given back, but it is free",
		      page_to_phys(page));
	explore_access(&page->refs, sizeof(page->refs), OP_UPDATE, true,
		       caller);
	if (--page->refs.value > 0)
		return;
	mmu_frame_freed(page_to_phys(page), page->class, caller);
	page->state = PAGE_FREE;
	state.frames_in_use--;
	memory_dirty(page_to_phys(page));
	fill(page_address(page), POISON_FRAME, PAGE_SIZE);
	tell_freed(page_address(page), PAGE_SIZE, caller);
	numbers_give(&state.frames[part_of(pfn)], pfn);
}

void
no_such_frame(paddr_t addr)
{
	panic("%#lx is no frame's address", addr);
}

bool
memory_is_table(paddr_t frame)
{
	return phys_valid(frame) &&
	       phys_to_page(frame)->state == PAGE_USED &&
	       phys_to_page(frame)->class == ALLOC_TABLE;
}

u64
sim_frames_in_use(void)
{
	return state.frames_in_use;
}

paddr_t
arch_kernel_root(void)
{
	return KERNEL_ROOT * PAGE_SIZE;
}

/* Entries that nobody follows, but that must be the same in every root. */
static void
make_kernel_root(void)
{
	pte_t *root = phys_to_virt(arch_kernel_root());

	frames[KERNEL_ROOT] =
		(struct page){ .state = PAGE_USED, .class = ALLOC_TABLE };
	frames[KERNEL_ROOT].refs.value = 1;
	for (unsigned i = USER_ROOT_PTES; i < PTES_PER_TABLE; i++)
		root[i] = pte_make_table(i * PAGE_SIZE, false);
}

/* ---- Objects ------------------------------------------------------------------------- */

struct kmem_cache {
	const char *name;
	size_t size;
	void (*ctor)(void *);
};

/* Before each object. */
struct object {
	struct kmem_cache *cache; /* NULL: it was freed */
	u64 unused[7];
};

static struct kmem_cache caches[MAX_CACHES];
static unsigned nr_caches;
static char heap[SIM_MAX_CPUS][HEAP_PART] __aligned(PAGE_SIZE);

struct kmem_cache *
kmem_cache_create(const char *name, size_t size, size_t align,
		  void (*ctor)(void *))
{
	ASSERT(nr_caches < MAX_CACHES && align <= sizeof(struct object));
	caches[nr_caches] = (struct kmem_cache){ name, size, ctor };
	return &caches[nr_caches++];
}

static struct object *
heap_take(size_t size)
{
	u32 *used = &state.heap_used[sim_cpu_id()];
	struct object *object = (void *)&heap[sim_cpu_id()][*used];

	size = ALIGN_UP(size + sizeof(*object), sizeof(*object));
	if (*used + size > HEAP_PART)
		explore_fail(EXPLORE_TOOL_ERROR, "cpu%u allocates more than "
			     "%d KiB: HEAP_PART is too small", sim_cpu_id(),
			     HEAP_PART / 1024);
	*used += size;
	return object;
}

void *
kmem_cache_alloc(struct kmem_cache *cache)
{
	struct object *object;

	if (should_fail_allocation(ALLOC_SLAB))
		return NULL;
	object = heap_take(cache->size);
	object->cache = cache;
	state.objects_in_use++;
	fill(object + 1, POISON_NEW, cache->size);
	if (cache->ctor)
		cache->ctor(object + 1);
	shadow_allocated(object + 1, cache->size, CALLER);
	return object + 1;
}

void
kmem_cache_free(struct kmem_cache *cache, void *ptr)
{
	struct object *object = (struct object *)ptr - 1;

	if (object->cache != cache)
		panic("an object of cache %s is freed %s", cache->name,
		      object->cache ? "from another one" : "twice");
	object->cache = NULL;
	state.objects_in_use--;
	fill(ptr, POISON_FREE, cache->size);
	tell_freed(ptr, cache->size, CALLER);
}

/* Two sizes do for what is asked for here: the large one for handles. */
enum { KMALLOC_SMALL = 128, KMALLOC_LARGE = 2048 };
static struct kmem_cache *small_cache, *large_cache;

void *
kmalloc(size_t size)
{
	ASSERT(size <= KMALLOC_LARGE);
	return kmem_cache_alloc(size <= KMALLOC_SMALL ? small_cache
						      : large_cache);
}

void *
kzalloc(size_t size)
{
	void *ptr = kmalloc(size);

	if (ptr)
		memset(ptr, 0, size);
	return ptr;
}

void
kfree(void *ptr)
{
	const struct object *object = (struct object *)ptr - 1;

	if (ptr)
		kmem_cache_free(object->cache == large_cache ? large_cache
							     : small_cache,
				ptr);
}

bool
memory_is_object(const void *ptr, size_t size)
{
	const struct object *object = (const struct object *)ptr - 1;
	const char *p = ptr;

	return p >= heap[0] && p < heap[SIM_MAX_CPUS] && object->cache &&
	       object->cache->size == size;
}

u64
sim_objects_in_use(void)
{
	return state.objects_in_use;
}

/* ---- Kernel stacks ---------------------------------------------------------------------- */

/* The part of a stack that is ever used, in fact: the explorer is told of no
 * more. */
enum { STACK_TOLD = 4096 };

static char *
stack_top(unsigned n)
{
	return sim_stacks[n] + KSTACK_SIZE - STACK_TOLD;
}

vaddr_t
kstack_alloc(void)
{
	unsigned n;

	if (should_fail_allocation(ALLOC_STACK))
		return 0;
	if (!numbers_take(state.stacks, &n))
		explore_fail(EXPLORE_TOOL_ERROR, "more than %d tasks: "
			     "SIM_STACKS is too small", SIM_STACKS);
	tell_allocated(stack_top(n), STACK_TOLD, CALLER);
	state.objects_in_use++;
	return (vaddr_t)sim_stacks[n];
}

void
kstack_free(vaddr_t stack)
{
	unsigned n = (unsigned)((stack - (vaddr_t)sim_stacks) / KSTACK_SIZE);

	tell_freed(stack_top(n), STACK_TOLD, CALLER);
	state.objects_in_use--;
	numbers_give(&state.stacks[part_of(n)], n);
}

bool
kstack_cache_full(void)
{
	return false;
}

void
kstack_drain(void)
{
}

bool
kstack_is_guard(vaddr_t addr)
{
	(void)addr;
	return false;
}

/* ---- Failure as a choice ------------------------------------------------------------------ */

void
sim_allow_failures(unsigned n)
{
	state.failures_left = n;
}

bool
sim_should_fail(const char *what)
{
	if (!sim_explored() || !sim_may_fail || !state.failures_left)
		return false;
	if (this_cpu()->irq_depth || explore_choose(2, what, CALLER) == 0)
		return false;
	state.failures_left--;
	return true;
}

bool
should_fail_allocation(enum alloc_class class)
{
	static const char *const what[NR_ALLOC_CLASSES] = {
		[ALLOC_USER] = "allocation of a user page fails?",
		[ALLOC_TABLE] = "allocation of a page table fails?",
		[ALLOC_SLAB] = "allocation of an object fails?",
		[ALLOC_STACK] = "allocation of a kernel stack fails?",
		[ALLOC_KERNEL] = "allocation fails?",
	};

	return sim_should_fail(what[class]);
}

/* ---- Start, saving, restoring ---------------------------------------------------------------- */

void
memory_boot(void)
{
	small_cache = kmem_cache_create("small", KMALLOC_SMALL, 16, NULL);
	large_cache = kmem_cache_create("large", KMALLOC_LARGE, 16, NULL);
	for (unsigned pfn = FIRST_FRAME; pfn < SIM_FRAMES; pfn++)
		numbers_give(&state.frames[part_of(pfn)], pfn);
	for (unsigned n = SIM_IDLE_STACKS; n < SIM_STACKS; n++)
		numbers_give(&state.stacks[part_of(n)], n);
	make_kernel_root();
}

void
memory_save(void)
{
	arena_add(sim_pages, sizeof(sim_pages));
	for (unsigned id = 0; id < sim_nr_cpus; id++)
		arena_add(heap[id], state.heap_used[id]);
	for (unsigned pfn = 0; pfn < SIM_FRAMES; pfn++)
		was_used[pfn] = frames[pfn].state == PAGE_USED;
	memcpy(saved_memory, sim_memory, sizeof(sim_memory));
	while (nr_dirty)
		is_dirty[dirty[--nr_dirty]] = false;
}

/* A frame that was free need not be restored: who gets it, fills it. */
void
memory_restore(void)
{
	while (nr_dirty) {
		unsigned pfn = dirty[--nr_dirty];

		is_dirty[pfn] = false;
		if (was_used[pfn])
			memcpy(sim_memory + pfn * PAGE_SIZE,
			       saved_memory + pfn * PAGE_SIZE, PAGE_SIZE);
	}
}
