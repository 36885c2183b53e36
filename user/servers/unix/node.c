#include "user/servers/unix/node.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/servers/unix/pipe.h"

enum { DIRECTORY_ENTRY_SIZE = 20 }; /* what tmpfs pretends */

/* ---- Life ----------------------------------------------------------- */

int
node_create(struct filesystem *fs, const struct node_ops *ops, mode_t mode,
	    struct node **made)
{
	struct node *node;

	if (fs->nodes >= fs->max_nodes)
		return -ENOSPC;
	node = os_alloc(sizeof(*node));
	if (!node)
		return -ENOMEM;
	fs->nodes++;
	list_init(&node->locks);
	node->refs = 1;
	node->mode = mode;
	node->ino = ++fs->last_ino;
	node->fs = fs;
	node->ops = ops;
	node->atime = node->mtime = node->ctime = os_realtime();
	*made = node;
	return 0;
}

struct node *
node_get(struct node *node)
{
	node->refs++;
	return node;
}

void
node_put(struct node *node)
{
	if (--node->refs)
		return;
	if (node->ops->release)
		node->ops->release(node);
	node->fs->nodes--;
	os_free(node, sizeof(*node));
}

void
node_touch(struct node *node, bool modified)
{
	node->ctime = os_realtime();
	if (modified)
		node->mtime = node->ctime;
}

/* ---- What programs are told ----------------------------------------- */

static struct timespec
to_timespec(u64 ns)
{
	return (struct timespec){ (time_t)(ns / 1000000000),
				  (long)(ns % 1000000000) };
}

u64
node_size(const struct node *node)
{
	if (node->fs == &proc_fs)
		return 0;
	if (S_ISREG(node->mode))
		return node->contents.size;
	if (S_ISLNK(node->mode))
		return strlen(node->target);
	if (S_ISDIR(node->mode))
		return (u64)node->dir.nr_entries * DIRECTORY_ENTRY_SIZE;
	return 0;
}

void
node_stat(const struct node *node, struct stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->st_dev = node->fs->id;
	stat->st_ino = node->ino;
	stat->st_nlink = node->links;
	stat->st_mode = node->mode;
	stat->st_uid = node->uid;
	stat->st_gid = node->gid;
	if (S_ISCHR(node->mode) || S_ISBLK(node->mode))
		stat->st_rdev = node->device;
	stat->st_size = (off_t)node_size(node);
	stat->st_blksize = PAGE_SIZE;
	if (S_ISREG(node->mode) && node->fs != &proc_fs)
		stat->st_blocks = (blkcnt_t)contents_blocks(node);
	stat->st_atim = to_timespec(node->atime);
	stat->st_mtim = to_timespec(node->mtime);
	stat->st_ctim = to_timespec(node->ctime);
}

/* ---- Paths ---------------------------------------------------------- */

/* Puts "/name" in front of what begins at *at. */
static bool
prepend(char *path, size_t *at, const char *name, size_t len)
{
	if (*at < len + 1)
		return false;
	*at -= len;
	memcpy(path + *at, name, len);
	path[--*at] = '/';
	return true;
}

/* From the end of the buffer backwards, then moved to its beginning. */
static long
path_of_entry(const struct entry *entry, char *path, size_t size)
{
	size_t at = size - 1;

	path[at] = 0;
	while (entry) {
		if (!prepend(path, &at, entry->name, entry->len))
			return -ENAMETOOLONG;
		entry = entry->dir->entry;
	}
	memmove(path, path + at, size - at);
	return (long)(size - 1 - at);
}

/* Names lead up to the root, unless a directory above was removed. */
static bool
has_path(const struct node *node)
{
	const struct entry *entry = node->entry;

	while (entry && entry->dir != root_node)
		entry = entry->dir->entry;
	return entry != NULL;
}

long
node_directory_path(struct node *dir, char *path, size_t size)
{
	if (dir->ops->path)
		return dir->ops->path(dir, path, size);
	if (dir == root_node)
		return snprintf(path, size, "/");
	return has_path(dir) ? path_of_entry(dir->entry, path, size) : -ENOENT;
}

long
node_path(struct node *node, char *path, size_t size)
{
	if (S_ISFIFO(node->mode) && !node->entry)
		return snprintf(path, size, "pipe:[%lu]",
				(unsigned long)node->ino);
	if (node->ops->path)
		return node->ops->path(node, path, size);
	if (node == root_node)
		return snprintf(path, size, "/");
	if (has_path(node))
		return path_of_entry(node->entry, path, size);
	return snprintf(path, size, "/ (deleted)");
}
