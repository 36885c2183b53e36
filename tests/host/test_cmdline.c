// with: kernel/cmdline.c
#include "host.h"

#include "kernel/base/printk.h"
#include "kernel/cmdline.h"

enum log_level console_level = LOG_INFO;

static void
nothing(void)
{
	cmdline_parse("");
	CHECK(!cmdline_get("init"));
	CHECK(!cmdline_flag("trace"));
	CHECK_EQ(cmdline_u64("cpus", 64), 64);
	cmdline_parse(" \t \n ");
	CHECK(!cmdline_get("init"));
	CHECK_EQ(host_warnings, 0);
}

static void
values(void)
{
	cmdline_parse("init=/bin/borrow trace\tcpus=4 \n seed=0xBEEF");
	CHECK(strcmp(cmdline_get("init"), "/bin/borrow") == 0);
	CHECK(cmdline_flag("trace"));
	CHECK(strcmp(cmdline_get("trace"), "") == 0);
	CHECK(!cmdline_flag("keep"));
	CHECK_EQ(cmdline_u64("cpus", 64), 4);
	CHECK_EQ(cmdline_u64("seed", 0), 0xbeef);
	CHECK_EQ(host_warnings, 0);
}

static void
odd_values(void)
{
	cmdline_parse("init= test=a=b cpus=2 cpus=3");
	CHECK(strcmp(cmdline_get("init"), "") == 0);
	CHECK(strcmp(cmdline_get("test"), "a=b") == 0);
	CHECK_EQ(cmdline_u64("cpus", 64), 3);
}

static void
unknown(void)
{
	cmdline_parse("cpu=4 keep Trace =x");
	CHECK_EQ(host_warnings, 3);
	CHECK(cmdline_flag("keep"));
	CHECK(!cmdline_flag("trace"));
	cmdline_parse("cpu=4");
	CHECK_EQ(host_warnings, 4);
	CHECK(strstr(host_log, "\"cpu\""));
	CHECK(strstr(host_log, " cpus"));
	CHECK(strstr(host_log, " keep"));
	CHECK(!cmdline_flag("keep")); /* each line begins anew */
}

static void
bad_numbers(void)
{
	static const char *const bad[] = {
		"cpus=", "cpus=four", "cpus=4x", "cpus=-1", "cpus=0x",
		"cpus=0xg", "cpus=a", "cpus=18446744073709551616",
		"cpus=0x10000000000000000", "cpus",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		cmdline_parse(bad[i]);
		host_warnings = 0;
		CHECK_EQ(cmdline_u64("cpus", 64), 64);
		CHECK_EQ(host_warnings, 1);
		CHECK(strstr(host_log, "cpus"));
	}
	cmdline_parse("cpus=18446744073709551615 seed=0xffffffffffffffff");
	CHECK_EQ(cmdline_u64("cpus", 0), ~0ul);
	CHECK_EQ(cmdline_u64("seed", 0), ~0ul);
}

static void
levels(void)
{
	cmdline_parse("loglevel=debug");
	CHECK_EQ(console_level, LOG_DEBUG);
	cmdline_parse("loglevel=error");
	CHECK_EQ(console_level, LOG_ERROR);
	CHECK_EQ(host_warnings, 0);
	cmdline_parse("loglevel=loud");
	CHECK_EQ(console_level, LOG_ERROR);
	CHECK_EQ(host_warnings, 1);
}

static void
too_long(void)
{
	char *line = malloc(MAX_CMDLINE + 101);

	memset(line, 'x', MAX_CMDLINE + 100);
	memcpy(line, "keep ", 5);
	line[MAX_CMDLINE + 100] = 0;
	cmdline_parse(line);
	CHECK_EQ(host_warnings, 2); /* cut, and unknown */
	CHECK(cmdline_flag("keep"));
	free(line);
}

static void
longest(void)
{
	char line[MAX_CMDLINE];

	memset(line, ' ', sizeof(line));
	memcpy(line + MAX_CMDLINE - 5, "keep", 5);
	cmdline_parse(line);
	CHECK_EQ(host_warnings, 0);
	CHECK(cmdline_flag("keep"));
}

static void
undeclared(void)
{
	CHECK_PANICS("option", (void)cmdline_get("nosuch"));
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("without options everything has its default", nothing);
	test("options are found with and without a value", values);
	test("a value may be empty or contain =, and the last one counts",
	     odd_values);
	test("each unknown option gets one warning that lists the known ones",
	     unknown);
	test("a malformed number is warned of, and the default taken",
	     bad_numbers);
	test("loglevel sets what the console shows", levels);
	test("a line that is too long is cut with a warning", too_long);
	test("the longest line that fits is read to its end", longest);
	test("the kernel may not ask for an option that is not in the table",
	     undeclared);
	return host_result();
}
