/*
 * The console server: keyboard, serial line and screen are one terminal, whose
 * client is the Unix server (user/include/terminal.h). Here are its handles and
 * its signals; what it does with bytes is console.c's.
 */
#include <string.h>

#include "user/include/drivers.h"
#include "user/include/objects.h"
#include "user/include/screen.h"
#include "user/include/server.h"
#include "user/include/terminal.h"
#include "user/servers/console/console.h"

_Static_assert((int)TERMINAL_ROWS == (int)SCREEN_ROWS &&
	       (int)TERMINAL_COLUMNS == (int)SCREEN_COLUMNS, "one terminal");

_Static_assert(sizeof(struct console_saved) <= CONSOLE_STATE, "it fits");

enum { LOG_AT_ONCE = 512 };

static struct console_saved *saved;
static struct console_rings rings;
static const struct serial_memory *serial_memory;
static unsigned own, serial, keyboard, screen, client;

/* Where the log was when the kernel let go of the serial line: what is before
 * it went out there already. */
static uint64_t released;

/* ---- Signals ----------------------------------------------------------- */

/* Everybody, once, after a start: nobody knows what the one before did not
 * come to tell. */
static void
signal_all(void)
{
	lodger_signal(serial, DRIVER_WORK);
	lodger_signal(keyboard, DRIVER_WORK);
	lodger_signal(screen, DRIVER_WORK);
	lodger_signal(client, TERMINAL_INPUT | TERMINAL_ROOM);
}

/* Those to whom the step that took us from @before to @now matters. */
static void
signal_changes(const struct console *before, const struct console *now)
{
	uint64_t to_client = 0;

	if (now->input != before->input)
		to_client |= TERMINAL_INPUT;
	if (now->output != before->output &&
	    ring_was_tight(rings.output, before->output))
		to_client |= TERMINAL_ROOM;
	if (to_client)
		lodger_signal(client, to_client);

	if (now->serial_out != before->serial_out ||
	    (now->serial_in != before->serial_in &&
	     ring_was_tight(rings.serial_in, before->serial_in)))
		lodger_signal(serial, DRIVER_WORK);
	if (now->keyboard != before->keyboard &&
	    ring_was_tight(rings.keyboard, before->keyboard))
		lodger_signal(keyboard, DRIVER_WORK);
	if (now->output != before->output || now->log != before->log)
		lodger_signal(screen, DRIVER_WORK);
}

/* ---- Steps ------------------------------------------------------------- */

/* A line that has its end further on waits for the next time, so that nothing
 * comes in between; but for one that is too long, or has no end yet. */
static long
whole_lines(const char *text, long n, uint64_t *position)
{
	const char *end = n > 0 ? memrchr(text, '\n', n) : NULL;

	if (!end)
		return n;
	*position -= text + n - (end + 1);
	return end + 1 - text;
}

/* Leaves out what is not for the console. The length of the rest. */
static size_t
shown_lines(char *text, size_t n)
{
	size_t rest = 0;

	for (size_t at = 0, end; at < n; at = end) {
		const char *newline = memchr(text + at, '\n', n - at);

		end = newline ? (size_t)(newline - text) + 1 : n;
		if (end - at > 3 && memcmp(text + at, "<7>", 3) == 0)
			continue;
		memmove(text + rest, text + at, end - at);
		rest += end - at;
	}
	return rest;
}

/* Up to where the line was released, only the screen has not seen the log. */
static bool
show_log(struct console *work)
{
	char text[LOG_AT_ONCE];
	uint64_t position = work->log;
	size_t most = sizeof(text);
	long n;

	if (position < released && released - position < most)
		most = released - position;
	if (!console_log_room(work, &rings, most))
		return false;
	n = whole_lines(text, lodger_klog_read(&position, text, most),
			&position);
	if (n <= 0)
		return false;
	work->log = position;
	console_log(work, &rings, text, shown_lines(text, n),
		    position > released);
	return true;
}

/* Does what can be done, once; false: nothing could. */
static bool
step(void)
{
	const struct console *before = &saved->copies[saved->in_force];
	struct console *work = console_work(saved);
	bool moved;

	work->no_serial = serial_memory->absent;
	moved = show_log(work);
	moved |= console_move(work, &rings);
	if (!moved)
		return false;
	console_commit(saved, &rings);
	signal_changes(before, work);
	console_settle(saved);
	return true;
}

/* ---- Begin ------------------------------------------------------------- */

static void
open_rings(void)
{
	void *serial_rings = driver_map("serial-rings", SERIAL_MEMORY, true);
	void *keyboard_memory = driver_map("keyboard-ring", KEYBOARD_MEMORY,
					   true);
	void *terminal = driver_map("terminal", TERMINAL_MEMORY, true);

	serial_init(serial_rings);
	keyboard_init(keyboard_memory);
	terminal_init(terminal);
	serial_memory = serial_rings;
	rings.serial_in = serial_in(serial_rings);
	rings.serial_out = serial_out(serial_rings);
	rings.keyboard = keyboard_ring(keyboard_memory);
	rings.input = terminal_input(terminal);
	rings.output = terminal_output(terminal);
	rings.screen = driver_map("screen-cells", SCREEN_MEMORY, true);
}

static void
release_log(void)
{
	long position = lodger_console_release(driver_handle("log"), own,
					       CONSOLE_LOG);

	if (position < 0)
		driver_fail("console_release", position);
	released = position;
}

int
main(void)
{
	own = driver_handle("console");
	serial = driver_handle("serial");
	keyboard = driver_handle("keyboard");
	screen = driver_handle("screen");
	client = driver_handle("terminal-client");
	open_rings();
	saved = driver_map("console-state", CONSOLE_STATE, true);
	lodger_set_priority(0, DRIVER_PRIORITY);

	console_start(saved, &rings);
	release_log();
	signal_all();
	for (;;) {
		while (step())
			;
		driver_wait(own);
	}
}
