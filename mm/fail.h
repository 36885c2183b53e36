/*
 * Failure on request. A test asks for its own Nth allocation from now to
 * fail; only allocations made by that task, outside interrupts, are counted.
 */
#pragma once

#include "mm/page.h"

/* The @nth (1: the next) allocation of @class by the current task fails, and
 * only that one; 0: none. @class NR_ALLOC_CLASSES: any class. */
void fail_allocation(enum alloc_class class, unsigned nth);
/* Called by each allocator before it looks for memory. */
bool should_fail_allocation(enum alloc_class class);
/* Forgets a failure asked for that has not happened. */
void withdraw_failure(void);
/* Whether the failure asked for has happened. */
bool failure_happened(void);

#ifndef CONFIG_DEBUG
#define should_fail_allocation(class) debug_only(should_fail_allocation(class))
#endif
