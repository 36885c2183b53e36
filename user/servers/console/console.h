/*
 * What joins keyboard, serial line and screen into a terminal, and how it
 * survives being killed. Pure C, without system calls.
 *
 *	serial in ----------------------------------> input -> client
 *	keyboard ---> keymap ------------------------>
 *	                         <-- answers --
 *	client -> output ---> emulator -> screen
 *	                 \--> serial out
 *	log ---------------/
 *
 * All that the server knows is one struct console, of which there are two
 * copies in memory that outlives it. One copy is in force. A step changes the
 * other one, and puts bytes into rings, beyond their heads, where nobody looks;
 * it takes none out. Then one word says which copy is in force: that is the
 * moment at which all of the step has happened. After it the rings' heads and
 * tails are set to what the copy says, which may be done again any number of
 * times. So whoever starts again, after a kill at any instruction, publishes
 * what is in force and goes on: every byte was taken once, and given once.
 */
#pragma once

#include "user/include/screen.h"
#include "user/include/terminal.h"
#include "user/servers/console/emulator.h"
#include "user/servers/console/keymap.h"

enum {
	CONSOLE_STEP = 2048, /* bytes of output that one step takes */
	CONSOLE_HELD = 64,
};

struct console {
	/* Where the rings stand, when this copy is in force. */
	uint32_t serial_in, keyboard, output;	/* tails */
	uint32_t serial_out, input;		/* heads */
	uint64_t log;				/* position in the kernel's log */

	bool no_serial;	   /* there is no such device: nothing goes there */
	bool log_line_open; /* the last thing shown is a log line without end */

	/* The beginning of a sequence, on its way to the serial line. It is
	 * held until it is whole: a question stays here, since the terminal
	 * at the other end would answer too, and no log line goes between. */
	uint8_t nr_held;
	bool too_long; /* not held any more: it goes out as it comes */
	char held[CONSOLE_HELD];

	struct keymap keymap;
	struct emulator screen; /* last: see console_settle() */
};

struct console_saved {
	uint32_t begun;	   /* 0: there is nothing here yet */
	uint32_t in_force; /* which of the two copies */
	struct console copies[2];
};

struct console_rings {
	struct lodger_ring *serial_in, *serial_out, *keyboard; /* drivers' */
	struct lodger_ring *input, *output;		       /* the client's */
	struct screen_memory *screen;
};

/* First of all, after each start: in fresh memory, which is all zero, an empty
 * screen; else what is in force, whatever the end of the one before was like. */
void console_start(struct console_saved *saved, struct console_rings *rings);

/* The copy that is not in force, for a step to change. */
struct console *console_work(struct console_saved *saved);
/* What was typed, and what is to be shown, as far as there is room. Returns
 * whether there was anything. */
bool console_move(struct console *work, struct console_rings *rings);
/* May @n bytes of the log be shown? */
bool console_log_room(const struct console *work,
		      const struct console_rings *rings, size_t n);
/* Shows them; on the serial line, if @serial, too. */
void console_log(struct console *work, struct console_rings *rings,
		 const char *text, size_t n, bool serial);
/* The step is done: what it changed is in force, and the others may see it. */
void console_commit(struct console_saved *saved, struct console_rings *rings);
/* Makes both copies the same again: before the next step. */
void console_settle(struct console_saved *saved);
