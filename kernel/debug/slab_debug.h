/*
 * What debug builds add to a slab object; elsewhere it compiles to nothing.
 *
 *   | red zone | object ... | red zone | caller | state | link |
 *
 * A free object is junk from end to end. Each step checks what the step
 * before it left: a write past the end, before the start or after the free is
 * found at the next allocation or free of that object, together with the
 * address of the code that freed or allocated it last.
 */
#pragma once

#include "kernel/base/types.h"

#ifdef CONFIG_DEBUG
enum {
	SLAB_DEBUG_BEFORE = 8,	/* bytes before the object */
	SLAB_DEBUG_AFTER = 24,	/* between its end, rounded up, and the link */
};
#else
enum { SLAB_DEBUG_BEFORE = 0, SLAB_DEBUG_AFTER = 0 };
#endif

/* The memory of a free object has just been made. */
void slab_debug_new(void *obj, size_t size);
/* The object is handed out: it must be free and untouched. */
void slab_debug_alloc(const char *cache, void *obj, size_t size,
		      void (*ctor)(void *), u64 caller);
/* The object comes back: it must be handed out, its red zones untouched. */
void slab_debug_free(const char *cache, void *obj, size_t size, u64 caller);

#ifndef CONFIG_DEBUG
#define slab_debug_new(...)   debug_only(slab_debug_new(__VA_ARGS__))
#define slab_debug_alloc(...) debug_only(slab_debug_alloc(__VA_ARGS__))
#define slab_debug_free(...)  debug_only(slab_debug_free(__VA_ARGS__))
#endif
