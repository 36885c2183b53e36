/*
 * The terminal, as its client sees it: what the console server promises. The
 * client is the Unix server, which has the line discipline; here are only
 * bytes. There is one terminal, and one client at a time.
 *
 * The client holds a handle on the console's endpoint (CALL), and calls it
 * once:
 *
 * TERMINAL_OPEN
 *	Sends: handle 0 a notification of the client's own (SIGNAL, TRANSFER,
 *	       DUPLICATE); words 0 and 1: the bits for INPUT and for ROOM.
 *	Answer: label 0; words 0 and 1: rows and columns;
 *	       handle 0 the memory object (READ, WRITE, MAP), of
 *	       TERMINAL_MEMORY bytes, to be mapped whole;
 *	       handle 1 the console's notification (SIGNAL), which can raise
 *	       TERMINAL_OUTPUT and TERMINAL_TAKEN.
 *	An open takes the terminal over from the client before; what is in the
 *	rings stays. Label TERMINAL_BAD: no notification was sent, or no bits
 *	for INPUT.
 *
 * TERMINAL_SIZE
 *	Answer: label 0; words 0 and 1: rows and columns. The client should
 *	ask again (and send SIGWINCH) when the INPUT bit comes and `resized`
 *	in the memory has changed: that happens when the screen driver is
 *	first found, which may be after the client's open.
 *
 * Any other label is answered TERMINAL_BAD.
 *
 * Then all goes through the memory (user/include/ring.h):
 *
 *	input	what was typed, as bytes: ^C is 3, an arrow key ESC [ A. The
 *		client reads; it signals TERMINAL_TAKEN whenever it has moved
 *		tail. The console raises the INPUT bit when it has moved head.
 *		Nothing is ever dropped by the console: when the ring is full
 *		it leaves bytes with the drivers, until there is room.
 *	output	what is to be shown. The client writes; it signals
 *		TERMINAL_OUTPUT whenever it has moved head. The console
 *		raises the ROOM bit (if that is not 0) when it has moved tail.
 *		Newlines are the client's: the console goes to the next line at
 *		\n and stays in its column, as a terminal does (ONLCR).
 *
 * The console or a driver may be killed and started again at any time. The
 * client sees nothing of it: memory and notifications stay the same, its calls
 * wait in the endpoint's queue (a call that was received already fails with
 * -EPIPE: call again). Bits may be raised when there is nothing new. A byte
 * whose index has been moved is neither lost nor doubled.
 *
 * The terminal understands what TERM=linux promises, and UTF-8. It answers
 * ESC [ 6 n, ESC [ 5 n and ESC [ c through input, as if typed.
 */
#pragma once

#include "user/include/ring.h"

enum terminal_call {
	TERMINAL_OPEN = 1,
	TERMINAL_SIZE = 2,

	TERMINAL_BAD = 1, /* an answer */
};

/* Bits that the client raises. */
enum terminal_bit {
	TERMINAL_OUTPUT = 1 << 0, /* there are bytes in output */
	TERMINAL_TAKEN = 1 << 1,  /* there is room in input */
};

enum {
	TERMINAL_INPUT_SIZE = 4096,
	TERMINAL_OUTPUT_SIZE = 16384,

	/* Where the rings begin. */
	TERMINAL_INPUT_AT = 64,
	TERMINAL_OUTPUT_AT = 8192,

	TERMINAL_MEMORY = 8 * 4096,
};

/* What the memory begins with. */
struct terminal_memory {
	uint32_t resized; /* one more each time the size changes */
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
