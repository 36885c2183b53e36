/* One process reads and writes very much at once; the others are served. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 64 << 20, ENOUGH = 10 };

static _Atomic int *over;

static void
check(const char *what, ssize_t result)
{
	printf("%s: %zd MiB\n", what, result >> 20);
	fflush(stdout);
}

static void
much(void)
{
	char *buf = malloc(SIZE);
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
	int file = open("file", O_RDWR | O_CREAT, 0600);

	check("read", read(zero, buf, SIZE));
	check("write", write(null, buf, SIZE));
	check("write to a file", write(file, buf, SIZE));
	check("read back", pread(file, buf, SIZE, 0));
	unlink("file");
	*over = 1;
	_exit(0);
}

int
main(void)
{
	int zero = open("/dev/zero", O_RDONLY), served = 0;
	char byte;

	over = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fork() == 0)
		much();
	while (!*over)
		served += read(zero, &byte, 1) == 1;
	wait(NULL);
	printf("others are served: %d\n", served >= ENOUGH);
	return 0;
}
