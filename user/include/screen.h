/*
 * What the screen driver is to show, in memory that it shares with the console
 * server, which alone writes it. Changes come with a signal; the driver then
 * compares with what it last showed. What is read in the middle of a change is
 * a mixture, and the signal comes after it: so the last look is a whole one.
 */
#pragma once

#include <stdint.h>

/* What every terminal has that may be at the other end of the serial line; a
 * VGA screen's 25th row stays empty. (A test makes them small.) */
#ifndef SCREEN_ROWS
#define SCREEN_ROWS    24
#define SCREEN_COLUMNS 80
#endif

enum { SCREEN_NO_CURSOR = 0xffff }; /* as cursor_row */

struct screen_memory {
	uint16_t cursor_row, cursor_column;
	/* As VGA has them: character of code page 437, and its colours,
	 * foreground | background << 4, << 8. */
	uint16_t cells[SCREEN_ROWS][SCREEN_COLUMNS];
};

enum { SCREEN_MEMORY = 4096 };
_Static_assert(sizeof(struct screen_memory) <= SCREEN_MEMORY, "one page");
