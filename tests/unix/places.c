/* Where lseek leads in what has no places, and what is said to be left there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *const names[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/proc/self/stat", "/proc/meminfo",
	"/proc/self/status", "plain",
};

static void
seek(int fd, const char *how, off_t offset, int whence)
{
	off_t at = lseek(fd, offset, whence);

	printf(" %s %s", how, at < 0 ? strerror(errno) : "");
	if (at >= 0)
		printf("%lld", (long long)at);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = open(names[i], names[i][0] == '/' ? O_RDONLY
							   : O_RDWR | O_CREAT, 0600);
		int left = 0;

		printf("%s:", names[i]);
		seek(fd, "to 5", 5, SEEK_SET);
		seek(fd, "2 on", 2, SEEK_CUR);
		seek(fd, "the end", 0, SEEK_END);
		seek(fd, "back", 0, SEEK_SET);
		printf(" left %d\n", ioctl(fd, FIONREAD, &left) == 0 ? left : -1);
		close(fd);
	}
	return 0;
}
