/*
 * Bytes in and out. All reads and writes are one function: the file's operation
 * does what it can now; here is decided whether to wait for the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/directory.h"
#include "user/servers/unix/file.h"
#include "user/servers/unix/node.h"
#include "user/servers/unix/pipe.h"
#include "user/servers/unix/process.h"

/* Bytes that one call moves before others have their turn. */
enum { SLICE = 1 << 18 };

/* The server does one thing at a time: one array is enough for all. */
static struct linux_iovec spans[LINUX_IOV_MAX];

/* One read or write. */
struct transfer {
	struct file *file;
	struct io *io;
	u64 *position; /* NULL: the file's own */
	bool write;
	bool many;     /* pieces of memory: nothing at all is no error */
};

/* ---- Which file ----------------------------------------------------- */

/* A call that is run again goes on with the file that it began with, whatever
 * has become of the number. */
static struct file *
file_of(struct call *call, u64 fd)
{
	if (call->file)
		return call->file;
	return descriptor_file(call->process->descriptors, (u32)fd);
}

/* Of a file without the operation. */
static int
why_not(const struct transfer *t)
{
	if (!is_directory(t->file->node))
		return -EINVAL;
	return t->many && !t->io->left ? 0 : -EISDIR;
}

static inline int
check_access(const struct transfer *t)
{
	const struct file *file = t->file;
	bool able = t->write ? file_writable(file) : file_readable(file);

	if (file->flags & LINUX_O_PATH)
		return -EBADF;
	if (t->position && !file->ops->seekable)
		return -ESPIPE;
	if (!able)
		return -EBADF;
	if (!(t->write ? (void *)file->ops->write : (void *)file->ops->read))
		return why_not(t);
	return 0;
}

/* ---- The transfer --------------------------------------------------- */

static inline long
once(const struct transfer *t)
{
	u64 *position = t->position ? t->position : &t->file->position;

	if (t->write)
		return t->file->ops->write(t->file, t->io, position);
	return t->file->ops->read(t->file, t->io, position);
}

/* The file is kept open while the call waits. */
static long
hold_file(struct call *call, struct file *file, long result)
{
	if (result == WAITING && !call->file)
		call->file = file_get(file);
	return result;
}

static long
wait_for_file(struct call *call, struct file *file)
{
	if (file->flags & O_NONBLOCK)
		return -EAGAIN;
	return hold_file(call, file, call_wait(call, file->queue));
}

static void
send_sigpipe(struct call *call)
{
	os_signal(OS_THREAD, call->tid, LINUX_SIGPIPE, call->process->pid);
}

/* Goes on behind what was moved before. What this turn leaves for others. */
static inline u64
begin_slice(struct call *call, const struct transfer *t)
{
	u64 later;

	if (call->done) {
		io_skip(t->io, call->done);
		if (t->position)
			*t->position += call->done;
	}
	later = t->io->left > SLICE ? t->io->left - SLICE : 0;
	t->io->left -= later;
	return later;
}

/*
 * A read is over with the first bytes, unless they fill a slice, a write with
 * the last. What was moved counts more than the error that came after it.
 */
static __always_inline long
transfer(struct call *call, struct transfer *t)
{
	u64 later = begin_slice(call, t);
	long n;

	do {
		n = once(t);
		if (n > 0)
			call->done += (u64)n;
	} while (n > 0 && t->write && t->io->left);
	if (n == -EAGAIN)
		n = wait_for_file(call, t->file);
	else if (n > 0 && later && !t->io->left)
		n = hold_file(call, t->file, call_yield(call));
	if (n == -EPIPE && t->write)
		send_sigpipe(call);
	if (n == WAITING || call->done == 0)
		return n;
	return (long)call->done;
}

/* Each of its callers has a copy, without what it never needs. */
static __always_inline long
start_transfer(struct call *call, struct transfer *t)
{
	int err;

	t->file = file_of(call, call->args[0]);
	if (!t->file)
		return -EBADF;
	err = check_access(t);
	if (err || (t->many && !t->io->left))
		return err;
	return transfer(call, t);
}

/* ---- One piece of memory -------------------------------------------- */

static __always_inline long
one_span(struct call *call, u64 *position, bool write)
{
	struct linux_iovec span = { call->args[1],
				    MIN(call->args[2], LINUX_RW_MAX) };
	struct io io = { call, &span, 0, span.len };
	struct transfer t = { .io = &io, .position = position, .write = write };

	return start_transfer(call, &t);
}

long
sys_read(struct call *call)
{
	return one_span(call, NULL, false);
}

long
sys_write(struct call *call)
{
	return one_span(call, NULL, true);
}

long
sys_pread64(struct call *call)
{
	u64 position = call->args[3];

	return (s64)position < 0 ? -EINVAL : one_span(call, &position, false);
}

long
sys_pwrite64(struct call *call)
{
	u64 position = call->args[3];

	return (s64)position < 0 ? -EINVAL : one_span(call, &position, true);
}

/* ---- Many ----------------------------------------------------------- */

/* Fetches the array; the sum of the lengths, cut like a single one's. */
static long
fetch_spans(struct call *call, u64 from, u64 n)
{
	u64 sum = 0;
	int err;

	if (n > LINUX_IOV_MAX)
		return -EINVAL;
	err = copy_in(call, spans, from, n * sizeof(spans[0]));
	if (err)
		return err;
	for (u64 i = 0; i < n; i++) {
		if ((s64)spans[i].len < 0)
			return -EINVAL;
		spans[i].len = MIN(spans[i].len, LINUX_RW_MAX - sum);
		sum += spans[i].len;
	}
	return (long)sum;
}

static __always_inline long
many_spans(struct call *call, u64 *position, bool write)
{
	struct io io = { call, spans, 0, 0 };
	struct transfer t = { .io = &io, .position = position, .write = write,
			      .many = true };
	long sum;

	if (!file_of(call, call->args[0]))
		return -EBADF;
	sum = fetch_spans(call, call->args[1], call->args[2]);
	if (sum < 0)
		return sum;
	io.left = (u64)sum;
	return start_transfer(call, &t);
}

long
sys_readv(struct call *call)
{
	return many_spans(call, NULL, false);
}

long
sys_writev(struct call *call)
{
	return many_spans(call, NULL, true);
}

long
sys_preadv(struct call *call)
{
	u64 position = call->args[3];

	return (s64)position < 0 ? -EINVAL : many_spans(call, &position, false);
}

long
sys_pwritev(struct call *call)
{
	u64 position = call->args[3];

	return (s64)position < 0 ? -EINVAL : many_spans(call, &position, true);
}

/* ---- lseek ---------------------------------------------------------- */

/* Files have no holes: all is data up to the end. What is made when it is read
 * has no end that is known before; nor, as in tmpfs, has a directory. */
static s64
seek_base(const struct file *file, u64 offset, unsigned whence)
{
	u64 size = node_size(file->node);

	if (!S_ISREG(file->node->mode) || file->node->fs == &proc_fs)
		if (whence > SEEK_CUR)
			return -EINVAL;
	switch (whence) {
	case SEEK_SET:
		return 0;
	case SEEK_CUR:
		return (s64)file->position;
	case SEEK_END:
		return (s64)size;
	case SEEK_DATA:
		return offset >= size ? -ENXIO : 0;
	case SEEK_HOLE:
		return offset >= size ? -ENXIO : (s64)(size - offset);
	default:
		return -EINVAL;
	}
}

long
sys_lseek(struct call *call)
{
	struct file *file = descriptor_open(call->process->descriptors,
					    (u32)call->args[0]);
	s64 base, position;

	if (!file)
		return -EBADF;
	if ((u32)call->args[2] > SEEK_HOLE)
		return -EINVAL;
	if (!file->ops->seekable)
		return -ESPIPE;
	if (S_ISCHR(file->node->mode))
		return 0; /* nothing has a place there */
	base = seek_base(file, call->args[1], (u32)call->args[2]);
	if (base < 0)
		return base;
	if (__builtin_add_overflow(base, (s64)call->args[1], &position))
		return -EOVERFLOW;
	if (position < 0)
		return -EINVAL;
	if (position == 0 && is_directory(file->node))
		directory_rewind(file);
	file->position = (u64)position;
	return position;
}

/* ---- sendfile ------------------------------------------------------- */

enum { PIECE = 65536 };
static u8 piece[PIECE];

/* Moves one piece through the server. What the reader gave and the writer does
 * not take now is given back: a source has places. */
static long
move_piece(struct call *call, struct file *out, struct file *in, u64 *position,
	   u64 len)
{
	struct linux_iovec span = { (u64)piece, MIN(len, (u64)PIECE) };
	struct io io = { NULL, &span, 0, span.len };
	u64 before = *position;
	long got = in->ops->read(in, &io, position), put;

	if (got <= 0)
		return got;
	io = (struct io){ NULL, &span, 0, (u64)got };
	put = out->ops->write(out, &io, &out->position);
	*position = before + (u64)MAX(put, 0);
	if (put == -EPIPE)
		send_sigpipe(call);
	return put == -EAGAIN ? wait_for_file(call, out) : put;
}

static long
send_file(struct call *call, struct file *out, struct file *in, u64 *position)
{
	u64 len = MIN(call->args[3], LINUX_RW_MAX);
	u64 turn = call->done + SLICE;
	long n = 0;

	while (call->done < len) {
		if (call->done >= turn) {
			n = hold_file(call, out, call_yield(call));
			break;
		}
		n = move_piece(call, out, in, position, len - call->done);
		if (n <= 0)
			break;
		call->done += (u64)n;
	}
	if (n == WAITING || call->done == 0)
		return n;
	return (long)call->done;
}

static int
check_sendfile(const struct file *out, const struct file *in)
{
	if (!out || !in || !file_writable(out) || !file_readable(in))
		return -EBADF;
	if (is_directory(in->node) || !in->ops->read || !in->ops->seekable)
		return -EINVAL;
	if (!out->ops->write || (out->flags & O_APPEND))
		return -EINVAL;
	return 0;
}

long
sys_sendfile(struct call *call)
{
	struct file *out = file_of(call, call->args[0]);
	struct file *in = descriptor_file(call->process->descriptors,
					  (u32)call->args[1]);
	u64 given, *position;
	long result;
	int err = check_sendfile(out, in);

	if (err)
		return err;
	position = &in->position;
	if (call->args[2]) {
		err = copy_in(call, &given, call->args[2], sizeof(given));
		if (err || (s64)given < 0)
			return err ? err : -EINVAL;
		given += call->done;
		position = &given;
	}
	result = send_file(call, out, in, position);
	if (result > 0 && call->args[2])
		err = copy_out(call, call->args[2], &given, sizeof(given));
	return err ? err : result;
}

/* ---- What is on no disk is in order --------------------------------- */

long
sys_fsync(struct call *call)
{
	struct file *file = descriptor_open(call->process->descriptors,
					    (u32)call->args[0]);

	if (!file)
		return -EBADF;
	return S_ISFIFO(file->node->mode) || S_ISCHR(file->node->mode)
		       ? -EINVAL : 0;
}

long
sys_sync(struct call *call)
{
	(void)call;
	return 0;
}

long
sys_fadvise64(struct call *call)
{
	struct file *file = descriptor_open(call->process->descriptors,
					    (u32)call->args[0]);

	if (!file)
		return -EBADF;
	if (S_ISFIFO(file->node->mode))
		return -ESPIPE;
	return arg32(call, 3) > POSIX_FADV_NOREUSE ? -EINVAL : 0;
}
