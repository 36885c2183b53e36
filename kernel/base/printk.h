/* The kernel's log: "[    0.012345 cpu1] text". Lines are never torn. */
#pragma once

#include "kernel/base/types.h"

enum log_level {
	LOG_ERROR, /* something is broken */
	LOG_WARN,  /* odd, and handled */
	LOG_INFO,  /* what a user wants to see at boot */
	LOG_DEBUG, /* shown with loglevel=debug */
};

/* Levels above this are kept out of the console. Set by "loglevel=". */
extern enum log_level console_level;

/*
 * Prints one line (the newline is added). Callable anywhere, with any lock
 * held but the log's own. Before the console is up lines are kept and shown
 * later.
 */
void printk(enum log_level level, const char *fmt, ...) __printf(2, 3);

#define pr_err(...)   printk(LOG_ERROR, __VA_ARGS__)
#define pr_warn(...)  printk(LOG_WARN, __VA_ARGS__)
#define pr_info(...)  printk(LOG_INFO, __VA_ARGS__)
#define pr_debug(...) printk(LOG_DEBUG, __VA_ARGS__)

/* Raw bytes, no stamp: what user programs write to the console. */
void console_write(const char *text, size_t len);

/* Panic only: ignore the console's lock from here on. */
void printk_force(void);
