/*
 * The terminal: two rings in memory that the console server shares with us
 * (user/include/terminal.h). Where there is no console server, what is written
 * goes to the kernel's log, and nobody types.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "user/include/madvise.h"
#include "user/include/objects.h"
#include "user/include/server.h"
#include "user/include/terminal.h"
#include "user/servers/unix/os.h"
#include "user/servers/unix/os_lodger.h"

static void *memory; /* NULL: there is no console server */
static unsigned console;

int
os_terminal_init(void)
{
	unsigned shared = server_handle("terminal");
	unsigned client = server_handle("terminal-client");
	long addr;
	int err;

	console = server_handle("console");
	if (!shared || !client || !console)
		return 0;
	addr = lodger_memory_map(0, shared, 0, TERMINAL_MEMORY, 0,
				 PROT_READ | PROT_WRITE);
	if (addr < 0 && addr > -4096)
		return (int)addr;
	if (madvise((void *)addr, TERMINAL_MEMORY, MADV_POPULATE_WRITE) != 0)
		return -ENOMEM;
	memory = (void *)addr;
	terminal_init(memory);
	err = (int)lodger_bind(client, os_lodger_endpoint());
	if (!err)
		lodger_signal(console, TERMINAL_OUTPUT | TERMINAL_TAKEN);
	return err;
}

/* The log ends its lines itself. */
static size_t
write_to_log(const char *text, size_t len)
{
	const char *cr = memchr(text, '\r', len);
	size_t end = cr ? (size_t)(cr - text) : len;

	if (end)
		lodger_klog_write(text, end);
	return cr ? end + 1 : end;
}

size_t
os_terminal_write(const void *bytes, size_t len)
{
	size_t done;

	if (!memory)
		return write_to_log(bytes, len);
	done = ring_write(terminal_output(memory), bytes, len);
	if (done)
		lodger_signal(console, TERMINAL_OUTPUT);
	return done;
}

size_t
os_terminal_read(void *bytes, size_t len)
{
	struct lodger_ring *ring;
	uint32_t before;
	size_t done;

	if (!memory)
		return 0;
	ring = terminal_input(memory);
	before = ring->tail;
	done = ring_read(ring, bytes, len);
	if (done && ring_was_tight(ring, before))
		lodger_signal(console, TERMINAL_TAKEN);
	return done;
}

void
os_terminal_size(unsigned *rows, unsigned *columns)
{
	*rows = TERMINAL_ROWS;
	*columns = TERMINAL_COLUMNS;
}
