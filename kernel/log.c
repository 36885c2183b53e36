/*
 * The log. A line is formatted on the stack first, so that the lock is held
 * only while it goes out, in one piece.
 */
#include "kernel/base/cpu.h"
#include "kernel/base/printk.h"
#include "kernel/base/spinlock.h"
#include "kernel/base/string.h"

enum {
	MAX_LINE = 512, /* longer lines are cut */
	MAX_STAMP = 40,
	KLOG_SIZE = 32768, /* a power of two: see klog_end */
};

enum log_level console_level = LOG_INFO;

static struct spinlock log_lock = SPINLOCK_INIT("log", RANK_LOG);

/* Under log_lock. Byte n of all that was ever logged is klog[n % KLOG_SIZE]. */
static char klog[KLOG_SIZE];
static u64 klog_end;
static bool at_line_start = true; /* of the console */

static bool forced; /* the screen belongs to a panic */
static bool released; /* it belongs to a driver */
static u64 released_at;
static bool news;     /* log_interrupt() is on its way */

static void
keep(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		klog[klog_end++ % KLOG_SIZE] = text[i];
}

static void
show(const char *text, size_t len)
{
	if (len == 0)
		return;
	at_line_start = text[len - 1] == '\n';
	if (!released)
		arch_console_write(text, len);
}

static void
tell_reader(void)
{
	if (!released || news)
		return;
	news = true;
	arch_send_ipi(0, IPI_LOG); /* the one that is never offline */
}

/* Written under the lock, so that the times in the log only grow. */
static size_t
format_stamp(char stamp[MAX_STAMP])
{
	u64 us = arch_time_ns() / 1000;

	return snprintf(stamp, MAX_STAMP, "[%5lu.%06lu cpu%u] ", us / 1000000,
			us % 1000000, this_cpu()->id);
}

static void
emit(enum log_level level, const char *line, size_t len)
{
	bool visible = level <= console_level || forced;
	char stamp[MAX_STAMP];
	size_t stamp_len = forced ? 0 : format_stamp(stamp);

	if (!at_line_start) { /* a program has written half a line */
		keep("\n", 1);
		if (visible)
			show("\n", 1);
	}
	if (!visible)
		keep("<7>", 3); /* for klog_read's callers, as Linux's dmesg */
	keep(stamp, stamp_len);
	keep(line, len);
	tell_reader();
	if (!visible)
		return;
	show(stamp, stamp_len);
	show(line, len);
}

/* Formats @fmt and a newline into @line; returns the length of both. */
static size_t
format_line(char line[MAX_LINE], const char *fmt, va_list args)
{
	static const char cut[] = "...\n";
	size_t len = vsnprintf(line, MAX_LINE, fmt, args);

	if (len > MAX_LINE - 2) {
		len = MAX_LINE - 1;
		memcpy(line + len - (sizeof(cut) - 1), cut, sizeof(cut));
		return len;
	}
	line[len] = '\n';
	return len + 1;
}

void
printk(enum log_level level, const char *fmt, ...)
{
	char line[MAX_LINE];
	irq_flags_t flags;
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = format_line(line, fmt, args);
	va_end(args);

	flags = spin_lock_irqsave(&log_lock);
	emit(level, line, len);
	spin_unlock_irqrestore(&log_lock, flags);
}

void
console_write(const char *text, size_t len)
{
	irq_flags_t flags = spin_lock_irqsave(&log_lock);

	keep(text, len);
	tell_reader();
	show(text, len);
	spin_unlock_irqrestore(&log_lock, flags);
}

/* The oldest byte kept; the rest of a line that was partly overwritten is
 * skipped. */
static u64
oldest_line(void)
{
	u64 position;

	if (klog_end <= KLOG_SIZE)
		return 0;
	position = klog_end - KLOG_SIZE;
	while (position < klog_end && klog[position % KLOG_SIZE] != '\n')
		position++;
	return position + 1;
}

size_t
log_read(u64 *position, char *buf, size_t size)
{
	irq_flags_t flags = spin_lock_irqsave(&log_lock);
	size_t n = 0;

	if (klog_end > KLOG_SIZE && *position < klog_end - KLOG_SIZE)
		*position = oldest_line();
	while (n < size && *position < klog_end)
		buf[n++] = klog[(*position)++ % KLOG_SIZE];
	spin_unlock_irqrestore(&log_lock, flags);
	return n;
}

u64
log_release(void)
{
	irq_flags_t flags = spin_lock_irqsave(&log_lock);

	if (!released)
		released_at = klog_end;
	released = true;
	spin_unlock_irqrestore(&log_lock, flags);
	return released_at;
}

void
log_news_seen(void)
{
	irq_flags_t flags = spin_lock_irqsave(&log_lock);

	news = false;
	spin_unlock_irqrestore(&log_lock, flags);
}

void
log_take_back(void)
{
	irq_flags_t flags = spin_lock_irqsave(&log_lock);

	if (released)
		arch_console_reset();
	released = false;
	at_line_start = true;
	spin_unlock_irqrestore(&log_lock, flags);
}

void
printk_force(void)
{
	log_take_back();
	forced = true;
}
