/*
 * A graphic screen, as UEFI leaves it: characters are drawn point by point, as
 * large as whole numbers allow, in the middle.
 */
#include <stddef.h>
#include <string.h>

#include "user/include/objects.h"
#include "user/servers/screen/screen.h"

enum {
	WIDTH = SCREEN_COLUMNS * FONT_WIDTH,
	HEIGHT = SCREEN_ROWS * FONT_HEIGHT,
	CURSOR_LINES = 2, /* of a cell's 16, the last */
	MAX_PITCH = 1 << 16,
};

static struct lodger_framebuffer fb;
static uint8_t *pixels;
static unsigned scale, left, top;

/* What the cells show, to draw one again when the cursor leaves it. */
static uint16_t drawn[SCREEN_ROWS][SCREEN_COLUMNS];
static unsigned cursor_row = SCREEN_NO_CURSOR, cursor_column;

/* VGA's sixteen colours: red, green, blue. */
static const uint8_t palette[16][3] = {
	{ 0x00, 0x00, 0x00 }, { 0x00, 0x00, 0xaa }, { 0x00, 0xaa, 0x00 },
	{ 0x00, 0xaa, 0xaa }, { 0xaa, 0x00, 0x00 }, { 0xaa, 0x00, 0xaa },
	{ 0xaa, 0x55, 0x00 }, { 0xaa, 0xaa, 0xaa }, { 0x55, 0x55, 0x55 },
	{ 0x55, 0x55, 0xff }, { 0x55, 0xff, 0x55 }, { 0x55, 0xff, 0xff },
	{ 0xff, 0x55, 0x55 }, { 0xff, 0x55, 0xff }, { 0xff, 0xff, 0x55 },
	{ 0xff, 0xff, 0xff },
};

static uint32_t
pixel_of(unsigned colour)
{
	const uint8_t *rgb = palette[colour & 0xf];

	return (uint32_t)rgb[0] << fb.red_shift |
	       (uint32_t)rgb[1] << fb.green_shift |
	       (uint32_t)rgb[2] << fb.blue_shift;
}

/* One line of points, @scale times as wide, into each of @scale lines. */
static void
draw_line(unsigned x, unsigned y, uint8_t points, const uint32_t colours[2])
{
	uint8_t line[FONT_WIDTH * 4 * 16];
	unsigned len = 0;

	for (unsigned i = 0; i < FONT_WIDTH * scale; i++) {
		unsigned on = points >> (FONT_WIDTH - 1 - i / scale) & 1;

		memcpy(line + len, &colours[on], fb.pixel_bytes);
		len += fb.pixel_bytes;
	}
	for (unsigned i = 0; i < scale; i++)
		memcpy(pixels + (size_t)(y + i) * fb.pitch +
			       x * fb.pixel_bytes, line, len);
}

static void
draw_cell(unsigned row, unsigned column)
{
	uint16_t cell = drawn[row][column];
	const uint8_t *glyph = font[cell & 0xff];
	uint32_t colours[2] = { pixel_of(cell >> 12), pixel_of(cell >> 8) };
	bool cursor = row == cursor_row && column == cursor_column;
	unsigned x = left + column * FONT_WIDTH * scale;
	unsigned y = top + row * FONT_HEIGHT * scale;

	for (unsigned i = 0; i < FONT_HEIGHT; i++)
		draw_line(x, y + i * scale,
			  cursor && i >= FONT_HEIGHT - CURSOR_LINES ? 0xff :
								      glyph[i],
			  colours);
}

static void
framebuffer_draw(unsigned row, unsigned column, uint16_t cell)
{
	drawn[row][column] = cell;
	draw_cell(row, column);
}

static void
framebuffer_cursor(unsigned row, unsigned column)
{
	unsigned old_row = cursor_row, old_column = cursor_column;

	if (row == old_row && column == old_column)
		return;
	cursor_row = row;
	cursor_column = column;
	if (old_row < SCREEN_ROWS)
		draw_cell(old_row, old_column);
	if (row < SCREEN_ROWS)
		draw_cell(row, column);
}

static const struct display framebuffer = { framebuffer_draw,
					    framebuffer_cursor };

static bool
large_enough(void)
{
	unsigned scale_x = fb.width / WIDTH, scale_y = fb.height / HEIGHT;

	scale = scale_x < scale_y ? scale_x : scale_y;
	if (scale > 16)
		scale = 16;
	if (scale == 0 || fb.pitch > MAX_PITCH)
		return false;
	left = (fb.width - WIDTH * scale) / 2;
	top = (fb.height - HEIGHT * scale) / 2;
	return true;
}

const struct display *
framebuffer_open(unsigned memory)
{
	struct lodger_memory_info info;
	uint64_t bytes;
	long addr;

	if (lodger_framebuffer_info(&fb) != 0 || !have_font ||
	    !large_enough() || lodger_memory_info(memory, &info) != 0)
		return NULL;
	/* The handle is for whole pages. */
	bytes = (uint64_t)fb.pitch * fb.height;
	if (fb.address < info.physical ||
	    fb.address + bytes > info.physical + info.length)
		return NULL;
	addr = lodger_memory_map(0, memory, 0, info.length, 0, 3);
	if (addr < 0 && addr > -4096)
		return NULL;
	pixels = (uint8_t *)addr + (fb.address - info.physical);
	for (unsigned y = 0; y < fb.height; y++)
		memset(pixels + (size_t)y * fb.pitch, 0,
		       fb.width * fb.pixel_bytes);
	return &framebuffer;
}
