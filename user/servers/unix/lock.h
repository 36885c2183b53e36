/* Locks on parts of files (fcntl: a process's) and on whole ones (flock: an
 * open file's). Only those who ask are stopped. */
#pragma once

#include "user/servers/unix/call.h"

struct file;
struct node;

long lock_fcntl(struct call *call, struct file *file);

/* A process has closed the file: its locks on it end, whatever else it has
 * open there. An open file is gone; a process has ended. */
void lock_release_process(const struct node *node, int pid);
void lock_release_file(const struct file *file);
