/* The telling: steps, their tables, and what must be true of them. */
#pragma once

#include <time.h>

#include "picture.h"

void tell_init(void);
void chapter(const char *title);
void print_bold(const char *text);
unsigned steps_told(void); /* all that there were */
/* The numbers of steps begin with 1 again. */
void count_steps_again(void);

/*
 * Waits until the kernel's figures are the expected ones, then shows them: the
 * title, CPU by CPU what runs and whose root is loaded, and the counters. If
 * they never are, says which one differs, and ends the program with status 1.
 * In a debug build the kernel also checks all its invariants. STEP("A->K",
 * ON_LEFT("lodger", "A"), "why", { "A", 1, 2 }): the rows of counters are last.
 */
#define STEP(title, stands, why, ...) \
	step(title, &(struct expected){ stands, .rows = { __VA_ARGS__ } }, why)
struct picture step(const char *title, const struct expected *want,
		    const char *why);

#define ON_LEFT(runs_, root_)  .left = { runs_, root_ }
#define ON_RIGHT(runs_, root_) .right = { runs_, root_ }
#define ON_BOTH(left_, left_root, right_, right_root) \
	.left = { left_, left_root }, .right = { right_, right_root }
#define ANYWHERE .left = { NULL, NULL }

/* Ends the program with @sentence and status 1 unless @ok. */
void check(bool ok, const char *sentence);
/* Shows a figure, and compares it. */
void check_figure(const char *what, long seen, long expected);

/* Waits for what an actor or the kernel does; not for ever. */
#define UNTIL(cond, sentence)                        \
	do {                                         \
		time_t since_ = seconds_now();       \
		while (!(cond))                      \
			wait_on(since_, sentence);   \
	} while (0)
time_t seconds_now(void);
void wait_on(time_t since, const char *sentence);

/* ---- Kernel threads and held tasks ------------------------------------ */

/* A kernel thread comes to @cpu and stays there; and leaves. */
void lodger_in(unsigned cpu);
void lodger_out(unsigned cpu);
/* The next task that comes by @point on @cpu stays there. */
void hold_at(unsigned cpu, enum lodger_hold_point point);
void let_go(unsigned cpu);
