/* The server: one event after another. */
#pragma once

#include "user/servers/unix/os.h"

/* Makes the file systems from the archive. The archive must stay. A damaged
 * one is told in the log, and what could be read is there. -ENOMEM. */
int server_begin(const void *archive, u64 archive_size);

/*
 * Deals with one event, and with all that it sets going. true: *result is the
 * answer to the call that the event was, and the caller's to give.
 */
bool server_event(const struct os_event *event, long *result);

/* Serves until @pid has ended; its status, as wait4() tells it. */
int server_run(int pid);
/* Serves until then. */
void server_wait(u64 deadline);
