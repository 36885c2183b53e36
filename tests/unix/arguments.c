/* Arguments of 32 bits, with more above them in the register: as if there were
 * nothing. What else a register holds is no business of the call's. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define HIGH   0xdead00000000ul
#define NOBODY 0xfffffffful /* an id: as it is */

static void
told(const char *what, long result)
{
	printf("%s: %s\n", what, result < 0 ? strerror(errno) : "done");
}

static void
numbers(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_len = 10 };

	told("fcntl F_GETFD", syscall(SYS_fcntl, HIGH | (unsigned)fd,
				      HIGH | F_GETFD));
	told("fcntl F_SETLK", syscall(SYS_fcntl, fd, HIGH | F_SETLK, &lock));
	told("fcntl F_GETLK", syscall(SYS_fcntl, fd, HIGH | F_GETLK, &lock));
	told("flock shared", syscall(SYS_flock, fd, HIGH | LOCK_SH));
	told("flock free", syscall(SYS_flock, fd, HIGH | LOCK_UN));
	told("dup3", syscall(SYS_dup3, fd, HIGH | 20, HIGH | O_CLOEXEC));
	printf("close on exec: %d\n", fcntl(20, F_GETFD));
	told("FIONCLEX", syscall(SYS_ioctl, 20, HIGH | FIONCLEX));
	printf("close on exec: %d\n", fcntl(20, F_GETFD));
	told("FIOCLEX", syscall(SYS_ioctl, 20, HIGH | FIOCLEX));
	printf("close on exec: %d\n", fcntl(20, F_GETFD));
	told("fadvise", syscall(SYS_fadvise64, fd, 0, 0, HIGH));
	told("lseek", syscall(SYS_lseek, fd, 0, HIGH | SEEK_SET));
}

static void
names(void)
{
	static char buffer[512];

	told("access", syscall(SYS_access, "file", HIGH | R_OK));
	told("faccessat", syscall(SYS_faccessat, HIGH | (uint32_t)AT_FDCWD,
				  "file", HIGH | R_OK));
	told("faccessat2", syscall(SYS_faccessat2, AT_FDCWD, "file", HIGH | R_OK,
				   HIGH | AT_EACCESS));
	told("newfstatat", syscall(SYS_newfstatat, AT_FDCWD, "file", buffer,
				   HIGH | AT_SYMLINK_NOFOLLOW));
	told("statx", syscall(SYS_statx, AT_FDCWD, "file",
			      HIGH | AT_SYMLINK_NOFOLLOW, HIGH | 1, buffer));
	told("fchownat", syscall(SYS_fchownat, AT_FDCWD, "file", HIGH | NOBODY, HIGH | NOBODY,
				 HIGH | AT_SYMLINK_NOFOLLOW));
	told("utimensat", syscall(SYS_utimensat, AT_FDCWD, "file", NULL,
				  HIGH | AT_SYMLINK_NOFOLLOW));
	told("openat", syscall(SYS_openat, AT_FDCWD, "file", HIGH | O_RDONLY, 0));
	told("linkat", syscall(SYS_linkat, AT_FDCWD, "file", AT_FDCWD, "link",
			       HIGH));
	told("renameat2", syscall(SYS_renameat2, AT_FDCWD, "link", AT_FDCWD,
				  "other", HIGH));
	told("unlinkat", syscall(SYS_unlinkat, AT_FDCWD, "other", HIGH));
}

static void
processes(void)
{
	struct itimerval timer = { .it_value = { 0, 0 } };
	char name[16];

	told("setitimer", syscall(SYS_setitimer, HIGH | ITIMER_REAL, &timer, 0));
	told("getitimer", syscall(SYS_getitimer, HIGH | ITIMER_REAL, &timer));
	told("prctl", syscall(SYS_prctl, HIGH | PR_GET_NAME, name));
	told("setuid", syscall(SYS_setuid, HIGH | getuid()));
	told("setresgid", syscall(SYS_setresgid, HIGH | NOBODY,
				 HIGH | getgid(), HIGH | NOBODY));
}

/* The same calls refuse what is wrong in the 32 bits. */
static void
wrong(int fd)
{
	told("flock 3", syscall(SYS_flock, fd, HIGH | 3));
	told("fcntl 9999", syscall(SYS_fcntl, fd, HIGH | 9999));
	told("access 8", syscall(SYS_access, "file", HIGH | 8));
	told("dup3 1", syscall(SYS_dup3, fd, 20, HIGH | 1));
	told("setitimer 3", syscall(SYS_setitimer, HIGH | 3, NULL, NULL));
	told("unlinkat 1", syscall(SYS_unlinkat, AT_FDCWD, "file", HIGH | 1));
}

int
main(void)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);

	setvbuf(stdout, NULL, _IOLBF, 0);
	numbers(fd);
	names();
	processes();
	wrong(fd);
	return 0;
}
