/* Boot options. To add one: a line in the table, and cmdline_get() where it
 * is used. */
#include "kernel/cmdline.h"
#include "kernel/base/assert.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/boot_info.h"

struct option {
	const char *name;
	const char *help;
	const char *value; /* NULL: not given; inside copy[] */
};

static struct option options[] = {
	{ "init", "=PATH: the program that starts all others", NULL },
	{ "run", "=PATH: one program alone, instead", NULL },
	{ "args", "=A,B,C: its arguments", NULL },
	{ "test", "=NAME: run this kernel test, or all", NULL },
	{ "loglevel", "=error|warn|info|debug: what the console shows", NULL },
	{ "cpus", "=N: start at most N CPUs", NULL },
	{ "skipcpu", "=ID: act as if CPU ID did not answer", NULL },
	{ "seed", "=N: seed of the pauses that vary a run", NULL },
	{ "invariants", "=MS: check the invariants this often; 0: never",
	  NULL },
	{ "trace", ": print the trace at the end", NULL },
	{ "shell", "=PATH: the program that the terminal begins with", NULL },
	{ "script", "=PATH: what the shell runs instead, once", NULL },
	{ "keep", ": go on when the first program has ended", NULL },
};

/* The line, cut into words: name 0 value 0. */
static char copy[MAX_CMDLINE];

static struct option *
find_option(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

static void
warn_unknown(const char *name)
{
	char list[160] = "";
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(options) && len < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, " %s",
					options[i].name);
	pr_warn("unknown boot option \"%s\" ignored; known are:%s", name, list);
}

/* "name" or "name=value"; the last of several wins. */
static void
parse_word(char *word)
{
	char *equals = strchr(word, '=');
	const char *value = "";
	struct option *option;

	if (equals) {
		*equals = 0;
		value = equals + 1;
	}
	option = find_option(word);
	if (option)
		option->value = value;
	else
		warn_unknown(word);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
set_console_level(void)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	const char *value = cmdline_get("loglevel");

	if (!value)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(value, names[i]) == 0) {
			console_level = i;
			return;
		}
	}
	pr_warn("boot option loglevel=%s: error, warn, info or debug, please",
		value);
}

void
cmdline_parse(const char *line)
{
	char *next = copy;

	if (strlen(line) >= sizeof(copy))
		pr_warn("boot options cut after %zu bytes", sizeof(copy) - 1);
	strscpy(copy, line, sizeof(copy));
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		options[i].value = NULL;

	for (;;) {
		char *word;

		while (is_blank(*next))
			next++;
		if (!*next)
			break;
		word = next;
		while (*next && !is_blank(*next))
			next++;
		if (*next)
			*next++ = 0;
		parse_word(word);
	}
	set_console_level();
}

const char *
cmdline_find(const char *name)
{
	const struct option *option = find_option(name);

	return option ? option->value : NULL;
}

const char *
cmdline_get(const char *name)
{
	const struct option *option = find_option(name);

	ASSERT(option); /* the table must name every option that is asked for */
	return option->value;
}

bool
cmdline_flag(const char *name)
{
	return cmdline_get(name) != NULL;
}

/* The value of a digit, or a number too great for any base. */
static unsigned
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return ~0u;
}

/* All of @text is one number that fits. */
static bool
parse_number(const char *text, u64 *number)
{
	unsigned base = 10;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	*number = 0;
	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned digit = digit_value(*text);

		if (digit >= base ||
		    __builtin_mul_overflow(*number, base, number) ||
		    __builtin_add_overflow(*number, digit, number))
			return false;
	}
	return true;
}

u64
cmdline_u64(const char *name, u64 fallback)
{
	const char *value = cmdline_get(name);
	u64 number;

	if (!value)
		return fallback;
	if (parse_number(value, &number))
		return number;
	pr_warn("boot option %s=%s is not a number: %lu is used", name, value,
		fallback);
	return fallback;
}
