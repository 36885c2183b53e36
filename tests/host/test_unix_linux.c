// with: tests/host/unix/os_host.c user/servers/unix/[a-l]*.c user/servers/unix/memfs.c user/servers/unix/[np-z]*.c user/lib/elf.c user/lib/stack.c -D_GNU_SOURCE -Iuser/include
/*
 * The Unix server beside Linux: the same calls, chosen by chance, are made
 * here and there, and results, errors and what is left must be the same. Files
 * are Linux's tmpfs, in a directory that is the root (this needs root's rights),
 * the terminal is a pseudo-terminal.
 */
#include "host.h"
#include "unix/os_host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "user/servers/unix/linux.h"
#include "user/servers/unix/node.h"
#include "user/servers/unix/tty.h"

static char what[4096]; /* the last call, for people */

/* ---- Both sides ----------------------------------------------------- */

enum { BUFFER = 80000, MAX_FD = 14 };

static u8 theirs[BUFFER]; /* Linux's buffer; ours is in the arena */
static u64 ours;

static long
on_linux(long number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	long result = syscall(number, a, b, c, d, e, f);

	return result == -1 ? -errno : result;
}

/* The same call on both; paths and the buffer are exchanged. */
struct both {
	u64 linux_args[6], server_args[6];
	unsigned n;
};

static void
arg(struct both *both, u64 word)
{
	both->linux_args[both->n] = both->server_args[both->n] = word;
	both->n++;
	sprintf(what + strlen(what), " 0x%llx", (unsigned long long)word);
}

static void
arg_path(struct both *both, const char *path)
{
	both->linux_args[both->n] = (u64)path;
	both->server_args[both->n++] = arena_string(path);
	sprintf(what + strlen(what), " \"%.60s\"", path);
}

static void
arg_buffer(struct both *both)
{
	both->linux_args[both->n] = (u64)theirs;
	both->server_args[both->n++] = ours;
	strcat(what, " buf");
}

static long
same_result(long number, const struct both *both)
{
	const u64 *l = both->linux_args, *s = both->server_args;
	long server = host_call(SHELL, number, s[0], s[1], s[2], s[3], s[4],
				s[5]);
	long linux_ = on_linux(number, l[0], l[1], l[2], l[3], l[4], l[5]);

	if (server != linux_)
		FAIL("call %ld%s: the server says %ld, Linux %ld", number,
		     what, server, linux_);
	return server;
}

static void
same_bytes(size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (theirs[i] != ((u8 *)ours)[i])
			FAIL("call%s: byte %zu of %zu is %d, on Linux %d", what,
			     i, len, ((u8 *)ours)[i], theirs[i]);
	}
}

/* ---- What is chosen from -------------------------------------------- */

static const char *
random_path(void)
{
	static char long_name[300], long_path[5000];
	static const char *const names[] = {
		"a", "b", "d", "d/a", "d/e", "d/e/f", "d/../a", "./b", "/", "/d",
		"..", ".", "", "a/", "d/", "d/.", "d/..", "s", "s/a", "t", "loop",
		"d//e//f", "a/b", "s/", "/d/e/", "../../a", "p", "p/", "dangling",
		"/s/../b", "d/e/..", "t/f", "d/long",
	};

	if (!long_name[0]) {
		memset(long_name, 'n', 256);
		memset(long_path, '/', 4200);
	}
	switch (host_random(60)) {
	case 0:
		return long_name;
	case 1:
		return long_name + 1; /* 255 */
	case 2:
		return long_path;
	default:
		return names[host_random(ARRAY_SIZE(names))];
	}
}

static u64
random_fd(void)
{
	u64 above = host_random(30) ? 0 : 1ull << 32; /* which counts for nothing */

	return host_random(30) ? (3 + host_random(MAX_FD - 3)) | above : ~0ull;
}

static u64
random_dirfd(void)
{
	return host_random(3) ? (u64)AT_FDCWD : random_fd();
}

static u64
random_len(void)
{
	switch (host_random(6)) {
	case 0:
		return host_random(70000);
	case 1:
		return 4096 * host_random(4);
	default:
		return host_random(300);
	}
}

static u64
random_flags(void)
{
	static const int flags[] = { O_CREAT, O_EXCL, O_TRUNC, O_APPEND,
				     O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC,
				     O_PATH };
	u64 chosen = O_NONBLOCK | host_random(3);

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (host_random(i ? 6 : 2) == 0)
			chosen |= (u64)flags[i];
	}
	return chosen;
}

/* ---- Calls ---------------------------------------------------------- */

static void
try_open(struct both *both)
{
	arg(both, random_dirfd());
	arg_path(both, random_path());
	arg(both, random_flags());
	arg(both, 0666);
	same_result(SYS_openat, both);
}

static void
fill_buffers(void)
{
	for (size_t i = 0; i < 64; i++)
		theirs[host_random(BUFFER)] = (u8)host_random(256);
	memcpy((void *)ours, theirs, BUFFER);
}

static void
try_write(struct both *both)
{
	bool at = host_random(4) == 0;

	fill_buffers();
	arg(both, random_fd());
	arg_buffer(both);
	arg(both, random_len());
	if (at)
		arg(both, host_random(100000) - 10);
	same_result(at ? SYS_pwrite64 : SYS_write, both);
}

static void
try_read(struct both *both)
{
	bool at = host_random(4) == 0;
	long n;

	arg(both, random_fd());
	arg_buffer(both);
	arg(both, random_len());
	if (at)
		arg(both, host_random(100000) - 10);
	n = same_result(at ? SYS_pread64 : SYS_read, both);
	if (n > 0)
		same_bytes((size_t)n);
}

static void
try_seek(struct both *both)
{
	arg(both, random_fd());
	arg(both, host_random(2000) - 500);
	arg(both, host_random(4) ? host_random(3) : host_random(7));
	/* Linux knows holes, and what directories count in is theirs. */
	if (both->linux_args[2] == SEEK_DATA || both->linux_args[2] == SEEK_HOLE)
		return;
	struct stat stat;

	if (fstat((int)both->linux_args[0], &stat) == 0 &&
	    S_ISDIR(stat.st_mode))
		return;
	same_result(SYS_lseek, both);
}

static void
same_stat(void)
{
	struct stat linux_, server;

	memcpy(&linux_, theirs, sizeof(linux_));
	memcpy(&server, (void *)ours, sizeof(server));
	if (linux_.st_mode != server.st_mode ||
	    linux_.st_nlink != server.st_nlink ||
	    linux_.st_uid != server.st_uid || linux_.st_gid != server.st_gid ||
	    (!S_ISDIR(linux_.st_mode) && linux_.st_size != server.st_size))
		FAIL("stat%s: mode %o links %ld size %ld, Linux %o %ld %ld",
		     what, server.st_mode, (long)server.st_nlink,
		     (long)server.st_size, linux_.st_mode,
		     (long)linux_.st_nlink, (long)linux_.st_size);
}

static void
try_stat(struct both *both)
{
	arg(both, random_dirfd());
	arg_path(both, random_path());
	arg_buffer(both);
	arg(both, (host_random(2) ? AT_SYMLINK_NOFOLLOW : 0) |
			  (host_random(4) ? 0 : AT_EMPTY_PATH));
	if (same_result(SYS_newfstatat, both) == 0)
		same_stat();
}

static void
try_fstat(struct both *both)
{
	arg(both, random_fd());
	arg_buffer(both);
	if (same_result(SYS_fstat, both) == 0)
		same_stat();
}

/* Calls with one path and a number. */
static void
try_path(struct both *both)
{
	static const struct {
		long number;
		u64 bound;
	} calls[] = {
		{ SYS_mkdir, 02000 }, { SYS_rmdir, 1 }, { SYS_unlink, 1 },
		{ SYS_chmod, 010000 }, { SYS_truncate, 70000 },
		{ SYS_access, 9 },
	};
	unsigned i = (unsigned)host_random(ARRAY_SIZE(calls));

	arg_path(both, random_path());
	arg(both, host_random(calls[i].bound));
	same_result(calls[i].number, both);
}

static void
try_chdir(struct both *both)
{
	long n;

	if (host_random(3) == 0) {
		arg_path(both, random_path());
		same_result(SYS_chdir, both);
		return;
	}
	arg_buffer(both);
	arg(both, host_random(4) ? 4096 : host_random(10));
	n = same_result(SYS_getcwd, both);
	if (n > 0)
		same_bytes((size_t)n);
}

static void
try_unlinkat(struct both *both)
{
	arg(both, random_dirfd());
	arg_path(both, random_path());
	arg(both, host_random(2) ? AT_REMOVEDIR : 0);
	same_result(SYS_unlinkat, both);
}

static void
try_two_paths(struct both *both)
{
	static const long numbers[] = { SYS_rename, SYS_rename, SYS_link,
					SYS_symlink };

	arg_path(both, random_path());
	arg_path(both, random_path());
	same_result(numbers[host_random(4)], both);
}

static void
try_rename2(struct both *both)
{
	arg(both, random_dirfd());
	arg_path(both, random_path());
	arg(both, random_dirfd());
	arg_path(both, random_path());
	arg(both, host_random(2));
	same_result(SYS_renameat2, both);
}

static void
try_readlink(struct both *both)
{
	long n;

	arg_path(both, random_path());
	arg_buffer(both);
	arg(both, host_random(3) ? 100 : host_random(3));
	n = same_result(SYS_readlink, both);
	if (n > 0)
		same_bytes((size_t)n);
}

static void
try_mknod(struct both *both)
{
	static const u64 types[] = { 0, S_IFREG, S_IFIFO, S_IFIFO, S_IFDIR,
				     S_IFLNK };

	arg_path(both, random_path());
	arg(both, types[host_random(ARRAY_SIZE(types))] | 0644);
	arg(both, 0);
	same_result(SYS_mknod, both);
}

static void
try_close(struct both *both)
{
	arg(both, random_fd());
	same_result(SYS_close, both);
}

static void
try_dup(struct both *both)
{
	arg(both, random_fd());
	switch (host_random(3)) {
	case 0:
		same_result(SYS_dup, both);
		return;
	case 1:
		arg(both, random_fd());
		if ((int)both->linux_args[1] >= 0)
			same_result(SYS_dup2, both);
		return;
	default:
		arg(both, random_fd());
		arg(both, host_random(3) ? O_CLOEXEC : host_random(3));
		if ((int)both->linux_args[1] >= 0)
			same_result(SYS_dup3, both);
	}
}

static void
try_fcntl(struct both *both)
{
	arg(both, random_fd());
	switch (host_random(5)) {
	case 0:
		arg(both, F_GETFL);
		break;
	case 1:
		arg(both, F_SETFL);
		arg(both, O_NONBLOCK | (host_random(2) ? O_APPEND : 0));
		break;
	case 2:
		arg(both, F_DUPFD_CLOEXEC);
		arg(both, host_random(MAX_FD));
		break;
	case 3:
		arg(both, F_SETFD);
		arg(both, host_random(3));
		break;
	default:
		arg(both, F_GETFD);
	}
	same_result(SYS_fcntl, both);
}

static void
try_pipe(struct both *both)
{
	arg_buffer(both);
	arg(both, O_NONBLOCK | (host_random(2) ? O_CLOEXEC : 0));
	if (same_result(SYS_pipe2, both) == 0)
		same_bytes(8);
}

static void
try_poll(struct both *both)
{
	struct linux_pollfd fds[4];

	for (int i = 0; i < 4; i++)
		fds[i] = (struct linux_pollfd){ (s32)random_fd(),
						(s16)host_random(0x200), 0 };
	memcpy(theirs, fds, sizeof(fds));
	memcpy((void *)ours, fds, sizeof(fds));
	arg_buffer(both);
	arg(both, 4);
	arg(both, 0);
	if (same_result(SYS_poll, both) >= 0)
		same_bytes(sizeof(fds));
}

static void
try_select(struct both *both)
{
	u64 *sets = (u64 *)theirs;
	long n;

	for (int i = 0; i < 3; i++)
		sets[i * 16] = host_random(1 << MAX_FD) &
			       host_random(1 << MAX_FD) & ~7ull;
	sets[48] = sets[49] = 0;
	memcpy((void *)ours, theirs, 400);
	arg(both, host_random(MAX_FD + 2));
	sprintf(what + strlen(what), " read %llx write %llx except %llx",
		(unsigned long long)sets[0], (unsigned long long)sets[16],
		(unsigned long long)sets[32]);
	for (int fd = 3; fd < MAX_FD; fd++) {
		struct stat stat;

		if (fstat(fd, &stat) == 0)
			sprintf(what + strlen(what), ", %d is %o flags %o", fd,
				stat.st_mode, fcntl(fd, F_GETFL));
	}
	for (int i = 0; i < 4; i++) {
		both->linux_args[1 + i] = (u64)(sets + i * 16);
		both->server_args[1 + i] = ours + (u64)i * 128;
	}
	n = same_result(SYS_select, both);
	if (n >= 0)
		same_bytes(400);
}

static void
try_ftruncate(struct both *both)
{
	arg(both, random_fd());
	arg(both, host_random(70000));
	same_result(SYS_ftruncate, both);
}

/* By descriptor what others do by path. */
static void
try_change(struct both *both)
{
	arg(both, random_fd());
	switch (host_random(5)) {
	case 0:
		arg(both, host_random(4096));
		same_result(SYS_fchmod, both);
		break;
	case 1:
		arg(both, host_random(3));
		arg(both, host_random(3) - 1ull);
		same_result(SYS_fchown, both);
		break;
	case 2:
		arg(both, 0);
		arg(both, 0);
		arg(both, host_random(2) ? 0 : AT_SYMLINK_NOFOLLOW);
		same_result(SYS_utimensat, both);
		break;
	case 3:
		arg(both, 0);
		arg(both, 0);
		arg(both, host_random(8));
		same_result(SYS_fadvise64, both);
		break;
	default:
		same_result(SYS_fsync, both);
	}
}

/* Of times that are to stay as they are, nothing is looked at. */
static void
try_omit(struct both *both)
{
	struct timespec omit[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };

	if (host_random(2))
		omit[0].tv_nsec = UTIME_NOW;
	arg(both, random_dirfd());
	if (host_random(3))
		arg_path(both, random_path());
	else
		arg(both, 0);
	both->linux_args[2] = (u64)omit;
	both->server_args[2] = arena_put(omit, sizeof(omit));
	both->n = 3;
	arg(both, host_random(4));
	same_result(SYS_utimensat, both);
}

static void
try_ioctl(struct both *both)
{
	arg(both, random_fd());
	arg(both, host_random(2) ? FIONREAD : TCGETS);
	arg_buffer(both);
	if (same_result(SYS_ioctl, both) == 0)
		same_bytes(4);
}

static void
try_sendfile(struct both *both)
{
	struct stat stat, from;

	arg(both, random_fd());
	arg(both, random_fd());
	arg(both, 0);
	arg(both, random_len());
	/* Linux moves pages into a pipe, where we move bytes. */
	if (fstat((int)both->linux_args[0], &stat) == 0 &&
	    S_ISREG(stat.st_mode) &&
	    !fstat((int)both->linux_args[1], &from) &&
	    S_ISREG(from.st_mode) && from.st_ino != stat.st_ino)
		same_result(SYS_sendfile, both);
}

static void
try_vectors(struct both *both)
{
	struct linux_iovec spans[3];
	bool write = host_random(2);
	u64 place = 0;
	long n;

	fill_buffers();
	for (int i = 0; i < 3; i++) {
		spans[i].len = host_random(3) ? host_random(5000) : 0;
		spans[i].base = (u64)theirs + place;
		place += spans[i].len;
	}
	arg(both, random_fd());
	both->linux_args[1] = (u64)spans;
	struct linux_iovec copy[3];

	memcpy(copy, spans, sizeof(copy));
	for (int i = 0; i < 3; i++)
		copy[i].base += ours - (u64)theirs;
	both->server_args[1] = arena_put(copy, sizeof(copy));
	both->n = 2;
	arg(both, 3);
	n = same_result(write ? SYS_writev : SYS_readv, both);
	if (n > 0)
		same_bytes((size_t)n);
}

/* All names of a directory, with their types, in order. */
static size_t
names_in(char *buf, char sorted[][300], size_t n)
{
	size_t used = 0;

	for (size_t at = 0; at < n && used < 200;) {
		struct linux_dirent64 *d = (void *)(buf + at);

		snprintf(sorted[used++], 300, "%s %d", d->name, d->type);
		at += d->length;
	}
	qsort(sorted, used, 300, (int (*)(const void *, const void *))strcmp);
	return used;
}

static void
try_getdents(struct both *both)
{
	static char a[200][300], b[200][300];
	u64 fd = random_fd();
	struct stat stat;
	long linux_n, server_n;

	arg(both, fd);
	arg_buffer(both);
	arg(both, BUFFER);
	if (fstat((int)fd, &stat) != 0 || !S_ISDIR(stat.st_mode))
		return;
	lseek((int)fd, 0, SEEK_SET);
	CALL3(SYS_lseek, fd, 0, SEEK_SET);
	linux_n = on_linux(SYS_getdents64, fd, (u64)theirs, BUFFER, 0, 0, 0);
	server_n = CALL3(SYS_getdents64, fd, ours, BUFFER);
	if (linux_n < 0 || server_n < 0) {
		CHECK_EQ(server_n, linux_n);
		return;
	}
	linux_n = (long)names_in((char *)theirs, a, (size_t)linux_n);
	server_n = (long)names_in((char *)ours, b, (size_t)server_n);
	CHECK_EQ(server_n, linux_n);
	for (long i = 0; i < linux_n; i++)
		if (strcmp(a[i], b[i]) != 0)
			FAIL("getdents: the server has %s, Linux %s", b[i], a[i]);
}

/* ---- Files and pipes ------------------------------------------------ */

static void (*const tries[])(struct both *) = {
	try_open, try_open, try_open, try_open, try_write, try_write, try_read,
	try_read, try_seek, try_stat, try_fstat, try_path, try_path, try_path,
	try_chdir, try_unlinkat, try_two_paths, try_two_paths, try_rename2,
	try_readlink, try_mknod, try_close, try_close, try_dup, try_fcntl,
	try_pipe, try_poll, try_select, try_ftruncate, try_ioctl, try_sendfile,
	try_vectors, try_getdents, try_change, try_omit,
};

static char folder[] = "/dev/shm/lodger-XXXXXX";

static bool
enter_folder(void)
{
	if (!mkdtemp(folder) || chroot(folder) != 0 || chdir("/") != 0) {
		printf("skipped: no root's rights, or no /dev/shm\n");
		return false;
	}
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	signal(SIGPIPE, SIG_IGN);
	chmod("/", 0755);
	umask(022);
	return true;
}

static void
make_on_both(void)
{
	struct both both = { 0 };
	static const char *const links[][2] = {
		{ "d", "s" }, { "/d/e", "t" }, { "loop", "loop" },
		{ "nowhere", "dangling" },
	};

	what[0] = 0;
	arg_path(&both, "d");
	arg(&both, 0755);
	same_result(SYS_mkdir, &both);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		both = (struct both){ 0 };
		arg_path(&both, links[i][0]);
		arg_path(&both, links[i][1]);
		same_result(SYS_symlink, &both);
	}
}

/* The other root has neither /dev nor /proc. */
static void
hide_mounts(void)
{
	entry_remove(entry_find(root_node, "dev", 3));
	entry_remove(entry_find(root_node, "proc", 4));
}

static void
calls(void)
{
	host_begin(NULL, 0);
	if (!enter_folder())
		return;
	hide_mounts();
	for (int round = 0; round < 60; round++) {
		arena_reset();
		ours = arena_put(NULL, BUFFER);
		if (round == 0)
			make_on_both();
		for (u64 fd = MAX_FD; fd < 1024; fd++) {
			close((int)fd);
			CALL1(SYS_close, fd);
		}
		for (int i = 0; i < 400; i++) {
			struct both both = { 0 };

			what[0] = 0;
			if (i % 50 == 0) {
				arena_reset();
				ours = arena_put(NULL, BUFFER);
			}
			tries[host_random(ARRAY_SIZE(tries))](&both);
		}
	}
}

/* ---- The terminal --------------------------------------------------- */

static int master, slave;

static void
open_terminal(void)
{
	int unlocked = 0;
	char name[64];
	unsigned number;

	master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) != 0 ||
	    ioctl(master, TIOCGPTN, &number) != 0)
		FAIL("no pseudo-terminal");
	snprintf(name, sizeof(name), "/dev/pts/%u", number);
	slave = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
	CHECK(slave >= 0);
}

/* Linux takes what is typed in its own time. What is not shown nobody has waited
 * for: the new modes must not meet it. A poll that finds nothing has waited. */
static void
take_typed(void)
{
	struct linux_termios t;
	char typed[256];

	CHECK_EQ(ioctl(slave, TCGETS, &t), 0);
	t.lflag = t.iflag = 0;
	CHECK_EQ(ioctl(slave, TCSETS, &t), 0);
	CHECK_EQ(CALL3(SYS_ioctl, 0, TCSETS, arena_put(&t, sizeof(t))), 0);
	while (poll(&(struct pollfd){ slave, POLLIN, 0 }, 1, 0) == 1)
		CHECK(read(slave, typed, sizeof(typed)) > 0);
}

/* Random modes, the same for both. */
static void
set_modes(void)
{
	static const u32 local[] = { ICANON, ECHO, ECHOE, ECHOK, ECHOCTL, ECHOKE,
				     IEXTEN, ISIG, ECHONL, NOFLSH };
	static const u32 in[] = { ICRNL, INLCR, IGNCR, ISTRIP, IUTF8 };
	static const u32 out[] = { OPOST, ONLCR, OCRNL, ONOCR, ONLRET, XTABS };
	struct linux_termios t;

	CHECK_EQ(ioctl(slave, TCGETS, &t), 0);
	t.lflag = t.iflag = t.oflag = 0;
	for (size_t i = 0; i < ARRAY_SIZE(local); i++)
		t.lflag |= host_random(i < 2 ? 8 : 3) ? local[i] : 0;
	/* What a signal takes back of what was shown depends on who was
	 * faster. */
	if (t.lflag & ISIG)
		t.lflag |= NOFLSH;
	for (size_t i = 0; i < ARRAY_SIZE(in); i++)
		t.iflag |= host_random(i ? 4 : 2) ? 0 : in[i];
	for (size_t i = 0; i < ARRAY_SIZE(out); i++)
		t.oflag |= host_random(i < 2 ? 6 : 2) && (i < 2 || !host_random(3))
				   ? out[i] : 0;
	CHECK_EQ(ioctl(slave, TCSETSF, &t), 0);
	CHECK_EQ(CALL3(SYS_ioctl, 0, TCSETSF, arena_put(&t, sizeof(t))), 0);
	sprintf(what, "modes in %x out %x local %x:", t.iflag, t.oflag, t.lflag);
}

/* What the terminal shows: as much as the server has shown. */
static void
same_screen(void)
{
	const char *expected = host_screen();
	size_t len = strlen(expected), got = 0;
	char seen[8192];

	while (got < len) {
		struct pollfd wait = { master, POLLIN, 0 };
		ssize_t n;

		if (poll(&wait, 1, 2000) != 1)
			break;
		n = read(master, seen + got, MIN(len - got, sizeof(seen) - got));
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	if (got == len && poll(&(struct pollfd){ master, POLLIN, 0 }, 1, 3) == 1)
		got += (size_t)MAX(read(master, seen + got, 100), 0);
	if (got != len || memcmp(seen, expected, len) != 0)
		FAIL("%s the server shows \"%s\", Linux \"%.*s\"", what, expected,
		     (int)got, seen);
}

static void
type_same(void)
{
	static const char keys[] = "abc de1_\t\x7f\x7f\x15\x17\x16\x12\r\n\4"
				   "\xc3\xa9\x03\x1c\x01\x1b";
	char typed[12];
	size_t n = 1 + host_random(host_random(2) ? 10 : 2);

	for (size_t i = 0; i < n; i++)
		typed[i] = keys[host_random(sizeof(keys) - 1)];
	for (size_t i = 0; i < n; i++)
		sprintf(what + strlen(what), " %02x", (u8)typed[i]);
	host_type(typed, n);
	CHECK_EQ(write(master, typed, n), (long)n);
}

static bool
is_behind(void)
{
	int there = 0;

	return !(console_tty.termios.lflag & ICANON) &&
	       ioctl(slave, FIONREAD, &there) == 0 &&
	       (unsigned)there < tty_readable(&console_tty);
}

static void
read_same(void)
{
	u64 buf = arena_put(NULL, 300);
	size_t len = 1 + host_random(host_random(2) ? 5 : 200);
	struct pollfd wait = { slave, POLLIN, 0 };
	char seen[300];
	long server, linux_;

	if (tty_readable(&console_tty))
		poll(&wait, 1, 2000);
	for (int i = 0; i < 2000 && is_behind(); i++)
		usleep(1000);
	server = CALL3(SYS_read, 0, buf, len);
	linux_ = read(slave, seen, len);
	if (linux_ < 0)
		linux_ = -errno;
	sprintf(what + strlen(what), " read(%zu)", len);
	if (server != linux_ ||
	    (server > 0 && memcmp(seen, (void *)buf, (size_t)server) != 0))
		FAIL("%s the server reads %ld, Linux %ld", what, server,
		     linux_);
}

static void
terminals(void)
{
	host_begin(NULL, 0);
	open_terminal();
	console_tty.group = console_tty.session = 0; /* signals are not what is compared */
	CHECK_EQ(CALL3(SYS_fcntl, 0, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	for (int round = 0; round < 600; round++) {
		arena_reset();
		take_typed();
		set_modes();
		for (int i = 0; i < 6; i++) {
			type_same();
			same_screen();
			if (host_random(2))
				read_same();
			if (host_random(4) == 0 && write(slave, "x\ty\r\nz", 6)) {
				CALL3(SYS_write, 1, arena_put("x\ty\r\nz", 6), 6);
				same_screen();
			}
		}
	}
}

int
main(int argc, char **argv)
{
	int result;

	host_start(argc, argv);
	for (host_seed = 1; host_seed <= 6; host_seed++)
		test("calls by chance end as on Linux", calls);
	test("a terminal shows and gives what Linux does", terminals);
	result = host_result();
	return result;
}
