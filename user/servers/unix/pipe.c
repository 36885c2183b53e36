/*
 * A pipe is a ring of pages, as Linux's: each holds the bytes of one write, or
 * of several that fit. So a write of up to PIPE_BUF bytes goes in at once or
 * not at all, and the pipe is full when all pages are in use, whatever is in
 * them. Read Linux: fs/pipe.c.
 */
#include "user/servers/unix/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/memfs.h"
#include "user/servers/unix/process.h"

enum { NR_PAGES = 16 };

struct pipe {
	struct list queue;
	u8 *bytes; /* NR_PAGES pages; NULL: until something is written */
	u32 head, tail; /* free running: next page to fill, to empty */
	struct {
		u16 offset, len;
	} pages[NR_PAGES];
	unsigned readers, writers;
	/* How often each side was opened: whoever waits for the other side
	 * must not miss one that has gone again. */
	u64 reader_opens, writer_opens;
};

static struct pipe *
pipe_of(const struct file *file)
{
	return file->node->pipe;
}

static bool
is_full(const struct pipe *pipe)
{
	return pipe->head - pipe->tail == NR_PAGES;
}

static bool
is_empty(const struct pipe *pipe)
{
	return pipe->head == pipe->tail;
}

/* ---- Reading -------------------------------------------------------- */

/* From the oldest page. */
static long
read_page(struct pipe *pipe, struct io *io)
{
	unsigned page = pipe->tail % NR_PAGES;
	u64 len = MIN(io->left, (u64)pipe->pages[page].len);
	int err = io_out(io, pipe->bytes + page * PAGE_SIZE +
			     pipe->pages[page].offset, len);

	if (err)
		return err;
	pipe->pages[page].offset += len;
	pipe->pages[page].len -= len;
	if (pipe->pages[page].len == 0)
		pipe->tail++;
	return (long)len;
}

static long
pipe_read(struct file *file, struct io *io, u64 *position)
{
	struct pipe *pipe = pipe_of(file);
	bool was_full = is_full(pipe);
	long done = 0, n = 0;

	(void)position;
	if (io->left == 0)
		return 0;
	if (is_empty(pipe))
		return pipe->writers ? -EAGAIN : 0;
	while (io->left && !is_empty(pipe) && n >= 0) {
		n = read_page(pipe, io);
		done += n > 0 ? n : 0;
	}
	if (was_full && !is_full(pipe))
		wake(&pipe->queue);
	return done ? done : n;
}

/* ---- Writing -------------------------------------------------------- */

/* Behind what the newest page holds already, if all of it fits there. */
static long
merge(struct pipe *pipe, struct io *io, u64 len)
{
	unsigned page = (pipe->head - 1) % NR_PAGES;
	u64 end = (u64)pipe->pages[page].offset + pipe->pages[page].len;
	int err;

	if (is_empty(pipe) || end + len > PAGE_SIZE)
		return 0;
	err = io_in(io, pipe->bytes + page * PAGE_SIZE + end, len);
	if (err)
		return err;
	pipe->pages[page].len += len;
	return (long)len;
}

static long
write_page(struct pipe *pipe, struct io *io)
{
	unsigned page = pipe->head % NR_PAGES;
	u64 len = MIN(io->left, PAGE_SIZE);
	int err = io_in(io, pipe->bytes + page * PAGE_SIZE, len);

	if (err)
		return err;
	pipe->pages[page].offset = 0;
	pipe->pages[page].len = (u16)len;
	pipe->head++;
	return (long)len;
}

static long
fill_pipe(struct pipe *pipe, struct io *io)
{
	u64 odd = io->left % PAGE_SIZE;
	long done = 0, n = odd ? merge(pipe, io, odd) : 0;

	while (n >= 0) {
		done += n;
		if (!io->left || is_full(pipe))
			return done ? done : -EAGAIN;
		n = write_page(pipe, io);
	}
	return done ? done : n;
}

static long
pipe_write(struct file *file, struct io *io, u64 *position)
{
	struct pipe *pipe = pipe_of(file);
	bool was_empty = is_empty(pipe);
	long done;

	(void)position;
	if (io->left == 0)
		return 0;
	if (!pipe->readers)
		return -EPIPE;
	if (!pipe->bytes)
		pipe->bytes = os_pages(NR_PAGES * PAGE_SIZE);
	if (!pipe->bytes)
		return -ENOMEM;
	done = fill_pipe(pipe, io);
	if (done > 0 && was_empty)
		wake(&pipe->queue);
	return done;
}

/* ---- The rest of a file --------------------------------------------- */

static unsigned
pipe_poll(struct file *file)
{
	struct pipe *pipe = pipe_of(file);
	unsigned events = 0;

	if (file_readable(file)) {
		if (!is_empty(pipe))
			events |= POLLIN | POLLRDNORM;
		if (!pipe->writers && pipe->writer_opens != file->position)
			events |= POLLHUP;
	}
	if (file_writable(file)) {
		if (!is_full(pipe))
			events |= POLLOUT | POLLWRNORM;
		if (!pipe->readers)
			events |= POLLERR;
	}
	return events;
}

u64
pipe_level(const struct file *file)
{
	const struct pipe *pipe = pipe_of(file);
	u64 level = 0;

	for (u32 i = pipe->tail; i != pipe->head; i++)
		level += pipe->pages[i % NR_PAGES].len;
	return level;
}

static void
pipe_release(struct file *file)
{
	struct pipe *pipe = pipe_of(file);

	pipe->readers -= file_readable(file);
	pipe->writers -= file_writable(file);
	wake(&pipe->queue);
	if (pipe->readers || pipe->writers)
		return;
	pipe_free(pipe);
	file->node->pipe = NULL;
}

static const struct file_ops pipe_ops = {
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.release = pipe_release,
};

bool
is_pipe(const struct file *file)
{
	return file->ops == &pipe_ops;
}

/* ---- Opening -------------------------------------------------------- */

void
pipe_free(struct pipe *pipe)
{
	if (pipe->bytes)
		os_free_pages(pipe->bytes, NR_PAGES * PAGE_SIZE);
	os_free(pipe, sizeof(*pipe));
}

static int
make_pipe(struct node *node)
{
	if (node->pipe)
		return 0;
	node->pipe = os_alloc(sizeof(*node->pipe));
	if (!node->pipe)
		return -ENOMEM;
	list_init(&node->pipe->queue);
	return 0;
}

/* One more end. The caller made the pipe. */
static int
open_end(struct node *node, int flags, struct file **file)
{
	struct pipe *pipe = node->pipe;
	struct file *end = file_create(node, &pipe_ops, flags);

	if (!end) {
		if (!pipe->readers && !pipe->writers) {
			pipe_free(pipe);
			node->pipe = NULL;
		}
		return -ENOMEM;
	}
	end->queue = &pipe->queue;
	pipe->readers += file_readable(end);
	pipe->reader_opens += file_readable(end);
	pipe->writers += file_writable(end);
	pipe->writer_opens += file_writable(end);
	wake(&pipe->queue);
	*file = end;
	return 0;
}

int
pipe_create(int flags, struct file *ends[2])
{
	struct node *node;
	int err = memfs_create(&root_fs, S_IFIFO | 0600, &node);

	if (err)
		return err == -ENOSPC ? -ENFILE : err;
	node->links = 1;
	err = make_pipe(node);
	if (!err)
		err = open_end(node, O_RDONLY | flags, &ends[0]);
	if (!err) {
		err = open_end(node, O_WRONLY | flags, &ends[1]);
		if (err)
			file_put(ends[0]);
	}
	node_put(node);
	return err;
}

/*
 * Waits for the other side, with the end open, so that the other side does not
 * wait for us. call->done remembers how often that side had been opened.
 */
static int
wait_for_partner(struct call *call, struct file *end)
{
	struct pipe *pipe = pipe_of(end);
	bool reader = file_readable(end);
	u64 opens = reader ? pipe->writer_opens : pipe->reader_opens;

	if (!call->file) {
		if ((reader ? pipe->writers : pipe->readers) > 0)
			return 0;
		call->file = end; /* and with it the reference */
		call->done = opens;
	}
	if (opens != call->done)
		return 0;
	return (int)call_wait(call, &pipe->queue);
}

int
fifo_open(struct node *node, struct call *call, int flags, struct file **file)
{
	int err;

	if (call->file) { /* run again: the end is open */
		err = wait_for_partner(call, call->file);
		if (err == 0)
			*file = file_get(call->file);
		return err;
	}
	if ((flags & O_NONBLOCK) && (flags & O_ACCMODE) == O_WRONLY &&
	    (!node->pipe || !node->pipe->readers))
		return -ENXIO;
	err = make_pipe(node);
	if (!err)
		err = open_end(node, flags, file);
	if (err || (flags & O_ACCMODE) == O_RDWR)
		return err;
	if (flags & O_NONBLOCK) { /* no hang-up before the first writer */
		if (!node->pipe->writers)
			(*file)->position = node->pipe->writer_opens;
		return 0;
	}
	return wait_for_partner(call, *file);
}
