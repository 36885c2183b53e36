/* Sets of CPUs and the like, a bit each. */
#pragma once

#include "kernel/base/types.h"

/* Without a library behind it, __builtin_popcount() is a call to nothing. */
static inline unsigned
count_bits(u64 set)
{
	unsigned n = 0;

	for (; set; set &= set - 1)
		n++;
	return n;
}

/* The lowest member; @set must have one. */
static inline unsigned
first_bit(u64 set)
{
	return (unsigned)__builtin_ctzl(set);
}
