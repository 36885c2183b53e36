/* Waiting for many files: poll and select, which are one. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/file.h"
#include "user/servers/unix/process.h"

enum {
	FDS_MAX = 1024, /* no process has more */
	ALWAYS_READY = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM,
	ALWAYS_TOLD = POLLERR | POLLHUP | POLLNVAL,
};

/* The server does one thing at a time. */
static struct linux_pollfd fds[FDS_MAX];

/* ---- The core ------------------------------------------------------- */

static unsigned
events_now(struct file *file)
{
	if (!file)
		return POLLNVAL;
	return file->ops->poll ? file->ops->poll(file) : ALWAYS_READY;
}

/* Fills in what holds now, of what each was asked for and of @also; how many
 * have something to tell. */
static unsigned
look(struct call *call, unsigned n, unsigned also)
{
	unsigned ready = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned wanted = (u16)fds[i].events | also;

		fds[i].revents = 0;
		if (fds[i].fd < 0)
			continue;
		fds[i].revents = (s16)(wanted & events_now(descriptor_open(
						call->process->descriptors,
						(u32)fds[i].fd)));
		ready += fds[i].revents != 0;
	}
	return ready;
}

static long
wait_for_all(struct call *call, unsigned n)
{
	const struct descriptors *d = call->process->descriptors;
	int err = call_wait_begin(call, n);
	long result;

	if (err)
		return err;
	for (unsigned i = 0; i < n; i++) {
		struct file *file = fds[i].fd < 0
					    ? NULL
					    : descriptor_file(d, (u32)fds[i].fd);

		if (file && file->queue)
			call_wait_also(call, file);
	}
	result = call_wait_end(call);
	return result == -ERESTARTSYS ? -ERESTARTNOHAND : result;
}

/*
 * How many of fds[] are ready, at once or later, WAITING, or an error. The
 * timeout, in nanoseconds, counts from when the call came.
 */
static long
poll_fds(struct call *call, unsigned n, unsigned also, u64 timeout)
{
	unsigned ready = look(call, n, also);
	u64 deadline;

	if (ready || timeout == 0 || call->timed_out)
		return ready;
	if (!call->deadline) {
		deadline = timeout == OS_NEVER ? OS_NEVER : os_now() + timeout;
		if (deadline < timeout)
			deadline = OS_NEVER;
		if (call_set_deadline(call, deadline))
			return -ENOMEM;
	}
	return wait_for_all(call, n);
}

/* ---- Timeouts ------------------------------------------------------- */

static int
to_timeout(s64 sec, s64 fraction, s64 per_second, u64 *timeout)
{
	if (sec < 0 || fraction < 0 || fraction >= per_second)
		return -EINVAL;
	if ((u64)sec > OS_NEVER / 2 / 1000000000)
		*timeout = OS_NEVER;
	else
		*timeout = (u64)sec * 1000000000 +
			   (u64)fraction * (1000000000 / (u64)per_second);
	return 0;
}

static int
fetch_timespec(struct call *call, u64 from, u64 *timeout)
{
	struct linux_timespec time;
	int err;

	*timeout = OS_NEVER;
	if (!from)
		return 0;
	err = copy_in(call, &time, from, sizeof(time));
	return err ? err : to_timeout(time.sec, time.nsec, 1000000000, timeout);
}

/* Linux tells how much time was left; a place that cannot be written is no
 * error. */
static void
put_remaining(struct call *call, u64 to, s64 per_second)
{
	u64 now = os_now(), left;
	struct linux_timespec time;

	if (!to || call->deadline == OS_NEVER)
		return;
	left = call->deadline > now ? call->deadline - now : 0;
	time.sec = (s64)(left / 1000000000);
	time.nsec = (s64)(left % 1000000000) / (1000000000 / per_second);
	copy_out(call, to, &time, sizeof(time));
}

/* ---- poll ----------------------------------------------------------- */

static int
put_results(struct call *call, unsigned n)
{
	int err = 0;

	for (unsigned i = 0; i < n && !err; i++)
		err = copy_out(call, call->args[0] + i * sizeof(fds[0]) + 6,
			       &fds[i].revents, sizeof(fds[i].revents));
	return err;
}

static long
do_poll(struct call *call, u64 timeout)
{
	u64 n = (u32)call->args[1];
	long result;
	int err;

	if (n > process_limit(call->process, RLIMIT_NOFILE) || n > FDS_MAX)
		return -EINVAL;
	err = copy_in(call, fds, call->args[0], n * sizeof(fds[0]));
	if (err)
		return err;
	result = poll_fds(call, (unsigned)n, ALWAYS_TOLD, timeout);
	if (result >= 0)
		err = put_results(call, (unsigned)n);
	return err ? err : result;
}

/* The timeout does not begin anew when the call goes on after a stop: its caller
 * cannot be told what is left, as ppoll's and select's are. */
static long
restartable_poll(struct call *call, u64 timeout)
{
	long result = do_poll(call, timeout);

	if (result != -ERESTARTNOHAND || call->deadline == OS_NEVER)
		return result;
	os_answer_restart(call->reply, call->deadline);
	return ANSWERED;
}

long
sys_poll(struct call *call)
{
	int ms = (int)call->args[2];

	return restartable_poll(call, ms < 0 ? OS_NEVER : (u64)ms * 1000000);
}

/* Comes after os_answer_restart(), with poll's arguments. */
long
sys_restart_syscall(struct call *call)
{
	if (!call->deadline && call_set_deadline(call, call->args[5]))
		return -ENOMEM;
	return restartable_poll(call, OS_NEVER);
}

long
sys_ppoll(struct call *call)
{
	u64 timeout;
	long result;
	int err = fetch_timespec(call, call->args[2], &timeout);

	if (err)
		return err;
	result = do_poll(call, timeout);
	if (result != WAITING && call->deadline)
		put_remaining(call, call->args[2], 1000000000);
	return result;
}

/* ---- select --------------------------------------------------------- */

enum set { READ, WRITE, EXCEPT, NR_SETS };

struct sets {
	u64 words[NR_SETS][FDS_MAX / 64];
};

/* What a member of each set is told of, which is not all that poll tells. */
static const s16 told[NR_SETS] = {
	[READ] = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR |
		 POLLNVAL,
	[WRITE] = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR | POLLNVAL,
	[EXCEPT] = POLLPRI | POLLNVAL,
};

static size_t
set_bytes(unsigned n)
{
	return ALIGN_UP(n, 64u) / 8;
}

static int
fetch_sets(struct call *call, unsigned n, struct sets *sets)
{
	int err = 0;

	memset(sets, 0, sizeof(*sets));
	for (int s = 0; s < NR_SETS && !err; s++) {
		if (call->args[1 + s])
			err = copy_in(call, sets->words[s], call->args[1 + s],
				      set_bytes(n));
	}
	return err;
}

/* As an array; how many, or -EBADF. */
static long
sets_to_fds(struct call *call, unsigned n, const struct sets *sets)
{
	unsigned used = 0;

	for (unsigned fd = 0; fd < n; fd++) {
		s16 events = 0;

		for (int s = 0; s < NR_SETS; s++) {
			if (sets->words[s][fd / 64] >> fd % 64 & 1)
				events |= told[s];
		}
		if (!events)
			continue;
		if (!descriptor_file(call->process->descriptors, fd))
			return -EBADF;
		fds[used++] = (struct linux_pollfd){ (s32)fd, events, 0 };
	}
	return used;
}

/* Counts a descriptor once for each set that it is in. */
static long
fds_to_sets(unsigned n, const struct sets *wanted, struct sets *result)
{
	long count = 0;

	memset(result, 0, sizeof(*result));
	for (unsigned i = 0; i < n; i++) {
		unsigned fd = (unsigned)fds[i].fd;

		for (int s = 0; s < NR_SETS; s++) {
			u64 bit = 1ull << fd % 64;

			if (!(wanted->words[s][fd / 64] & bit) ||
			    !(fds[i].revents & told[s]))
				continue;
			result->words[s][fd / 64] |= bit;
			count++;
		}
	}
	return count;
}

static int
put_sets(struct call *call, unsigned n, const struct sets *sets)
{
	int err = 0;

	for (int s = 0; s < NR_SETS && !err; s++) {
		if (call->args[1 + s])
			err = copy_out(call, call->args[1 + s], sets->words[s],
				       set_bytes(n));
	}
	return err;
}

static long
do_select(struct call *call, u64 timeout)
{
	int n = (int)call->args[0];
	struct sets wanted, ready;
	long used, result;
	int err;

	if (n < 0)
		return -EINVAL;
	n = MIN(n, (int)FDS_MAX);
	err = fetch_sets(call, (unsigned)n, &wanted);
	if (err)
		return err;
	used = sets_to_fds(call, (unsigned)n, &wanted);
	if (used < 0)
		return used;
	result = poll_fds(call, (unsigned)used, 0, timeout);
	if (result < 0)
		return result;
	result = fds_to_sets((unsigned)used, &wanted, &ready);
	err = put_sets(call, (unsigned)n, &ready);
	return err ? err : result;
}

long
sys_select(struct call *call)
{
	struct linux_timeval time;
	u64 timeout = OS_NEVER;
	long result;
	int err = 0;

	if (call->args[4] && !call->deadline) {
		err = copy_in(call, &time, call->args[4], sizeof(time));
		if (!err && __builtin_add_overflow(time.sec, time.usec / 1000000,
						   &time.sec))
			err = -EINVAL;
		if (!err)
			err = to_timeout(time.sec, time.usec % 1000000, 1000000,
					 &timeout);
	}
	if (err)
		return err;
	result = do_select(call, timeout);
	if (result != WAITING && call->deadline)
		put_remaining(call, call->args[4], 1000000);
	return result;
}

long
sys_pselect6(struct call *call)
{
	u64 timeout = OS_NEVER;
	long result;
	int err = 0;

	if (!call->deadline)
		err = fetch_timespec(call, call->args[4], &timeout);
	if (err)
		return err;
	result = do_select(call, timeout);
	if (result != WAITING && call->deadline)
		put_remaining(call, call->args[4], 1000000000);
	return result;
}
