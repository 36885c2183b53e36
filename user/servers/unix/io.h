/*
 * One transfer between a file and memory: that of a program, in one piece or
 * many (readv), or the server's own (sendfile, execve).
 */
#pragma once

#include "user/servers/unix/call.h"

struct io {
	struct call *call;	   /* whose memory; NULL: the server's own */
	const struct linux_iovec *spans;
	u64 offset;		   /* in the first span */
	u64 left;		   /* in all of them */
};

/* Takes the next @len <= io->left bytes from memory, or puts them there, and
 * moves on. After an error the position is undefined: the transfer ends. */
int io_in(struct io *io, void *to, size_t len);
int io_out(struct io *io, const void *from, size_t len);
void io_skip(struct io *io, u64 len);
