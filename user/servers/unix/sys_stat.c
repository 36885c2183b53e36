/* What is known of a node, and what may be changed of it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/file.h"
#include "user/servers/unix/path.h"
#include "user/servers/unix/process.h"

/* ---- Finding the node ----------------------------------------------- */

static unsigned
walk_flags(u32 at_flags)
{
	return (at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
	       (at_flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

static int
node_of(struct file *file, struct node **node)
{
	if (!file)
		return -EBADF;
	*node = node_get(file->node);
	return 0;
}

/* To look at: O_PATH will do. */
static int
node_of_fd(struct call *call, u64 fd, struct node **node)
{
	return node_of(descriptor_file(call->process->descriptors, (u32)fd),
		       node);
}

/* To change. */
static int
node_of_open_fd(struct call *call, u64 fd, struct node **node)
{
	return node_of(descriptor_open(call->process->descriptors, (u32)fd),
		       node);
}

static int
node_at(struct call *call, int dirfd, u64 path, u32 at_flags,
	struct node **node)
{
	return path_node(call, dirfd, path, walk_flags(at_flags), node);
}

/* ---- stat ----------------------------------------------------------- */

static long
put_stat(struct call *call, struct node *node, u64 to)
{
	struct stat stat;

	node_stat(node, &stat);
	node_put(node);
	return copy_out(call, to, &stat, sizeof(stat));
}

static long
stat_path(struct call *call, int dirfd, u64 path, u64 to, u32 at_flags)
{
	struct node *node;
	int err = node_at(call, dirfd, path, at_flags, &node);

	return err ? err : put_stat(call, node, to);
}

long
sys_stat(struct call *call)
{
	return stat_path(call, AT_FDCWD, call->args[0], call->args[1], 0);
}

long
sys_lstat(struct call *call)
{
	return stat_path(call, AT_FDCWD, call->args[0], call->args[1],
			 AT_SYMLINK_NOFOLLOW);
}

long
sys_fstat(struct call *call)
{
	struct node *node;
	int err = node_of_fd(call, call->args[0], &node);

	return err ? err : put_stat(call, node, call->args[1]);
}

long
sys_newfstatat(struct call *call)
{
	if (arg32(call, 3) & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH |
				    AT_NO_AUTOMOUNT))
		return -EINVAL;
	return stat_path(call, (int)call->args[0], call->args[1], call->args[2],
			 call->args[3]);
}

static struct linux_statx_time
to_statx_time(const struct timespec *time)
{
	return (struct linux_statx_time){ time->tv_sec, (u32)time->tv_nsec, 0 };
}

static void
fill_statx(const struct stat *s, struct linux_statx *x)
{
	*x = (struct linux_statx){
		.mask = LINUX_STATX_BASIC,
		.blksize = (u32)s->st_blksize,
		.nlink = (u32)s->st_nlink,
		.uid = s->st_uid,
		.gid = s->st_gid,
		.mode = (u16)s->st_mode,
		.ino = s->st_ino,
		.size = (u64)s->st_size,
		.blocks = (u64)s->st_blocks,
		.atime = to_statx_time(&s->st_atim),
		.mtime = to_statx_time(&s->st_mtim),
		.ctime = to_statx_time(&s->st_ctim),
		.rdev_major = major(s->st_rdev),
		.rdev_minor = minor(s->st_rdev),
		.dev_major = major(s->st_dev),
		.dev_minor = minor(s->st_dev),
	};
}

enum { STATX_SYNC_BITS = 0x6000 };

long
sys_statx(struct call *call)
{
	struct linux_statx x;
	struct stat stat;
	struct node *node;
	u32 flags = arg32(call, 2);
	int err;

	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH |
			   AT_NO_AUTOMOUNT | STATX_SYNC_BITS))
		return -EINVAL;
	if ((u32)call->args[3] & (u32)LINUX_STATX_RESERVED ||
	    (flags & STATX_SYNC_BITS) == STATX_SYNC_BITS)
		return -EINVAL;
	err = node_at(call, (int)call->args[0], call->args[1], flags, &node);
	if (err)
		return err;
	node_stat(node, &stat);
	node_put(node);
	fill_statx(&stat, &x);
	return copy_out(call, call->args[4], &x, sizeof(x));
}

/* ---- access: everybody is root -------------------------------------- */

static long
do_access(struct call *call, int dirfd, u64 path, u32 mode, u32 at_flags)
{
	struct node *node;
	bool allowed;
	int err;

	if (mode & ~7u)
		return -EINVAL;
	err = node_at(call, dirfd, path, at_flags, &node);
	if (err)
		return err;
	allowed = !(mode & 1) || is_directory(node) || (node->mode & 0111);
	node_put(node);
	return allowed ? 0 : -EACCES;
}

long
sys_access(struct call *call)
{
	return do_access(call, AT_FDCWD, call->args[0], arg32(call, 1), 0);
}

long
sys_faccessat(struct call *call)
{
	return do_access(call, (int)call->args[0], call->args[1],
			 arg32(call, 2), 0);
}

long
sys_faccessat2(struct call *call)
{
	if (arg32(call, 3) & ~(u32)(AT_EACCESS | AT_SYMLINK_NOFOLLOW |
				    AT_EMPTY_PATH))
		return -EINVAL;
	return do_access(call, (int)call->args[0], call->args[1],
			 arg32(call, 2), call->args[3]);
}

/* ---- Mode and owner ------------------------------------------------- */

static long
change_mode(struct node *node, u64 mode)
{
	long result = 0;

	if (node->ops->lookup || node->fs == &proc_fs)
		result = -EPERM;
	else if (S_ISLNK(node->mode))
		result = -EOPNOTSUPP;
	else
		node->mode = (node->mode & S_IFMT) | (mode & 07777);
	if (!result)
		node_touch(node, false);
	node_put(node);
	return result;
}

long
sys_chmod(struct call *call)
{
	struct node *node;
	int err = node_at(call, AT_FDCWD, call->args[0], 0, &node);

	return err ? err : change_mode(node, call->args[1]);
}

long
sys_fchmod(struct call *call)
{
	struct node *node;
	int err = node_of_open_fd(call, call->args[0], &node);

	return err ? err : change_mode(node, call->args[1]);
}

long
sys_fchmodat(struct call *call)
{
	struct node *node;
	int err = node_at(call, (int)call->args[0], call->args[1], 0, &node);

	return err ? err : change_mode(node, call->args[2]);
}

/* As Linux does, it takes set-user-id bits away from all but directories. */
static long
change_owner(struct node *node, u32 uid, u32 gid)
{
	if (node->fs == &proc_fs) {
		node_put(node);
		return -EPERM;
	}
	if (uid != ~0u)
		node->uid = uid;
	if (gid != ~0u)
		node->gid = gid;
	if (!is_directory(node)) {
		node->mode &= ~(mode_t)S_ISUID;
		if (node->mode & S_IXGRP)
			node->mode &= ~(mode_t)S_ISGID;
	}
	node_touch(node, false);
	node_put(node);
	return 0;
}

static long
do_chown(struct call *call, int dirfd, u64 path, u32 uid, u32 gid, u32 at_flags)
{
	struct node *node;
	int err = node_at(call, dirfd, path, at_flags, &node);

	return err ? err : change_owner(node, uid, gid);
}

long
sys_chown(struct call *call)
{
	return do_chown(call, AT_FDCWD, call->args[0], call->args[1],
			call->args[2], 0);
}

long
sys_lchown(struct call *call)
{
	return do_chown(call, AT_FDCWD, call->args[0], call->args[1],
			call->args[2], AT_SYMLINK_NOFOLLOW);
}

long
sys_fchown(struct call *call)
{
	struct node *node;
	int err = node_of_open_fd(call, call->args[0], &node);

	return err ? err : change_owner(node, call->args[1], call->args[2]);
}

long
sys_fchownat(struct call *call)
{
	if (arg32(call, 4) & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return do_chown(call, (int)call->args[0], call->args[1], call->args[2],
			call->args[3], call->args[4]);
}

/* ---- Times ---------------------------------------------------------- */

#define NS_NOW	((1l << 30) - 1)
#define NS_OMIT ((1l << 30) - 2)

static int
set_time(u64 *time, const struct linux_timespec *t)
{
	if (t->nsec == NS_OMIT)
		return 0;
	if (t->nsec == NS_NOW) {
		*time = os_realtime();
		return 0;
	}
	if (t->nsec < 0 || t->nsec >= 1000000000)
		return -EINVAL;
	*time = (u64)t->sec * 1000000000 + (u64)t->nsec;
	return 0;
}

/* Takes over the reference. */
static long
set_times(struct node *node, const struct linux_timespec times[2])
{
	u64 atime = node->atime, mtime = node->mtime;
	int err = set_time(&atime, &times[0]);

	if (!err)
		err = set_time(&mtime, &times[1]);
	if (!err && node->fs == &proc_fs)
		err = -EPERM;
	if (!err) {
		node->atime = atime;
		node->mtime = mtime;
		node_touch(node, false);
	}
	node_put(node);
	return err;
}

static int
fetch_times(struct call *call, u64 from, struct linux_timespec times[2])
{
	times[0].nsec = times[1].nsec = NS_NOW;
	return from ? copy_in(call, times, from, 2 * sizeof(times[0])) : 0;
}

/* Without a path it is the descriptor's own file, which has no flags. */
static int
find_to_touch(struct call *call, int dirfd, u64 path, u32 flags,
	      struct node **node)
{
	if (path || dirfd == AT_FDCWD)
		return flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)
			       ? -EINVAL
			       : node_at(call, dirfd, path, flags, node);
	return flags ? -EINVAL : node_of_open_fd(call, (u64)dirfd, node);
}

long
sys_utimensat(struct call *call)
{
	struct linux_timespec times[2];
	struct node *node;
	int err = fetch_times(call, call->args[2], times);

	if (err)
		return err;
	if (times[0].nsec == NS_OMIT && times[1].nsec == NS_OMIT)
		return 0; /* Linux does not even look at the path */
	err = find_to_touch(call, (int)call->args[0], call->args[1],
			    call->args[3], &node);
	return err ? err : set_times(node, times);
}

/* utimes has microseconds, utime seconds. */
long
sys_utimes(struct call *call)
{
	struct linux_timespec times[2];
	struct node *node;
	int err = fetch_times(call, call->args[1], times);

	if (err)
		return err;
	for (int i = 0; i < 2 && call->args[1]; i++) {
		if (times[i].nsec < 0 || times[i].nsec >= 1000000)
			return -EINVAL;
		times[i].nsec *= 1000;
	}
	err = node_at(call, AT_FDCWD, call->args[0], 0, &node);
	return err ? err : set_times(node, times);
}

long
sys_utime(struct call *call)
{
	struct linux_timespec times[2] = { { 0, NS_NOW }, { 0, NS_NOW } };
	s64 seconds[2];
	struct node *node;
	int err = 0;

	if (call->args[1]) {
		err = copy_in(call, seconds, call->args[1], sizeof(seconds));
		times[0] = (struct linux_timespec){ seconds[0], 0 };
		times[1] = (struct linux_timespec){ seconds[1], 0 };
	}
	if (!err)
		err = node_at(call, AT_FDCWD, call->args[0], 0, &node);
	return err ? err : set_times(node, times);
}

/* ---- Size ----------------------------------------------------------- */

static long
change_size(struct node *node, u64 size)
{
	long err;

	if (is_directory(node))
		err = -EISDIR;
	else if (!S_ISREG(node->mode) || node->fs == &proc_fs)
		err = -EINVAL;
	else
		err = contents_truncate(node, size);
	if (!err)
		node_touch(node, true);
	node_put(node);
	return err;
}

long
sys_truncate(struct call *call)
{
	struct node *node;
	int err;

	if ((s64)call->args[1] < 0)
		return -EINVAL;
	err = node_at(call, AT_FDCWD, call->args[0], 0, &node);
	return err ? err : change_size(node, call->args[1]);
}

long
sys_ftruncate(struct call *call)
{
	struct file *file = descriptor_open(call->process->descriptors,
					    (u32)call->args[0]);

	if ((s64)call->args[1] < 0)
		return -EINVAL;
	if (!file)
		return -EBADF;
	if (!S_ISREG(file->node->mode) || !file_writable(file))
		return -EINVAL;
	return change_size(node_get(file->node), call->args[1]);
}

/* ---- File systems --------------------------------------------------- */

static long
put_statfs(struct call *call, struct node *node, u64 to)
{
	const struct filesystem *fs = node->fs;
	struct statfs stat = { 0 };

	stat.f_type = (__typeof__(stat.f_type))fs->magic;
	stat.f_bsize = stat.f_frsize = PAGE_SIZE;
	stat.f_blocks = fs->max_pages;
	stat.f_bfree = stat.f_bavail = fs->max_pages - fs->pages;
	stat.f_files = fs->max_nodes;
	stat.f_ffree = fs->max_nodes - fs->nodes;
	stat.f_namelen = LINUX_NAME_MAX;
	node_put(node);
	return copy_out(call, to, &stat, sizeof(stat));
}

long
sys_statfs(struct call *call)
{
	struct node *node;
	int err = node_at(call, AT_FDCWD, call->args[0], 0, &node);

	return err ? err : put_statfs(call, node, call->args[1]);
}

long
sys_fstatfs(struct call *call)
{
	struct node *node;
	int err = node_of_fd(call, call->args[0], &node);

	return err ? err : put_statfs(call, node, call->args[1]);
}
