/* Vectors of strings: a program's arguments and environment. */
#pragma once

#include "user/servers/unix/call.h"
#include "user/servers/unix/text.h"

enum {
	STRING_MAX = 128 << 10, /* of one */
	STRINGS_MAX = 1 << 20,	/* of a whole vector */
};

struct strings {
	struct text text; /* one after another, each with its 0 */
	unsigned count;
};

/* A vector of a program's, from its address (0: an empty one). -E2BIG,
 * -EFAULT, -ENOMEM; what was fetched is to be freed then, too. */
int strings_fetch(struct strings *strings, struct call *call, u64 vector);
int strings_add(struct strings *strings, const char *string);
void strings_free(struct strings *strings);

/* An array of pointers to them, and a NULL; free with the count. */
const char **strings_vector(const struct strings *strings);
void strings_free_vector(const struct strings *strings, const char **vector);
