// with: kernel/log.c
#include "host.h"

#include "kernel/base/printk.h"

static char console[200000];
static size_t console_len;
static u64 now;

void
arch_console_write(const char *text, size_t len)
{
	CHECK(console_len + len < sizeof(console));
	memcpy(console + console_len, text, len);
	console_len += len;
	console[console_len] = 0;
}

u64
arch_time_ns(void)
{
	return now;
}

static unsigned interrupts, resets;

void
arch_send_ipi(unsigned cpu_id, enum ipi kind)
{
	CHECK_EQ(cpu_id, 0);
	CHECK_EQ(kind, IPI_LOG);
	interrupts++;
}

void
arch_console_reset(void)
{
	resets++;
}

static void
expect(const char *text)
{
	if (strcmp(console, text))
		FAIL("\"%s\", expected \"%s\"", console, text);
}

static void
stamps(void)
{
	now = 12345999;
	pr_info("hello %d", 5);
	host_use_cpu(13);
	now = 123456 * 1000000000ul + 7000;
	pr_err("%s", "");
	expect("[    0.012345 cpu0] hello 5\n"
	       "[123456.000007 cpu13] \n");
}

static void
levels(void)
{
	char kept[100] = "";
	u64 position = 0;

	console_level = LOG_WARN;
	pr_err("a");
	pr_warn("b");
	pr_info("c");
	pr_debug("d");
	expect("[    0.000000 cpu0] a\n[    0.000000 cpu0] b\n");
	CHECK_EQ(log_read(&position, kept, sizeof(kept)), 94);
	CHECK(strstr(kept, "] b\n<7>[    0.000000 cpu0] c\n<7>["));
}

static void
half_lines(void)
{
	console_write("$ ", 2);
	pr_info("x");
	console_write("whole\n", 6);
	pr_info("y");
	console_write("", 0);
	pr_info("z");
	expect("$ \n[    0.000000 cpu0] x\nwhole\n[    0.000000 cpu0] y\n"
	       "[    0.000000 cpu0] z\n");
}

static void
long_lines(void)
{
	char text[1000], *end;

	memset(text, 'x', sizeof(text));
	text[999] = 0;
	pr_info("%s", text);
	end = console + console_len;
	CHECK(strcmp(end - 5, "x...\n") == 0);
	CHECK_EQ(strchr(console, '\n') - end, -1);
	for (size_t len = 505; len <= 515; len++) {
		console_len = 0;
		pr_info("%.*s", (int)len, text);
		CHECK_EQ(console[console_len - 1], '\n');
		CHECK_EQ(!!strstr(console, "..."), len > 510);
	}
}

/* Reads it all, in pieces of @piece bytes. */
static size_t
read_log(char *to, size_t piece)
{
	u64 position = 0;
	size_t n, total = 0;

	while ((n = log_read(&position, to + total, piece)) > 0)
		total += n;
	to[total] = 0;
	return total;
}

static void
kept_in_ring(void)
{
	static char kept[40000], again[40000];
	u64 position = 0;

	for (int i = 0; i < 3000; i++)
		pr_info("line %d of many", i);
	CHECK(read_log(kept, sizeof(kept)) > 32000);
	/* The oldest is a whole line, the newest is the last one. */
	CHECK(strncmp(kept, "[    0.000000 cpu0] line ", 25) == 0);
	CHECK(strcmp(strrchr(kept, ']'), "] line 2999 of many\n") == 0);
	/* What the console got is the same, byte by byte. */
	CHECK(strcmp(console + console_len - strlen(kept), kept) == 0);
	read_log(again, 7);
	CHECK(strcmp(again, kept) == 0);

	log_read(&position, again, 1);
	CHECK_EQ(again[0], '[');
}

static void
new_lines_only(void)
{
	char kept[200];
	u64 position = 0;

	pr_info("one");
	CHECK_EQ(log_read(&position, kept, sizeof(kept)), 24);
	CHECK_EQ(log_read(&position, kept, sizeof(kept)), 0);
	pr_info("two");
	CHECK_EQ(log_read(&position, kept, sizeof(kept)), 24);
	CHECK(memcmp(kept + 20, "two\n", 4) == 0);
}

static void
panic_lines(void)
{
	console_level = LOG_ERROR;
	pr_info("hidden");
	printk_force();
	pr_debug("shown");
	expect("shown\n");
}

static void
devices_given_away(void)
{
	char kept[100] = "";
	u64 position;

	pr_info("a");
	CHECK_EQ(interrupts, 0);
	position = log_release();
	CHECK_EQ(position, 22);
	pr_info("b");
	console_write("c\n", 2);
	expect("[    0.000000 cpu0] a\n"); /* and no more */
	CHECK_EQ(interrupts, 1); /* one, until it is seen */
	CHECK_EQ(log_read(&position, kept, sizeof(kept)), 24);
	CHECK(strcmp(kept, "[    0.000000 cpu0] b\nc\n") == 0);
	log_news_seen();
	pr_info("d");
	CHECK_EQ(interrupts, 2);
	CHECK_EQ(log_release(), 22); /* the first one counts */
	log_take_back();
	CHECK_EQ(resets, 1);
	pr_info("e");
	expect("[    0.000000 cpu0] a\n[    0.000000 cpu0] e\n");
	CHECK_EQ(interrupts, 2);
	log_take_back();
	CHECK_EQ(resets, 1);
}

static void
panic_takes_back(void)
{
	log_release();
	pr_info("hidden");
	printk_force();
	CHECK_EQ(resets, 1);
	pr_info("shown");
	expect("shown\n");
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("lines carry time and CPU", stamps);
	test("lines above the console's level are kept but not shown",
	     levels);
	test("a line of the log never continues a program's half line",
	     half_lines);
	test("a line that is too long is cut, visibly", long_lines);
	test("the ring keeps the newest 32 KiB from a line's beginning",
	     kept_in_ring);
	test("a reader that comes back gets the new lines only",
	     new_lines_only);
	test("in a panic every line is shown, without stamps", panic_lines);
	test("a log without devices is kept, and its reader is told",
	     devices_given_away);
	test("a panic takes the devices back", panic_takes_back);
	return host_result();
}
