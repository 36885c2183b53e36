#include "user/servers/unix/file.h"

#include <errno.h>
#include <string.h>

#include "user/servers/unix/lock.h"
#include "user/servers/unix/node.h"

/* ---- Files ---------------------------------------------------------- */

struct file *
file_create(struct node *node, const struct file_ops *ops, int flags)
{
	struct file *file = os_alloc(sizeof(*file));

	if (!file)
		return NULL;
	file->refs = 1;
	file->flags = flags;
	file->ops = ops;
	file->node = node_get(node);
	return file;
}

struct file *
file_get(struct file *file)
{
	file->refs++;
	return file;
}

void
file_put(struct file *file)
{
	if (--file->refs)
		return;
	if (file->ops->release)
		file->ops->release(file);
	lock_release_file(file);
	if (file->data)
		os_free(file->data, file->data_size);
	node_put(file->node);
	os_free(file, sizeof(*file));
}

/* ---- Numbers -------------------------------------------------------- */

enum { FIRST_SIZE = 16 };

static struct descriptors *
create_descriptors(unsigned size)
{
	struct descriptors *d = os_alloc(sizeof(*d));

	if (!d)
		return NULL;
	d->table = os_alloc(size * sizeof(*d->table));
	if (!d->table) {
		os_free(d, sizeof(*d));
		return NULL;
	}
	d->refs = 1;
	d->size = size;
	return d;
}

struct descriptors *
descriptors_create(void)
{
	return create_descriptors(FIRST_SIZE);
}

struct descriptors *
descriptors_copy(const struct descriptors *from)
{
	struct descriptors *d = create_descriptors(from->size);

	if (!d)
		return NULL;
	memcpy(d->table, from->table, d->size * sizeof(*d->table));
	for (unsigned fd = 0; fd < d->size; fd++) {
		if (d->table[fd].file)
			file_get(d->table[fd].file);
	}
	return d;
}

struct descriptors *
descriptors_get(struct descriptors *d)
{
	d->refs++;
	return d;
}

void
descriptors_put(struct descriptors *d)
{
	if (--d->refs)
		return;
	for (unsigned fd = 0; fd < d->size; fd++)
		descriptor_close(d, fd);
	os_free(d->table, d->size * sizeof(*d->table));
	os_free(d, sizeof(*d));
}

bool
descriptors_shared(const struct descriptors *d)
{
	return d->refs > 1;
}

void
descriptors_exec(struct descriptors *d)
{
	for (unsigned fd = 0; fd < d->size; fd++) {
		if (d->table[fd].close_on_exec)
			descriptor_close(d, fd);
	}
}

struct file *
descriptor_file(const struct descriptors *d, u32 fd)
{
	return fd < d->size ? d->table[fd].file : NULL;
}

struct file *
descriptor_open(const struct descriptors *d, u32 fd)
{
	struct file *file = descriptor_file(d, fd);

	return file && !(file->flags & LINUX_O_PATH) ? file : NULL;
}

static int
grow_descriptors(struct descriptors *d, u64 fd)
{
	unsigned size = d->size;
	struct descriptor *table;

	while (size <= fd)
		size *= 2;
	if (size == d->size)
		return 0;
	table = os_alloc(size * sizeof(*table));
	if (!table)
		return -ENOMEM;
	memcpy(table, d->table, d->size * sizeof(*table));
	os_free(d->table, d->size * sizeof(*table));
	d->table = table;
	d->size = size;
	return 0;
}

static u64
first_free(const struct descriptors *d, u64 fd)
{
	while (fd < d->size && d->table[fd].file)
		fd++;
	return fd;
}

int
descriptor_room(const struct descriptors *d, u64 limit)
{
	return first_free(d, 0) < limit ? 0 : -EMFILE;
}

long
descriptor_add(struct descriptors *d, struct file *file, u64 from, u64 limit,
	       bool close_on_exec)
{
	u64 fd = first_free(d, from);
	int err;

	if (fd >= limit)
		return -EMFILE;
	err = grow_descriptors(d, fd);
	if (err)
		return err;
	d->table[fd] = (struct descriptor){ file, close_on_exec };
	return (long)fd;
}

long
descriptor_replace(struct descriptors *d, u64 fd, struct file *file, u64 limit,
		   bool close_on_exec)
{
	int err;

	if (fd >= limit)
		return -EBADF;
	err = grow_descriptors(d, fd);
	if (err)
		return err;
	descriptor_close(d, fd);
	d->table[fd] = (struct descriptor){ file, close_on_exec };
	return (long)fd;
}

int
descriptor_close(struct descriptors *d, u32 fd)
{
	struct file *file = descriptor_file(d, fd);

	if (!file)
		return -EBADF;
	d->table[fd] = (struct descriptor){ 0 };
	lock_release_table(file->node, d);
	file_put(file);
	return 0;
}
