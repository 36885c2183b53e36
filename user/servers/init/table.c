/*
 * The servers, in the order in which they are started. Each finds what it is
 * given by name (user/include/server.h). Endpoints, memory and notifications of
 * one name are one object, which outlives those who use it: who waits for a
 * server that died goes on waiting, until the next one answers.
 */
#include "user/servers/init/table.h"

#include "user/include/drivers.h"
#include "user/include/screen.h"
#include "user/include/terminal.h"

#define PORTS(name, first, count)  { GIFT_PORTS, name, first, count, 0 }
#define INTERRUPT(name, line)	   { GIFT_INTERRUPT, name, line, 1, 0 }
#define SCREEN(name)		   { GIFT_SCREEN, name, 0, 0, 0 }
#define MODULE(name)		   { GIFT_MODULE, name, 0, 0, 0 }
#define MEMORY(name, bytes)	   { GIFT_MEMORY, name, 0, bytes, 0 }
#define SIGNALS(name) { GIFT_NOTIFICATION, name, 0, 0, LODGER_RIGHT_SIGNAL }
/* One who waits may also raise bits for itself, or have the kernel do it. */
#define WAITS(name) \
	{ GIFT_NOTIFICATION, name, 0, 0, \
	  LODGER_RIGHT_WAIT | LODGER_RIGHT_SIGNAL }

const struct server server_table[] = {
	{ "serial", "/sbin/serial", {
		PORTS("ports", 0x3f8, 8),
		INTERRUPT("interrupt", 4),
		MEMORY("serial-rings", SERIAL_MEMORY),
		WAITS("serial"),
		SIGNALS("console"),
	} },
	{ "keyboard", "/sbin/keyboard", {
		PORTS("ports", 0x60, 5),
		INTERRUPT("interrupt", 1),
		MEMORY("keyboard-ring", KEYBOARD_MEMORY),
		WAITS("keyboard"),
		SIGNALS("console"),
	} },
	{ "screen", "/sbin/screen", {
		PORTS("ports", 0x3c0, 0x20),
		SCREEN("memory"),
		MEMORY("screen-cells", SCREEN_MEMORY),
		WAITS("screen"),
	} },
	{ "console", "/sbin/console", {
		PORTS("log", 0x3f8, 8), /* for console_release() */
		MEMORY("serial-rings", SERIAL_MEMORY),
		MEMORY("keyboard-ring", KEYBOARD_MEMORY),
		MEMORY("screen-cells", SCREEN_MEMORY),
		MEMORY("terminal", TERMINAL_MEMORY),
		MEMORY("console-state", CONSOLE_STATE),
		WAITS("console"),
		SIGNALS("serial"),
		SIGNALS("keyboard"),
		SIGNALS("screen"),
		SIGNALS("terminal-client"),
	} },
	{ "unix", "/sbin/unix", {
		MEMORY("terminal", TERMINAL_MEMORY),
		SIGNALS("console"),
		WAITS("terminal-client"),
		MODULE("archive"),
		PORTS("machine", 0xf4, 1), /* for verdict() */
	} },
};

const unsigned server_table_size =
	sizeof(server_table) / sizeof(server_table[0]);
