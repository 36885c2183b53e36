#include "user/servers/unix/device.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "user/servers/unix/memfs.h"

/* ---- null, zero, full ----------------------------------------------- */

static long
read_nothing(struct file *file, struct io *io, u64 *position)
{
	(void)file, (void)io, (void)position;
	return 0;
}

static long
write_anything(struct file *file, struct io *io, u64 *position)
{
	long len = (long)io->left;

	(void)file, (void)position;
	io_skip(io, io->left);
	return len;
}

static long
write_nothing(struct file *file, struct io *io, u64 *position)
{
	(void)file, (void)position;
	return io->left ? -ENOSPC : 0;
}

enum { DEVICE_PIECE = 16384 };
static u8 random_bytes[DEVICE_PIECE];

static long
read_zeros(struct file *file, struct io *io, u64 *position)
{
	static const u8 zeros[DEVICE_PIECE];
	long done = 0;

	(void)file, (void)position;
	while (io->left) {
		size_t len = MIN(io->left, (u64)DEVICE_PIECE);
		int err = io_out(io, zeros, len);

		if (err)
			return done ? done : err;
		done += (long)len;
	}
	return done;
}

/* ---- random --------------------------------------------------------- */

static long
read_random(struct file *file, struct io *io, u64 *position)
{
	long done = 0;

	(void)file, (void)position;
	while (io->left) {
		size_t len = MIN(io->left, (u64)DEVICE_PIECE);
		int err;

		os_random(random_bytes, len);
		err = io_out(io, random_bytes, len);
		if (err)
			return done ? done : err;
		done += (long)len;
	}
	return done;
}

/* ---- The table ------------------------------------------------------ */

static const struct file_ops null_ops = { .read = read_nothing,
					  .write = write_anything,
					  .seekable = true };
static const struct file_ops zero_ops = { .read = read_zeros,
					  .write = write_anything,
					  .seekable = true };
static const struct file_ops full_ops = { .read = read_zeros,
					  .write = write_nothing,
					  .seekable = true };
static const struct file_ops random_ops = { .read = read_random,
					    .write = write_anything,
					    .seekable = true };

static const struct device {
	const char *name;
	unsigned major, minor;
	mode_t mode;
	const struct file_ops *ops;
	int (*open)(struct node *node, struct call *call, int flags,
		    struct file **file);
} devices[] = {
	{ "null", 1, 3, 0666, &null_ops, NULL },
	{ "zero", 1, 5, 0666, &zero_ops, NULL },
	{ "full", 1, 7, 0666, &full_ops, NULL },
	{ "random", 1, 8, 0666, &random_ops, NULL },
	{ "urandom", 1, 9, 0666, &random_ops, NULL },
	{ "tty", 5, 0, 0666, NULL, own_tty_open },
	{ "console", 5, 1, 0600, NULL, console_open },
};

static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
};

bool
is_zero_device(const struct file *file)
{
	return file->ops == &zero_ops;
}

int
device_open(struct node *node, struct call *call, int flags, struct file **file)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		const struct device *d = &devices[i];

		if (node->device != makedev(d->major, d->minor))
			continue;
		if (d->open)
			return d->open(node, call, flags, file);
		*file = file_create(node, d->ops, flags);
		return *file ? 0 : -ENOMEM;
	}
	return -ENXIO;
}

static int
add_link(struct node *dev, const char *name, const char *target)
{
	struct node *node;
	int err = memfs_symlink(dev->fs, target, strlen(target), &node);

	if (err)
		return err;
	err = entry_add(dev, name, strlen(name), node);
	node_put(node);
	return err;
}

int
devices_init(struct node *dev)
{
	struct node *node;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(devices) && !err; i++) {
		const struct device *d = &devices[i];

		err = memfs_add(dev, d->name, S_IFCHR | d->mode, &node);
		if (!err)
			node->device = makedev(d->major, d->minor);
	}
	for (size_t i = 0; i < ARRAY_SIZE(links) && !err; i++)
		err = add_link(dev, links[i].name, links[i].target);
	if (!err)
		err = memfs_add(dev, "shm", S_IFDIR | 01777, &node);
	return err;
}
