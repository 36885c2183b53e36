/* Writing into an address space that is not the current one. Read Linux:
 * mm/memory.c, __access_remote_vm. */
#pragma once

#include "kernel/base/types.h"

struct mm;

/*
 * Copies @n bytes to @addr in @mm, whose users the caller keeps above zero;
 * pages are made present as a write by its own tasks would. 0, -EFAULT: no
 * writable region there, or -ENOMEM; part may have been copied.
 */
int mm_write(struct mm *mm, uaddr_t addr, const void *src, size_t n);
