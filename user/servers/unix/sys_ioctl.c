/* ioctl: what every file understands; the rest is the file's own. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/file.h"
#include "user/servers/unix/node.h"
#include "user/servers/unix/pipe.h"
#include "user/servers/unix/process.h"

static long
put_readable(struct call *call, struct file *file)
{
	s32 bytes;

	if (is_pipe(file))
		bytes = (s32)pipe_level(file);
	else if (S_ISREG(file->node->mode))
		bytes = (s32)(node_size(file->node) - file->position);
	else
		return -ENOTTY;
	return copy_out(call, call->args[2], &bytes, sizeof(bytes));
}

static long
set_nonblocking(struct call *call, struct file *file)
{
	s32 on;
	int err = copy_in(call, &on, call->args[2], sizeof(on));

	if (!err)
		file->flags = on ? file->flags | O_NONBLOCK
				 : file->flags & ~O_NONBLOCK;
	return err;
}

long
sys_ioctl(struct call *call)
{
	struct descriptors *d = call->process->descriptors;
	u32 fd = (u32)call->args[0];
	struct file *file = call->file ? call->file : descriptor_open(d, fd);
	long result;

	if (!file)
		return -EBADF;
	switch ((u32)call->args[1]) {
	case FIOCLEX:
	case FIONCLEX:
		d->table[fd].close_on_exec = arg32(call, 1) == FIOCLEX;
		return 0;
	case FIONBIO:
		return set_nonblocking(call, file);
	case FIONREAD:
		if (!file->ops->ioctl)
			return put_readable(call, file);
	}
	if (!file->ops->ioctl)
		return -ENOTTY;
	result = file->ops->ioctl(file, call);
	if (result == WAITING && !call->file)
		call->file = file_get(file);
	return result;
}
