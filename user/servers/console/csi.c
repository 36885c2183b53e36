/* What ESC [ parameters final does: Linux's console_codes(4). */
#include <stdio.h>
#include <string.h>

#include "user/servers/console/charset.h"
#include "user/servers/console/emulator_inner.h"

void
answer(struct emulator *e, const char *text)
{
	size_t len = strlen(text);

	if (len > sizeof(e->answer) - e->nr_answer)
		return;
	memcpy(e->answer + e->nr_answer, text, len);
	e->nr_answer += len;
}

/* Parameter @i, or @otherwise when it is 0 or absent. */
static int
parameter(const struct emulator *e, int i, int otherwise)
{
	if (i >= e->nr_parameters || e->parameters[i] == 0)
		return otherwise;
	return e->parameters[i];
}

/* ---- Erase ----------------------------------------------------------- */

static void
erase_display(struct emulator *e)
{
	int x = e->pen.x, y = e->pen.y;

	switch (e->parameters[0]) {
	case 0:
		erase(e, y, x, e->columns - x);
		erase_rows(e, y + 1, e->rows);
		break;
	case 1:
		erase_rows(e, 0, y);
		erase(e, y, 0, x + 1);
		break;
	case 2:
	case 3:
		erase_rows(e, 0, e->rows);
		break;
	}
	e->wrap_next = false;
}

static void
erase_line(struct emulator *e)
{
	int x = e->pen.x, y = e->pen.y;

	switch (e->parameters[0]) {
	case 0:
		erase(e, y, x, e->columns - x);
		break;
	case 1:
		erase(e, y, 0, x + 1);
		break;
	case 2:
		erase(e, y, 0, e->columns);
		break;
	}
	e->wrap_next = false;
}

static void
erase_characters(struct emulator *e)
{
	int n = parameter(e, 0, 1), rest = e->columns - e->pen.x;

	erase(e, e->pen.y, e->pen.x, n < rest ? n : rest);
	e->wrap_next = false;
}

/* Lines move only when the cursor is in the scroll region. */
static bool
in_region(const struct emulator *e)
{
	return e->pen.y >= e->top && e->pen.y < e->bottom;
}

static void
insert_or_delete_lines(struct emulator *e, bool insert)
{
	int n = parameter(e, 0, 1);

	if (!in_region(e))
		return;
	if (insert)
		scroll_down(e, e->pen.y, e->bottom, n);
	else
		scroll_up(e, e->pen.y, e->bottom, n);
	e->wrap_next = false;
}

/* ---- Colours --------------------------------------------------------- */

/* From the terminal's order (red is 1) to the screen's (blue is 1). */
static const uint8_t colours[8] = { 0, 4, 2, 6, 1, 5, 3, 7 };

struct rgb {
	uint8_t r, g, b;
};

static struct rgb
palette_256(unsigned i)
{
	if (i < 8)
		return (struct rgb){ i & 1 ? 0xaa : 0, i & 2 ? 0xaa : 0,
				     i & 4 ? 0xaa : 0 };
	if (i < 16)
		return (struct rgb){ i & 1 ? 0xff : 0x55, i & 2 ? 0xff : 0x55,
				     i & 4 ? 0xff : 0x55 };
	if (i < 232) {
		i -= 16;
		return (struct rgb){ i / 36 * 85 / 2, i / 6 % 6 * 85 / 2,
				     i % 6 * 85 / 2 };
	}
	i = (i & 0xff) * 10 - 2312;
	return (struct rgb){ i, i, i };
}

/* The nearest of the eight, and whether it is a bright one. */
static void
set_foreground(struct pen *pen, struct rgb c)
{
	uint8_t max = c.r > c.g ? c.r : c.g;
	uint8_t hue;

	max = c.b > max ? c.b : max;
	hue = (c.r > max / 2) << 2 | (c.g > max / 2) << 1 | (c.b > max / 2);
	if (hue == 7 && max <= 0x55) {
		hue = 0;
		pen->intensity = BOLD;
	} else {
		pen->intensity = max > 0xaa ? BOLD : NORMAL;
	}
	pen->colour = (pen->colour & 0xf0) | hue;
}

static void
set_background(struct pen *pen, struct rgb c)
{
	pen->colour = (pen->colour & 0x0f) | (c.r & 0x80) >> 1 |
		      (c.g & 0x80) >> 2 | (c.b & 0x80) >> 3;
}

/* 38;5;N and 38;2;R;G;B (48: background). Returns the last parameter used. */
static int
extended_colour(struct emulator *e, int i)
{
	bool background = e->parameters[i] == 48;
	const uint16_t *p = &e->parameters[i];
	struct rgb c;
	int used;

	if (i + 2 < e->nr_parameters && p[1] == 5) {
		c = palette_256(p[2] & 0xff);
		used = 2;
	} else if (i + 4 < e->nr_parameters && p[1] == 2) {
		c = (struct rgb){ p[2], p[3], p[4] };
		used = 4;
	} else {
		return i;
	}
	if (background)
		set_background(&e->pen, c);
	else
		set_foreground(&e->pen, c);
	return i + used;
}

static void
default_attributes(struct emulator *e)
{
	e->pen.colour = GREY_ON_BLACK;
	e->pen.intensity = NORMAL;
	e->pen.italic = e->pen.underline = e->pen.blink = e->pen.reverse = false;
}

static void
set_colour(struct pen *pen, unsigned p)
{
	if (p >= 30 && p <= 37) {
		pen->colour = (pen->colour & 0xf0) | colours[p - 30];
	} else if (p == 39) {
		pen->colour = (pen->colour & 0xf0) | (GREY_ON_BLACK & 0x0f);
	} else if (p >= 40 && p <= 47) {
		pen->colour = (pen->colour & 0x0f) | colours[p - 40] << 4;
	} else if (p == 49) {
		pen->colour = (pen->colour & 0x0f) | (GREY_ON_BLACK & 0xf0);
	} else if (p >= 90 && p <= 97) {
		pen->colour = (pen->colour & 0xf0) | colours[p - 90];
		pen->intensity = BOLD;
	} else if (p >= 100 && p <= 107) {
		pen->colour = (pen->colour & 0x0f) | colours[p - 100] << 4;
	}
}

static void
set_attribute(struct emulator *e, unsigned p)
{
	struct pen *pen = &e->pen;

	switch (p) {
	case 0:
		default_attributes(e);
		break;
	case 1:
		pen->intensity = BOLD;
		break;
	case 2:
		pen->intensity = HALF;
		break;
	case 22:
		pen->intensity = NORMAL;
		break;
	case 3:
	case 23:
		pen->italic = p == 3;
		break;
	case 4:
	case 21:
	case 24:
		pen->underline = p != 24;
		break;
	case 5:
	case 25:
		pen->blink = p == 5;
		break;
	case 7:
	case 27:
		pen->reverse = p == 7;
		break;
	case 10:
	case 11:
	case 12:
		e->pc_charset = p != 10;
		break;
	default:
		set_colour(pen, p);
		break;
	}
}

static void
set_attributes(struct emulator *e)
{
	for (int i = 0; i < e->nr_parameters; i++) {
		if (e->parameters[i] == 38 || e->parameters[i] == 48)
			i = extended_colour(e, i);
		else
			set_attribute(e, e->parameters[i]);
	}
}

/* ---- Modes ----------------------------------------------------------- */

static void
set_private_mode(struct emulator *e, unsigned mode, bool on)
{
	switch (mode) {
	case 1:
		e->cursor_keys = on;
		break;
	case 5:
		if (e->inverse != on)
			invert_screen(e);
		break;
	case 6:
		e->pen.origin = on;
		move_to(e, 0, on ? e->top : 0);
		break;
	case 7:
		e->autowrap = on;
		e->wrap_next = e->wrap_next && on;
		break;
	case 25:
		e->cursor_hidden = !on;
		break;
	case 47:
	case 1047:
		use_alternate(e, on);
		break;
	case 1049:
		if (on && !e->alternate)
			save_cursor(e);
		else if (!on && e->alternate)
			restore_cursor(e);
		use_alternate(e, on);
		break;
	}
}

static void
set_modes(struct emulator *e, bool on)
{
	for (int i = 0; i < e->nr_parameters; i++) {
		if (e->prefix == '?')
			set_private_mode(e, e->parameters[i], on);
		else if (e->parameters[i] == 4)
			e->insert = on;
		else if (e->parameters[i] == 20)
			e->newline = on;
	}
}

/* ---- The rest -------------------------------------------------------- */

static void
set_region(struct emulator *e)
{
	int first = parameter(e, 0, 1), last = parameter(e, 1, e->rows);

	if (first >= last || last > e->rows)
		return;
	e->top = first - 1;
	e->bottom = last;
	move_to(e, 0, e->pen.origin ? e->top : 0);
}

static void
clear_tabs(struct emulator *e)
{
	if (e->parameters[0] == 0)
		e->tab_stops[e->pen.x / 8] &= ~(1 << e->pen.x % 8);
	else if (e->parameters[0] == 3)
		memset(e->tab_stops, 0, sizeof(e->tab_stops));
}

static void
report(struct emulator *e)
{
	int first = e->pen.origin ? e->top : 0;
	char text[EMULATOR_ANSWER];

	if (e->parameters[0] == 5)
		strcpy(text, "\033[0n");
	else if (e->parameters[0] == 6)
		snprintf(text, sizeof(text), "\033[%d;%dR",
			 e->pen.y - first + 1, e->pen.x + 1);
	else
		return;
	e->asked = true;
	answer(e, text);
}

/* Row @y as the program counts: from the region's first in origin mode. */
static void
move_to_row(struct emulator *e, int x, int y)
{
	move_to(e, x, y + (e->pen.origin ? e->top : 0));
}

/* Those that move the cursor; false: it is none of them. */
static bool
move_cursor(struct emulator *e, unsigned char final)
{
	int n = parameter(e, 0, 1), x = e->pen.x, y = e->pen.y;

	switch (final) {
	case 'A':
		move_to(e, x, y - n);
		return true;
	case 'B':
	case 'e':
		move_to(e, x, y + n);
		return true;
	case 'C':
	case 'a':
		move_to(e, x + n, y);
		return true;
	case 'D':
		move_to(e, x - n, y);
		return true;
	case 'E':
		move_to(e, 0, y + n);
		return true;
	case 'F':
		move_to(e, 0, y - n);
		return true;
	case 'G':
	case '`':
		move_to(e, n - 1, y);
		return true;
	case 'd':
		move_to_row(e, x, n - 1);
		return true;
	case 'H':
	case 'f':
		move_to_row(e, parameter(e, 1, 1) - 1, n - 1);
		return true;
	default:
		return false;
	}
}

static void
change_cells(struct emulator *e, unsigned char final)
{
	switch (final) {
	case 'J':
		erase_display(e);
		break;
	case 'K':
		erase_line(e);
		break;
	case 'X':
		erase_characters(e);
		break;
	case 'L':
	case 'M':
		insert_or_delete_lines(e, final == 'L');
		break;
	case '@':
		insert_cells(e, parameter(e, 0, 1));
		e->wrap_next = false;
		break;
	case 'P':
		delete_cells(e, parameter(e, 0, 1));
		e->wrap_next = false;
		break;
	}
}

void
control_sequence(struct emulator *e, unsigned char final)
{
	if (final == 'h' || final == 'l') {
		set_modes(e, final == 'h');
		return;
	}
	if (e->prefix || move_cursor(e, final))
		return;
	switch (final) {
	case 'c':
		e->asked = true;
		if (e->parameters[0] == 0)
			answer(e, "\033[?6c");
		break;
	case 'g':
		clear_tabs(e);
		break;
	case 'm':
		set_attributes(e);
		break;
	case 'n':
		report(e);
		break;
	case 'r':
		set_region(e);
		break;
	case 's':
		save_cursor(e);
		break;
	case 'u':
		restore_cursor(e);
		break;
	default:
		change_cells(e, final);
		break;
	}
}
