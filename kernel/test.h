/*
 * Tests inside the kernel (tests/kernel/, debug builds). A test is declared as
 *
 *	KERNEL_TEST(name, "a sentence about behaviour")
 *	{
 *		EXPECT_EQ(seen, expected);
 *	}
 *
 * and run by the boot option test=NAME, in a kernel thread.
 */
#pragma once

#include "arch/arch.h"

enum { TEST_CALL = 0x1fff };

/* Runs all tests whose name is @name ("all": every one); reports each. */
#ifdef CONFIG_DEBUG
enum verdict run_tests(const char *name);
/* The system call by which a user task of a test enters the kernel and stays:
 * tests/kernel/stage.h. -ENOSYS: the caller has no part in a test. */
long test_call(void);
#else
#include "kernel/base/errno.h"
#include "kernel/base/printk.h"

static inline long
test_call(void)
{
	return -ENOSYS;
}

static inline enum verdict
run_tests(const char *name)
{
	pr_err("test=%s: this build has no kernel tests; take the debug build",
	       name);
	return VERDICT_FAIL;
}
#endif

struct kernel_test {
	const char *name, *sentence;
	void (*run)(void);
};

#define KERNEL_TEST(test, text)                                       \
	static void test_##test(void);                                \
	static const struct kernel_test kernel_test_##test = {        \
		#test, text, test_##test                              \
	};                                                            \
	static const struct kernel_test *const kernel_test_at_##test  \
		__attribute__((section(".rodata.kernel_tests"), used)) = \
			&kernel_test_##test;                          \
	static void test_##test(void)

/* Ends the test as failed: expected and seen side by side. */
void test_failed(const char *file, int line, const char *fmt, ...)
	__printf(3, 4);
bool test_has_failed(void);

#define EXPECT(cond)                                                      \
	do {                                                              \
		if (!(cond)) {                                            \
			test_failed(__FILE__, __LINE__, "not true: %s",   \
				    #cond);                               \
			return;                                           \
		}                                                         \
	} while (0)

#define EXPECT_EQ(seen, expected)                                           \
	do {                                                                \
		long seen_ = (long)(seen), expected_ = (long)(expected);    \
		if (seen_ != expected_) {                                   \
			test_failed(__FILE__, __LINE__,                     \
				    "%s: expected %ld, seen %ld", #seen,    \
				    expected_, seen_);                      \
			return;                                             \
		}                                                           \
	} while (0)
