/* Moving a task into an address space that was built for it. */
#pragma once

#include "kernel/base/types.h"

struct mm;

/*
 * The current task moves into @mm, whose building reference it holds, and will
 * return to user mode at @entry, with stack @sp, both user addresses; it is
 * called @name then. Like execve(), this ends the other threads. -EINTR: the caller is to die; the
 * building reference is gone then, too. Inside a marked transition.
 */
int exec_into(struct mm *mm, const char *name, uaddr_t entry, uaddr_t sp);
