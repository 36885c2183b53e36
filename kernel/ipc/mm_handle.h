/* Address spaces behind handles: see mm_handle.c, and kernel/abi_ipc.h for the
 * system calls. */
#pragma once

#include "arch/arch.h"

struct ipc_task;
struct object;

long native_mm_open(void);
long native_mm_create(void);
long native_mm_read(u32 number, uaddr_t addr, uaddr_t buf, size_t len);
long native_mm_write(u32 number, uaddr_t addr, uaddr_t buf, size_t len);
long native_mm_map(u32 number, uaddr_t addr, u64 len, unsigned prot);
long native_mm_unmap(u32 number, uaddr_t addr, u64 len);
long native_mm_protect(u32 number, uaddr_t addr, u64 len, unsigned prot);
long native_mm_info(u32 number, uaddr_t buf);
long native_mm_exec(u32 number, uaddr_t entry, uaddr_t sp);

/* ---- The same, as the answer to a reflected execve --------------------- */

/* May a program begin there? */
static inline bool
is_start(uaddr_t entry, uaddr_t sp)
{
	return entry < USER_END && sp <= USER_END;
}

/* The caller's building handle goes to @to->building, past all tables. An
 * errno, or 0. ipc_lock held. */
int send_building(u32 number, struct ipc_task *to);
/* Uses @building up; see exec_into(). */
int exec_building(struct object *building, const char *name, uaddr_t entry,
		  uaddr_t sp);
