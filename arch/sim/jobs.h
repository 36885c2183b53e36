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
 * @ended(i, code, why) here. @why is NULL when @body returned; else it says how
 * the process ended, by itself with exit code @code, or by a signal (then @code
 * is -1). When @ended returns false the others are stopped.
 */
void run_jobs(unsigned n, unsigned at_once, void (*body)(unsigned i),
	      bool (*ended)(unsigned i, int code, const char *why));
