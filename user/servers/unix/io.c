#include "user/servers/unix/io.h"

#include <string.h>

void
io_skip(struct io *io, u64 len)
{
	io->left -= len;
	io->offset += len;
	while (io->left && io->offset >= io->spans->len) {
		io->offset -= io->spans->len;
		io->spans++;
	}
}

/* The next piece that is in one span, of at most @len bytes. */
static size_t
next_piece(struct io *io, size_t len)
{
	io_skip(io, 0);
	return MIN(len, io->spans->len - io->offset);
}

int
io_in(struct io *io, void *to, size_t len)
{
	int err = 0;

	for (size_t piece; len && !err; len -= piece) {
		u64 from;

		piece = next_piece(io, len);
		from = io->spans->base + io->offset;
		if (io->call)
			err = copy_in(io->call, to, from, piece);
		else
			memcpy(to, (const void *)from, piece);
		to = (char *)to + piece;
		io_skip(io, piece);
	}
	return err;
}

int
io_out(struct io *io, const void *from, size_t len)
{
	int err = 0;

	for (size_t piece; len && !err; len -= piece) {
		u64 to;

		piece = next_piece(io, len);
		to = io->spans->base + io->offset;
		if (io->call)
			err = copy_out(io->call, to, from, piece);
		else
			memcpy((void *)to, from, piece);
		from = (const char *)from + piece;
		io_skip(io, piece);
	}
	return err;
}
