/* The cells of the screen: erase, insert, delete, scroll. */
#include <string.h>

#include "user/servers/console/emulator_inner.h"

static void
changed(struct emulator *e, int first, int end)
{
	if (first < e->changed_first)
		e->changed_first = first;
	if (end > e->changed_last)
		e->changed_last = end;
}

static uint8_t
swap_colours(uint8_t colours)
{
	return (colours & 0x88) | ((colours >> 4 | colours << 4) & 0x77);
}

/* What italic, underline and dim cannot be on a text screen, they are as
 * colours. As Linux's default_attr(). */
enum { ITALIC_COLOUR = 2, UNDERLINE_COLOUR = 3, HALF_COLOUR = 8, BRIGHT = 0x08,
       BLINK = 0x80 };

uint8_t
pen_colours(const struct emulator *e)
{
	const struct pen *pen = &e->pen;
	uint8_t colours = pen->colour;

	if (pen->italic)
		colours = (colours & 0xf0) | ITALIC_COLOUR;
	else if (pen->underline)
		colours = (colours & 0xf0) | UNDERLINE_COLOUR;
	else if (pen->intensity == HALF)
		colours = (colours & 0xf0) | HALF_COLOUR;
	if (pen->reverse != e->inverse)
		colours = swap_colours(colours);
	if (pen->blink)
		colours ^= BLINK;
	if (pen->intensity == BOLD)
		colours ^= BRIGHT;
	return colours;
}

/* What erasing leaves: the pen's background, and no other attribute. */
struct cell
blank(const struct emulator *e)
{
	uint8_t colours = e->pen.colour;

	if (e->inverse)
		colours = swap_colours(colours);
	return (struct cell){ ' ', colours };
}

void
set_cell(struct emulator *e, int y, int x, struct cell cell)
{
	e->cells[y][x] = cell;
	changed(e, y, y + 1);
}

void
erase(struct emulator *e, int y, int x, int n)
{
	struct cell cell = blank(e);

	for (int i = 0; i < n; i++)
		e->cells[y][x + i] = cell;
	changed(e, y, y + 1);
}

void
erase_rows(struct emulator *e, int first, int end)
{
	for (int y = first; y < end; y++)
		erase(e, y, 0, e->columns);
}

static void
copy_rows(struct emulator *e, int to, int from, int n)
{
	if (n > 0)
		memmove(e->cells[to], e->cells[from],
			n * sizeof(e->cells[0]));
}

void
scroll_up(struct emulator *e, int top, int bottom, int n)
{
	if (n > bottom - top)
		n = bottom - top;
	copy_rows(e, top, top + n, bottom - top - n);
	erase_rows(e, bottom - n, bottom);
	changed(e, top, bottom);
}

void
scroll_down(struct emulator *e, int top, int bottom, int n)
{
	if (n > bottom - top)
		n = bottom - top;
	copy_rows(e, top + n, top, bottom - top - n);
	erase_rows(e, top, top + n);
	changed(e, top, bottom);
}

void
insert_cells(struct emulator *e, int n)
{
	int x = e->pen.x, y = e->pen.y, rest = e->columns - x;

	if (n > rest)
		n = rest;
	memmove(&e->cells[y][x + n], &e->cells[y][x],
		(rest - n) * sizeof(struct cell));
	erase(e, y, x, n);
}

void
delete_cells(struct emulator *e, int n)
{
	int x = e->pen.x, y = e->pen.y, rest = e->columns - x;

	if (n > rest)
		n = rest;
	memmove(&e->cells[y][x], &e->cells[y][x + n],
		(rest - n) * sizeof(struct cell));
	erase(e, y, e->columns - n, n);
}

void
invert_screen(struct emulator *e)
{
	e->inverse = !e->inverse;
	for (int y = 0; y < e->rows; y++)
		for (int x = 0; x < e->columns; x++)
			e->cells[y][x].colours =
				swap_colours(e->cells[y][x].colours);
	changed(e, 0, e->rows);
}

/* A full-screen program's own screen: empty when it begins, gone when it
 * ends. */
void
use_alternate(struct emulator *e, bool on)
{
	if (e->alternate == on)
		return;
	e->alternate = on;
	if (on) {
		memcpy(e->other, e->cells, sizeof(e->cells));
		e->other_changed = true;
		erase_rows(e, 0, e->rows);
	} else {
		memcpy(e->cells, e->other, sizeof(e->cells));
		changed(e, 0, e->rows);
	}
}
