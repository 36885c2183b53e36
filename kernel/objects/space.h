/* What is where in an address space. A system call: see kernel/abi_objects.h. */
#pragma once

#include "kernel/base/types.h"

long native_mm_regions(u64 id, uaddr_t buf, size_t n);
