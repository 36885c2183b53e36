/*
 * The terminal emulator: what TERM=linux promises, as a screen of characters
 * and colours. Pure C without system calls, and without pointers, so that a
 * copy of the struct is a copy of the terminal.
 *
 * The model is Linux's own console (drivers/tty/vt/vt.c): the same sequences,
 * the same wrap at the last column, background colour erase, and a cell as VGA
 * has it. Besides, the alternate screen of vi (ESC [ ? 1049 h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/include/screen.h"

enum {
	EMULATOR_ROWS = SCREEN_ROWS, /* at most */
	EMULATOR_COLUMNS = SCREEN_COLUMNS,
	EMULATOR_PARAMETERS = 16,
	EMULATOR_ANSWER = 32,
};

/* A character of code page 437, and its colours: foreground, background << 4. */
struct cell {
	uint8_t glyph;
	uint8_t colours;
};

/* ESC 7 and ESC 8 */
struct pen {
	int16_t x, y;
	uint8_t colour; /* foreground, background << 4, as SGR sets them */
	uint8_t intensity;
	bool italic, underline, blink, reverse;
	bool origin;	    /* rows count from the scroll region's first */
	uint8_t shift;	    /* which of the two character sets: SO, SI */
	uint8_t charset[2]; /* enum charset */
};

struct emulator {
	uint16_t rows, columns;

	struct pen pen, saved;
	bool wrap_next; /* the last column is written: next, a new line */
	int16_t top, bottom; /* scroll region, [top, bottom) */

	bool autowrap, insert, newline, cursor_keys, inverse, cursor_hidden;
	bool pc_charset; /* SGR 11: control codes show as characters */
	bool alternate;
	uint8_t tab_stops[EMULATOR_COLUMNS / 8];

	/* The sequence being read. */
	uint8_t state; /* enum state */
	uint8_t prefix; /* CSI ? and others */
	uint8_t nr_parameters;
	uint16_t parameters[EMULATOR_PARAMETERS];
	uint8_t utf8_left; /* bytes still missing */
	uint32_t utf8, utf8_least;

	/* What ESC [ 6 n and the like ask for: whoever feeds the emulator
	 * takes it out. */
	bool asked; /* the last sequence was a question */
	uint8_t nr_answer;
	char answer[EMULATOR_ANSWER];

	/* Rows [first, last) of `cells` have changed since the caller reset
	 * these; `other_changed`: so has the other screen. */
	int16_t changed_first, changed_last;
	bool other_changed;

	struct cell cells[EMULATOR_ROWS][EMULATOR_COLUMNS];
	struct cell other[EMULATOR_ROWS][EMULATOR_COLUMNS];
};

/* An empty screen; rows and columns are cut to what there is room for. */
void emulator_init(struct emulator *e, unsigned rows, unsigned columns);
/* One byte of output. */
void emulator_put(struct emulator *e, unsigned char byte);
/* In the middle of a sequence, or of a character of several bytes. */
bool emulator_inside(const struct emulator *e);
/* A byte of the log: shown in grey, never part of a sequence. */
void emulator_log(struct emulator *e, unsigned char byte);

/* Nothing has changed: for the two words above. */
static inline void
emulator_unchanged(struct emulator *e)
{
	e->changed_first = EMULATOR_ROWS;
	e->changed_last = 0;
	e->other_changed = false;
}
