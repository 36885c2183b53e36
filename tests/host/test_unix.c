// with: tests/host/unix/os_host.c user/servers/unix/[a-l]*.c user/servers/unix/memfs.c user/servers/unix/[np-z]*.c user/lib/elf.c user/lib/stack.c -D_GNU_SOURCE -Iuser/include
/* The Unix server's core, without a kernel. What is compared with Linux is in
 * test_unix_linux.c; here is what Linux cannot be asked: who waits, who is
 * told, and what is left when something fails. */
#include "host.h"
#include "unix/os_host.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>

#include "user/servers/unix/linux.h"
#include "user/servers/unix/node.h"
#include "user/servers/unix/process.h"
#include "user/servers/unix/server.h"
#include "user/servers/unix/tty.h"

enum { OTHER = 11, THIRD = 12 };

#define MS 1000000ull

#define BIT(sig) (1ull << ((sig) - 1))

static long
open_by(int pid, const char *path, int flags)
{
	return host_call(pid, SYS_open, arena_string(path), (u64)flags, 0755, 0,
			 0, 0);
}

static long
open_at(const char *path, int flags)
{
	return open_by(SHELL, path, flags);
}

static long
write_by(int pid, long fd, const char *text)
{
	return host_call(pid, SYS_write, (u64)fd, arena_string(text),
			 strlen(text), 0, 0, 0);
}

static long
write_text(long fd, const char *text)
{
	return write_by(SHELL, fd, text);
}

/* Reads up to @len bytes, which must be @text. */
static void
expect_read(long fd, size_t len, const char *text)
{
	u64 buf = arena_put(NULL, len);

	CHECK_EQ(CALL3(SYS_read, fd, buf, len), (long)strlen(text));
	CHECK(memcmp((void *)buf, text, strlen(text)) == 0);
}

static void
make_file(const char *path, const void *bytes, size_t len, int mode)
{
	long fd = CALL3(SYS_open, arena_string(path), O_CREAT | O_WRONLY, mode);

	CHECK(fd >= 0);
	CHECK_EQ(CALL3(SYS_write, fd, arena_put(bytes, len), len), (long)len);
	CHECK_EQ(CALL1(SYS_close, fd), 0);
}

static void
make_pipe(int fds[2], int flags)
{
	u64 place = arena_put(NULL, 8);

	CHECK_EQ(CALL2(SYS_pipe2, place, flags), 0);
	memcpy(fds, (void *)place, 8);
}

/* ---- Files ---------------------------------------------------------- */

static void
failed_writes(void)
{
	long fd;

	host_begin(NULL, 0);
	fd = open_at("/a", O_RDWR | O_CREAT | O_EXCL);
	CHECK_EQ(fd, 3);
	CHECK_EQ(write_text(fd, "hello"), 5);
	CHECK_EQ(CALL3(SYS_write, fd, ARENA_BAD, 10), -EFAULT);
	memset((void *)arena_at_end(3), 'x', 3);
	CHECK_EQ(CALL3(SYS_write, fd, arena_at_end(3), 10), -EFAULT);
	CHECK_EQ(CALL3(SYS_lseek, fd, 0, SEEK_END), 5);
	CHECK_EQ(CALL2(SYS_ftruncate, fd, 8), 0);
	CHECK_EQ(CALL3(SYS_lseek, fd, 0, SEEK_SET), 0);
	u64 buf = arena_put(NULL, 100);

	CHECK_EQ(CALL3(SYS_read, fd, buf, 100), 8);
	CHECK(memcmp((void *)buf, "hello\0\0\0", 8) == 0);
}

static void
no_space(void)
{
	long fd, n;

	host_begin(NULL, 0);
	root_fs.max_pages = root_fs.pages + 4;
	fd = open_at("/a", O_RDWR | O_CREAT);
	CHECK_EQ(CALL2(SYS_ftruncate, fd, 5 * PAGE_SIZE), -ENOSPC);
	CHECK_EQ(CALL2(SYS_ftruncate, fd, PAGE_SIZE), 0);
	CHECK_EQ(CALL3(SYS_lseek, fd, 0, SEEK_END), (long)PAGE_SIZE);
	n = CALL3(SYS_write, fd, arena_put(NULL, 5 * PAGE_SIZE), 5 * PAGE_SIZE);
	CHECK_EQ(n, 3 * PAGE_SIZE);
	CHECK_EQ(write_text(fd, "x"), -ENOSPC);
	CHECK_EQ(CALL2(SYS_ftruncate, fd, 1ull << 62), -ENOSPC);
	CHECK_EQ(CALL4(SYS_pwrite64, fd, arena_string("x"), 1, INT64_MAX),
		 -EFBIG);
	CHECK_EQ(CALL1(SYS_unlink, arena_string("/a")), 0);
	CHECK_EQ(root_fs.pages, 4);
	CHECK_EQ(CALL1(SYS_close, fd), 0);
	CHECK_EQ(root_fs.pages, 0);
}

static void
no_nodes(void)
{
	host_begin(NULL, 0);
	root_fs.max_nodes = root_fs.nodes;
	CHECK_EQ(open_at("/a", O_RDWR | O_CREAT), -ENOSPC);
	CHECK_EQ(CALL2(SYS_mkdir, arena_string("/d"), 0755), -ENOSPC);
	CHECK_EQ(CALL2(SYS_symlink, arena_string("/d"), arena_string("/l")),
		 -ENOSPC);
	CHECK_EQ(CALL1(SYS_pipe, arena_put(NULL, 8)), -ENFILE);
	CHECK_EQ(open_at("/a", O_RDONLY), -ENOENT);
}

/* What has no bytes of its own takes room all the same. */
static void
names_take_room(void)
{
	char target[130];
	u64 nodes;

	host_begin(NULL, 0);
	memset(target, 'x', sizeof(target));
	target[129] = 0;
	make_file("/a", "", 0, 0644);
	nodes = root_fs.nodes;
	CHECK_EQ(CALL2(SYS_link, arena_string("/a"), arena_string("/b")), 0);
	CHECK_EQ(CALL2(SYS_link, arena_string("/a"), arena_string("/c")), 0);
	CHECK_EQ(root_fs.nodes, nodes + 2);
	CHECK_EQ(CALL2(SYS_rename, arena_string("/c"), arena_string("/d")), 0);
	make_file("/e", "", 0, 0644);
	CHECK_EQ(CALL2(SYS_rename, arena_string("/d"), arena_string("/e")), 0);
	CHECK_EQ(root_fs.nodes, nodes + 2);
	root_fs.max_nodes = nodes + 2;
	CHECK_EQ(CALL2(SYS_link, arena_string("/a"), arena_string("/c")),
		 -ENOSPC);
	CHECK_EQ(CALL1(SYS_unlink, arena_string("/a")), 0);
	CHECK_EQ(CALL1(SYS_unlink, arena_string("/b")), 0);
	CHECK_EQ(CALL1(SYS_unlink, arena_string("/e")), 0);
	CHECK_EQ(root_fs.nodes, nodes - 1);
	CHECK_EQ(root_fs.pages, 0);
	CHECK_EQ(CALL2(SYS_symlink, arena_string(target + 2),
		       arena_string("/short")), 0);
	CHECK_EQ(root_fs.pages, 0);
	CHECK_EQ(CALL2(SYS_symlink, arena_string(target), arena_string("/l")),
		 0);
	CHECK_EQ(root_fs.pages, 1);
	CHECK_EQ(CALL1(SYS_unlink, arena_string("/l")), 0);
	CHECK_EQ(CALL1(SYS_unlink, arena_string("/short")), 0);
	CHECK_EQ(root_fs.pages, 0);
	root_fs.max_pages = 0;
	CHECK_EQ(CALL2(SYS_symlink, arena_string(target), arena_string("/l")),
		 -ENOSPC);
}

static void
no_descriptors(void)
{
	struct linux_rlimit limit = { 5, 1024 };
	long fd;

	host_begin(NULL, 0);
	CHECK_EQ(CALL2(SYS_setrlimit, RLIMIT_NOFILE,
		       arena_put(&limit, sizeof(limit))), 0);
	fd = open_at("/a", O_RDWR | O_CREAT);
	CHECK_EQ(fd, 3);
	CHECK_EQ(CALL1(SYS_pipe, arena_put(NULL, 8)), -EMFILE);
	CHECK_EQ(CALL1(SYS_dup, fd), 4);
	CHECK_EQ(open_at("/b", O_RDWR | O_CREAT), -EMFILE);
	CHECK_EQ(open_at("/b", O_RDONLY), -EMFILE);
	CHECK_EQ(CALL1(SYS_dup, fd), -EMFILE);
	CHECK_EQ(CALL2(SYS_dup2, fd, 5), -EBADF);
	CHECK_EQ(CALL3(SYS_fcntl, fd, F_DUPFD, 5), -EINVAL);
	CHECK_EQ(CALL1(SYS_close, 4), 0);
	CHECK_EQ(open_at("/b", O_RDONLY), -ENOENT);
}

/* Renames what it reads: finite, though each name is a new one. */
static void
endless_directory(void)
{
	struct linux_dirent64 *d;
	u64 buf = arena_put(NULL, 64);
	unsigned renamed = 0;
	long fd;

	host_begin(NULL, 0);
	buf = arena_put(NULL, 64);
	CHECK_EQ(CALL2(SYS_mkdir, arena_string("/d"), 0755), 0);
	CHECK_EQ(CALL1(SYS_chdir, arena_string("/d")), 0);
	for (const char *name = "abc"; *name; name++)
		make_file((char[]){ *name, 0 }, "x", 1, 0644);
	fd = open_at(".", O_RDONLY | O_DIRECTORY);
	while (CALL3(SYS_getdents64, fd, buf, 40) > 0) {
		char next[4] = "";

		d = (void *)buf;
		if (d->name[0] == '.')
			continue;
		snprintf(next, sizeof(next), "%c%c", d->name[0],
			 '0' + renamed++);
		CHECK_EQ(CALL2(SYS_rename, arena_string(d->name),
			       arena_string(next)), 0);
		CHECK(renamed < 10);
	}
	CHECK_EQ(renamed, 3);
}

/* ---- The archive ---------------------------------------------------- */

static char *archive;
static size_t archive_size;

static void
add_member(const char *name, unsigned mode, const char *data)
{
	size_t len = strlen(name) + 1, size = strlen(data);

	archive = realloc(archive, archive_size + 256 + len + size);
	archive_size += (size_t)sprintf(
		archive + archive_size,
		"070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08zx%08x",
		7, mode, 1, 2, 1, 3, (unsigned)size, 0, 0, 5, 6, len, 0);
	memcpy(archive + archive_size, name, len);
	archive_size += len;
	while (archive_size % 4)
		archive[archive_size++] = 0;
	memcpy(archive + archive_size, data, size);
	archive_size += size;
	while (archive_size % 4)
		archive[archive_size++] = 0;
}

static void
make_archive(void)
{
	add_member("bin", 040755, "");
	add_member("bin/tool", 0100755, "bytes of a tool");
	add_member("bin/link", 0120777, "tool");
	add_member("etc/deep/file", 0100640, "x");
	add_member("odd/../odd2", 0100640, "never");
	add_member("TRAILER!!!", 0, "");
}

static void
unpacked(void)
{
	struct stat *stat;
	u64 buf;
	long fd;

	archive_size = 0;
	add_member("./bin", 040755, "");
	add_member("bin/tool", 0104755, "bytes of a tool");
	add_member("bin/link", 0120777, "tool");
	add_member("/etc/deep/file", 0100640, "x");
	add_member("null", 020666, "");
	add_member("TRAILER!!!", 0, "");
	host_begin(archive, archive_size);
	buf = arena_put(NULL, sizeof(*stat));
	stat = (void *)buf;
	CHECK_EQ(CALL2(SYS_lstat, arena_string("/bin/tool"), buf), 0);
	CHECK_EQ(stat->st_mode, 0104755);
	CHECK_EQ(stat->st_uid, 1);
	CHECK_EQ(stat->st_size, 15);
	CHECK_EQ(CALL2(SYS_lstat, arena_string("/null"), buf), 0);
	CHECK_EQ(stat->st_rdev, 0x506);
	/* Written, it is a copy: the archive stays. */
	fd = open_at("/bin/link", O_RDWR);
	expect_read(fd, 5, "bytes");
	CHECK_EQ(root_fs.pages, 0);
	CHECK_EQ(write_text(fd, " in"), 3);
	CHECK_EQ(root_fs.pages, 1);
	CHECK_EQ(CALL3(SYS_lseek, fd, 0, SEEK_SET), 0);
	expect_read(fd, 100, "bytes in a tool");
	CHECK(memmem(archive, archive_size, "bytes of a tool", 15));
	fd = open_at("/etc/deep/file", O_RDONLY);
	expect_read(fd, 5, "x");
}

static void
damaged_archives(void)
{
	make_archive();
	arena_reset();
	for (size_t size = 0; size < archive_size; size++) {
		char *cut = malloc(size);

		memcpy(cut, archive, size);
		server_begin(cut, size);
		free(cut);
	}
	for (int i = 0; i < 2000; i++) {
		char *copy = malloc(archive_size);

		memcpy(copy, archive, archive_size);
		for (int n = 0; n < 3; n++)
			copy[host_random(archive_size)] = (char)host_random(256);
		server_begin(copy, archive_size);
		free(copy);
	}
}

/* ---- Pipes, and waiting --------------------------------------------- */

static void
pipes_wait(void)
{
	u64 buf;
	unsigned reply;
	int fds[2];

	host_begin(NULL, 0);
	buf = arena_put(NULL, 100);
	make_pipe(fds, 0);
	host_fork(SHELL, OTHER, 0);
	CHECK_EQ(host_call(OTHER, SYS_read, fds[0], buf, 100, 0, 0, 0), PENDING);
	reply = last_reply;
	CHECK_EQ(write_text(fds[1], "abc"), 3);
	CHECK_EQ(host_answer(reply), 3);
	CHECK(memcmp((void *)buf, "abc", 3) == 0);
	/* The end comes when the last writer closes. */
	CHECK_EQ(host_call(OTHER, SYS_read, fds[0], buf, 100, 0, 0, 0), PENDING);
	reply = last_reply;
	CHECK_EQ(CALL1(SYS_close, fds[1]), 0);
	CHECK_EQ(host_answer(reply), PENDING);
	host_exit(OTHER);
	CHECK_EQ(CALL3(SYS_read, fds[0], buf, 100), 0);
}

static void
writers_wait(void)
{
	u64 buf, big;
	unsigned reply;
	int fds[2];

	host_begin(NULL, 0);
	make_pipe(fds, 0);
	buf = arena_put(NULL, 70000);
	big = arena_put(NULL, 70000);
	host_fork(SHELL, OTHER, 0);
	memset((void *)big, 'x', 70000);
	CHECK_EQ(host_call(OTHER, SYS_write, fds[1], big, 70000, 0, 0, 0),
		 PENDING);
	reply = last_reply;
	CHECK_EQ(CALL3(SYS_read, fds[0], buf, 4000), 4000);
	CHECK_EQ(host_answer(reply), PENDING); /* no whole page is free */
	CHECK_EQ(CALL3(SYS_read, fds[0], buf, 70000), 61536);
	CHECK_EQ(host_answer(reply), 70000);
	/* A signal ends the wait with what was written so far, or nothing. */
	CHECK_EQ(host_call(OTHER, SYS_write, fds[1], big, 70000, 0, 0, 0),
		 PENDING);
	reply = last_reply;
	host_cancel(OTHER);
	CHECK_EQ(host_answer(reply), 57712); /* in whole pages */
	CHECK_EQ(host_call(OTHER, SYS_write, fds[1], big, 1, 0, 0, 0), PENDING);
	reply = last_reply;
	host_cancel(OTHER);
	CHECK_EQ(host_answer(reply), -ERESTARTSYS);
	/* Without readers: an error, and a signal. */
	CHECK_EQ(CALL1(SYS_close, fds[0]), 0);
	CHECK_EQ(host_call(OTHER, SYS_close, fds[0], 0, 0, 0, 0, 0), 0);
	CHECK_EQ(host_call(OTHER, SYS_write, fds[1], big, 1, 0, 0, 0), -EPIPE);
	CHECK_EQ(host_task(OTHER)->signals, BIT(LINUX_SIGPIPE));
}

static void
reader_gone_while_written(void)
{
	u64 big;
	unsigned reply;
	int fds[2];

	host_begin(NULL, 0);
	make_pipe(fds, 0);
	big = arena_put(NULL, 70000);
	host_fork(SHELL, OTHER, 0);
	CHECK_EQ(CALL1(SYS_close, fds[1]), 0);
	CHECK_EQ(host_call(OTHER, SYS_close, fds[0], 0, 0, 0, 0, 0), 0);
	CHECK_EQ(host_call(OTHER, SYS_write, fds[1], big, 70000, 0, 0, 0),
		 PENDING);
	reply = last_reply;
	host_exit(SHELL);
	CHECK_EQ(host_answer(reply), 65536);
	CHECK_EQ(host_task(OTHER)->signals & BIT(LINUX_SIGPIPE),
		 BIT(LINUX_SIGPIPE));
}

/* Another thread closes the number: whoever waits goes on with the file. */
static void
closed_while_read(void)
{
	u64 buf;
	unsigned reply;
	int fds[2];

	host_begin(NULL, 0);
	make_pipe(fds, 0);
	buf = arena_put(NULL, 8);
	host_fork(SHELL, OTHER, LINUX_CLONE_FILES);
	CHECK_EQ(host_call(OTHER, SYS_read, fds[0], buf, 8, 0, 0, 0), PENDING);
	reply = last_reply;
	CHECK_EQ(CALL1(SYS_close, fds[0]), 0);
	CHECK_EQ(open_at("/a", O_RDWR | O_CREAT), fds[0]);
	CHECK_EQ(write_text(fds[1], "abc"), 3);
	CHECK_EQ(host_answer(reply), 3);
}

static void
fifos_meet(void)
{
	unsigned reply;
	long fd;

	host_begin(NULL, 0);
	CHECK_EQ(CALL3(SYS_mknod, arena_string("/f"), S_IFIFO | 0644, 0), 0);
	host_fork(SHELL, OTHER, 0);
	CHECK_EQ(open_at("/f", O_WRONLY | O_NONBLOCK), -ENXIO);
	CHECK_EQ(open_by(OTHER, "/f", O_RDONLY), PENDING);
	reply = last_reply;
	fd = open_at("/f", O_WRONLY);
	CHECK_EQ(fd, 3);
	CHECK_EQ(host_answer(reply), 3);
	CHECK_EQ(CALL1(SYS_close, fd), 0);
	CHECK_EQ(host_call(OTHER, SYS_close, 3, 0, 0, 0, 0, 0), 0);
	/* One that gives up leaves nothing. */
	CHECK_EQ(open_by(OTHER, "/f", O_RDONLY), PENDING);
	reply = last_reply;
	host_cancel(OTHER);
	CHECK_EQ(host_answer(reply), -ERESTARTSYS);
	CHECK_EQ(open_at("/f", O_WRONLY | O_NONBLOCK), -ENXIO);
}

static void
polls_wait(void)
{
	struct linux_pollfd polled[2] = { { .events = POLLIN },
					  { .events = POLLIN } };
	unsigned reply;
	u64 place;
	int a[2], b[2];

	host_begin(NULL, 0);
	make_pipe(a, 0);
	make_pipe(b, 0);
	host_fork(SHELL, OTHER, 0);
	polled[0].fd = a[0];
	polled[1].fd = b[0];
	place = arena_put(polled, sizeof(polled));
	CHECK_EQ(host_call(OTHER, SYS_poll, place, 2, -1ull, 0, 0, 0), PENDING);
	reply = last_reply;
	CHECK_EQ(write_text(b[1], "x"), 1);
	CHECK_EQ(host_answer(reply), 1);
	CHECK_EQ(((struct linux_pollfd *)place)[0].revents, 0);
	CHECK_EQ(((struct linux_pollfd *)place)[1].revents, POLLIN);
	/* A timeout, counted from when the call came. */
	CHECK_EQ(host_call(OTHER, SYS_poll, place, 1, 30, 0, 0, 0), PENDING);
	reply = last_reply;
	host_sleep(29 * MS);
	CHECK_EQ(host_answer(reply), PENDING);
	host_sleep(2 * MS);
	CHECK_EQ(host_answer(reply), 0);
	/* Both end in the same moment: it is answered once. */
	CHECK_EQ(host_call(OTHER, SYS_poll, place, 1, 30, 0, 0, 0), PENDING);
	reply = last_reply;
	host_cancel(OTHER);
	CHECK_EQ(host_answer(reply), RESTART);
	host_sleep(10 * MS);
	/* It goes on, and ends when it would have. */
	CHECK_EQ(host_call(OTHER, SYS_restart_syscall, place, 1, 30, 0, 0,
			   host_restart_with), PENDING);
	reply = last_reply;
	host_sleep(19 * MS);
	CHECK_EQ(host_answer(reply), PENDING);
	host_sleep(2 * MS);
	CHECK_EQ(host_answer(reply), 0);
	CHECK_EQ(host_call(OTHER, SYS_restart_syscall, place, 1, 30, 0, 0,
			   host_restart_with), 0);
	CHECK_EQ(host_call(OTHER, SYS_poll, place, 1, -1ull, 0, 0, 0), PENDING);
	reply = last_reply;
	host_cancel(OTHER);
	CHECK_EQ(host_answer(reply), -ERESTARTNOHAND);
	/* Who waits dies. */
	CHECK_EQ(host_call(OTHER, SYS_poll, place, 1, 30, 0, 0, 0), PENDING);
	host_exit(OTHER);
	host_sleep(100 * MS);
	CHECK_EQ(write_text(a[1], "x"), 1);
}

static void
select_tells_the_rest(void)
{
	struct linux_timeval time = { 0, 50000 };
	u64 set[2] = { 0 };
	u64 place, timeout;
	unsigned reply;
	int fds[2];

	host_begin(NULL, 0);
	make_pipe(fds, 0);
	set[0] = 1ull << fds[0];
	place = arena_put(set, sizeof(set));
	timeout = arena_put(&time, sizeof(time));
	host_fork(SHELL, OTHER, 0);
	CHECK_EQ(host_call(OTHER, SYS_select, fds[0] + 1, place, 0, 0, timeout,
			   0), PENDING);
	reply = last_reply;
	host_sleep(20 * MS);
	CHECK_EQ(write_text(fds[1], "x"), 1);
	CHECK_EQ(host_answer(reply), 1);
	CHECK_EQ(*(u64 *)place, 1ull << fds[0]);
	CHECK_EQ(((struct linux_timeval *)timeout)->usec, 30000);
	*(u64 *)place = 1ull << 60;
	CHECK_EQ(host_call(OTHER, SYS_select, 61, place, 0, 0, timeout, 0),
		 -EBADF);
}

static void
locks_wait(void)
{
	struct linux_flock f = { .type = F_WRLCK, .start = 10, .len = 10 };
	unsigned reply;
	long fd;

	host_begin(NULL, 0);
	fd = open_at("/a", O_RDWR | O_CREAT);
	host_fork(SHELL, OTHER, 0);
	CHECK_EQ(CALL3(SYS_fcntl, fd, F_SETLK, arena_put(&f, sizeof(f))), 0);
	f.start = 19;
	CHECK_EQ(host_call(OTHER, SYS_fcntl, fd, F_SETLK,
			   arena_put(&f, sizeof(f)), 0, 0, 0), -EAGAIN);
	f.start = 20;
	CHECK_EQ(host_call(OTHER, SYS_fcntl, fd, F_SETLK,
			   arena_put(&f, sizeof(f)), 0, 0, 0), 0);
	f.start = 5;
	CHECK_EQ(host_call(OTHER, SYS_fcntl, fd, F_SETLKW,
			   arena_put(&f, sizeof(f)), 0, 0, 0), PENDING);
	reply = last_reply;
	/* The hole between is enough. */
	f = (struct linux_flock){ .type = F_UNLCK, .start = 10, .len = 5 };
	CHECK_EQ(CALL3(SYS_fcntl, fd, F_SETLK, arena_put(&f, sizeof(f))), 0);
	CHECK_EQ(host_answer(reply), 0);
	/* flock's owner is the open file, which both have. */
	CHECK_EQ(CALL2(SYS_flock, fd, LOCK_EX), 0);
	CHECK_EQ(host_call(OTHER, SYS_flock, fd, LOCK_SH, 0, 0, 0, 0), 0);
	long again = open_at("/a", O_RDWR);

	CHECK_EQ(CALL2(SYS_flock, again, LOCK_EX | LOCK_NB), -EAGAIN);
	CHECK_EQ(CALL2(SYS_flock, again, LOCK_EX), PENDING);
	reply = last_reply;
	CHECK_EQ(CALL1(SYS_close, fd), 0);
	CHECK_EQ(host_answer(reply), PENDING);
	host_exit(OTHER);
	CHECK_EQ(host_answer(reply), 0);
}

static void
alarms_ring(void)
{
	struct linux_itimerval timer = { { 0, 10000 }, { 0, 25000 } };

	host_begin(NULL, 0);
	CHECK_EQ(CALL1(SYS_alarm, 3), 0);
	host_sleep(2400 * MS);
	CHECK_EQ(CALL1(SYS_alarm, 1), 1);
	host_sleep(1000 * MS);
	CHECK_EQ(host_task(SHELL)->signals, BIT(LINUX_SIGALRM));
	CHECK_EQ(host_task(SHELL)->count, 1);
	host_sleep(5000 * MS);
	CHECK_EQ(host_task(SHELL)->count, 1);
	CHECK_EQ(CALL3(SYS_setitimer, 0, arena_put(&timer, sizeof(timer)), 0),
		 0);
	host_sleep(26 * MS);
	host_sleep(10 * MS);
	CHECK_EQ(host_task(SHELL)->count, 3);
	host_sleep(100 * MS); /* late: once, and the beat is kept */
	CHECK_EQ(host_task(SHELL)->count, 4);
	/* However short the beat is, others are served. */
	timer.interval.usec = 1;
	CHECK_EQ(CALL3(SYS_setitimer, 0, arena_put(&timer, sizeof(timer)), 0),
		 0);
	host_sleep(25 * MS);
	CHECK_EQ(host_task(SHELL)->count, 5);
	for (int i = 0; i < 100; i++)
		host_sleep(MS / 10);
	CHECK_EQ(host_task(SHELL)->count, 15);
	host_fork(SHELL, OTHER, 0);
	host_exit(SHELL);
	host_sleep(100 * MS);
	CHECK_EQ(host_task(OTHER)->count & ~1u, 2); /* hang-up alone */
}

/* ---- Forks and descriptors ------------------------------------------ */

static void
tables(void)
{
	long fd;

	host_begin(NULL, 0);
	host_fork(SHELL, OTHER, 0);
	host_fork(SHELL, THIRD, LINUX_CLONE_FILES | LINUX_CLONE_FS);
	fd = open_at("/a", O_RDWR | O_CREAT | O_CLOEXEC);
	CHECK_EQ(host_call(OTHER, SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0), -EBADF);
	CHECK_EQ(host_call(THIRD, SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0),
		 FD_CLOEXEC);
	CHECK_EQ(CALL2(SYS_mkdir, arena_string("/d"), 0755), 0);
	CHECK_EQ(CALL1(SYS_chdir, arena_string("/d")), 0);
	CHECK_EQ(CALL1(SYS_umask, 077), 022);
	CHECK_EQ(host_call(THIRD, SYS_umask, 0, 0, 0, 0, 0, 0), 077);
	CHECK_EQ(host_call(OTHER, SYS_umask, 0, 0, 0, 0, 0, 0), 022);
	CHECK_EQ(open_by(THIRD, "../a", O_RDONLY), fd + 1);
	host_exit(SHELL);
	CHECK_EQ(write_by(THIRD, fd, "x"), 1);
}

static void
all_memory_returns(void)
{
	u64 live, nodes;
	int fds[2];

	host_begin(NULL, 0);
	live = host_live;
	nodes = root_fs.nodes;
	host_fork(SHELL, OTHER, 0);
	make_pipe(fds, O_CLOEXEC);
	host_call(OTHER, SYS_pipe, arena_put(NULL, 8), 0, 0, 0, 0, 0);
	host_call(OTHER, SYS_write, 4, arena_put(NULL, 9000), 9000, 0, 0, 0);
	open_by(OTHER, "/tmpfile", O_CREAT | O_RDWR);
	write_by(OTHER, 5, "contents");
	host_call(OTHER, SYS_unlink, arena_string("/tmpfile"), 0, 0, 0, 0, 0);
	open_by(OTHER, "/proc/self/status", O_RDONLY);
	host_call(OTHER, SYS_read, 6, arena_put(NULL, 500), 500, 0, 0, 0);
	host_call(OTHER, SYS_alarm, 5, 0, 0, 0, 0, 0);
	host_call(OTHER, SYS_mkdir, arena_string("/gone"), 0755, 0, 0, 0, 0);
	host_call(OTHER, SYS_chdir, arena_string("/gone"), 0, 0, 0, 0, 0);
	CALL1(SYS_rmdir, arena_string("/gone"));
	host_call(OTHER, SYS_read, 3, arena_put(NULL, 500), 500, 0, 0, 0);
	host_call(OTHER, SYS_read, 3, arena_put(NULL, 500), 9000, 0, 0, 0);
	host_exit(OTHER);
	CALL1(SYS_close, fds[0]);
	CALL1(SYS_close, fds[1]);
	CHECK_EQ(root_fs.nodes, nodes);
	/* The heap of timers, a spare call: kept for the next one. */
	CHECK(host_live <= live + 2);
}

/* ---- The terminal --------------------------------------------------- */

static void
lines(void)
{
	u64 buf;
	unsigned reply;

	host_begin(NULL, 0);
	buf = arena_put(NULL, 100);
	CHECK_EQ(CALL3(SYS_read, 0, buf, 100), PENDING);
	reply = last_reply;
	host_type("abx\x7f" "c", 5);
	CHECK_EQ(host_answer(reply), PENDING);
	host_type("\r", 1);
	CHECK_EQ(host_answer(reply), 4);
	CHECK(memcmp((void *)buf, "abc\n", 4) == 0);
	CHECK(strcmp(host_screen(), "abx\b \bc\r\n") == 0);
	CHECK_EQ(write_text(1, "x\ty\n"), 4);
	CHECK(strcmp(host_screen(), "x\ty\r\n") == 0);
	host_type("\4", 1);
	CHECK_EQ(CALL3(SYS_read, 0, buf, 100), 0);
	host_type("a\nb\n", 4);
	expect_read(0, 1, "a");
	expect_read(0, 100, "\n");
	expect_read(0, 100, "b\n");
}

static void
interrupts(void)
{
	u64 buf;
	unsigned reply;

	host_begin(NULL, 0);
	buf = arena_put(NULL, 100);
	host_fork(SHELL, OTHER, 0);
	host_task(OTHER)->task.pgid = OTHER;
	CHECK_EQ(CALL3(SYS_ioctl, 0, TIOCSPGRP,
		       arena_put((int[]){ 40 }, 4)), -ESRCH);
	CHECK_EQ(CALL3(SYS_ioctl, 0, TIOCSPGRP,
		       arena_put((int[]){ OTHER }, 4)), 0);
	CHECK_EQ(host_call(OTHER, SYS_read, 0, buf, 100, 0, 0, 0), PENDING);
	reply = last_reply;
	host_type("lost\3", 5);
	CHECK_EQ(host_task(OTHER)->signals, BIT(LINUX_SIGINT));
	CHECK_EQ(host_task(SHELL)->signals, 0);
	host_cancel(OTHER);
	CHECK_EQ(host_answer(reply), -ERESTARTSYS);
	host_type("\x1a\x1c", 2);
	CHECK_EQ(host_task(OTHER)->signals, BIT(LINUX_SIGINT) |
		 BIT(LINUX_SIGTSTP) | BIT(LINUX_SIGQUIT));
	/* The shell is in the background now. */
	CHECK_EQ(CALL3(SYS_read, 0, buf, 100), -EIO); /* an orphan */
	host_task(SHELL)->task.ppid = OTHER;
	CHECK_EQ(CALL3(SYS_read, 0, buf, 100), -ERESTARTSYS);
	CHECK_EQ(host_task(SHELL)->signals, BIT(LINUX_SIGTTIN));
	host_task(SHELL)->task.sig_blocked = BIT(LINUX_SIGTTIN);
	CHECK_EQ(CALL3(SYS_read, 0, buf, 100), -EIO);
	CHECK_EQ(CALL3(SYS_ioctl, 0, TIOCSPGRP,
		       arena_put((int[]){ SHELL }, 4)), -ERESTARTSYS);
	CHECK(host_task(SHELL)->signals & BIT(LINUX_SIGTTOU));
	host_task(SHELL)->task.sig_ignored = BIT(LINUX_SIGTTOU);
	CHECK_EQ(CALL3(SYS_ioctl, 0, TIOCSPGRP,
		       arena_put((int[]){ SHELL }, 4)), 0);
}

static void
set_raw(u8 min, u8 time)
{
	struct linux_termios termios;
	u64 place = arena_put(NULL, sizeof(termios));

	CHECK_EQ(CALL3(SYS_ioctl, 0, TCGETS, place), 0);
	memcpy(&termios, (void *)place, sizeof(termios));
	termios.lflag = 0;
	termios.iflag = 0;
	termios.oflag = 0;
	termios.cc[VMIN] = min;
	termios.cc[VTIME] = time;
	CHECK_EQ(CALL3(SYS_ioctl, 0, TCSETS, arena_put(&termios,
						       sizeof(termios))), 0);
}

static void
raw_reads(void)
{
	u64 buf;
	unsigned reply;

	host_begin(NULL, 0);
	buf = arena_put(NULL, 100);
	set_raw(3, 0);
	CHECK_EQ(CALL3(SYS_read, 0, buf, 100), PENDING);
	reply = last_reply;
	host_type("\3b", 2);
	CHECK_EQ(host_answer(reply), PENDING);
	host_type("\r", 1);
	CHECK_EQ(host_answer(reply), 3);
	CHECK(memcmp((void *)buf, "\3b\r", 3) == 0);
	set_raw(0, 0);
	CHECK_EQ(CALL3(SYS_read, 0, buf, 100), 0);
	set_raw(0, 5);
	CHECK_EQ(CALL3(SYS_read, 0, buf, 100), PENDING);
	reply = last_reply;
	host_sleep(499 * MS);
	CHECK_EQ(host_answer(reply), PENDING);
	host_sleep(2 * MS);
	CHECK_EQ(host_answer(reply), 0);
	/* Between bytes: the first may take as long as it likes. */
	set_raw(5, 5);
	CHECK_EQ(CALL3(SYS_read, 0, buf, 100), PENDING);
	reply = last_reply;
	host_sleep(2000 * MS);
	host_type("a", 1);
	host_sleep(400 * MS);
	host_type("b", 1);
	host_sleep(400 * MS);
	CHECK_EQ(host_answer(reply), PENDING);
	host_sleep(200 * MS);
	CHECK_EQ(host_answer(reply), 2);
}

/* What is answered at once must not be run again when its time comes. */
static void
no_time_left_over(void)
{
	u64 buf;

	host_begin(NULL, 0);
	buf = arena_put(NULL, 100);
	set_raw(0, 5);
	CHECK_EQ(CALL3(SYS_fcntl, 0, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	CHECK_EQ(CALL3(SYS_read, 0, buf, 100), -EAGAIN);
	host_sleep(1000 * MS);
}

/* A big one is cut up, and others have their turn in between. */
static void
slices(void)
{
	const u64 size = ARENA_SIZE - 4096;
	unsigned reply;
	long fd, turns = 0;

	host_begin(NULL, 0);
	fd = open_at("/dev/zero", O_RDONLY);
	host_fork(SHELL, OTHER, 0);
	memset(arena, 'x', ARENA_SIZE);
	CHECK_EQ(CALL3(SYS_read, fd, arena, size), PENDING);
	reply = last_reply;
	for (; host_answer(reply) == PENDING && turns < 100; turns++)
		CHECK_EQ(host_call(OTHER, SYS_getuid, 0, 0, 0, 0, 0, 0), 0);
	CHECK_EQ(host_answer(reply), (long)size);
	CHECK(turns > 2);
	for (u64 i = 0; i < ARENA_SIZE; i++)
		CHECK_EQ(arena[i], i < size ? 0 : 'x');
	/* A signal ends it with what was moved; an end leaves nothing. */
	CHECK_EQ(CALL3(SYS_read, fd, arena, size), PENDING);
	reply = last_reply;
	host_cancel(SHELL);
	CHECK(host_answer(reply) > 0 && host_answer(reply) < (long)size);
	CHECK_EQ(CALL3(SYS_read, fd, arena, size), PENDING);
	host_exit(SHELL);
	host_sleep(MS);
}

/* The place of a pwrite moves with it. */
static void
slices_have_places(void)
{
	const u64 size = ARENA_SIZE - 4096;
	unsigned reply;
	u64 path;
	long fd;

	host_begin(NULL, 0);
	path = arena_at_end(4096);
	strcpy((char *)path, "/big");
	fd = CALL3(SYS_open, path, O_RDWR | O_CREAT, 0600);
	for (u64 i = 0; i < size; i++)
		arena[i] = (u8)(i >> 12 ^ i);
	CHECK_EQ(CALL4(SYS_pwrite64, fd, arena, size, 10), PENDING);
	reply = last_reply;
	for (int i = 0; host_answer(reply) == PENDING && i < 100; i++)
		host_sleep(0);
	CHECK_EQ(host_answer(reply), (long)size);
	CHECK_EQ(CALL3(SYS_lseek, fd, 0, SEEK_END), (long)size + 10);
	memset(arena, 0, size);
	CHECK_EQ(CALL4(SYS_pread64, fd, arena, size, 10), PENDING);
	reply = last_reply;
	for (int i = 0; host_answer(reply) == PENDING && i < 100; i++)
		host_sleep(0);
	for (u64 i = 0; i < size; i++)
		CHECK_EQ(arena[i], (u8)(i >> 12 ^ i));
}

static void
too_many_wait(void)
{
	unsigned first = 0;
	int fds[2];
	u64 buf;

	host_begin(NULL, 0);
	make_pipe(fds, 0);
	buf = arena_put(NULL, 8);
	host_fork(SHELL, OTHER, 0);
	/* One process has its first call, and all that are not the first. */
	for (int i = 0; i < OS_CALLS_MAX - PROCESSES_MAX; i++) {
		CHECK_EQ(host_call(OTHER, SYS_read, (u64)fds[0], buf, 1, 0, 0, 0),
			 PENDING);
		first = first ? first : last_reply;
	}
	CHECK_EQ(host_call(OTHER, SYS_read, (u64)fds[0], buf, 1, 0, 0, 0),
		 -ENOMEM);
	/* Which keeps nobody else from waiting. */
	host_fork(SHELL, THIRD, 0);
	CHECK_EQ(host_call(THIRD, SYS_read, (u64)fds[0], buf, 1, 0, 0, 0),
		 PENDING);
	CHECK_EQ(host_call(THIRD, SYS_read, (u64)fds[0], buf, 1, 0, 0, 0),
		 -ENOMEM);
	host_exit(THIRD);
	CHECK_EQ(write_text(fds[1], "a"), 1);
	CHECK_EQ(host_answer(first), 1);
	CHECK_EQ(host_call(OTHER, SYS_read, (u64)fds[0], buf, 1, 0, 0, 0),
		 PENDING);
	CHECK_EQ(host_call(OTHER, SYS_read, (u64)fds[0], buf, 1, 0, 0, 0),
		 -ENOMEM);
	host_exit(OTHER);
	for (int i = 0; i < OS_CALLS_MAX - PROCESSES_MAX; i++)
		CHECK_EQ(CALL3(SYS_read, fds[0], buf, 1), PENDING);
	CHECK_EQ(CALL3(SYS_read, fds[0], buf, 1), -ENOMEM);
}

static void
slow_terminal(void)
{
	unsigned reply;
	u64 big;
	long written;

	host_begin(NULL, 0);
	big = arena_put(NULL, 20000);
	memset((void *)big, 'x', 20000);
	host_screen_room = 0;
	CHECK_EQ(CALL3(SYS_write, 1, big, 20000), PENDING);
	reply = last_reply;
	/* What is typed meanwhile waits, and is not lost. */
	for (int i = 0; i < 3000; i++)
		host_type("k", 1);
	host_screen_room = SIZE_MAX;
	host_type("\n", 1);
	CHECK_EQ(host_answer(reply), 20000);
	host_type("", 0);
	written = (long)strlen(host_screen());
	CHECK_EQ(written, 20000 + 3000 + 2);
	CHECK_EQ(CALL3(SYS_read, 0, big, 20000), 3001);
}

static void
hang_up(void)
{
	host_begin(NULL, 0);
	host_fork(SHELL, OTHER, 0);
	host_exit(SHELL);
	CHECK_EQ(host_task(OTHER)->signals,
		 BIT(LINUX_SIGHUP) | BIT(LINUX_SIGCONT));
	CHECK_EQ(host_call(OTHER, SYS_read, 0, arena_put(NULL, 8), 8, 0, 0, 0),
		 0);
	CHECK_EQ(write_by(OTHER, 1, "x"), -EIO);
	CHECK_EQ(open_by(OTHER, "/dev/tty", O_RDWR), -ENXIO);
	/* A new session takes it. */
	host_task(OTHER)->task.sid = host_task(OTHER)->task.pgid = OTHER;
	CHECK_EQ(open_by(OTHER, "/dev/console", O_RDWR), 3);
	CHECK_EQ(console_tty.session, OTHER);
	CHECK_EQ(open_by(OTHER, "/dev/tty", O_RDWR), 4);
	CHECK_EQ(write_by(OTHER, 4, "x"), 1);
}

static void
groups_are_killed(void)
{
	host_begin(NULL, 0);
	host_fork(SHELL, OTHER, 0);
	host_fork(SHELL, THIRD, 0);
	host_task(OTHER)->task.pgid = OTHER;
	CHECK_EQ(CALL2(SYS_kill, 0, LINUX_SIGINT), 0);
	CHECK_EQ(host_task(OTHER)->signals, 0);
	CHECK_EQ(host_task(THIRD)->signals, BIT(LINUX_SIGINT));
	CHECK_EQ(host_task(SHELL)->signals, BIT(LINUX_SIGINT));
	CHECK_EQ(CALL2(SYS_kill, -OTHER, LINUX_SIGHUP), 0);
	CHECK_EQ(host_task(OTHER)->signals, BIT(LINUX_SIGHUP));
	CHECK_EQ(CALL2(SYS_kill, -THIRD, LINUX_SIGHUP), -ESRCH);
	CHECK_EQ(CALL2(SYS_kill, -1, 0), 0);
	CHECK_EQ(CALL2(SYS_kill, -OTHER, 65), -EINVAL);
	CHECK_EQ(CALL2(SYS_kill, INT32_MIN, 9), -ESRCH);
}

/* ---- exec ----------------------------------------------------------- */

/* Two segments that share a page of the file, and memory behind them. */
static size_t
make_program(u8 *image)
{
	Elf64_Ehdr *h = (Elf64_Ehdr *)image;
	Elf64_Phdr *p = (Elf64_Phdr *)(image + sizeof(*h));

	memset(image, 0, 9000);
	*h = (Elf64_Ehdr){ .e_type = ET_EXEC, .e_machine = EM_X86_64,
			   .e_version = 1, .e_entry = 0x401100,
			   .e_phoff = sizeof(*h), .e_ehsize = sizeof(*h),
			   .e_phentsize = sizeof(*p), .e_phnum = 2 };
	memcpy(h->e_ident, "\177ELF\2\1\1", 7);
	p[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X,
			     .p_vaddr = 0x400000, .p_filesz = 5000,
			     .p_memsz = 5000, .p_align = 0x1000 };
	p[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W,
			     .p_offset = 5000, .p_vaddr = 0x402000 + 5000 - 4096,
			     .p_filesz = 4000, .p_memsz = 10000,
			     .p_align = 0x1000 };
	for (size_t i = sizeof(*h) + 2 * sizeof(*p); i < 9000; i++)
		image[i] = (u8)(i * 7);
	return 9000;
}

static u64
vector(const char *a, const char *b)
{
	u64 words[3] = { a ? arena_string(a) : 0, b ? arena_string(b) : 0, 0 };

	return arena_put(words, sizeof(words));
}

static long
exec(const char *path, u64 argv)
{
	u64 copy = arena_string(path);

	return CALL3(SYS_execve, copy, argv, vector("E=1", NULL));
}

static void
programs_are_built(void)
{
	u8 image[9000], seen[16000];
	u64 argc;
	long fd;

	host_begin(NULL, 0);
	make_program(image);
	make_file("/prog", image, sizeof(image), 0755);
	fd = open_at("/prog", O_RDONLY | O_CLOEXEC);
	host_fork(SHELL, OTHER, LINUX_CLONE_FILES);
	CHECK_EQ(exec("/prog", vector("prog", "arg")), 0);
	CHECK_EQ(host_entry, 0x401100);
	CHECK(strcmp(host_name, "prog") == 0);
	CHECK(host_building_read(0x400000, seen, 5000));
	CHECK(memcmp(seen, image, 5000) == 0);
	CHECK(host_building_read(0x402000 + 904, seen, 10000));
	CHECK(memcmp(seen, image + 5000, 4000) == 0);
	for (size_t i = 4000; i < 10000; i++)
		CHECK_EQ(seen[i], 0);
	CHECK(host_building_read(host_sp, &argc, 8));
	CHECK_EQ(argc, 2);
	CHECK_EQ(host_sp % 16, 0);
	/* Its table is its own now, without what closes. */
	CHECK_EQ(CALL3(SYS_fcntl, fd, F_GETFD, 0), -EBADF);
	CHECK_EQ(host_call(OTHER, SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0), 1);
	CHECK_EQ(host_buildings, 0);
}

static void
expect_text(u64 offset, char byte)
{
	char seen = 0;

	CHECK(host_building_read(0x400000 + offset, &seen, 1));
	CHECK_EQ(seen, byte);
}

/* What runs is what the file was; a file that is not written to again costs its
 * pages once. */
static void
running_programs_stay(void)
{
	u8 image[9000];
	size_t size = make_program(image);
	u64 pages = ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE;
	long fd;

	host_begin(NULL, 0);
	image[4500] = 'a';
	make_file("/prog", image, size, 0755);
	CHECK_EQ(exec("/prog", vector("prog", NULL)), 0);
	CHECK_EQ(exec("/prog", vector("prog", NULL)), 0);
	CHECK_EQ(host_memories, 1);
	CHECK_EQ(root_fs.pages, pages);
	fd = open_at("/prog", O_RDWR);
	CHECK_EQ(CALL4(SYS_pwrite64, fd, arena_string("b"), 1, 4500), 1);
	expect_text(4500, 'a');
	CHECK_EQ(host_memories, 0);
	CHECK(root_fs.pages >= pages && root_fs.pages <= pages + 1);
	CHECK_EQ(exec("/prog", vector("prog", NULL)), 0);
	expect_text(4500, 'b');
	/* Cut, and made longer: what was there is not seen again. */
	CHECK_EQ(CALL2(SYS_ftruncate, fd, 4500), 0);
	expect_text(4500, 'b');
	CHECK_EQ(CALL2(SYS_ftruncate, fd, size), 0);
	CHECK(host_call(SHELL, SYS_mmap, 0, 2 * PAGE_SIZE, PROT_READ,
			MAP_PRIVATE, (u64)fd, 0) > 0);
	CHECK_EQ(host_memories, 1);
	CHECK_EQ(CALL1(SYS_unlink, arena_string("/prog")), 0);
	CHECK_EQ(CALL1(SYS_close, fd), 0);
	make_file("/other", image, size, 0755);
	CHECK_EQ(exec("/other", vector("other", NULL)), 0);
	CHECK_EQ(host_memories, 1);
	CHECK_EQ(root_fs.pages, pages);
}

/* More programs than there are memories: what was not run for long thaws, and
 * what has it mapped does not notice. */
static void
many_programs(void)
{
	enum { MANY = 40 };
	u8 image[9000];
	size_t size = make_program(image);
	u64 pages = ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE;
	char name[] = "/prog-?";

	host_begin(NULL, 0);
	for (int i = 0; i < MANY; i++) {
		arena_reset();
		name[6] = image[4500] = (u8)('0' + i);
		make_file(name, image, size, 0755);
		CHECK_EQ(exec(name, vector("prog", NULL)), 0);
		expect_text(4500, '0' + i);
		if (i % 2) /* the first one is asked for again and again */
			CHECK_EQ(exec("/prog-0", vector("prog", NULL)), 0);
	}
	CHECK(host_memories < MANY);
	CHECK_EQ(root_fs.pages, MANY * pages);
	for (int i = 0; i < MANY; i++) {
		unsigned before = host_memories_made;

		name[6] = (char)('0' + i);
		arena_reset();
		CHECK_EQ(exec(name, vector("prog", NULL)), 0);
		expect_text(4500, '0' + i);
		CHECK_EQ(host_memories_made - before, i > 0);
	}
	CHECK_EQ(root_fs.pages, MANY * pages);
}

static void
scripts_are_followed(void)
{
	u8 image[9000];
	char *argv0;
	u64 words[5];
	char text[64] = "";

	host_begin(NULL, 0);
	make_file("/prog", image, make_program(image), 0755);
	make_file("/script", "#! /prog  some arg \nrest", 24, 0755);
	make_file("/loop", "#!/loop\n", 8, 0755);
	make_file("/empty", "#!  \n", 5, 0755);
	make_file("/plain", "text", 4, 0755);
	make_file("/noexec", "#!/prog\n", 8, 0644);
	CHECK_EQ(exec("/script", vector("ignored", "given")), 0);
	CHECK(strcmp(host_name, "script") == 0);
	CHECK(host_building_read(host_sp, words, sizeof(words)));
	CHECK_EQ(words[0], 4);
	argv0 = text;
	for (int i = 1; i <= 4; i++) {
		char piece[16] = "";

		for (size_t n = 0; n < sizeof(piece) - 1; n++) {
			CHECK(host_building_read(words[i] + n, piece + n, 1));
			if (!piece[n])
				break;
		}
		argv0 += sprintf(argv0, "%s|", piece);
	}
	CHECK(strcmp(text, "/prog|some arg|/script|given|") == 0);
	CHECK_EQ(exec("/loop", vector("x", NULL)), -ELOOP);
	CHECK_EQ(exec("/empty", vector("x", NULL)), -ENOEXEC);
	CHECK_EQ(exec("/plain", vector("x", NULL)), -ENOEXEC);
	CHECK_EQ(exec("/noexec", vector("x", NULL)), -EACCES);
	CHECK_EQ(exec("/", vector("x", NULL)), -EACCES);
	CHECK_EQ(exec("/nothing", vector("x", NULL)), -ENOENT);
	CHECK_EQ(exec("", vector("x", NULL)), -ENOENT);
	CHECK_EQ(CALL3(SYS_execve, arena_string("/prog"), ARENA_BAD, 0),
		 -EFAULT);
	CHECK_EQ(CALL3(SYS_execve, arena_string("/prog"),
		       arena_put((u64[]){ ARENA_BAD, 0 }, 16), 0), -EFAULT);
	CHECK_EQ(host_buildings, 0);
}

static void
long_arguments(void)
{
	u8 image[9000];
	size_t big = 200000;
	u64 string, words[32] = { 0 };

	host_begin(NULL, 0);
	make_file("/prog", image, make_program(image), 0755);
	string = arena_put(NULL, big);
	memset((void *)string, 'a', big - 1);
	CHECK_EQ(CALL3(SYS_execve, arena_string("/prog"),
		       arena_put((u64[]){ string, 0 }, 16), 0), -E2BIG);
	*(char *)(string + 100000) = 0;
	for (int i = 0; i < 20; i++)
		words[i] = string;
	CHECK_EQ(CALL3(SYS_execve, arena_string("/prog"),
		       arena_put(words, sizeof(words)), 0), -E2BIG);
	words[5] = 0;
	CHECK_EQ(CALL3(SYS_execve, arena_string("/prog"),
		       arena_put(words, sizeof(words)), 0), 0);
}

/* ---- No memory ------------------------------------------------------ */

/* A bit of everything, in one process that then ends. True: something said that
 * there was no memory. */
static bool
live_a_life(void)
{
	static const struct {
		long number;
		const char *path;
		u64 b, c;
	} steps[] = {
		{ SYS_mkdir, "/d", 0755, 0 },
		{ SYS_open, "/d/file", O_CREAT | O_RDWR, 0644 },
		{ SYS_open, "/proc/self/stat", O_RDONLY, 0 },
		{ SYS_open, "/proc/self/fd", O_RDONLY, 0 },
		{ SYS_mknod, "/d/fifo", S_IFIFO | 0644, 0 },
		{ SYS_open, "/d/fifo", O_RDWR, 0 },
		{ SYS_alarm, NULL, 0, 0 },
		{ SYS_execve, "/prog", 0, 0 },
		{ SYS_unlink, "/d/file", 0, 0 },
		{ SYS_unlink, "/d/fifo", 0, 0 },
		{ SYS_rmdir, "/d", 0, 0 },
	};
	bool seen = false;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		u64 first = steps[i].path ? arena_string(steps[i].path) : 5;
		long result = host_call(OTHER, steps[i].number, first,
					steps[i].b, steps[i].c, 0, 0, 0);

		seen |= result == -ENOMEM;
		if (result >= 0 && steps[i].number == SYS_open) {
			seen |= write_by(OTHER, result, "text") == -ENOMEM;
			seen |= host_call(OTHER, SYS_read, (u64)result,
					  arena_put(NULL, 64), 64, 0, 0, 0) ==
				-ENOMEM;
		}
	}
	return seen;
}

static void
every_failure(void)
{
	u8 image[9000];
	unsigned nth = 1, told = 0;

	host_begin(NULL, 0);
	make_file("/prog", image, make_program(image), 0755);
	do {
		u64 nodes = root_fs.nodes, pages = root_fs.pages;

		arena_reset();
		host_failed = false;
		host_fail_nth = nth++;
		host_fork(SHELL, OTHER, 0);
		if (host_task(OTHER)) {
			told += live_a_life();
			host_exit(OTHER);
		}
		host_fail_nth = 0;
		CALL1(SYS_unlink, arena_string("/d/file"));
		CALL1(SYS_unlink, arena_string("/d/fifo"));
		CALL1(SYS_rmdir, arena_string("/d"));
		CHECK_EQ(root_fs.nodes, nodes);
		CHECK(root_fs.pages <= MAX(pages, 3));
		CHECK_EQ(host_buildings, 0);
	} while (host_failed);
	CHECK(nth > 25);
	CHECK(told > 10);
}

/* ---- Garbage -------------------------------------------------------- */

static u64
garbage_word(void)
{
	static const u64 odd[] = { 0, 1, 2, 3, 4, 8, 16, 100, 4095, 4096, 4097,
				   65536, ~0ull, 1ull << 31, 1ull << 32,
				   1ull << 63, INT64_MAX, ARENA_BAD,
				   (u64)AT_FDCWD, O_CREAT | O_RDWR };

	switch (host_random(3)) {
	case 0:
		return odd[host_random(ARRAY_SIZE(odd))];
	case 1:
		return (u64)arena + host_random(ARENA_SIZE + 64);
	default:
		return (u64)arena + host_random(64) * 64;
	}
}

/* Paths at the beginning of each 64 bytes; the rest is what calls put there. */
static void
fill_garbage(void)
{
	static const char *const paths[] = {
		"a", "b", "/a/b", "../..", "/proc/self/fd/3", "/proc/10/maps",
		"/dev/tty", "/dev/zero", "l", "l/../l/", "//", ".", "/dev/full",
		"a/", "/proc/self/exe", "/proc/self/cwd/a", "f", "/proc/stat",
	};

	for (unsigned i = 0; i < 64; i++)
		strcpy((char *)arena + i * 64,
		       paths[host_random(ARRAY_SIZE(paths))]);
}

static void
garbage(void)
{
	int pids[] = { SHELL, OTHER, THIRD };

	host_begin(NULL, 0);
	host_fork(SHELL, OTHER, 0);
	host_fork(SHELL, THIRD, LINUX_CLONE_FILES);
	for (int i = 0; i < 300000; i++) {
		int pid = pids[host_random(3)];
		long number = (long)host_random(452);

		if (i % 64 == 0)
			fill_garbage();
		if (i % 1000 == 0) {
			host_exit(THIRD);
			host_fork(SHELL, THIRD, host_random(2) << 10);
		}
		/* All three wait now and then; a signal ends that. */
		for (int n = 0; n < 3; n++)
			host_cancel(pids[n]);
		host_call(pid, number, garbage_word(), garbage_word(),
			  garbage_word(), garbage_word(), garbage_word(),
			  garbage_word());
		if (host_random(100) == 0)
			host_type("ab\3\4\r\x7f\x15\x16\x1a", host_random(9));
		if (host_random(100) == 0)
			host_sleep(host_random(2000) * MS);
		if (i % 1000 == 999)
			host_screen();
	}
	host_exit(OTHER);
	host_exit(THIRD);
	host_exit(SHELL);
	CHECK_EQ(host_buildings, 0);
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("a write that faults leaves nothing behind", failed_writes);
	test("a full file system takes what fits", no_space);
	test("a file system without nodes makes no file", no_nodes);
	test("without descriptors nothing is made", no_descriptors);
	test("a directory that is renamed while read ends", endless_directory);
	test("the archive becomes the tree", unpacked);
	test("damaged archives do no harm", damaged_archives);
	test("readers wait for writers", pipes_wait);
	test("writers wait for room", writers_wait);
	test("a writer hears that the reader is gone", reader_gone_while_written);
	test("who waits keeps the file", closed_while_read);
	test("both sides of a FIFO meet", fifos_meet);
	test("poll waits for the first, or the time", polls_wait);
	test("select tells what time is left", select_tells_the_rest);
	test("locks wait for each other", locks_wait);
	test("names and links take room", names_take_room);
	test("alarms ring once, or in their beat", alarms_ring);
	test("tables are copied or shared as fork says", tables);
	test("a process that ends leaves nothing", all_memory_returns);
	test("lines are edited, then read", lines);
	test("keys send signals to the foreground", interrupts);
	test("raw reads heed VMIN and VTIME", raw_reads);
	test("a call that is over has no time left", no_time_left_over);
	test("big transfers let others in", slices);
	test("and go on where they were", slices_have_places);
	test("more calls than can wait are told", too_many_wait);
	test("a slow terminal loses nothing", slow_terminal);
	test("a session's end hangs up", hang_up);
	test("groups are killed", groups_are_killed);
	test("exec builds what the file says", programs_are_built);
	test("what runs is not changed by writing to its file",
	     running_programs_stay);
	test("more programs run than there are memories", many_programs);
	test("scripts lead to their interpreters", scripts_are_followed);
	test("arguments have a limit", long_arguments);
	test("every failed allocation is told, and undone", every_failure);
	test("garbage does no harm", garbage);
	return host_result();
}
