/* See mm/remote.h. */
#include "mm/remote.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "mm/mm.h"

/* Where @addr's page is in the direct map, if it can be written as it is. */
static void *
writable_page(struct mm *mm, uaddr_t addr)
{
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
