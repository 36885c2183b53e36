/* Address spaces behind handles: system calls, see kernel/abi_ipc.h. */
#pragma once

#include "kernel/base/types.h"

long native_mm_open(void);
long native_mm_create(void);
long native_mm_read(u32 number, uaddr_t addr, uaddr_t buf, size_t len);
long native_mm_write(u32 number, uaddr_t addr, uaddr_t buf, size_t len);
long native_mm_map(u32 number, uaddr_t addr, u64 len, unsigned prot);
long native_mm_unmap(u32 number, uaddr_t addr, u64 len);
long native_mm_protect(u32 number, uaddr_t addr, u64 len, unsigned prot);
long native_mm_info(u32 number, uaddr_t buf);
long native_mm_exec(u32 number, uaddr_t entry, uaddr_t sp);
