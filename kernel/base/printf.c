/*
 * printf into a buffer. One pass over the format: each conversion becomes a
 * sign or prefix and a run of text, which put_field() pads to its width.
 */
#include "kernel/base/string.h"

/* Where the text goes. len counts on past the end, as snprintf promises. */
struct sink {
	char *buf;
	size_t size;
	size_t len;
};

struct conversion {
	bool left;		/* '-': pad on the right */
	bool zero;		/* '0': pad numbers with zeroes */
	bool alternate;		/* '#': 0x before hexadecimal, but for 0 */
	int width;
	int precision;		/* -1: none given */
	unsigned size;		/* bytes of the integer argument */
};

static void
put(struct sink *sink, char c)
{
	if (sink->len < sink->size)
		sink->buf[sink->len] = c;
	sink->len++;
}

static void
put_repeated(struct sink *sink, char c, long n)
{
	for (; n > 0; n--)
		put(sink, c);
}

/* Zeroes go between prefix and text, blanks outside both. */
static void
put_field(struct sink *sink, const struct conversion *conv, const char *prefix,
	  const char *text, size_t len)
{
	long pad = conv->width - (long)len - (long)strlen(prefix);
	bool zero = conv->zero && !conv->left;

	if (!conv->left && !zero)
		put_repeated(sink, ' ', pad);
	while (*prefix)
		put(sink, *prefix++);
	if (zero)
		put_repeated(sink, '0', pad);
	for (size_t i = 0; i < len; i++)
		put(sink, text[i]);
	if (conv->left)
		put_repeated(sink, ' ', pad);
}

static void
put_number(struct sink *sink, const struct conversion *conv, u64 value,
	   unsigned base, const char *prefix)
{
	char text[20]; /* 2^64 - 1 has 20 decimal digits */
	char *start = text + sizeof(text);

	do
		*--start = "0123456789abcdef"[value % base];
	while (value /= base);
	put_field(sink, conv, prefix, start, text + sizeof(text) - start);
}

static void
put_string(struct sink *sink, struct conversion *conv, const char *s)
{
	size_t max = conv->precision < 0 ? SIZE_MAX : (size_t)conv->precision;

	if (!s)
		s = "(null)";
	conv->zero = false;
	put_field(sink, conv, "", s, strnlen(s, max));
}

static int
parse_int(const char **fmt)
{
	int n = 0;

	for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
		if (n < 100000) /* wider makes no sense and might overflow */
			n = n * 10 + (**fmt - '0');
	return n;
}

/* Returns @fmt moved on to the conversion's letter. */
static const char *
parse_conversion(const char *fmt, struct conversion *conv, va_list *args)
{
	*conv = (struct conversion){ .precision = -1, .size = sizeof(int) };

	for (;; fmt++) {
		if (*fmt == '-')
			conv->left = true;
		else if (*fmt == '0')
			conv->zero = true;
		else if (*fmt == '#')
			conv->alternate = true;
		else
			break;
	}
	conv->width = parse_int(&fmt);
	if (*fmt == '.') {
		fmt++;
		if (*fmt == '*') {
			fmt++;
			conv->precision = va_arg(*args, int);
		} else {
			conv->precision = parse_int(&fmt);
		}
	}
	for (; *fmt == 'l' || *fmt == 'z'; fmt++)
		conv->size = sizeof(long);
	return fmt;
}

static void
put_signed(struct sink *sink, const struct conversion *conv, s64 value)
{
	/* Negated as unsigned: the lowest number has no positive partner. */
	u64 magnitude = value < 0 ? -(u64)value : (u64)value;

	put_number(sink, conv, magnitude, 10, value < 0 ? "-" : "");
}

static u64
next_unsigned(const struct conversion *conv, va_list *args)
{
	if (conv->size == sizeof(long))
		return va_arg(*args, u64);
	return va_arg(*args, unsigned);
}

static s64
next_signed(const struct conversion *conv, va_list *args)
{
	if (conv->size == sizeof(long))
		return va_arg(*args, s64);
	return va_arg(*args, int);
}

/* @fmt is at the conversion's letter; an unknown one is printed as it is. */
static void
put_conversion(struct sink *sink, char letter, struct conversion *conv,
	       va_list *args)
{
	u64 value;
	char c;

	switch (letter) {
	case 'd':
	case 'i':
		put_signed(sink, conv, next_signed(conv, args));
		break;
	case 'u':
		put_number(sink, conv, next_unsigned(conv, args), 10, "");
		break;
	case 'x':
		value = next_unsigned(conv, args);
		put_number(sink, conv, value, 16,
			   conv->alternate && value ? "0x" : "");
		break;
	case 'p':
		put_number(sink, conv, (u64)va_arg(*args, void *), 16, "0x");
		break;
	case 's':
		put_string(sink, conv, va_arg(*args, const char *));
		break;
	case 'c':
		c = va_arg(*args, int);
		conv->zero = false;
		put_field(sink, conv, "", &c, 1);
		break;
	case '%':
		put(sink, '%');
		break;
	default:
		put(sink, '%');
		put(sink, letter);
	}
}

int
vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct sink sink = { .buf = buf, .size = size };
	struct conversion conv;
	va_list rest;

	va_copy(rest, args);
	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put(&sink, *fmt);
			continue;
		}
		fmt = parse_conversion(fmt + 1, &conv, &rest);
		if (!*fmt)
			break;
		put_conversion(&sink, *fmt, &conv, &rest);
	}
	va_end(rest);

	if (size > 0)
		buf[MIN(sink.len, size - 1)] = 0;
	return sink.len;
}

int
snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}
