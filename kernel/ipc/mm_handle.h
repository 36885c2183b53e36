/* Address spaces behind handles: see mm_handle.c, and kernel/abi_ipc.h for the
 * system calls. */
#pragma once

#include "arch/arch.h"

struct ipc_task;
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

/* The name that a task or process is to have, TASK_NAME_LEN bytes, cut to fit.
 * -EFAULT. */
int name_from_user(char *name, uaddr_t uname);

long native_mm_open(void);
long native_mm_create(void);
long native_mm_read(u32 number, uaddr_t addr, uaddr_t buf, size_t len);
long native_mm_write(u32 number, uaddr_t addr, uaddr_t buf, size_t len);
long native_mm_map(u32 number, uaddr_t addr, u64 len, unsigned prot);
long native_mm_unmap(u32 number, uaddr_t addr, u64 len);
long native_mm_protect(u32 number, uaddr_t addr, u64 len, unsigned prot);
long native_mm_info(u32 number, uaddr_t buf);
long native_mm_heap(u32 number, uaddr_t start);
long native_mm_exec(u32 number, uaddr_t entry, uaddr_t sp, uaddr_t name);

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
