/*
 * The servers, in the order in which they are started. Each finds what it is
 * given by name (user/include/server.h). Endpoints, memory and notifications of
 * one name are one object, which outlives those who use it: who waits for a
 * server that died goes on waiting, until the next one answers.
 */
#include "user/servers/init/table.h"

#include "kernel/abi.h"

#define PORTS(name, first, count)  { GIFT_PORTS, name, first, count, 0 }
#define INTERRUPT(name, line)	   { GIFT_INTERRUPT, name, line, 1, 0 }
#define DEVICE(name, first, count) { GIFT_DEVICE, name, first, count, 0 }
#define MODULE(name)		   { GIFT_MODULE, name, 0, 0, 0 }
#define MEMORY(name, bytes)	   { GIFT_MEMORY, name, 0, bytes, 0 }
#define CALLS(name)   { GIFT_ENDPOINT, name, 0, 0, LODGER_RIGHT_CALL }
#define SERVES(name)  { GIFT_ENDPOINT, name, 0, 0, LODGER_RIGHT_RECV }
#define SIGNALS(name) { GIFT_NOTIFICATION, name, 0, 0, LODGER_RIGHT_SIGNAL }
#define WAITS(name)   { GIFT_NOTIFICATION, name, 0, 0, LODGER_RIGHT_WAIT }

const struct server server_table[] = {
	{ "serial", "/sbin/serial", {
		PORTS("ports", 0x3f8, 8),
		INTERRUPT("interrupt", 4),
		CALLS("console"),
	} },
	{ "keyboard", "/sbin/keyboard", {
		PORTS("data", 0x60, 1),
		PORTS("status", 0x64, 1),
		INTERRUPT("interrupt", 1),
		CALLS("console"),
	} },
	{ "screen", "/sbin/screen", {
		PORTS("ports", 0x3c0, 0x20),
		DEVICE("memory", 0xb8000, 0x8000),
		CALLS("console"),
	} },
	{ "console", "/sbin/console", {
		SERVES("console"),
		PORTS("log", 0x3f8, 8), /* for console_release() */
	} },
	{ "unix", "/sbin/unix", {
		CALLS("console"),
		MODULE("archive"),
	} },
};

const unsigned server_table_size =
	sizeof(server_table) / sizeof(server_table[0]);
