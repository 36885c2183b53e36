/*
 * The terminal, as its client sees it: what the console server promises. The
 * client is the Unix server, which has the line discipline; here are only
 * bytes. There is one terminal, with one client.
 *
 * There are no calls. Both begin with these handles, which init keeps too
 * (server_handle(), user/include/server.h):
 *
 *	name		  of	        the client's rights
 *	terminal	  memory        READ, WRITE, MAP
 *	console		  notification	SIGNAL
 *	terminal-client	  notification	WAIT (and SIGNAL, for itself)
 *
 * The memory, TERMINAL_MEMORY bytes to be mapped whole, has two rings
 * (user/include/ring.h):
 *
 *	input	what was typed, as bytes: ^C is 3, an arrow key ESC [ A. When
 *		the console has moved head, it signals TERMINAL_INPUT. When
 *		the client has moved tail, and ring_was_tight() says so, it
 *		signals TERMINAL_TAKEN. Nothing is dropped by the console: when
 *		the ring is full it leaves bytes with the drivers.
 *	output	what is to be shown. When the client has moved head, it signals
 *		TERMINAL_OUTPUT. When the console has moved tail, and the ring
 *		was tight, it signals TERMINAL_ROOM. Newlines are the client's:
 *		the console goes to the next line at \n and stays in its
 *		column, as a terminal does (ONLCR).
 *
 * Each side calls terminal_init() before anything else, and looks into both
 * rings once, and signals the other once, since it cannot know what happened
 * before it came. Bits may come when there is nothing new.
 *
 * The console or a driver may be killed and started again at any time. The
 * client sees nothing of it. A byte whose index has moved is neither lost nor
 * doubled.
 *
 * The terminal understands what TERM=linux promises, and UTF-8. It answers
 * ESC [ 6 n, ESC [ 5 n and ESC [ c through input, as if typed. What is written
 * goes to the serial line as well, but for these questions.
 */
#pragma once

#include "user/include/ring.h"

/* To the console. */
enum {
	TERMINAL_OUTPUT = 1 << 0, /* there are bytes in output */
	TERMINAL_TAKEN = 1 << 1,  /* there is room in input */
};

/* To the client, which has the other bits for itself. */
#define TERMINAL_INPUT (1ull << 62) /* bytes in input */
#define TERMINAL_ROOM  (1ull << 63) /* room in output */

enum {
	/* A window of the same size at the other end of the serial line, or a
	 * larger one, shows the same. It never changes. */
	TERMINAL_ROWS = 24,
	TERMINAL_COLUMNS = 80,

	TERMINAL_INPUT_SIZE = 4096,
	TERMINAL_OUTPUT_SIZE = 16384,

	/* Where the rings begin. */
	TERMINAL_INPUT_AT = 64,
	TERMINAL_OUTPUT_AT = 8192,

	TERMINAL_MEMORY = 8 * 4096,
};

static inline struct lodger_ring *
terminal_input(void *memory)
{
	return (struct lodger_ring *)((char *)memory + TERMINAL_INPUT_AT);
}

static inline struct lodger_ring *
terminal_output(void *memory)
{
	return (struct lodger_ring *)((char *)memory + TERMINAL_OUTPUT_AT);
}

/* Fresh memory is all zero; once set, nothing changes. */
static inline void
terminal_init(void *memory)
{
	terminal_input(memory)->size = TERMINAL_INPUT_SIZE;
	terminal_output(memory)->size = TERMINAL_OUTPUT_SIZE;
}
