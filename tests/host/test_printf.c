// with:
#include "host.h"

/* libc's, for comparison; the names then belong to the kernel's own. */
static int
libc_format(char *buf, size_t size, const char *fmt, va_list args)
{
	return vsnprintf(buf, size, fmt, args);
}

#define vsnprintf our_vsnprintf
#define snprintf  our_snprintf
#include "kernel/base/printf.c"
#undef vsnprintf
#undef snprintf

/* Formats with both, into every buffer size up to the full one. */
static void
same_as_libc(const char *fmt, ...)
{
	char seen[200], expected[200];
	va_list args;

	for (size_t size = 0; size <= 90; size++) {
		int seen_len, expected_len;

		memset(seen, '?', sizeof(seen));
		memset(expected, '?', sizeof(expected));
		va_start(args, fmt);
		seen_len = our_vsnprintf(seen, size, fmt, args);
		va_end(args);
		va_start(args, fmt);
		expected_len = libc_format(expected, size, fmt, args);
		va_end(args);
		CHECK_EQ(seen_len, expected_len);
		if (memcmp(seen, expected, size))
			FAIL("%s into %zu bytes: \"%.*s\", expected \"%.*s\"",
			     fmt, size, (int)size, seen, (int)size, expected);
		if (memcmp(seen + size, expected + size, 90 - size))
			FAIL("%s wrote past %zu bytes", fmt, size);
	}
}

static const char *const number_formats[] = {
	"%d", "%i", "%u", "%x", "%5d", "%-5d|", "%05d", "%-05d|", "%20u",
	"%08x", "%3d", "%016x", "%-12x|", "<%1d>", "%030u",
	"%#x", "%#10x", "%#010x", "%-#10x|",
};

static const long values[] = {
	0, 1, -1, 9, 10, -10, 99999, -99999, 0x7fffffff, -0x7fffffff - 1,
	0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
	-0x7fffffffffffffff - 1, 0x123456789abcdef,
};

static void
numbers(void)
{
	for (unsigned f = 0; f < ARRAY_SIZE(number_formats); f++)
		for (unsigned v = 0; v < ARRAY_SIZE(values); v++)
			same_as_libc(number_formats[f], (int)values[v]);
}

static void
long_numbers(void)
{
	static const char *const formats[] = {
		"%ld", "%lu", "%lx", "%llu", "%lld", "%zu", "%zx", "%018lx",
		"%-20ld|", "%25lu",
	};

	for (unsigned f = 0; f < ARRAY_SIZE(formats); f++)
		for (unsigned v = 0; v < ARRAY_SIZE(values); v++)
			same_as_libc(formats[f], values[v]);
}

static void
strings(void)
{
	static const char *const formats[] = { "%s", "%10s", "%-10s|", "%.3s",
					       "%8.2s", "%-8.2s|", "%.0s",
					       "%1s" };
	static const char *const texts[] = { "", "a", "abc", "abcdefghijkl" };

	for (unsigned f = 0; f < ARRAY_SIZE(formats); f++)
		for (unsigned t = 0; t < ARRAY_SIZE(texts); t++)
			same_as_libc(formats[f], texts[t]);
	same_as_libc("%.*s|", 2, "abcdef");
}

static void
mixtures(void)
{
	same_as_libc("");
	same_as_libc("%%");
	same_as_libc("100%% of %d", 3);
	same_as_libc("%c%c%5c%-5c|", 'a', 'b', 'c', 'd');
	same_as_libc("[%5lu.%06lu cpu%u] %s: %d/%d %#lx", 12ul, 345ul, 3u,
		     "mm", -1, 2, 0xffffffff80001234ul);
	same_as_libc("%d %ld %d %s %lu", 1, 1ul << 40, 2, "three", 4ul);
}

static void
bounded_strings(void)
{
	char *text = malloc(3), seen[10];

	memcpy(text, "abc", 3);
	CHECK_EQ(our_snprintf(seen, sizeof(seen), "%.3s", text), 3);
	CHECK(strcmp(seen, "abc") == 0);
	free(text);
}

static void
own_ways(void)
{
	char seen[64];

	our_snprintf(seen, sizeof(seen), "%p %p", NULL, (void *)0xabc);
	CHECK(strcmp(seen, "0x0 0xabc") == 0);
	our_snprintf(seen, sizeof(seen), "%s", (char *)NULL + host_random(1));
	CHECK(strcmp(seen, "(null)") == 0);
}

/* Format strings are ours, but a slip must not run away. */
static void
bad_formats(void)
{
	const char *const formats[] = { "%", "%l", "%5", "%-", "%.", "a%08l" };
	const char *unknown = "%y%k";
	char seen[32];

	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++)
		our_snprintf(seen, sizeof(seen), formats[i]);
	our_snprintf(seen, sizeof(seen), unknown);
	CHECK(strcmp(seen, "%y%k") == 0);
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("int conversions print what libc prints, in buffers of any size",
	     numbers);
	test("long conversions print what libc prints", long_numbers);
	test("strings obey width and precision as libc's do", strings);
	test("mixed formats keep their arguments apart", mixtures);
	test("a string with a precision needs no terminator", bounded_strings);
	test("pointers and NULL strings print in our own way",
	     own_ways);
	test("an unfinished or unknown conversion does no harm", bad_formats);
	return host_result();
}
