/* The terminal, without a console server: what is written goes to the kernel's
 * log, and nobody types. */
#include "user/include/lodger.h"
#include "user/servers/unix/os.h"
#include "user/servers/unix/os_lodger.h"

void
os_terminal_init(unsigned console)
{
	(void)console;
}

size_t
os_terminal_write(const void *bytes, size_t len)
{
	long done = lodger_klog_write(bytes, len);

	return done > 0 ? (size_t)done : len;
}

size_t
os_terminal_read(void *bytes, size_t len)
{
	(void)bytes, (void)len;
	return 0;
}

void
os_terminal_size(unsigned *rows, unsigned *columns)
{
	*rows = 25;
	*columns = 80;
}
