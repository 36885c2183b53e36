/* See user/include/cpio.h. */
#include <sys/mman.h>

#include "user/include/cpio.h"
#include "user/include/objects.h"

const void *
archive_map(unsigned module, uint64_t *size, const char **why)
{
	struct lodger_memory_info info;
	long addr;

	*why = "the loader brought none";
	if (lodger_memory_info(module, &info) != 0)
		return NULL;
	addr = lodger_memory_map(0, module, 0, info.length, 0, PROT_READ);
	*why = "there is no room for it";
	if (addr < 0)
		return NULL;
	*size = info.size;
	return (const char *)addr + info.offset;
}
