/*
 * For those who print a broken system: may this pointer be followed? Neither
 * can tell a live object from a freed one that still looks well.
 */
#pragma once

#include "kernel/base/types.h"

struct task;

/* False for NULL, user addresses, error values, misaligned ones (most junk
 * that freed memory is filled with) and where no memory is. */
bool plausible_pointer(const void *ptr);

/* Does @task look like a task: with a name, a number, a stack? */
bool plausible_task(const struct task *task);
