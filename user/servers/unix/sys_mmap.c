/*
 * mmap of files: complete when it returns. The file freezes, and the mapping
 * shows its pages until the program writes; the file gets new ones when somebody
 * writes to it. So a mapping is a picture of that moment, which for private ones
 * POSIX allows.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/device.h"
#include "user/servers/unix/file.h"
#include "user/servers/unix/node.h"
#include "user/servers/unix/process.h"

enum { PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC };

static int
check(const struct file *file, u64 len, u64 prot, u64 flags, u64 offset)
{
	u64 type = flags & LINUX_MAP_TYPE;

	if (!file)
		return -EBADF;
	if (len == 0 || offset % PAGE_SIZE || (s64)offset < 0)
		return -EINVAL;
	if (type != MAP_PRIVATE && type != MAP_SHARED &&
	    type != LINUX_MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (!file_readable(file))
		return -EACCES;
	/* Who can write the file could make a shared mapping writable later. */
	if (type != MAP_PRIVATE && file_writable(file))
		return -ENODEV;
	if (type != MAP_PRIVATE && (prot & PROT_WRITE))
		return -EACCES;
	if (offset + len < offset)
		return -EOVERFLOW;
	return 0;
}

/* The file's pages, in place of the first fresh ones. */
static int
show_file(struct call *call, struct node *node, u64 addr, u64 len, u64 offset,
	  int prot)
{
	u64 size;
	int err = contents_freeze(node);

	if (err)
		return err;
	size = ALIGN_UP(node->contents.size, PAGE_SIZE);
	if (offset >= size)
		return 0;
	return os_map_memory(call->reply, addr, MIN(len, size - offset),
			     node->contents.memory, offset, prot);
}

static long
map_file(struct call *call, struct file *file)
{
	u64 *a = call->args;
	u64 len = ALIGN_UP(a[1], PAGE_SIZE);
	int prot = (int)(a[2] & PROT_ALL), err;
	bool fixed = a[3] & MAP_FIXED;
	long addr;

	if (fixed && (a[0] % PAGE_SIZE || a[0] == 0))
		return a[0] ? -EINVAL : -EPERM;
	addr = os_map(call->reply, fixed ? a[0] : 0, len, prot);
	if (addr < 0 || is_zero_device(file))
		return addr;
	err = show_file(call, file->node, (u64)addr, len, a[5], prot);
	if (err) {
		os_unmap(call->reply, (u64)addr, len);
		return err;
	}
	return addr;
}

long
sys_mmap(struct call *call)
{
	struct file *file = descriptor_open(call->process->descriptors,
					    (u32)call->args[4]);
	int err = check(file, call->args[1], call->args[2], call->args[3],
			call->args[5]);

	if (err)
		return err;
	if (is_zero_device(file))
		return map_file(call, file);
	if (!S_ISREG(file->node->mode) || file->node->fs == &proc_fs)
		return -ENODEV;
	return map_file(call, file);
}
