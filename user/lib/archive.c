/* See user/include/cpio.h, user/include/program.h. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "user/include/cpio.h"
#include "user/include/objects.h"
#include "user/include/program.h"
#include "user/include/server.h"

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

int
program_find(struct program *program, const void *archive, uint64_t size,
	     const struct program_args *args, const char **why)
{
	struct cpio_entry file;
	int err = cpio_find(archive, size, args->path, &file, why);

	return err ? err
		   : program_build(program, file.data, file.size, args, why);
}

const char *
program_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void
program_explain(const char *path, int err, const char *why)
{
	if (err == -ENOENT)
		server_log("there is no %s in the initrd: put its C file into "
			   "user/programs/, or choose another (make run "
			   "PROG=hello, or the boot option run=/bin/hello)",
			   path);
	else
		server_log("%s cannot be started: %s (error %d)", path,
			   why ? why : strerror(-err), -err);
}
