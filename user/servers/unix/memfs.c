/* Directories, files, links and devices in memory: the root and /dev. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/servers/unix/device.h"
#include "user/servers/unix/directory.h"
#include "user/servers/unix/memfs.h"
#include "user/servers/unix/pipe.h"
#include "user/servers/unix/proc.h"
#include "user/servers/unix/regular.h"

#define TMPFS_MAGIC 0x01021994

struct filesystem root_fs = { .name = "tmpfs", .where = "/", .id = 1 };
struct filesystem dev_fs = { .name = "devtmpfs", .where = "/dev", .id = 2 };
struct node *root_node;

/* ---- Operations ----------------------------------------------------- */

static int
open_node(struct node *node, struct call *call, int flags, struct file **file)
{
	switch (node->mode & S_IFMT) {
	case S_IFDIR:
		return directory_open(node, flags, file);
	case S_IFREG:
		return regular_open(node, flags, file);
	case S_IFCHR:
		return device_open(node, call, flags, file);
	case S_IFIFO:
		return fifo_open(node, call, flags, file);
	default:
		return -ENXIO; /* sockets; block devices, which there are none */
	}
}

static long
copy_target(struct node *link, struct call *call, char *target, size_t size)
{
	(void)call;
	return snprintf(target, size, "%s", link->target);
}

/* A short target comes with the node, as in Linux; a longer one has a page. */
static u64
target_pages(size_t len)
{
	enum { SHORT = 128 };

	return len + 1 > SHORT;
}

static void
free_target(struct node *link)
{
	size_t len = strlen(link->target);

	link->fs->pages -= target_pages(len);
	os_free(link->target, len + 1);
}

static void
release(struct node *node)
{
	if (S_ISREG(node->mode))
		contents_free(node);
	else if (S_ISLNK(node->mode) && node->target)
		free_target(node);
	else if (S_ISFIFO(node->mode) && node->pipe)
		pipe_free(node->pipe);
	else if (is_directory(node) && node->dir.parent)
		node_put(node->dir.parent);
}

const struct node_ops memfs_ops = {
	.open = open_node,
	.target = copy_target,
	.release = release,
};

/* ---- Making nodes --------------------------------------------------- */

int
memfs_create(struct filesystem *fs, mode_t mode, struct node **made)
{
	int err = node_create(fs, &memfs_ops, mode, made);

	if (!err && S_ISDIR(mode)) {
		list_init(&(*made)->dir.entries);
		(*made)->links = 1; /* "." */
		(*made)->dir.next_cookie = FIRST_COOKIE;
	}
	return err;
}

int
memfs_symlink(struct filesystem *fs, const char *target, size_t len,
	      struct node **made)
{
	char *copy;
	int err;

	if (fs->max_pages - fs->pages < target_pages(len))
		return -ENOSPC;
	copy = os_alloc(len + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, target, len);
	err = memfs_create(fs, S_IFLNK | 0777, made);
	if (err) {
		os_free(copy, len + 1);
		return err;
	}
	(*made)->target = copy;
	fs->pages += target_pages(len);
	return 0;
}

void
memfs_inherit(struct node *node, const struct node *dir)
{
	if (!(dir->mode & S_ISGID))
		return;
	node->gid = dir->gid;
	if (is_directory(node))
		node->mode |= S_ISGID;
}

int
memfs_add(struct node *dir, const char *name, mode_t mode, struct node **made)
{
	int err = memfs_create(dir->fs, mode, made);

	if (err)
		return err;
	err = entry_add(dir, name, strlen(name), *made);
	node_put(*made); /* the entry has one */
	return err;
}

/* ---- The beginning -------------------------------------------------- */

enum { NODES_PER_PAGE = 1, DEV_PAGES = 16, DEV_NODES = 256 };

static int
make_root(struct filesystem *fs, u64 pages, u64 nodes)
{
	fs->magic = TMPFS_MAGIC;
	fs->max_pages = pages;
	fs->max_nodes = nodes;
	return memfs_create(fs, S_IFDIR | 0755, &fs->root);
}

static int
mount(struct filesystem *fs, const char *name)
{
	return entry_add(root_node, name, strlen(name), fs->root);
}

int
filesystems_init(u64 memory)
{
	u64 pages = memory / PAGE_SIZE / 2;
	int err = make_root(&root_fs, pages, pages * NODES_PER_PAGE);

	if (err)
		return err;
	root_node = root_fs.root;
	root_node->links = 2;
	root_node->dir.parent = node_get(root_node);
	err = make_root(&dev_fs, DEV_PAGES, DEV_NODES);
	if (!err)
		err = mount(&dev_fs, "dev");
	if (!err)
		err = devices_init(dev_fs.root);
	if (!err)
		err = proc_init();
	if (!err)
		err = mount(&proc_fs, "proc");
	return err;
}
