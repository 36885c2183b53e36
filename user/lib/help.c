/* See user/include/help.h. */
#include "user/include/help.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void
usage_error(const char *program, const char *format, ...)
{
	va_list args;

	program = base_name(program);
	fprintf(stderr, "%s: ", program);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; see %s --help\n", program);
	exit(2);
}

void
help_option(int argc, char **argv, const char *text)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0) {
			fputs(text, stdout);
			exit(0);
		}
		if (strncmp(argv[i], "--", 2) == 0)
			usage_error(argv[0], "there is no '%s'", argv[i]);
	}
}

void
only_help_option(int argc, char **argv, const char *text)
{
	help_option(argc, argv, text);
	if (argc > 1)
		usage_error(argv[0], "it takes no '%s'", argv[1]);
}
