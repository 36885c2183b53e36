/* Pipes, with names (FIFOs) and without. */
#pragma once

#include "user/servers/unix/file.h"

struct pipe;

void pipe_free(struct pipe *pipe);
/* May return WAITING: until the other side opens it, too. */
int fifo_open(struct node *node, struct call *call, int flags,
	      struct file **file);

/* A new pipe's two ends. -ENOMEM. */
int pipe_create(int flags, struct file *ends[2]);

/* How many bytes are in it. */
u64 pipe_level(const struct file *file);
bool is_pipe(const struct file *file);
