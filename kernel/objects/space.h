/* Address spaces: shared pages, and what is where. System calls, see
 * kernel/abi_objects.h. */
#pragma once

#include "kernel/base/types.h"

long native_mm_share(u32 target, uaddr_t target_addr, uaddr_t source_addr,
		     u64 len, unsigned prot);
long native_mm_regions(u64 id, uaddr_t buf, size_t n);
