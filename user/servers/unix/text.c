#include "user/servers/unix/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
text_free(struct text *text)
{
	if (text->bytes)
		os_free(text->bytes, text->size);
	*text = (struct text){ 0 };
}

static bool
grow_text(struct text *text, size_t len)
{
	size_t size = text->size ? text->size : 1024;
	char *bytes;

	if (text->failed || text->used + len <= text->size)
		return !text->failed;
	while (size < text->used + len)
		size *= 2;
	bytes = os_alloc(size);
	if (!bytes) {
		text->failed = true;
		return false;
	}
	if (text->bytes) {
		memcpy(bytes, text->bytes, text->used);
		os_free(text->bytes, text->size);
	}
	text->bytes = bytes;
	text->size = size;
	return true;
}

void
text_add_bytes(struct text *text, const void *bytes, size_t len)
{
	if (!len || !grow_text(text, len))
		return;
	memcpy(text->bytes + text->used, bytes, len);
	text->used += len;
}

void
text_add(struct text *text, const char *fmt, ...)
{
	char line[512];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	text_add_bytes(text, line, MIN((size_t)len, sizeof(line) - 1));
}
