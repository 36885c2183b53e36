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
next_piece(const struct io *io, size_t len)
{
	return MIN(len, io->spans->len - io->offset);
}

static int
piece_in(const struct io *io, void *to, size_t len)
{
	u64 from = io->spans->base + io->offset;

	if (io->call)
		return os_copy_in(io->call->reply, to, from, len);
	memcpy(to, (const void *)from, len);
	return 0;
}

int
io_in(struct io *io, void *to, size_t len)
{
	while (len) {
		size_t piece = next_piece(io, len);
		int err = piece_in(io, to, piece);

		if (err)
			return err;
		to = (char *)to + piece;
		len -= piece;
		io_skip(io, piece);
	}
	return 0;
}

static int
piece_out(const struct io *io, const void *from, size_t len)
{
	u64 to = io->spans->base + io->offset;

	if (io->call)
		return os_copy_out(io->call->reply, to, from, len);
	memcpy((void *)to, from, len);
	return 0;
}

int
io_out(struct io *io, const void *from, size_t len)
{
	while (len) {
		size_t piece = next_piece(io, len);
		int err = piece_out(io, from, piece);

		if (err)
			return err;
		from = (const char *)from + piece;
		len -= piece;
		io_skip(io, piece);
	}
	return 0;
}
