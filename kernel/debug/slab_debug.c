/* See kernel/debug/slab_debug.h. */
#include "kernel/debug/slab_debug.h"

#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "kernel/debug/poison.h"

#define STATE_FREE 0x6672656566726565ul /* "freefree" */
#define STATE_USED 0x7573656475736564ul /* "usedused" */

/* Behind the object; SLAB_DEBUG_AFTER bytes. */
struct trailer {
	u64 red;
	u64 caller; /* code that allocated or freed it last; 0: nobody yet */
	u64 state;
};

STATIC_ASSERT(sizeof(struct trailer) == SLAB_DEBUG_AFTER, "see lay_out()");

static struct trailer *
trailer_of(void *obj, size_t size)
{
	return (struct trailer *)((char *)obj + ALIGN_UP(size, 8ul));
}

static u64 *
zone_before(void *obj)
{
	return (u64 *)((char *)obj - SLAB_DEBUG_BEFORE);
}

/* From the object's last byte to the next multiple of 8 is red zone too. */
static bool
padding_is_red(const void *obj, size_t size)
{
	const u8 *bytes = obj;

	for (size_t i = size; i < ALIGN_UP(size, 8ul); i++)
		if (bytes[i] != (u8)POISON_RED)
			return false;
	return true;
}

static void
check_zones(const char *cache, void *obj, size_t size)
{
	const struct trailer *trailer = trailer_of(obj, size);

	if (*zone_before(obj) != POISON_RED)
		panic("%s object %p: red zone before it was written to: "
		      "%#llx; last allocated or freed at %#llx",
		      cache, obj, (unsigned long long)*zone_before(obj),
		      (unsigned long long)trailer->caller);
	if (trailer->red != POISON_RED || !padding_is_red(obj, size))
		panic("%s object %p: red zone behind its %zu bytes was "
		      "written to: %#llx; last allocated or freed at %#llx",
		      cache, obj, size, (unsigned long long)trailer->red,
		      (unsigned long long)trailer->caller);
}

static void
check_junk(const char *cache, void *obj, size_t size)
{
	const u8 *bytes = obj;

	for (size_t i = 0; i < size; i++)
		if (bytes[i] != (u8)POISON_FREE)
			panic("%s object %p was written to after it was "
			      "freed: %#x at offset %zu; last freed at %#llx",
			      cache, obj, bytes[i], i,
			      (unsigned long long)trailer_of(obj, size)->caller);
}

void
slab_debug_new(void *obj, size_t size)
{
	struct trailer *trailer = trailer_of(obj, size);

	*zone_before(obj) = POISON_RED;
	memset((char *)obj + size, (u8)POISON_RED, ALIGN_UP(size, 8ul) - size);
	memset(obj, (u8)POISON_FREE, size);
	*trailer = (struct trailer){ .red = POISON_RED, .state = STATE_FREE };
}

void
slab_debug_alloc(const char *cache, void *obj, size_t size,
		 void (*ctor)(void *), u64 caller)
{
	struct trailer *trailer = trailer_of(obj, size);

	check_zones(cache, obj, size);
	if (trailer->state != STATE_FREE)
		panic("%s object %p is handed out and on a free list: "
		      "state %#llx",
		      cache, obj, (unsigned long long)trailer->state);
	check_junk(cache, obj, size);
	trailer->state = STATE_USED;
	trailer->caller = caller;
	memset(obj, (u8)POISON_NEW, size);
	if (ctor)
		ctor(obj);
}

void
slab_debug_free(const char *cache, void *obj, size_t size, u64 caller)
{
	struct trailer *trailer = trailer_of(obj, size);

	if (trailer->state == STATE_FREE)
		panic("%s object %p freed twice: first at %#llx", cache, obj,
		      (unsigned long long)trailer->caller);
	if (trailer->state != STATE_USED)
		panic("%s: %p is no object of it, or its trailer was "
		      "overwritten: state %#llx",
		      cache, obj, (unsigned long long)trailer->state);
	check_zones(cache, obj, size);
	memset(obj, (u8)POISON_FREE, size);
	trailer->caller = caller;
	trailer->state = STATE_FREE;
}
