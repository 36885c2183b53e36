/*
 * Linux's futex call and its numbers, for which musl has no header. A word is
 * shared between processes unless the operation says FUTEX_PRIVATE.
 */
#pragma once

#include <stdatomic.h>
#include <time.h>

#include "user/include/syscall_inline.h"

enum {
	SYS_FUTEX_NR = 202,
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
	FUTEX_REQUEUE = 3,
	FUTEX_CMP_REQUEUE = 4,
	FUTEX_LOCK_PI = 6,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_WAKE_BITSET = 10,
	FUTEX_PRIVATE = 128,
	FUTEX_CLOCK_REALTIME = 256,
};

/* All six words; a negative errno or the result. */
static inline long
futex6(const void *word, int op, long value, const void *timeout_or_value2,
       const void *word2, long value3)
{
	return syscall6(SYS_FUTEX_NR, (long)word, op, value,
			(long)timeout_or_value2, (long)word2, value3);
}

/* Sleeps while *word is @value. May return early: look again. */
static inline long
futex_wait(_Atomic int *word, int value)
{
	return futex6(word, FUTEX_WAIT, value, NULL, NULL, 0);
}

/* Wakes up to @n; returns how many. */
static inline long
futex_wake(_Atomic int *word, int n)
{
	return futex6(word, FUTEX_WAKE, n, NULL, NULL, 0);
}
