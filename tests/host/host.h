/*
 * Kernel files under test on the host, with sanitizers. A test file begins
 * with a line "// with: FILES" that names the kernel files it needs. From the
 * root of the tree, test_page_alloc is built and run by
 *
 *   gcc -std=gnu11 -g -O1 -Wall -Wextra -fsanitize=address,undefined \
 *       -DCONFIG_DEBUG=1 -I. -Itests/host -o /tmp/test_page_alloc \
 *       tests/host/test_page_alloc.c tests/host/host.c \
 *       $(sed -n '1s,// with:,,p' tests/host/test_page_alloc.c) &&
 *   /tmp/test_page_alloc
 *
 * -I. comes first, and arch/x86 is not on the path, so that arch_inline.h is
 * the one in this folder. Every test runs in a process of its own, so that
 * the kernel's static data is fresh and a crash is one FAILED line.
 *
 * host.c has weak stand-ins for panic, printk, spin locks and mutexes: a test
 * that needs the kernel's own simply names their files.
 */
#pragma once

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/base/types.h"
#include "kernel/base/cpu.h"
#include "kernel/boot_info.h"

/* Runs @fn in a child, with fresh statics; prints "ok NAME" or "FAILED NAME:
 * why". @name is a sentence about behaviour. With arguments on the command
 * line, only tests whose name contains one of them are run. */
void host_start(int argc, char **argv);
void test(const char *name, void (*fn)(void));
/* What main() returns: not 0 when a test failed. */
int host_result(void);

/* Ends the running test as failed. */
void fail_test(const char *file, int line, const char *fmt, ...) __noreturn
	__printf(3, 4);

#define FAIL(...) fail_test(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK(cond)                     \
	do {                            \
		if (!(cond))            \
			FAIL("%s", #cond); \
	} while (0)
#define CHECK_EQ(seen, expected)                                            \
	do {                                                                \
		long long seen_ = (long long)(seen);                        \
		long long expected_ = (long long)(expected);                \
		if (seen_ != expected_)                                     \
			FAIL("%s is %lld (0x%llx), expected %lld (0x%llx)", \
			     #seen, seen_, seen_, expected_, expected_);    \
	} while (0)

/* Runs the statement, which must panic with a sentence that contains @text. */
#define CHECK_PANICS(text, statement)                                  \
	do {                                                           \
		host_catch = true;                                     \
		if (setjmp(host_panic_jump) == 0) {                    \
			statement;                                     \
			FAIL("no panic; expected \"%s\"", text);       \
		}                                                      \
		host_catch = false;                                    \
		if (!strstr(host_panic_text, text))                    \
			FAIL("panic \"%s\"; expected \"%s\"",          \
			     host_panic_text, text);                   \
	} while (0)

extern bool host_catch;
extern jmp_buf host_panic_jump;
extern char host_panic_text[512];
extern unsigned host_warnings; /* printk(LOG_WARN) and worse */
extern char host_log[512];     /* the last line printed */

/* The CPU that this_cpu() is from now on. */
void host_use_cpu(unsigned id);

/* A random number below @n from the test's seed: the same in every run. */
extern u64 host_seed;
u64 host_random(u64 n);

/* An arena of @bytes of physical memory. Sparse: 64 GiB are legal. */
void host_make_memory(u64 bytes);

/* Boots what of the memory code is linked in: the arena, a PC's memory map of
 * @bytes, boot_mem, the kernel root, frames, slabs. */
void host_boot_memory(u64 bytes);
/* The map that host_boot_memory() uses. */
void host_fill_boot_info(struct boot_info *boot, u64 bytes);
