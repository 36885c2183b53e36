/* The terminal as a file: reading with VMIN and VTIME, ioctl. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "user/servers/unix/device.h"
#include "user/servers/unix/node.h"
#include "user/servers/unix/process.h"
#include "user/servers/unix/tty.h"

enum { TTY_PIECE = 1024, TENTH = 100000000 /* of a second, in ns */ };

static struct tty *
tty_of_file(const struct file *file)
{
	(void)file;
	return &console_tty;
}

/* Opened before the terminal was hung up. file->position holds the count. */
static bool
is_dead(const struct file *file)
{
	return file->position != tty_of_file(file)->hangups;
}

/* ---- Reading -------------------------------------------------------- */

/*
 * May a raw read return now? VMIN says how many bytes it wants, VTIME how long
 * it waits: for the first if VMIN is 0, else for each after the first.
 */
static bool
raw_is_ready(struct tty *tty, struct call *call, u64 wanted)
{
	u64 have = tty_readable(tty), min = tty->termios.cc[VMIN];
	u64 time = tty->termios.cc[VTIME] * (u64)TENTH;

	if (have >= wanted || call->timed_out)
		return true;
	if (min == 0 && (have || time == 0))
		return true;
	if (min && have >= min)
		return true;
	if (time && min && have)
		call_set_deadline(call, tty->last_input + time);
	else if (time && !min && !call->deadline)
		call_set_deadline(call, os_now() + time);
	return false;
}

static bool
is_ready(struct tty *tty, struct call *call, u64 wanted)
{
	if (tty->termios.lflag & ICANON)
		return tty_readable(tty) > 0;
	return raw_is_ready(tty, call, wanted);
}

static long
take(struct tty *tty, struct io *io)
{
	u8 bytes[TTY_PIECE];
	long done = 0;

	while (io->left) {
		size_t n = tty_take(tty, bytes, MIN(io->left, sizeof(bytes)));
		int err = io_out(io, bytes, n);

		if (err)
			return done ? done : err;
		done += (long)n;
		if (n < sizeof(bytes))
			break;
	}
	tty_exchange(tty); /* what had no room before */
	return done;
}

static long
tty_read(struct file *file, struct io *io, u64 *position)
{
	struct tty *tty = tty_of_file(file);
	int err;

	(void)position;
	if (is_dead(file) || io->left == 0 || !io->call)
		return 0;
	err = tty_check_job(tty, io->call, LINUX_SIGTTIN);
	if (err)
		return err;
	return is_ready(tty, io->call, io->left) ? take(tty, io) : -EAGAIN;
}

/* ---- Writing -------------------------------------------------------- */

static long
tty_write(struct file *file, struct io *io, u64 *position)
{
	struct tty *tty = tty_of_file(file);
	u8 bytes[TTY_PIECE];
	size_t len = MIN(io->left, sizeof(bytes)), done;
	int err = 0;

	(void)position;
	if (is_dead(file))
		return -EIO;
	if ((tty->termios.lflag & TOSTOP) && io->call)
		err = tty_check_job(tty, io->call, LINUX_SIGTTOU);
	if (err || len == 0)
		return err;
	if (!tty_writable(tty))
		return -EAGAIN;
	struct io before = *io;

	err = io_in(io, bytes, len);
	if (err)
		return err;
	done = tty_put(tty, bytes, len);
	*io = before;
	io_skip(io, done);
	return done ? (long)done : -EAGAIN;
}

static unsigned
tty_poll(struct file *file)
{
	struct tty *tty = tty_of_file(file);
	unsigned min = tty->termios.cc[VMIN], events = 0;

	if (is_dead(file))
		return POLLIN | POLLOUT | POLLHUP | POLLERR | POLLRDNORM |
		       POLLWRNORM;
	if ((tty->termios.lflag & ICANON) || tty->termios.cc[VTIME] || !min)
		min = 1;
	if (tty_readable(tty) >= min)
		events |= POLLIN | POLLRDNORM;
	if (tty_writable(tty))
		events |= POLLOUT | POLLWRNORM;
	return events;
}

/* ---- ioctl ---------------------------------------------------------- */

static long
wait_for_output(struct tty *tty, struct call *call)
{
	if (tty->output_head == tty->output_tail)
		return 0;
	return call_wait(call, &tty->queue);
}

/* TCSETS now, TCSETSW after the output, TCSETSF also without the input. */
static long
set_termios(struct tty *tty, struct call *call)
{
	struct linux_termios termios;
	long err = tty_check_job(tty, call, LINUX_SIGTTOU);

	if (!err)
		err = copy_in(call, &termios, call->args[2], sizeof(termios));
	if (!err && arg32(call, 1) != TCSETS)
		err = wait_for_output(tty, call);
	if (err)
		return err;
	if (arg32(call, 1) == TCSETSF)
		tty_flush_input(tty);
	tty_set_termios(tty, &termios);
	return 0;
}

static long
flush(struct tty *tty, u64 what)
{
	if (what > TCIOFLUSH)
		return -EINVAL;
	if (what == TCIFLUSH || what == TCIOFLUSH)
		tty_flush_input(tty);
	if (what == TCOFLUSH || what == TCIOFLUSH)
		tty_flush_output(tty);
	return 0;
}

static long
flow(struct tty *tty, u64 what)
{
	if (what > TCION)
		return -EINVAL;
	if (what == TCOOFF || what == TCOON)
		tty_stop(tty, what == TCOOFF);
	return 0;
}

static long
put_int(struct call *call, int value)
{
	return copy_out(call, call->args[2], &value, sizeof(value));
}

static long
set_group(struct tty *tty, struct call *call)
{
	s32 group;
	int err = copy_in(call, &group, call->args[2], sizeof(group));

	return err ? err : tty_set_group(tty, call, group);
}

static long
set_size(struct tty *tty, struct call *call)
{
	struct linux_winsize size;
	int err = copy_in(call, &size, call->args[2], sizeof(size));

	if (err)
		return err;
	tty_resize(tty, size.row, size.col);
	tty->size = size;
	return 0;
}

/* Only for the session that has it. */
static long
own_ioctl(struct tty *tty, struct call *call)
{
	if (tty_of(call) != tty)
		return -ENOTTY;
	return put_int(call, arg32(call, 1) == TIOCGPGRP ? tty->group
						     : tty->session);
}

static long
tty_ioctl(struct file *file, struct call *call)
{
	struct tty *tty = tty_of_file(file);
	u64 arg = call->args[2];

	if (is_dead(file))
		return -EIO;
	switch ((u32)call->args[1]) {
	case TCGETS:
		return copy_out(call, arg, &tty->termios, sizeof(tty->termios));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_termios(tty, call);
	case TIOCGWINSZ:
		return copy_out(call, arg, &tty->size, sizeof(tty->size));
	case TIOCSWINSZ:
		return set_size(tty, call);
	case TIOCGPGRP:
	case TIOCGSID:
		return own_ioctl(tty, call);
	case TIOCSPGRP:
		return set_group(tty, call);
	case TIOCSCTTY:
		return tty_acquire(tty, call, arg == 1);
	case TIOCNOTTY:
		return tty_release(tty, call);
	case TCFLSH:
		return flush(tty, arg);
	case TCXONC:
		return flow(tty, arg);
	case TCSBRK:
	case TCSBRKP:
		return wait_for_output(tty, call);
	case FIONREAD:
		return put_int(call, (int)tty_readable(tty));
	case TIOCOUTQ:
		return put_int(call,
			       (int)(tty->output_head - tty->output_tail));
	default:
		return -ENOTTY;
	}
}

/* ---- Opening -------------------------------------------------------- */

static const struct file_ops tty_ops = {
	.read = tty_read,
	.write = tty_write,
	.poll = tty_poll,
	.ioctl = tty_ioctl,
};

static int
open_tty(struct tty *tty, struct node *node, int flags, struct file **file)
{
	*file = file_create(node, &tty_ops, flags);
	if (!*file)
		return -ENOMEM;
	(*file)->queue = &tty->queue;
	(*file)->position = tty->hangups;
	return 0;
}

/* A session's leader without a terminal gets this one, unless it says that it
 * does not want it. */
int
console_open(struct node *node, struct call *call, int flags,
	     struct file **file)
{
	struct tty *tty = &console_tty;

	if (!(flags & O_NOCTTY) && call && !tty->session)
		tty_acquire(tty, call, false);
	return open_tty(tty, node, flags, file);
}

int
own_tty_open(struct node *node, struct call *call, int flags,
	     struct file **file)
{
	struct tty *tty = tty_of(call);

	return tty ? open_tty(tty, node, flags, file) : -ENXIO;
}
