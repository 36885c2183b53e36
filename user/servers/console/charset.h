/* Characters: Unicode, code page 437 (which is what a screen can show), and
 * the VT100's line drawing set. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum charset { CHARSET_LATIN, CHARSET_GRAPHICS, CHARSET_PC };

enum { REPLACEMENT_CHARACTER = 0xfffd };

/* The code page's character that looks like it; '?' when there is none. */
uint8_t cp437_glyph(uint32_t character);
/* What the code page shows for @glyph, as Unicode. */
uint16_t cp437_unicode(uint8_t glyph);
/* What the line drawing set has in @character's place. */
uint32_t vt100_graphics(uint32_t character);
/* Columns that a character takes: 0, 1 or 2. */
unsigned character_columns(uint32_t character);
