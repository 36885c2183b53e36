/*
 * The end of the road. A panic screen is a lesson: a sentence that says what
 * was violated, with the values in it, then what every CPU was doing.
 */
#pragma once

#include "kernel/base/types.h"

struct mm;
struct regs;

/*
 * Stops the other CPUs, prints the sentence, registers, a backtrace with
 * names and each CPU's current / loaded / prev_mm / lazy, then leaves through
 * the debug-exit device with the PANIC code. Callable anywhere, also from NMI.
 */
void panic(const char *fmt, ...) __noreturn __printf(1, 2);

/* The same, with the ledger of @mm (may be NULL, or freed and poisoned). */
void panic_mm(const struct mm *mm, const char *fmt, ...) __noreturn
	__printf(2, 3);

/* The same for an exception: @regs are those of the interrupted code. */
void panic_regs(const struct regs *regs, const char *fmt, ...) __noreturn
	__printf(2, 3);
