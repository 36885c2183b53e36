/* See user/include/drivers.h. */
#include "user/include/drivers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "user/include/objects.h"
#include "user/include/server.h"

void
driver_fail(const char *what, long error)
{
	server_log("%s: %s: %s", program_invocation_short_name, what,
		   strerror((int)-error));
	exit(1);
}

unsigned
driver_handle(const char *name)
{
	unsigned handle = server_handle(name);

	if (handle == 0)
		driver_fail(name, -EBADF);
	return handle;
}

void *
driver_map(const char *name, size_t size, bool writable)
{
	int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	long addr = lodger_memory_map(0, driver_handle(name), 0, size, 0, prot);

	if (addr < 0 && addr > -4096)
		driver_fail(name, addr);
	return (void *)addr;
}

void
driver_bind(unsigned interrupt, unsigned notification)
{
	long err = lodger_interrupt_bind(interrupt, notification,
					 DRIVER_INTERRUPT);

	if (err)
		driver_fail("interrupt", err);
}

uint64_t
driver_wait(unsigned notification)
{
	struct ipc ipc = { .timeout = LODGER_FOREVER };
	long err = ipc_wait(notification, &ipc);

	if (err)
		driver_fail("wait", err);
	return ipc.words[0];
}
