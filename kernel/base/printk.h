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
 * held but the log's own; not from an NMI, unless that panics. The newest
 * lines of all levels are kept for log_read().
 */
void printk(enum log_level level, const char *fmt, ...) __printf(2, 3);

#define pr_err(...)   printk(LOG_ERROR, __VA_ARGS__)
#define pr_warn(...)  printk(LOG_WARN, __VA_ARGS__)
#define pr_info(...)  printk(LOG_INFO, __VA_ARGS__)
#define pr_debug(...) printk(LOG_DEBUG, __VA_ARGS__)

/* Raw bytes, no stamp: what user programs write to the log. Comes out in one
 * piece, with interrupts off: give it short ones. */
void console_write(const char *text, size_t len);

/*
 * Copies what was logged from *@position (0: from the oldest kept) on, at most
 * @size bytes, and moves *@position on. Returns the bytes copied, 0 at the
 * end. Where the ring has overwritten the position, goes on at the oldest
 * whole line.
 */
size_t log_read(u64 *position, char *buf, size_t size);

/* The devices are somebody else's from now on: what is logged is only kept,
 * and log_interrupt() comes, once until log_news_seen(). Returns
 * the position at which that was so first. */
u64 log_release(void);
void log_news_seen(void);
/* They are the log's again, for the machine's last lines. */
void log_take_back(void);

/* Panic only: from here on lines of all levels are shown, without stamps. */
void printk_force(void);
