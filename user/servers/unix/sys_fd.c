/* Numbers of open files: pipe, dup, close, fcntl. */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/file.h"
#include "user/servers/unix/lock.h"
#include "user/servers/unix/node.h"
#include "user/servers/unix/pipe.h"
#include "user/servers/unix/process.h"

static struct file *
file_at(struct call *call, u64 fd)
{
	return descriptor_file(call->process->descriptors, fd);
}

static u64
limit(struct call *call)
{
	return process_limit(call->process, RLIMIT_NOFILE);
}

long
sys_close(struct call *call)
{
	return descriptor_close(call->process->descriptors,
				(u32)call->args[0]);
}

/* ---- dup ------------------------------------------------------------ */

static long
duplicate(struct call *call, u64 from, bool close_on_exec)
{
	struct file *file = file_at(call, (u32)call->args[0]);
	long fd;

	if (!file)
		return -EBADF;
	if (from >= limit(call))
		return -EINVAL;
	fd = descriptor_add(call->process->descriptors, file_get(file), from,
			    limit(call), close_on_exec);
	if (fd < 0)
		file_put(file);
	return fd;
}

long
sys_dup(struct call *call)
{
	return duplicate(call, 0, false);
}

static long
duplicate_to(struct call *call, bool close_on_exec)
{
	struct file *file = file_at(call, (u32)call->args[0]);
	long fd;

	if (!file)
		return -EBADF;
	fd = descriptor_replace(call->process->descriptors,
				(u32)call->args[1], file_get(file),
				limit(call), close_on_exec);
	if (fd < 0)
		file_put(file);
	return fd;
}

long
sys_dup2(struct call *call)
{
	u32 fd = (u32)call->args[0];

	if (fd == (u32)call->args[1])
		return file_at(call, fd) ? (long)fd : -EBADF;
	return duplicate_to(call, false);
}

long
sys_dup3(struct call *call)
{
	if (arg32(call, 2) & ~(u32)O_CLOEXEC)
		return -EINVAL;
	if ((u32)call->args[0] == (u32)call->args[1])
		return -EINVAL;
	return duplicate_to(call, arg32(call, 2) & O_CLOEXEC);
}

/* ---- pipe ----------------------------------------------------------- */

/* Both ends get numbers, or none. */
static int
number_ends(struct call *call, struct file *ends[2], bool close_on_exec,
	    s32 fds[2])
{
	struct descriptors *d = call->process->descriptors;
	long fd = descriptor_add(d, ends[0], 0, limit(call), close_on_exec);

	if (fd < 0) {
		file_put(ends[0]);
		file_put(ends[1]);
		return (int)fd;
	}
	fds[0] = (s32)fd;
	fd = descriptor_add(d, ends[1], 0, limit(call), close_on_exec);
	if (fd < 0) {
		descriptor_close(d, (u64)fds[0]);
		file_put(ends[1]);
		return (int)fd;
	}
	fds[1] = (s32)fd;
	return 0;
}

static long
give_pipe(struct call *call, int flags)
{
	struct descriptors *d = call->process->descriptors;
	struct file *ends[2];
	s32 fds[2];
	int err;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = pipe_create(flags & O_NONBLOCK, ends);
	if (err)
		return err;
	err = number_ends(call, ends, flags & O_CLOEXEC, fds);
	if (err)
		return err;
	err = copy_out(call, call->args[0], fds, sizeof(fds));
	if (err) {
		descriptor_close(d, (u64)fds[0]);
		descriptor_close(d, (u64)fds[1]);
	}
	return err;
}

long
sys_pipe(struct call *call)
{
	return give_pipe(call, 0);
}

long
sys_pipe2(struct call *call)
{
	return give_pipe(call, (int)call->args[1]);
}

/* ---- fcntl ---------------------------------------------------------- */

enum { CHANGEABLE = O_APPEND | O_NONBLOCK, PIPE_SIZE = 65536 };

static long
set_flags(struct file *file, int flags)
{
	file->flags = (file->flags & ~CHANGEABLE) | (flags & CHANGEABLE);
	return 0;
}

/* A pipe has one size. */
static long
set_pipe_size(struct file *file, u64 size)
{
	if (!is_pipe(file))
		return -EBADF;
	if (size > INT32_MAX)
		return -EINVAL;
	return size <= PIPE_SIZE ? PIPE_SIZE : -EPERM;
}

long
sys_fcntl(struct call *call)
{
	struct descriptors *d = call->process->descriptors;
	u32 fd = arg32(call, 0), what = arg32(call, 1);
	struct file *file = file_at(call, fd);
	u64 arg = call->args[2];

	if (!file)
		return -EBADF;
	if ((file->flags & LINUX_O_PATH) && what >= F_SETFL &&
	    what != F_DUPFD_CLOEXEC)
		return -EBADF;
	switch (what) {
	case F_DUPFD:
		return duplicate(call, (u32)arg, false);
	case F_DUPFD_CLOEXEC:
		return duplicate(call, (u32)arg, true);
	case F_GETFD:
		return d->table[fd].close_on_exec ? FD_CLOEXEC : 0;
	case F_SETFD:
		d->table[fd].close_on_exec = arg & FD_CLOEXEC;
		return 0;
	case F_GETFL:
		return file->flags;
	case F_SETFL:
		return set_flags(file, (int)arg);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
		return lock_fcntl(call, file);
	case F_GETPIPE_SZ:
		return is_pipe(file) ? PIPE_SIZE : -EBADF;
	case F_SETPIPE_SZ:
		return set_pipe_size(file, arg);
	default:
		return -EINVAL;
	}
}
