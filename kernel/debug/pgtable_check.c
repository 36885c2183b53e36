/* What must be true of a root, whoever asks: entry by entry. */
#include "mm/pgtable.h"

bool
pgtable_user_empty(paddr_t root)
{
	const pte_t *table = phys_to_virt(root);

	for (unsigned i = 0; i < USER_ROOT_PTES; i++)
		if (!pte_none(pte_read(&table[i])))
			return false;
	return true;
}

bool
pgtable_kernel_intact(paddr_t root)
{
	const pte_t *own = phys_to_virt(root);
	const pte_t *kernel = phys_to_virt(arch_kernel_root());

	for (unsigned i = USER_ROOT_PTES; i < PTES_PER_TABLE; i++)
		if (!pte_same(pte_read(&own[i]), pte_read(&kernel[i])))
			return false;
	return true;
}
