/* See user/include/server.h. */
#include "user/include/server.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/include/lodger.h"

unsigned
server_handle(const char *name)
{
	char variable[64];
	const char *value;

	snprintf(variable, sizeof(variable), "HANDLE_%s", name);
	value = getenv(variable);
	return value ? (unsigned)strtoul(value, NULL, 10) : 0;
}

void
server_log(const char *format, ...)
{
	char line[200];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len] = '\n';
	lodger_klog_write(line, (size_t)len + 1);
}
