/*
 * Assertions say what a reader would want to know. ASSERT is checked in every
 * build; DEBUG_ASSERT, for hot paths, in debug builds only.
 */
#pragma once

#include "kernel/base/panic.h"

#define ASSERT(cond)                                                         \
	do {                                                                 \
		if (unlikely(!(cond)))                                       \
			panic("assertion failed: %s, in %s (%s:%d)", #cond,  \
			      __func__, __FILE__, __LINE__);                 \
	} while (0)

#ifdef CONFIG_DEBUG
#define DEBUG_ASSERT(cond) ASSERT(cond)
#else
#define DEBUG_ASSERT(cond) ((void)sizeof(cond))
#endif

#define STATIC_ASSERT(cond, why) _Static_assert(cond, why)
