/*
 * What init and its servers agree on. A server is begun with the handles that
 * init's table names for it (user/servers/init/table.c), and finds the number
 * of each by its name. A restarted one gets the same memory, endpoints and
 * notifications, which init keeps; ports and interrupts are its own.
 */
#pragma once

#include "user/include/ipc.h"

/* However many programs there are, servers come first, and drivers before
 * them: what they do is short, and others wait for it. */
enum {
	DRIVER_PRIORITY = LODGER_PRIO_DEFAULT - 2,
	SERVER_PRIORITY = LODGER_PRIO_DEFAULT - 1,
};

/* The number of the handle that init gave under @name; 0: it gave none. */
unsigned server_handle(const char *name);

/* Every page of the program's variables, and 64 KiB of its stack, are there from
 * now on: when memory is short, others are to hear of it, and a server that met a
 * page fault without memory would be killed. -ENOMEM. */
int server_touch_memory(void);

/* One line in the kernel's log, as printf() makes it; at most 200 bytes. */
void server_log(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
