/* Finds and runs the tests declared by KERNEL_TEST. */
#include "kernel/test.h"

#include <stdarg.h>

#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/base/yield.h"

extern const struct kernel_test *const kernel_tests_start[];
extern const struct kernel_test *const kernel_tests_end[];

static const struct kernel_test *running;
static bool failed;

void
test_failed(const char *file, int line, const char *fmt, ...)
{
	char why[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	if (!failed)
		printk(LOG_ERROR, "test %s: FAILED %s (%s:%d)", running->name,
		       why, file, line);
	if (!failed && yield_seed())
		printk(LOG_ERROR, "with the pauses of seed=%lu", yield_seed());
	failed = true;
}

bool
test_has_failed(void)
{
	return failed;
}

static bool
run_test(const struct kernel_test *test)
{
	running = test;
	failed = false;
	printk(LOG_INFO, "test %s: %s", test->name, test->sentence);
	test->run();
	if (!failed)
		printk(LOG_ERROR, "test %s: ok", test->name);
	return !failed;
}

enum verdict
run_tests(const char *name)
{
	bool all = strcmp(name, "all") == 0;
	unsigned found = 0, bad = 0;

	for (const struct kernel_test *const *test = kernel_tests_start;
	     test < kernel_tests_end; test++) {
		if (all ? strncmp((*test)->name, "panic_", 6) == 0 :
			  strcmp((*test)->name, name) != 0)
			continue;
		found++;
		bad += !run_test(*test);
	}
	if (!found)
		printk(LOG_ERROR, "test=%s: there is no such test", name);
	return found && !bad ? VERDICT_PASS : VERDICT_FAIL;
}
