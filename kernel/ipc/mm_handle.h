/* Address spaces behind handles; system calls, see kernel/abi_ipc.h. */
#pragma once

#include "kernel/base/types.h"

struct mm;
struct object;

/* The address space behind the caller's handle @number, which needs @right,
 * with users held for one operation, to be ended with mmput_by_reaper(). Or an
 * error in the pointer; -ESRCH: nobody lives there any more. No lock held. */
struct mm *mm_enter(u32 number, u32 right);

/* Takes the mm, with its one user, whose holder is the caller then, out of the
 * building handle @number, and closes that; *used_up is to be put. Or an error
 * in the pointer. ipc_lock held, inside a marked transition. */
struct mm *mm_take_building(u32 number, struct object **used_up);

long native_mm_open(void);
long native_mm_create(void);
long native_mm_read(u32 number, uaddr_t addr, uaddr_t buf, size_t len);
long native_mm_write(u32 number, uaddr_t addr, uaddr_t buf, size_t len);
long native_mm_map(u32 number, uaddr_t addr, u64 len, unsigned prot);
long native_mm_unmap(u32 number, uaddr_t addr, u64 len);
long native_mm_protect(u32 number, uaddr_t addr, u64 len, unsigned prot);
long native_mm_info(u32 number, uaddr_t buf);
long native_mm_heap(u32 number, uaddr_t start);
long native_mm_exec(u32 number, uaddr_t entry, uaddr_t sp);
