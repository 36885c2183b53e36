/*
 * Shared words. Built on the compiler's __atomic builtins alone, so that the
 * same source runs on the machine and, instrumented, under the explorer.
 * Read-modify-write operations order everything before and after them (as on
 * x86); plain reads and writes order nothing unless their name says so.
 */
#pragma once

#include "kernel/base/types.h"

typedef struct {
	int value;
} atomic_t;

typedef struct {
	u64 value;
} atomic64_t;

#define ATOMIC_INIT(n) { (n) }

/* One untorn access that the compiler may neither repeat nor drop. */
#define READ_ONCE(x)	     __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)     __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define load_acquire(p)	     __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store_release(p, v)  __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/* Full barrier: earlier stores are visible before later loads are done. */
static inline void
smp_mb(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline int
atomic_read(const atomic_t *a)
{
	return __atomic_load_n(&a->value, __ATOMIC_RELAXED);
}

static inline void
atomic_set(atomic_t *a, int n)
{
	__atomic_store_n(&a->value, n, __ATOMIC_RELAXED);
}

static inline int
atomic_add_return(atomic_t *a, int n)
{
	return __atomic_add_fetch(&a->value, n, __ATOMIC_SEQ_CST);
}

static inline void
atomic_inc(atomic_t *a)
{
	atomic_add_return(a, 1);
}

static inline void
atomic_dec(atomic_t *a)
{
	atomic_add_return(a, -1);
}

static inline int
atomic_xchg(atomic_t *a, int n)
{
	return __atomic_exchange_n(&a->value, n, __ATOMIC_SEQ_CST);
}

/* Bit 0, and what it was: one instruction, and a jump by its flag. */
static inline bool
atomic_test_and_set(atomic_t *a)
{
	return __atomic_fetch_or(&a->value, 1, __ATOMIC_SEQ_CST) & 1;
}

/* Returns whether *a was *@old and is now @new; if not, *@old is what it was. */
static inline bool
atomic_cmpxchg(atomic_t *a, int *old, int new)
{
	return __atomic_compare_exchange_n(&a->value, old, new, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* The same for a pointer; @old is not reported back. */
#define ptr_cmpxchg(ptr, old, new)                                       \
	({                                                               \
		__typeof__(*(ptr)) expected_ = (old);                    \
		__atomic_compare_exchange_n(ptr, &expected_, new, false, \
					    __ATOMIC_SEQ_CST,            \
					    __ATOMIC_SEQ_CST);           \
	})

static inline u64
atomic64_read(const atomic64_t *a)
{
	return __atomic_load_n(&a->value, __ATOMIC_RELAXED);
}

static inline u64
atomic64_add_return(atomic64_t *a, u64 n)
{
	return __atomic_add_fetch(&a->value, n, __ATOMIC_SEQ_CST);
}

static inline void
atomic64_or(atomic64_t *a, u64 bits)
{
	__atomic_fetch_or(&a->value, bits, __ATOMIC_SEQ_CST);
}

static inline void
atomic64_and(atomic64_t *a, u64 bits)
{
	__atomic_fetch_and(&a->value, bits, __ATOMIC_SEQ_CST);
}
