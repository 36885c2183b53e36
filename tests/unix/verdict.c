/* Who is left to process 1 cannot end the machine. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LODGER_VERDICT = 0x100c, HANDLES = 16 };

/* With every handle that it might have, and as if there were none to name. */
static void
try(void)
{
	for (long handle = 0; handle < HANDLES; handle++)
		if (syscall(LODGER_VERDICT, handle, 0) != -1)
			_exit(1);
	puts("the machine goes on");
}

int
main(void)
{
	int news[2];
	pid_t parent;
	char c;

	setvbuf(stdout, NULL, _IONBF, 0);
	if (pipe(news) != 0)
		return 1;
	if (fork() == 0) {
		parent = getpid();
		if (fork())
			_exit(0);
		while (getppid() == parent)
			usleep(1000);
		try();
		_exit(0);
	}
	close(news[1]);
	wait(NULL);
	return read(news[0], &c, 1) != 0;
}
