/*
 * The first program: starts the servers, and starts those again that die. It
 * has no personality, and does nothing else.
 */
#include "user/include/server.h"
#include "user/servers/init/table.h"

static struct supervisor supervisor;

int
main(void)
{
	lodger_set_priority(0, SERVER_PRIORITY);
	if (supervisor_init(&supervisor, server_table, server_table_size) != 0)
		return 1;
	while (supervisor_step(&supervisor, ~0ull) > 0)
		;
	server_log("init: no server is left");
	return 1;
}
