/*
 * From bytes to what they mean: characters, control codes, and the beginnings
 * of sequences. ESC [ is csi.c's.
 */
#include "user/servers/console/emulator.h"

#include <string.h>

#include "user/servers/console/charset.h"
#include "user/servers/console/emulator_inner.h"

enum state {
	GROUND,
	ESCAPE,
	CSI_START,    /* ESC [ */
	CSI,	      /* ESC [ and parameters */
	CSI_IGNORED,  /* to its end */
	FUNCTION_KEY, /* ESC [ [ and a letter, as the keyboard sends it */
	CHARSET_0,    /* ESC ( */
	CHARSET_1,    /* ESC ) */
	HASH,	      /* ESC # */
	ONE_MORE,     /* ESC and a character that says nothing to us, and one */
	OSC,	      /* ESC ] */
	PALETTE,      /* ESC ] P and seven digits */
	STRING,	      /* ended by BEL or by the ESC of ESC \ */
};

enum {
	BEL = 7, BS, TAB, LF, VT, FF, CR, SO, SI, CAN = 24, SUB = 26,
	ESC_CODE = 27, DEL = 127, CSI_CODE = 0x9b,

	/* Codes that act even when SGR 11 shows the others: Linux's
	 * CTRL_ALWAYS. */
	ALWAYS = 1 << 0 | 1 << BS | 1 << LF | 1 << FF | 1 << CR | 1 << SO |
		 1 << SI | 1 << ESC_CODE,

	PALETTE_DIGITS = 7,
	TAB_WIDTH = 8,
};

/* ---- The cursor ------------------------------------------------------ */

static int
clamp(int value, int least, int end)
{
	if (value < least)
		return least;
	return value < end ? value : end - 1;
}

void
move_to(struct emulator *e, int x, int y)
{
	e->pen.x = clamp(x, 0, e->columns);
	if (e->pen.origin)
		e->pen.y = clamp(y, e->top, e->bottom);
	else
		e->pen.y = clamp(y, 0, e->rows);
	e->wrap_next = false;
}

void
line_feed(struct emulator *e)
{
	if (e->pen.y + 1 == e->bottom)
		scroll_up(e, e->top, e->bottom, 1);
	else if (e->pen.y < e->rows - 1)
		e->pen.y++;
	e->wrap_next = false;
}

static void
reverse_line_feed(struct emulator *e)
{
	if (e->pen.y == e->top)
		scroll_down(e, e->top, e->bottom, 1);
	else if (e->pen.y > 0)
		e->pen.y--;
	e->wrap_next = false;
}

static void
carriage_return(struct emulator *e)
{
	e->pen.x = 0;
	e->wrap_next = false;
}

static void
backspace(struct emulator *e)
{
	if (e->pen.x > 0) {
		e->pen.x--;
		e->wrap_next = false;
	}
}

static void
next_tab(struct emulator *e)
{
	while (e->pen.x < e->columns - 1) {
		e->pen.x++;
		if (e->tab_stops[e->pen.x / 8] & 1 << e->pen.x % 8)
			break;
	}
}

void
save_cursor(struct emulator *e)
{
	e->saved = e->pen;
}

void
restore_cursor(struct emulator *e)
{
	int x = e->saved.x, y = e->saved.y;

	e->pen = e->saved;
	e->pen.x = clamp(x, 0, e->columns);
	e->pen.y = clamp(y, 0, e->rows);
	e->wrap_next = false;
}

void
reset(struct emulator *e)
{
	static const struct pen fresh = {
		.colour = GREY_ON_BLACK,
		.intensity = NORMAL,
		.charset = { CHARSET_LATIN, CHARSET_GRAPHICS },
	};

	e->pen = e->saved = fresh;
	e->top = 0;
	e->bottom = e->rows;
	e->autowrap = true;
	e->wrap_next = e->insert = e->newline = e->cursor_keys = false;
	e->inverse = e->cursor_hidden = e->pc_charset = e->alternate = false;
	memset(e->tab_stops, 0x01, sizeof(e->tab_stops));
	e->state = GROUND;
	e->utf8_left = 0;
	erase_rows(e, 0, e->rows);
}

/* ---- Characters ------------------------------------------------------ */

static void
put_glyph(struct emulator *e, uint8_t glyph)
{
	if (e->wrap_next) {
		carriage_return(e);
		line_feed(e);
	}
	if (e->insert)
		insert_cells(e, 1);
	set_cell(e, e->pen.y, e->pen.x,
		 (struct cell){ glyph, pen_colours(e) });
	if (e->pen.x == e->columns - 1)
		e->wrap_next = e->autowrap;
	else
		e->pen.x++;
}

static void
put_character(struct emulator *e, uint32_t character)
{
	unsigned columns = character_columns(character);
	uint8_t charset = e->pen.charset[e->pen.shift];

	if (columns == 0)
		return;
	if (e->pc_charset || charset == CHARSET_PC) {
		put_glyph(e, character < 256 ? character :
					       cp437_glyph(character));
		return;
	}
	if (charset == CHARSET_GRAPHICS)
		character = vt100_graphics(character);
	put_glyph(e, cp437_glyph(character));
	if (columns == 2)
		put_glyph(e, ' ');
}

static void
bad_utf8(struct emulator *e)
{
	e->utf8_left = 0;
	put_character(e, REPLACEMENT_CHARACTER);
}

/* The first byte of a character: how many follow, and the least that they
 * may mean (no longer form than necessary). */
static void
begin_utf8(struct emulator *e, unsigned char byte)
{
	if (byte >= 0xc2 && byte <= 0xdf) {
		e->utf8_left = 1;
		e->utf8 = byte & 0x1f;
		e->utf8_least = 0x80;
	} else if (byte >= 0xe0 && byte <= 0xef) {
		e->utf8_left = 2;
		e->utf8 = byte & 0x0f;
		e->utf8_least = 0x800;
	} else if (byte >= 0xf0 && byte <= 0xf4) {
		e->utf8_left = 3;
		e->utf8 = byte & 0x07;
		e->utf8_least = 0x10000;
	} else {
		bad_utf8(e);
	}
}

static void
continue_utf8(struct emulator *e, unsigned char byte)
{
	e->utf8 = e->utf8 << 6 | (byte & 0x3f);
	if (--e->utf8_left > 0)
		return;
	if (e->utf8 < e->utf8_least || e->utf8 > 0x10ffff ||
	    (e->utf8 >= 0xd800 && e->utf8 <= 0xdfff))
		bad_utf8(e);
	else if (e->utf8 == CSI_CODE)
		e->state = CSI_START;
	else if (e->utf8 >= 0xa0)
		put_character(e, e->utf8);
}

/* ---- Control codes --------------------------------------------------- */

static void
control(struct emulator *e, unsigned char code)
{
	switch (code) {
	case BS:
		backspace(e);
		break;
	case TAB:
		next_tab(e);
		break;
	case LF:
	case VT:
	case FF:
		line_feed(e);
		if (e->newline)
			carriage_return(e);
		break;
	case CR:
		carriage_return(e);
		break;
	case SO:
		e->pen.shift = 1;
		break;
	case SI:
		e->pen.shift = 0;
		break;
	case CAN:
	case SUB:
		e->state = GROUND;
		break;
	case ESC_CODE:
		e->state = ESCAPE;
		e->asked = false;
		break;
	}
}

static bool
is_control(const struct emulator *e, unsigned char byte)
{
	if (e->pc_charset && e->state == GROUND)
		return byte < 32 && (unsigned)ALWAYS & 1u << byte;
	return byte < 32 || byte == DEL;
}

/* ---- Sequences ------------------------------------------------------- */

static void
align_pattern(struct emulator *e)
{
	for (int y = 0; y < e->rows; y++)
		for (int x = 0; x < e->columns; x++)
			set_cell(e, y, x, (struct cell){ 'E', GREY_ON_BLACK });
}

/* What stands after ESC. Those that are not the end set another state. */
static void
escape(struct emulator *e, unsigned char byte)
{
	e->state = GROUND;
	switch (byte) {
	case '[':
		e->state = CSI_START;
		break;
	case ']':
		e->state = OSC;
		break;
	case 'P': case 'X': case '^': case '_':
		e->state = STRING;
		break;
	case '(':
		e->state = CHARSET_0;
		break;
	case ')':
		e->state = CHARSET_1;
		break;
	case '#':
		e->state = HASH;
		break;
	case '%': case ' ': case '*': case '+':
		e->state = ONE_MORE;
		break;
	case 'E':
		carriage_return(e);
		line_feed(e);
		break;
	case 'M':
		reverse_line_feed(e);
		break;
	case 'D':
		line_feed(e);
		break;
	case 'H':
		e->tab_stops[e->pen.x / 8] |= 1 << e->pen.x % 8;
		break;
	case 'Z':
		e->asked = true;
		answer(e, "\033[?6c");
		break;
	case '7':
		save_cursor(e);
		break;
	case '8':
		restore_cursor(e);
		break;
	case 'c':
		reset(e);
		break;
	}
}

static void
choose_charset(struct emulator *e, int which, unsigned char byte)
{
	e->state = GROUND;
	if (byte == '0')
		e->pen.charset[which] = CHARSET_GRAPHICS;
	else if (byte == 'U')
		e->pen.charset[which] = CHARSET_PC;
	else if (byte == 'B' || byte == 'A' || byte == 'K')
		e->pen.charset[which] = CHARSET_LATIN;
}

static void
csi(struct emulator *e, unsigned char byte)
{
	if (byte >= '0' && byte <= '9') {
		uint16_t *p = &e->parameters[e->nr_parameters];

		e->state = CSI;
		*p = *p * 10 + (byte - '0');
		if (*p > 9999)
			*p = 9999;
	} else if (byte == ';') {
		e->state = CSI;
		if (e->nr_parameters < EMULATOR_PARAMETERS - 1)
			e->nr_parameters++;
	} else if (byte >= 0x40 && byte <= 0x7e) {
		e->state = GROUND;
		e->nr_parameters++;
		control_sequence(e, byte);
	} else {
		e->state = CSI_IGNORED;
	}
}

static void
csi_start(struct emulator *e, unsigned char byte)
{
	memset(e->parameters, 0, sizeof(e->parameters));
	e->nr_parameters = 0;
	e->prefix = 0;
	if (byte == '[') {
		e->state = FUNCTION_KEY;
	} else if (byte >= '<' && byte <= '?') {
		e->prefix = byte;
		e->state = CSI;
	} else {
		csi(e, byte);
	}
}

static void
operating_system_command(struct emulator *e, unsigned char byte)
{
	if (byte == 'P') {
		e->state = PALETTE;
		e->nr_parameters = 0;
	} else {
		e->state = byte == 'R' ? GROUND : STRING;
	}
}

static void
sequence(struct emulator *e, unsigned char byte)
{
	switch (e->state) {
	case ESCAPE:
		escape(e, byte);
		break;
	case CSI_START:
		csi_start(e, byte);
		break;
	case CSI:
		csi(e, byte);
		break;
	case CSI_IGNORED:
		if (byte >= 0x40 && byte <= 0x7e)
			e->state = GROUND;
		break;
	case CHARSET_0:
	case CHARSET_1:
		choose_charset(e, e->state == CHARSET_1, byte);
		break;
	case HASH:
		e->state = GROUND;
		if (byte == '8')
			align_pattern(e);
		break;
	case OSC:
		operating_system_command(e, byte);
		break;
	case PALETTE:
		if (++e->nr_parameters == PALETTE_DIGITS)
			e->state = GROUND;
		break;
	case FUNCTION_KEY:
	case ONE_MORE:
		e->state = GROUND;
		break;
	}
}

/* ---- From outside ---------------------------------------------------- */

bool
emulator_inside(const struct emulator *e)
{
	return e->state != GROUND || e->utf8_left > 0;
}

void
emulator_put(struct emulator *e, unsigned char byte)
{
	if (e->utf8_left > 0) {
		if ((byte & 0xc0) == 0x80) {
			continue_utf8(e, byte);
			return;
		}
		bad_utf8(e);
	}
	if (is_control(e, byte)) {
		if (e->state == STRING && byte == BEL)
			e->state = GROUND;
		else if (e->state != STRING || byte >= CAN)
			control(e, byte);
	} else if (e->state != GROUND) {
		sequence(e, byte);
	} else if (byte < 0x80 || e->pc_charset) {
		put_character(e, byte);
	} else {
		begin_utf8(e, byte);
	}
}

void
emulator_log(struct emulator *e, unsigned char byte)
{
	struct pen pen = e->pen;
	bool autowrap = e->autowrap, insert = e->insert;

	e->pen.colour = GREY_ON_BLACK;
	e->pen.intensity = NORMAL;
	e->pen.italic = e->pen.underline = e->pen.blink = e->pen.reverse = false;
	e->autowrap = true;
	e->insert = false;

	if (byte == '\n') {
		carriage_return(e);
		line_feed(e);
	} else if (byte < 32) {
		if (byte == TAB || byte == CR || byte == BS)
			control(e, byte);
	} else {
		put_glyph(e, byte < DEL ? byte : '?');
	}

	pen.x = e->pen.x;
	pen.y = e->pen.y;
	e->pen = pen;
	e->autowrap = autowrap;
	e->insert = insert;
}

static int
at_most(unsigned value, int most)
{
	if (value < 1)
		return 1;
	return value < (unsigned)most ? (int)value : most;
}

void
emulator_init(struct emulator *e, unsigned rows, unsigned columns)
{
	memset(e, 0, sizeof(*e));
	e->rows = at_most(rows, EMULATOR_ROWS);
	e->columns = at_most(columns, EMULATOR_COLUMNS);
	reset(e);
}
