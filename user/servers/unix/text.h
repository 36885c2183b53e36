/* A text that grows as it is written. */
#pragma once

#include "user/servers/unix/os.h"

struct text {
	char *bytes;
	size_t used, size;
	bool failed; /* there was no memory: it is incomplete */
};

void text_add(struct text *text, const char *fmt, ...) __printf(2, 3);
void text_add_bytes(struct text *text, const void *bytes, size_t len);
void text_free(struct text *text);
