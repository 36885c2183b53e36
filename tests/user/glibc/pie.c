// linux-oracle
/*
 * A static position-independent program of the other C library:
 * gcc -static-pie. It relocates itself before main, and needs AT_PHDR,
 * AT_PHNUM, AT_RANDOM and a thread pointer to get there.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

static int value = 5;
static int *relocated = &value; /* right only after relocation */
static __thread int in_tls = 9;

static void *
thread_main(void *arg)
{
	in_tls += *(int *)arg;
	return (void *)(long)in_tls;
}

static void
say(int ok, const char *sentence)
{
	printf("%s: %s\n", ok ? "ok" : "WRONG", sentence);
}

static void
threads(void)
{
	pthread_t thread;
	void *result = NULL;

	pthread_create(&thread, NULL, thread_main, &value);
	pthread_join(thread, &result);
	say((long)result == 14 && in_tls == 9, "a thread and its own storage");
}

static void
processes(void)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		value = 6;
		_exit(3);
	}
	waitpid(pid, &status, 0);
	say(WIFEXITED(status) && WEXITSTATUS(status) == 3, "fork and wait");
	say(value == 5, "memory is copied");
}

static void
memory(void)
{
	char *big = malloc(10 << 20), *small = malloc(10);

	say(big && small, "malloc, large and small");
	memset(big, 1, 10 << 20);
	free(big);
	free(small);
}

int
main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("--- begin");
	say(argc >= 1 && argv[argc] == NULL, "arguments");
	say(*relocated == 5, "a pointer in the data has been relocated");
	say(getauxval(AT_PHNUM) > 0, "AT_PHNUM");
	say((unsigned long)main > 0x10000, "the code is somewhere");
	threads();
	processes();
	memory();
	puts("--- end");
	return 0;
}
