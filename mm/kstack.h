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
vaddr_t kstack_alloc(void) __must_check; /* lowest address; 0: no memory */
void kstack_free(vaddr_t stack);
void kstack_drain(void); /* may sleep: flushes all CPUs */
/* Is @addr inside a guard hole? */
bool kstack_is_guard(vaddr_t addr);
bool kstack_contains(vaddr_t addr);
