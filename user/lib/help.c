/* See user/include/help.h. */
#include "user/include/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
help_option(int argc, char **argv, const char *text)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") != 0 && strcmp(argv[i], "-h") != 0)
			continue;
		fputs(text, stdout);
		exit(0);
	}
}
