#include "user/servers/unix/regular.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "user/servers/unix/node.h"

static long
regular_read(struct file *file, struct io *io, u64 *position)
{
	struct contents *c = &file->node->contents;
	u64 len;
	int err;

	if (*position >= c->size)
		return 0;
	len = MIN(io->left, c->size - *position);
	err = io_out(io, c->bytes + *position, len);
	if (err)
		return err;
	*position += len;
	return (long)len;
}

/* How much of @len fits behind @position: when the file system is nearly full
 * a write is cut, as Linux does. */
static long
make_room(struct node *node, u64 position, u64 len)
{
	struct filesystem *fs = node->fs;
	u64 end = node->contents.capacity +
		  (fs->max_pages - fs->pages) * PAGE_SIZE;
	int err;

	if (position > INT64_MAX - len)
		len = position < INT64_MAX ? INT64_MAX - position : 0;
	if (len == 0)
		return -EFBIG;
	if (end <= position)
		return -ENOSPC;
	len = MIN(len, end - position);
	err = contents_reserve(node, position + len);
	return err ? err : (long)len;
}

/* What a failed copy left behind the end. */
static void
clear_tail(struct contents *c, u64 position, u64 len)
{
	u64 from = MAX(c->size, position);

	if (from < position + len)
		memset(c->bytes + from, 0, position + len - from);
}

static long
regular_write(struct file *file, struct io *io, u64 *position)
{
	struct node *node = file->node;
	struct contents *c = &node->contents;
	long len;
	int err;

	if (io->left == 0)
		return 0;
	if (file->flags & O_APPEND)
		*position = c->size;
	len = make_room(node, *position, io->left);
	if (len < 0)
		return len;
	err = io_in(io, c->bytes + *position, (size_t)len);
	if (err) {
		clear_tail(c, *position, (u64)len);
		return err;
	}
	*position += (u64)len;
	c->size = MAX(c->size, *position);
	node_touch(node, true);
	return len;
}

static const struct file_ops regular_ops = {
	.read = regular_read,
	.write = regular_write,
	.seekable = true,
};

int
regular_open(struct node *node, int flags, struct file **file)
{
	*file = file_create(node, &regular_ops, flags);
	return *file ? 0 : -ENOMEM;
}
