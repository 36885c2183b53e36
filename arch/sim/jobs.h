/*
 * Runs pieces of work in processes of their own, some at a time: one that
 * crashes takes no other with it. What each prints comes out in their order.
 */
#pragma once

#include "kernel/base/types.h"

/* Zeroed, and shared with the processes. Exits when there is none. */
void *shared_memory(size_t size);

/*
 * Calls @body(i) for i = 0 .. @n - 1, each in a process, @at_once at a time.
 * Once i and all before it have ended, and their output is out, calls
 * @ended(i, why) here: @why is NULL, or how it crashed. When that returns
 * false the others are stopped.
 */
void run_jobs(unsigned n, unsigned at_once, void (*body)(unsigned i),
	      bool (*ended)(unsigned i, const char *why));
