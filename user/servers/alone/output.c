/* Descriptors 1 and 2 are the kernel's log; 0 is open, and nothing else is. */
#include "user/servers/alone/alone.h"

#include <errno.h>
#include <sys/uio.h>

#include "user/include/lodger.h"

enum { CHUNK = 4096, MAX_IOV = 1024 };

static bool
is_output(uint64_t fd)
{
	return (int)fd == 1 || (int)fd == 2;
}

/* How much of it; an error only if that is nothing. */
static long
write_log(const struct call *call, uint64_t text, uint64_t len)
{
	static char chunk[CHUNK];
	uint64_t done = 0;

	while (done < len) {
		size_t part = len - done < CHUNK ? len - done : CHUNK;
		int err = fetch(call, chunk, text + done, part);

		if (err)
			return done ? (long)done : err;
		lodger_klog_write(chunk, part);
		done += part;
	}
	return (long)done;
}

long
sys_write(const struct call *call)
{
	uint64_t text = call->args[1], len = call->args[2];

	if (!is_output(call->args[0]))
		return -EBADF;
	if (!is_user_range(text, len))
		return -EFAULT;
	return write_log(call, text, len);
}

/* All pieces are looked at before the first is written, as Linux does. */
static int
fetch_vector(const struct call *call, struct iovec *vector, int count)
{
	int err = fetch(call, vector, call->args[1],
			(size_t)count * sizeof(*vector));

	for (int i = 0; i < count && !err; i++) {
		if ((long)vector[i].iov_len < 0)
			err = -EINVAL;
		else if (!is_user_range((uint64_t)vector[i].iov_base,
					vector[i].iov_len))
			err = -EFAULT;
	}
	return err;
}

long
sys_writev(const struct call *call)
{
	static struct iovec vector[MAX_IOV];
	int count = (int)call->args[2];
	long total = 0;
	int err;

	if (!is_output(call->args[0]))
		return -EBADF;
	if (count < 0 || count > MAX_IOV)
		return -EINVAL;
	err = fetch_vector(call, vector, count);
	if (err)
		return err;
	for (int i = 0; i < count; i++) {
		long done = write_log(call, (uint64_t)vector[i].iov_base,
				      vector[i].iov_len);

		if (done < 0)
			return total ? total : done;
		total += done;
		if ((size_t)done < vector[i].iov_len)
			break;
	}
	return total;
}

long
sys_ioctl(const struct call *call)
{
	return (unsigned)call->args[0] <= 2 ? -ENOTTY : -EBADF;
}
