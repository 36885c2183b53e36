/* The two kinds of screen that the driver knows. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "user/include/screen.h"

struct display {
	/* A cell as VGA has it: see user/include/screen.h. */
	void (*draw)(unsigned row, unsigned column, uint16_t cell);
	/* Where it is; row SCREEN_NO_CURSOR: nowhere. */
	void (*cursor)(unsigned row, unsigned column);
};

/* NULL: the machine has no such screen, or it is in another mode. @memory: the
 * handle on its memory. */
const struct display *vga_text_open(unsigned ports, unsigned memory);
const struct display *framebuffer_open(unsigned memory);

/* 8 by 16 points, a byte a line, the leftmost in its highest bit; one for each
 * character of code page 437. Made by tools/mkfont.py. */
enum { FONT_WIDTH = 8, FONT_HEIGHT = 16 };
extern const bool have_font;
extern const uint8_t font[256][FONT_HEIGHT];
