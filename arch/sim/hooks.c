/*
 * What the compiler calls in code built with -fsanitize=thread: each access is
 * announced before it happens. GCC and clang differ in a few names. Nothing
 * else of the sanitizer's own runtime is linked.
 *
 * Volatile accesses are taken for atomic ones, as the kernel means them.
 */
#include <stdbool.h>
#include <string.h>

#include "arch/sim/engine.h"

#define HERE ((u64)__builtin_return_address(0))

/* The prototypes are the compiler's own business. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

void
__tsan_init(void)
{
}

void
__tsan_func_entry(void *caller)
{
	(void)caller;
}

void
__tsan_func_exit(void)
{
}

/* ---- Plain accesses --------------------------------------------------------- */

#define PLAIN(name, size, kind, atomic)                                   \
	void __tsan_##name(void *address)                                 \
	{                                                                 \
		explore_access(address, size, kind, atomic, HERE);        \
	}

#define PLAIN_SIZE(size)                                                  \
	PLAIN(read##size, size, OP_READ, false)                           \
	PLAIN(write##size, size, OP_WRITE, false)                         \
	PLAIN(unaligned_read##size, size, OP_READ, false)                 \
	PLAIN(unaligned_write##size, size, OP_WRITE, false)               \
	PLAIN(volatile_read##size, size, OP_READ, true)                   \
	PLAIN(volatile_write##size, size, OP_WRITE, true)                 \
	PLAIN(unaligned_volatile_read##size, size, OP_READ, true)         \
	PLAIN(unaligned_volatile_write##size, size, OP_WRITE, true)

PLAIN_SIZE(1)
PLAIN_SIZE(2)
PLAIN_SIZE(4)
PLAIN_SIZE(8)
PLAIN_SIZE(16)

/* clang: x += n on a plain word is one call; still two accesses. */
#define READ_WRITE(size)                                                  \
	void __tsan_read_write##size(void *address)                       \
	{                                                                 \
		explore_access(address, size, OP_READ, false, HERE);      \
		explore_access(address, size, OP_WRITE, false, HERE);     \
	}

READ_WRITE(1)
READ_WRITE(2)
READ_WRITE(4)
READ_WRITE(8)
READ_WRITE(16)

void
__tsan_read_range(void *address, unsigned long size)
{
	explore_access(address, (unsigned)size, OP_READ, false, HERE);
}

void
__tsan_write_range(void *address, unsigned long size)
{
	explore_access(address, (unsigned)size, OP_WRITE, false, HERE);
}

/* ---- Atomic ones --------------------------------------------------------------- */

/* While the store is in a buffer it has not happened yet: its end counts. */
static void
store_watched(volatile u64 *address, u64 value)
{
	u64 old = *address;

	*address = value;
	if (!buffer_holds(explore_agent(), (const void *)address))
		engine.world->stored((u64 *)address, old, value);
}

#define LOAD_STORE(bits, type)                                            \
	type __tsan_atomic##bits##_load(const volatile type *p, int order) \
	{                                                                 \
		(void)order;                                              \
		explore_access((const void *)p, sizeof(type), OP_READ,    \
			       true, HERE);                               \
		return *p;                                                \
	}                                                                 \
	void __tsan_atomic##bits##_store(volatile type *p, type value,    \
					 int order)                       \
	{                                                                 \
		explore_access((const void *)p, sizeof(type), OP_WRITE,   \
			       true, HERE);                               \
		if (sizeof(type) == 8 && is_watched(p))                   \
			store_watched((volatile u64 *)p, (u64)value);     \
		else                                                      \
			*p = value;                                       \
		if (order == __ATOMIC_SEQ_CST)                            \
			explore_fence(HERE);                              \
	}

#define FETCH(bits, type, name, expression)                               \
	type __tsan_atomic##bits##_##name(volatile type *p, type value,   \
					  int order)                      \
	{                                                                 \
		type old;                                                 \
                                                                          \
		(void)order;                                              \
		explore_access((const void *)p, sizeof(type), OP_UPDATE,  \
			       true, HERE);                               \
		old = *p;                                                 \
		*p = (type)(expression);                                  \
		return old;                                               \
	}

/* A comparison that fails changes nothing, but it was a locked instruction
 * that might have. */
#define COMPARE(bits, type)                                               \
	static bool                                                       \
	compare##bits(volatile type *p, type *expected, type value,       \
		      u64 caller)                                         \
	{                                                                 \
		type old;                                                 \
                                                                          \
		explore_access((const void *)p, sizeof(type), OP_UPDATE,  \
			       true, caller);                             \
		old = *p;                                                 \
		if (old == *expected) {                                   \
			*p = value;                                       \
			return true;                                      \
		}                                                         \
		*expected = old;                                          \
		return false;                                             \
	}                                                                 \
	int __tsan_atomic##bits##_compare_exchange_strong(                \
		volatile type *p, type *expected, type value, int order,  \
		int failed)                                               \
	{                                                                 \
		(void)order, (void)failed;                                \
		return compare##bits(p, expected, value, HERE);           \
	}                                                                 \
	int __tsan_atomic##bits##_compare_exchange_weak(                  \
		volatile type *p, type *expected, type value, int order,  \
		int failed)                                               \
	{                                                                 \
		(void)order, (void)failed;                                \
		return compare##bits(p, expected, value, HERE);           \
	}                                                                 \
	type __tsan_atomic##bits##_compare_exchange_val(                  \
		volatile type *p, type expected, type value, int order,   \
		int failed)                                               \
	{                                                                 \
		(void)order, (void)failed;                                \
		compare##bits(p, &expected, value, HERE);                 \
		return expected;                                          \
	}

#define ATOMIC(bits, type)                                                \
	LOAD_STORE(bits, type)                                            \
	FETCH(bits, type, exchange, value)                                \
	FETCH(bits, type, fetch_add, old + value)                         \
	FETCH(bits, type, fetch_sub, old - value)                         \
	FETCH(bits, type, fetch_and, old & value)                         \
	FETCH(bits, type, fetch_or, old | value)                          \
	FETCH(bits, type, fetch_xor, old ^ value)                         \
	FETCH(bits, type, fetch_nand, ~(old & value))                     \
	COMPARE(bits, type)

ATOMIC(8, u8)
ATOMIC(16, u16)
ATOMIC(32, u32)
ATOMIC(64, u64)

void
__tsan_atomic_thread_fence(int order)
{
	if (order == __ATOMIC_SEQ_CST)
		explore_fence(HERE);
}

void
__tsan_atomic_signal_fence(int order)
{
	(void)order;
}

/* ---- The kernel's memory functions ------------------------------------------------- */

/* Pages are copied as a whole, and the actors use their first words. */
static unsigned
announced(size_t n)
{
	return n % 4096 ? (unsigned)n : sizeof(u64);
}

void *
k_memcpy(void *dst, const void *src, size_t n)
{
	explore_access(src, announced(n), OP_READ, false, HERE);
	explore_access(dst, announced(n), OP_WRITE, false, HERE);
	return memcpy(dst, src, n);
}

void *
k_memmove(void *dst, const void *src, size_t n)
{
	explore_access(src, (unsigned)n, OP_READ, false, HERE);
	explore_access(dst, (unsigned)n, OP_WRITE, false, HERE);
	return memmove(dst, src, n);
}

void *
k_memset(void *dst, int byte, size_t n)
{
	explore_access(dst, (unsigned)n, OP_WRITE, false, HERE);
	return memset(dst, byte, n);
}

int
k_memcmp(const void *a, const void *b, size_t n)
{
	explore_access(a, (unsigned)n, OP_READ, false, HERE);
	explore_access(b, (unsigned)n, OP_READ, false, HERE);
	return memcmp(a, b, n);
}
