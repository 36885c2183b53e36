/*
 * Kernel stacks: KSTACK_SIZE bytes each, in an area of their own where every
 * stack is followed, downwards, by an unmapped hole of the same size. A run
 * over the end faults on the guard and is reported by the double fault.
 *
 * Freed stacks are cached, mapped. Draining the cache unmaps them and flushes
 * every CPU, once for the whole batch.
 */
#pragma once

#include "kernel/base/types.h"

void kstack_init(void);
/* Its lowest address; 0: no memory. May sleep. */
vaddr_t kstack_alloc(void) __must_check;
/* @stack may be on any CPU's but the caller's own stack. Any context. */
void kstack_free(vaddr_t stack);
/* Gives this CPU's own few to the common cache. */
void kstack_drain_local(void);
/* Unmaps what is cached, but for the other CPUs' own few. May sleep. */
void kstack_drain(void);
/* Is more cached than is worth its memory? Then the reaper drains. */
bool kstack_cache_full(void);
/* Is @addr inside a guard hole? */
bool kstack_is_guard(vaddr_t addr);
/* Is @addr in a stack, so that it can be read? */
bool kstack_contains(vaddr_t addr);
