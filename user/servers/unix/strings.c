#include "user/servers/unix/strings.h"

#include <errno.h>
#include <string.h>

enum { POINTERS = 32 /* fetched at once */ };

static int
add_bytes(struct strings *strings, const char *bytes, size_t len)
{
	if (strings->text.used + len > STRINGS_MAX)
		return -E2BIG;
	text_add_bytes(&strings->text, bytes, len);
	return strings->text.failed ? -ENOMEM : 0;
}

int
strings_add(struct strings *strings, const char *string)
{
	strings->count++;
	return add_bytes(strings, string, strlen(string) + 1);
}

/* Page by page, since what follows the 0 may not be there. */
static int
fetch_string(struct strings *strings, struct call *call, u64 from)
{
	char piece[256];
	u64 end = from + STRING_MAX;

	strings->count++;
	while (from < end) {
		size_t len = MIN(sizeof(piece), PAGE_SIZE - from % PAGE_SIZE);
		int err = copy_in(call, piece, from, len);
		size_t used = err ? 0 : strnlen(piece, len);

		if (!err)
			err = add_bytes(strings, piece,
					used < len ? used + 1 : len);
		if (err || used < len)
			return err;
		from += len;
	}
	return -E2BIG;
}

/* How many pointers may be fetched from there. */
static size_t
pointers_at(u64 vector)
{
	size_t on_page = (PAGE_SIZE - vector % PAGE_SIZE) / sizeof(u64);

	return on_page ? MIN(on_page, (size_t)POINTERS) : 1;
}

int
strings_fetch(struct strings *strings, struct call *call, u64 vector)
{
	u64 pointers[POINTERS];

	while (vector) {
		size_t n = pointers_at(vector);
		int err = copy_in(call, pointers, vector, n * sizeof(u64));

		if (err)
			return err;
		for (size_t i = 0; i < n; i++) {
			if (!pointers[i])
				return 0;
			err = fetch_string(strings, call, pointers[i]);
			if (err)
				return err;
		}
		vector += n * sizeof(u64);
	}
	return 0;
}

void
strings_free(struct strings *strings)
{
	text_free(&strings->text);
	strings->count = 0;
}

const char **
strings_vector(const struct strings *strings)
{
	const char **vector = os_alloc((strings->count + 1) * sizeof(*vector));
	const char *string = strings->text.bytes;

	if (!vector)
		return NULL;
	for (unsigned i = 0; i < strings->count; i++) {
		vector[i] = string;
		string += strlen(string) + 1;
	}
	return vector;
}

void
strings_free_vector(const struct strings *strings, const char **vector)
{
	if (vector)
		os_free(vector, (strings->count + 1) * sizeof(*vector));
}
