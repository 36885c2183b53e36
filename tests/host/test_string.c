// with:
#include "host.h"

/* The kernel's own, beside libc's. */
#define strlen	our_strlen
#define strnlen our_strnlen
#define strcmp	our_strcmp
#define strncmp our_strncmp
#define strchr	our_strchr
#define strscpy our_strscpy
#include "kernel/base/string.c"
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strscpy

enum { ROUNDS = 20000, MAX_LEN = 40 };

/* A string of exactly its size on the heap, so that a byte read past its end
 * is noticed. Few letters, high ones too, so that prefixes agree. */
static char *
random_string(void)
{
	static const char letters[] = { 'a', 'b', (char)0x80, (char)0xff };
	size_t len = host_random(MAX_LEN);
	char *s = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		s[i] = letters[host_random(host_random(2) ? 1 : 4)];
	s[len] = 0;
	return s;
}

static int
sign(int n)
{
	return (n > 0) - (n < 0);
}

static void
lengths(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		char *s = random_string();
		size_t max = host_random(MAX_LEN + 5);

		CHECK_EQ(our_strlen(s), strlen(s));
		CHECK_EQ(our_strnlen(s, max), strnlen(s, max));
		free(s);
	}
}

static void
bounded_length(void)
{
	char *block = malloc(3);

	memset(block, 'x', 3);
	CHECK_EQ(our_strnlen(block, 3), 3);
	free(block);
}

static void
comparisons(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		char *a = random_string(), *b = random_string();
		size_t n = host_random(MAX_LEN + 5);

		CHECK_EQ(sign(our_strcmp(a, b)), sign(strcmp(a, b)));
		CHECK_EQ(sign(our_strncmp(a, b, n)), sign(strncmp(a, b, n)));
		free(a);
		free(b);
	}
}

static void
searches(void)
{
	static const int wanted[] = { 'a', 'b', 0x80, 0xff, 'z', 0 };

	for (int i = 0; i < ROUNDS; i++) {
		char *s = random_string();

		for (unsigned j = 0; j < ARRAY_SIZE(wanted); j++)
			CHECK_EQ(our_strchr(s, wanted[j]) - s,
				 strchr(s, wanted[j]) - s);
		free(s);
	}
}

static void
bounded_copies(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		char *s = random_string();
		size_t size = host_random(MAX_LEN + 5);
		size_t kept = MIN(strlen(s), size ? size - 1 : 0);
		char *dst = malloc(size + 1);

		dst[size] = 'G'; /* guard: a size of 0 writes nothing at all */
		our_strscpy(dst, s, size);
		CHECK_EQ(dst[size], 'G');
		if (size > 0) {
			CHECK(memcmp(dst, s, kept) == 0);
			CHECK_EQ(dst[kept], 0);
		}
		free(dst);
		free(s);
	}
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("strlen and strnlen count as libc's do", lengths);
	test("strnlen reads no byte past its bound", bounded_length);
	test("strcmp and strncmp order bytes as unsigned", comparisons);
	test("strchr finds the first one, and the terminator", searches);
	test("strscpy fills at most its size and always terminates",
	     bounded_copies);
	return host_result();
}
