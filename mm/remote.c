/* See mm/remote.h. */
#include "mm/remote.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "mm/mm.h"
#include "mm/usercopy.h"
#include "sched/task.h"

/* Where @addr's page is in the direct map, if it can be written as it is. */
static void *
writable_page(struct mm *mm, uaddr_t addr)
{
	DEBUG_ASSERT(mutex_held(&mm->lock));
	pte_t *pte = pgtable_lookup(mm, addr);

	if (!pte || !pte_present(*pte) || !pte_writable(*pte))
		return NULL;
	return phys_to_virt(pte_paddr(*pte));
}

/* Writes within one page. -EAGAIN: the page has to be faulted in first. */
static int
write_in_page(struct mm *mm, uaddr_t addr, const void *src, size_t n)
{
	char *page;

	mutex_lock(&mm->lock);
	page = writable_page(mm, addr);
	if (page)
		memcpy(page + addr % PAGE_SIZE, src, n);
	mutex_unlock(&mm->lock);
	return page ? 0 : -EAGAIN;
}

int
mm_write(struct mm *mm, uaddr_t addr, const void *src, size_t n)
{
	ASSERT(mm_users(mm) > 0);
	while (n) {
		size_t part = MIN(n, PAGE_SIZE - addr % PAGE_SIZE);
		int err = write_in_page(mm, addr, src, part);

		if (err == -EAGAIN) {
			err = mm_fault(mm, addr, FAULT_WRITE | FAULT_USER);
			if (err)
				return err;
			continue;
		}
		addr += part;
		src = (const char *)src + part;
		n -= part;
	}
	return 0;
}

/* ---- Between two address spaces --------------------------------------- */

void *
mm_direct_address(struct mm *mm, uaddr_t addr, bool write)
{
	pte_t *pte = pgtable_lookup(mm, addr);

	DEBUG_ASSERT(mutex_held(&mm->lock));
	if (!pte || !pte_present(*pte) || !pte_user(*pte) ||
	    (write && !pte_writable(*pte)))
		return ERR_PTR(-EAGAIN);
	if (pte_uncached(*pte))
		return ERR_PTR(-EFAULT);
	return (char *)phys_to_virt(pte_paddr(*pte)) + addr % PAGE_SIZE;
}

/*
 * Within one page of @mm. A page of our own that is missing is no reason to
 * wait here: its fault would take our own lock under that of another, while
 * somebody may be doing the reverse. So *left bytes are left over, and the
 * page is made present with no lock held. -EAGAIN: the same for @mm's page.
 * -EFAULT: that one belongs to a device.
 */
static __always_inline int
copy_in_page(struct mm *mm, uaddr_t addr, uaddr_t own, size_t n, bool write,
	     size_t *left)
{
	void *there;

	mutex_lock(&mm->lock);
	there = mm_direct_address(mm, addr, write);
	if (!IS_ERR(there) && write)
		*left = copy_from_user_nofault(there, own, n);
	else if (!IS_ERR(there))
		*left = copy_to_user_nofault(own, there, n);
	mutex_unlock(&mm->lock);
	return IS_ERR(there) ? PTR_ERR(there) : 0;
}

/* @addr of @mm is to be read, or written. */
static __noinline int
make_present(struct mm *mm, uaddr_t addr, bool write)
{
	return mm_fault(mm, addr, FAULT_USER | (write ? FAULT_WRITE : 0));
}

/* *theirs is told on an error. */
static __always_inline int
copy_across(struct mm *mm, uaddr_t addr, uaddr_t own, size_t n, bool write,
	    bool *theirs)
{
	ASSERT(mm_users(mm) > 0);
	while (n) {
		size_t part = MIN(n, PAGE_SIZE - addr % PAGE_SIZE);
		size_t left = part;
		int err = copy_in_page(mm, addr, own, part, write, &left);

		*theirs = err != 0;
		addr += part - left;
		own += part - left;
		n -= part - left;
		if (unlikely(err == -EAGAIN))
			err = make_present(mm, addr, write);
		else if (unlikely(!err && left))
			err = make_present(current->mm, own, !write);
		if (unlikely(err))
			return err;
	}
	return 0;
}

int
mm_copy_out(struct mm *mm, uaddr_t dst, uaddr_t src, size_t n, bool *theirs)
{
	return copy_across(mm, dst, src, n, true, theirs);
}

int
mm_copy_in(struct mm *mm, uaddr_t src, uaddr_t dst, size_t n, bool *theirs)
{
	return copy_across(mm, src, dst, n, false, theirs);
}
