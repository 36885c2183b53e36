/*
 * For those who print a broken system: may this pointer be followed? It says
 * no to NULL, user addresses, error values, misaligned ones (most junk that
 * freed memory is filled with) and addresses that no memory stands behind. It
 * cannot tell a live object from a freed one.
 */
#pragma once

#include "arch/arch.h"
#include "kernel/base/errno.h"
#include "mm/page.h"

struct task;

static inline bool
plausible_pointer(const void *ptr)
{
	u64 address = (u64)ptr;

	if (!IS_ALIGNED(address, sizeof(void *)) || IS_ERR(ptr))
		return false;
	if (address >= KERNEL_BASE)
		return true;
	return address >= DIRECT_MAP_BASE && address < DIRECT_MAP_END &&
	       phys_valid(virt_to_phys(ptr));
}

/* Does @task look like a task: with a name, a number, a stack? */
bool plausible_task(const struct task *task);
