/* Names: made, removed, changed. Read Linux: fs/namei.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/file.h"
#include "user/servers/unix/memfs.h"
#include "user/servers/unix/path.h"
#include "user/servers/unix/process.h"

/* Names in /proc come and go with processes. */
static int
check_writable(const struct node *dir)
{
	if (dir->ops->lookup)
		return -EPERM;
	return 0;
}

/* ---- Making --------------------------------------------------------- */

/* May the name be made? */
static int
check_free(struct walk *walk)
{
	struct node *there;
	int err = node_lookup(walk->dir, walk->name, walk->len, &there);

	if (!err) {
		node_put(there);
		return -EEXIST;
	}
	if (err != -ENOENT || walk->dir->links == 0)
		return err;
	return check_writable(walk->dir);
}

/* The directory of a name that is not there yet. */
static int
begin_new(struct walk *walk, struct call *call, int dirfd, u64 path)
{
	int err = walk_begin(walk, call, dirfd, path, WALK_PARENT);

	if (err)
		return err;
	err = walk->last == LAST_NORMAL ? check_free(walk) : -EEXIST;
	if (err)
		walk_end(walk);
	return err;
}

/* Gives a new node, whose reference it takes over, its name. */
static int
finish_new(struct walk *walk, struct node *node)
{
	int err;

	memfs_inherit(node, walk->dir);
	err = entry_add(walk->dir, walk->name, walk->len, node);
	node_put(node);
	if (!err)
		node_touch(walk->dir, true);
	return err;
}

static long
make_node(struct call *call, int dirfd, u64 path, mode_t mode, dev_t device)
{
	bool directory = S_ISDIR(mode);
	struct walk walk;
	struct node *node;
	int err = begin_new(&walk, call, dirfd, path);

	if (err)
		return err;
	mode &= S_IFMT | (07777 & ~call->process->place->umask);
	if (walk.slash && !directory)
		err = -ENOENT;
	if (!err)
		err = memfs_create(walk.dir->fs, mode, &node);
	if (!err) {
		if (S_ISCHR(mode) || S_ISBLK(mode))
			node->device = device;
		err = finish_new(&walk, node);
	}
	walk_end(&walk);
	return err;
}

long
sys_mkdirat(struct call *call)
{
	return make_node(call, (int)call->args[0], call->args[1],
			 S_IFDIR | (call->args[2] & 01777), 0);
}

long
sys_mkdir(struct call *call)
{
	return make_node(call, AT_FDCWD, call->args[0],
			 S_IFDIR | (call->args[1] & 01777), 0);
}

static long
do_mknod(struct call *call, int dirfd, u64 path, mode_t mode, dev_t device)
{
	switch (mode & S_IFMT) {
	case 0:
		mode |= S_IFREG;
		break;
	case S_IFREG:
	case S_IFIFO:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFSOCK:
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	return make_node(call, dirfd, path, mode & (S_IFMT | 07777), device);
}

long
sys_mknodat(struct call *call)
{
	return do_mknod(call, (int)call->args[0], call->args[1],
			(mode_t)call->args[2], call->args[3]);
}

long
sys_mknod(struct call *call)
{
	return do_mknod(call, AT_FDCWD, call->args[0], (mode_t)call->args[1],
			call->args[2]);
}

static long
do_symlink(struct call *call, u64 target, int dirfd, u64 path)
{
	char text[LINUX_PATH_MAX];
	struct walk walk;
	struct node *node;
	long len = copy_in_string(call, text, target, sizeof(text));
	int err;

	if (len <= 0)
		return len ? len : -ENOENT;
	err = begin_new(&walk, call, dirfd, path);
	if (err)
		return err;
	if (walk.slash)
		err = -ENOENT;
	if (!err)
		err = memfs_symlink(walk.dir->fs, text, (size_t)len, &node);
	if (!err)
		err = finish_new(&walk, node);
	walk_end(&walk);
	return err;
}

long
sys_symlinkat(struct call *call)
{
	return do_symlink(call, call->args[0], (int)call->args[1],
			  call->args[2]);
}

long
sys_symlink(struct call *call)
{
	return do_symlink(call, call->args[0], AT_FDCWD, call->args[1]);
}

static int
link_node(struct walk *walk, struct node *node)
{
	if (walk->slash)
		return -ENOENT;
	if (node->fs != walk->dir->fs)
		return -EXDEV;
	if (is_directory(node))
		return -EPERM;
	if (node->links == 0)
		return -ENOENT;
	if (node->fs->nodes >= node->fs->max_nodes)
		return -ENOSPC;
	if (entry_add(walk->dir, walk->name, walk->len, node))
		return -ENOMEM;
	node_touch(node, false);
	node_touch(walk->dir, true);
	return 0;
}

static long
do_link(struct call *call, int from_fd, u64 from, int to_fd, u64 to, u32 flags)
{
	struct walk walk;
	struct node *node;
	int err;

	if (flags & ~(u32)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = path_node(call, from_fd, from,
			(flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0) |
			(flags & AT_EMPTY_PATH ? WALK_EMPTY : 0), &node);
	if (err)
		return err;
	err = begin_new(&walk, call, to_fd, to);
	if (!err) {
		err = link_node(&walk, node);
		walk_end(&walk);
	}
	node_put(node);
	return err;
}

long
sys_linkat(struct call *call)
{
	return do_link(call, (int)call->args[0], call->args[1],
		       (int)call->args[2], call->args[3], call->args[4]);
}

long
sys_link(struct call *call)
{
	return do_link(call, AT_FDCWD, call->args[0], AT_FDCWD, call->args[1],
		       0);
}

/* ---- Removing ------------------------------------------------------- */

/* The entry of a name that must be there. */
static int
find_entry(struct walk *walk, struct entry **entry)
{
	struct node *there;
	int err = node_lookup(walk->dir, walk->name, walk->len, &there);

	if (err)
		return err;
	node_put(there);
	err = check_writable(walk->dir);
	if (err)
		return err;
	*entry = entry_find(walk->dir, walk->name, walk->len);
	return 0;
}

static int
remove_file(struct walk *walk)
{
	struct entry *entry;
	int err;

	if (walk->last != LAST_NORMAL)
		return -EISDIR;
	err = find_entry(walk, &entry);
	if (err)
		return err;
	if (is_directory(entry->node))
		return -EISDIR;
	if (walk->slash)
		return -ENOTDIR;
	node_touch(entry->node, false);
	entry_remove(entry);
	node_touch(walk->dir, true);
	return 0;
}

static bool
is_mount_point(const struct node *node)
{
	return node == node->fs->root;
}

static int
remove_directory(struct walk *walk)
{
	static const int special[] = {
		[LAST_DOT] = -EINVAL,
		[LAST_DOTDOT] = -ENOTEMPTY,
		[LAST_ROOT] = -EBUSY,
	};
	struct entry *entry;
	int err;

	if (walk->last != LAST_NORMAL)
		return special[walk->last];
	err = find_entry(walk, &entry);
	if (err)
		return err;
	if (!is_directory(entry->node))
		return -ENOTDIR;
	if (is_mount_point(entry->node))
		return -EBUSY;
	if (entry->node->dir.nr_entries)
		return -ENOTEMPTY;
	entry->node->links--; /* its own "." */
	entry_remove(entry);
	node_touch(walk->dir, true);
	return 0;
}

static long
do_unlink(struct call *call, int dirfd, u64 path, bool directory)
{
	struct walk walk;
	int err = walk_begin(&walk, call, dirfd, path, WALK_PARENT);

	if (err)
		return err;
	err = directory ? remove_directory(&walk) : remove_file(&walk);
	walk_end(&walk);
	return err;
}

long
sys_unlinkat(struct call *call)
{
	if (arg32(call, 2) & ~(u32)AT_REMOVEDIR)
		return -EINVAL;
	return do_unlink(call, (int)call->args[0], call->args[1],
			 call->args[2] & AT_REMOVEDIR);
}

long
sys_unlink(struct call *call)
{
	return do_unlink(call, AT_FDCWD, call->args[0], false);
}

long
sys_rmdir(struct call *call)
{
	return do_unlink(call, AT_FDCWD, call->args[0], true);
}

/* ---- rename --------------------------------------------------------- */

enum { RENAME_NOREPLACE_FLAG = 1 };

/* Is @node @dir, or above it? */
static bool
contains(const struct node *node, struct node *dir)
{
	while (dir != node && dir->dir.parent != dir)
		dir = dir->dir.parent;
	return dir == node;
}

/* May what is there be replaced by @from? */
static int
check_replace(const struct node *from, const struct node *there)
{
	if (is_directory(from) && !is_directory(there))
		return -ENOTDIR;
	if (!is_directory(from) && is_directory(there))
		return -EISDIR;
	if (is_directory(there) && is_mount_point(there))
		return -EBUSY;
	if (is_directory(there) && there->dir.nr_entries)
		return -ENOTEMPTY;
	return 0;
}

static int
check_rename(struct walk *old, struct walk *new, struct node *from,
	     struct entry *there, u32 flags)
{
	if (there && (flags & RENAME_NOREPLACE_FLAG))
		return -EEXIST;
	if (!is_directory(from) && old->slash)
		return -ENOTDIR;
	if (!is_directory(from) && new->slash)
		return -ENOTDIR;
	if (is_directory(from) && is_mount_point(from))
		return -EBUSY;
	if (is_directory(from) && contains(from, new->dir))
		return -EINVAL;
	if (there && is_directory(there->node) &&
	    contains(there->node, old->dir))
		return -ENOTEMPTY;
	if (new->dir->links == 0)
		return -ENOENT;
	return there && there->node != from ? check_replace(from, there->node)
					    : 0;
}

/* The new name first: it may fail, taking the old one away cannot. */
static int
move_entry(struct walk *new, struct entry *entry, struct entry *there)
{
	struct node *node = node_get(entry->node);
	int err = 0;

	if (there && is_directory(there->node))
		there->node->links--;
	if (there) {
		node_touch(there->node, false);
		entry_change(there, node);
	} else {
		err = entry_add(new->dir, new->name, new->len, node);
	}
	if (!err) {
		struct entry *now = node->entry;

		entry_remove(entry);
		node->entry = now;
		node_touch(node, false);
	}
	node_put(node);
	return err;
}

static int
rename_last(struct walk *old, struct walk *new, u32 flags)
{
	struct entry *entry, *there;
	struct node *old_dir = old->dir;
	int err;

	if (old_dir->fs != new->dir->fs)
		return -EXDEV;
	if (old->last != LAST_NORMAL)
		return -EBUSY;
	if (new->last != LAST_NORMAL)
		return flags & RENAME_NOREPLACE_FLAG ? -EEXIST : -EBUSY;
	err = find_entry(old, &entry);
	if (!err)
		err = check_writable(new->dir);
	if (err)
		return err;
	if (new->len > LINUX_NAME_MAX)
		return -ENAMETOOLONG;
	there = entry_find(new->dir, new->name, new->len);
	err = check_rename(old, new, entry->node, there, flags);
	if (err || (there && there->node == entry->node))
		return err;
	err = move_entry(new, entry, there);
	if (!err) {
		node_touch(old_dir, true);
		node_touch(new->dir, true);
	}
	return err;
}

static long
do_rename(struct call *call, int old_fd, u64 old_path, int new_fd, u64 new_path,
	  u32 flags)
{
	struct walk old, new;
	int err;

	if (flags & ~(u32)RENAME_NOREPLACE_FLAG)
		return -EINVAL;
	err = walk_begin(&old, call, old_fd, old_path, WALK_PARENT);
	if (err)
		return err;
	err = walk_begin(&new, call, new_fd, new_path, WALK_PARENT);
	if (!err) {
		err = rename_last(&old, &new, flags);
		walk_end(&new);
	}
	walk_end(&old);
	return err;
}

long
sys_renameat2(struct call *call)
{
	return do_rename(call, (int)call->args[0], call->args[1],
			 (int)call->args[2], call->args[3], arg32(call, 4));
}

long
sys_renameat(struct call *call)
{
	return do_rename(call, (int)call->args[0], call->args[1],
			 (int)call->args[2], call->args[3], 0);
}

long
sys_rename(struct call *call)
{
	return do_rename(call, AT_FDCWD, call->args[0], AT_FDCWD,
			 call->args[1], 0);
}

/* ---- readlink, and where we are ------------------------------------- */

static long
do_readlink(struct call *call, int dirfd, u64 path, u64 buf, s64 size)
{
	char target[LINUX_PATH_MAX];
	struct walk walk;
	struct node *node;
	long len;
	int err;

	if (size <= 0)
		return -EINVAL;
	err = walk_begin(&walk, call, dirfd, path, WALK_EMPTY);
	if (err)
		return err;
	node = node_get(walk.node);
	walk_end(&walk);
	if (!S_ISLNK(node->mode))
		len = walk.path[0] ? -EINVAL : -ENOENT;
	else
		len = node->ops->target(node, call, target, sizeof(target));
	node_put(node);
	if (len < 0)
		return len;
	len = MIN(len, size);
	err = copy_out(call, buf, target, (size_t)len);
	return err ? err : len;
}

long
sys_readlinkat(struct call *call)
{
	return do_readlink(call, (int)call->args[0], call->args[1],
			   call->args[2], (int)call->args[3]);
}

long
sys_readlink(struct call *call)
{
	return do_readlink(call, AT_FDCWD, call->args[0], call->args[1],
			   (int)call->args[2]);
}

long
sys_getcwd(struct call *call)
{
	char path[LINUX_PATH_MAX];
	long len = node_directory_path(call->process->place->cwd, path,
				       sizeof(path));
	int err;

	if (len < 0)
		return len;
	if ((u64)len + 1 > call->args[1])
		return -ERANGE;
	err = copy_out(call, call->args[0], path, (size_t)len + 1);
	return err ? err : len + 1;
}

static long
change_directory(struct call *call, struct node *node)
{
	struct place *place = call->process->place;

	if (!is_directory(node)) {
		node_put(node);
		return -ENOTDIR;
	}
	node_put(place->cwd);
	place->cwd = node;
	return 0;
}

long
sys_chdir(struct call *call)
{
	struct node *node;
	int err = path_node(call, AT_FDCWD, call->args[0], WALK_FOLLOW, &node);

	return err ? err : change_directory(call, node);
}

long
sys_fchdir(struct call *call)
{
	struct file *file = descriptor_file(call->process->descriptors,
					    (u32)call->args[0]);

	return file ? change_directory(call, node_get(file->node)) : -EBADF;
}

long
sys_umask(struct call *call)
{
	struct place *place = call->process->place;
	unsigned old = place->umask;

	place->umask = (unsigned)call->args[0] & 0777;
	return old;
}
