/* Locks on parts of files (fcntl: a process's) and on whole ones (flock: an
 * open file's). Only those who ask are stopped. */
#pragma once

#include "user/servers/unix/call.h"

struct file;
struct node;

long lock_fcntl(struct call *call, struct file *file);

/* The owner of fcntl's locks is a table of descriptors. One of its numbers is
 * closed: its locks on that file end, whatever else it has open there. Or, for
 * flock's: the open file is gone. */
struct descriptors;
void lock_release_table(const struct node *node,
			const struct descriptors *table);
void lock_release_file(const struct file *file);
