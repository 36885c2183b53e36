/* Reading and writing an address space that is not the current one. Read
 * Linux: mm/memory.c, __access_remote_vm. */
#pragma once

#include "kernel/base/types.h"

struct mm;

/*
 * Copies @n bytes to @addr in @mm, whose users the caller keeps above zero;
 * pages are made present as a write by its own tasks would. 0, -EFAULT: no
 * writable region there, or -ENOMEM; part may have been copied.
 */
int mm_write(struct mm *mm, uaddr_t addr, const void *src, size_t n);

/* Where @addr's page is in the direct map, if the address space's own tasks
 * could use it as it is. -EAGAIN: it has to be faulted in first; -EFAULT: it
 * belongs to a device. mm->lock held, as long as the address is used. */
void *mm_direct_address(struct mm *mm, uaddr_t addr, bool write);

/*
 * Copies @n bytes between the current task's user memory and @mm, whose users
 * the caller keeps above zero: straight, with no buffer in between; @mm may be
 * the current one. 0, -EFAULT or -ENOMEM: then *theirs says on which side,
 * and part may have been copied. No lock held.
 */
int mm_copy_out(struct mm *mm, uaddr_t dst, uaddr_t src, size_t n,
		bool *theirs);
int mm_copy_in(struct mm *mm, uaddr_t src, uaddr_t dst, size_t n,
	       bool *theirs);
