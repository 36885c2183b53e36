/* open, and what makes it complicated. */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/file.h"
#include "user/servers/unix/memfs.h"
#include "user/servers/unix/path.h"
#include "user/servers/unix/process.h"

/* What F_GETFL shows later; the others are for open alone. */
#define LASTING                                                               \
	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC | O_DIRECTORY | \
	 O_NOFOLLOW | O_NOATIME | O_DIRECT | LINUX_O_PATH | LINUX_O_LARGEFILE)

/* A file without a way in or out: O_PATH. */
static const struct file_ops path_ops;

static int
create_file(struct walk *walk, struct process *process, mode_t mode)
{
	struct node *dir = walk->dir;
	int err;

	if (dir->ops->lookup)
		return -EACCES; /* nobody makes names in /proc */
	if (dir->links == 0)
		return -ENOENT;
	mode &= 07777 & ~process->place->umask;
	err = memfs_create(dir->fs, S_IFREG | mode, &walk->node);
	if (err)
		return err;
	memfs_inherit(walk->node, dir);
	err = entry_add(dir, walk->name, walk->len, walk->node);
	if (!err)
		node_touch(dir, true);
	return err;
}

/* May a node that is there be opened so? */
static int
check_node(const struct node *node, int flags, bool slash)
{
	bool write = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);

	if ((flags & O_DIRECTORY) && !is_directory(node))
		return -ENOTDIR;
	if (S_ISLNK(node->mode))
		return flags & LINUX_O_PATH ? 0 : -ELOOP;
	if (is_directory(node) && (write || (flags & O_CREAT)))
		return -EISDIR;
	if (slash && !is_directory(node))
		return -ENOTDIR;
	return 0;
}

static int
truncate_opened(struct node *node, int flags)
{
	int err;

	if (!(flags & O_TRUNC) || !S_ISREG(node->mode) || node->fs == &proc_fs)
		return 0;
	err = contents_truncate(node, 0);
	node_touch(node, true);
	return err;
}

static int
open_found(struct node *node, struct call *call, int flags, struct file **file)
{
	int err = truncate_opened(node, flags);

	if (err)
		return err;
	if (flags & LINUX_O_PATH) {
		*file = file_create(node, &path_ops, flags & LASTING);
		return *file ? 0 : -ENOMEM;
	}
	return node->ops->open(node, call, (flags & LASTING) | LINUX_O_LARGEFILE,
			       file);
}

static int
find_node(struct walk *walk, struct call *call, int dirfd, u64 path, int flags,
	  mode_t mode)
{
	unsigned walking = flags & O_CREAT ? WALK_CREATE : 0;
	bool follow = !(flags & O_NOFOLLOW) &&
		      (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
	int err = walk_begin(walk, call, dirfd, path,
			     walking | (follow ? WALK_FOLLOW : 0));

	if (err)
		return err;
	if (!walk->node)
		err = create_file(walk, call->process, mode);
	else if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		err = -EEXIST;
	else
		err = check_node(walk->node, flags, walk->slash);
	if (err)
		walk_end(walk);
	return err;
}

static int
open_path(struct call *call, int dirfd, u64 path, int flags, mode_t mode,
	  struct file **file)
{
	struct walk walk;
	int err;

	if (call->file) /* waits in a FIFO's open */
		return call->file->node->ops->open(call->file->node, call,
						   flags & LASTING, file);
	err = find_node(&walk, call, dirfd, path, flags, mode);
	if (err)
		return err;
	err = open_found(walk.node, call, flags, file);
	walk_end(&walk);
	return err;
}

static int
clean_flags(u64 flags)
{
	if (flags & LINUX_O_PATH)
		flags &= LINUX_O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	return (int)flags;
}

static long
do_open(struct call *call, int dirfd, u64 path, u64 wanted, mode_t mode)
{
	struct process *process = call->process;
	u64 limit = process_limit(process, RLIMIT_NOFILE);
	int flags = clean_flags(wanted);
	struct file *file;
	long fd;
	int err = descriptor_room(process->descriptors, limit);

	if (err) /* before anything is made */
		return err;
	if (flags & LINUX_O_TMPFILE)
		return -EOPNOTSUPP;
	if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
		return -EINVAL;
	err = open_path(call, dirfd, path, flags, mode, &file);
	if (err)
		return err;
	fd = descriptor_add(process->descriptors, file, 0, limit,
			    flags & O_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

long
sys_open(struct call *call)
{
	return do_open(call, AT_FDCWD, call->args[0], call->args[1],
		       (mode_t)call->args[2]);
}

long
sys_openat(struct call *call)
{
	return do_open(call, (int)call->args[0], call->args[1], call->args[2],
		       (mode_t)call->args[3]);
}

long
sys_creat(struct call *call)
{
	return do_open(call, AT_FDCWD, call->args[0],
		       O_CREAT | O_WRONLY | O_TRUNC, (mode_t)call->args[1]);
}
