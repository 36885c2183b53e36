/*
 * Under the shell, while it is typed at (tests/suites/console.py):
 *
 *	storm SEED N	kills N of the console server and its drivers, as the
 *			seed says; then there is a file /tmp/over
 *	storm memory	says what is in use
 */
#include "tests/user/with_host/kill_servers.h"

int
main(int argc, char **argv)
{
	char line[MEMORY_LINE];
	FILE *over;

	if (argc == 2 && strcmp(argv[1], "memory") == 0) {
		describe_memory(line);
		fputs(line, stdout);
		return 0;
	}
	if (argc != 3)
		return 1;
	kill_servers((unsigned)atoi(argv[1]), atoi(argv[2]));
	over = fopen("/tmp/over", "w");
	return !over || fclose(over);
}
