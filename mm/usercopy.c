/*
 * Copies between kernel and user memory. Here is what makes an address legal;
 * the copying itself, and its exception table, are in arch.
 *
 * Read Linux: lib/usercopy.c, include/linux/uaccess.h.
 */
#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"
#include "kernel/base/errno.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "sched/task.h"

/*
 * May the current task touch [addr, addr + n)? Whatever CR3 says, memory that
 * a kernel thread only borrows is not its own: it would read or change that of
 * a stranger, who may even have left. An adopted mm is its own.
 */
static bool
may_touch(uaddr_t addr, size_t n)
{
	struct mm *mm = current->mm;

	if (!mm)
		return false;
	/* A fault will take the lock, and may sleep. */
	DEBUG_ASSERT(!mutex_held(&mm->lock));
	assert_no_spinlocks();
	DEBUG_ASSERT(arch_irqs_on() && !this_cpu()->irq_depth);
	return access_ok(addr, n);
}

int
copy_from_user(void *dst, uaddr_t src, size_t n)
{
	if (!may_touch(src, n))
		return -EFAULT;
	return arch_copy_from_user(dst, src, n) ? -EFAULT : 0;
}

int
copy_to_user(uaddr_t dst, const void *src, size_t n)
{
	if (!may_touch(dst, n))
		return -EFAULT;
	return arch_copy_to_user(dst, src, n) ? -EFAULT : 0;
}

/* Read Linux: mm/maccess.c, copy_from_user_nofault. */
size_t
copy_from_user_nofault(void *dst, uaddr_t src, size_t n)
{
	size_t left;

	if (!current->mm || !access_ok(src, n))
		return n;
	current->no_faults = true;
	left = arch_copy_from_user(dst, src, n);
	current->no_faults = false;
	return left;
}

size_t
copy_to_user_nofault(uaddr_t dst, const void *src, size_t n)
{
	size_t left;

	if (!current->mm || !access_ok(dst, n))
		return n;
	current->no_faults = true;
	left = arch_copy_to_user(dst, src, n);
	current->no_faults = false;
	return left;
}

int
clear_user(uaddr_t dst, size_t n)
{
	if (!may_touch(dst, n))
		return -EFAULT;
	return arch_clear_user(dst, n) ? -EFAULT : 0;
}

ssize_t
strncpy_from_user(char *dst, uaddr_t src, size_t size)
{
	size_t room;
	ssize_t len;

	if (!may_touch(src, 0))
		return -EFAULT;
	/* The string must end before user memory does. */
	room = MIN(size, USER_END - src);
	len = arch_strncpy_from_user(dst, src, room);
	if (len < 0)
		return -EFAULT;
	if ((size_t)len < room)
		return len;
	return room < size ? -EFAULT : -ENAMETOOLONG;
}

int
get_user_u32(u32 *value, uaddr_t src)
{
	return copy_from_user(value, src, sizeof(*value));
}

int
put_user_u32(uaddr_t dst, u32 value)
{
	return copy_to_user(dst, &value, sizeof(value));
}

int
cmpxchg_user_u32(uaddr_t addr, u32 *old, u32 new)
{
	if (!may_touch(addr, sizeof(new)))
		return -EFAULT;
	return arch_cmpxchg_user(addr, old, new) < 0 ? -EFAULT : 0;
}
