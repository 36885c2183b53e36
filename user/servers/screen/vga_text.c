/* VGA in text mode: cells are written as they are. */
#include <stddef.h>

#include "user/include/objects.h"
#include "user/servers/screen/screen.h"

enum {
	TEXT_MEMORY = 0x1000,
	COLUMNS = 80,
	ROWS = 25,
	NOWHERE = ROWS * COLUMNS, /* as the cursor's place */

	MISC_READ = 0x3cc,
	GRAPHICS_INDEX = 0x3ce,
	GRAPHICS_DATA = 0x3cf,
	GRAPHICS_MISC = 6,
	GRAPHICS_ON = 1 << 0,
	GRAPHICS_MAP = 3 << 2, /* which addresses: 3 is 0xb8000 */
	CRTC_INDEX = 0x3d4,
	CRTC_DATA = 0x3d5,
	CRTC_CURSOR_HIGH = 0x0e,
	CRTC_CURSOR_LOW = 0x0f,
	NO_DEVICE = 0xff,

	BLANK = 0x0720,
};

static unsigned ports;
static volatile uint16_t *cells;

static void
crtc_write(unsigned reg, unsigned value)
{
	lodger_port_out(ports, CRTC_INDEX, 1, reg);
	lodger_port_out(ports, CRTC_DATA, 1, value & 0xff);
}

static void
text_draw(unsigned row, unsigned column, uint16_t cell)
{
	cells[row * COLUMNS + column] = cell;
}

static void
text_cursor(unsigned row, unsigned column)
{
	unsigned place = row < ROWS ? row * COLUMNS + column : NOWHERE;

	crtc_write(CRTC_CURSOR_HIGH, place >> 8);
	crtc_write(CRTC_CURSOR_LOW, place);
}

static const struct display text = { text_draw, text_cursor };

static bool
shows_text(void)
{
	unsigned misc;

	if (lodger_port_in(ports, MISC_READ, 1) == NO_DEVICE)
		return false;
	lodger_port_out(ports, GRAPHICS_INDEX, 1, GRAPHICS_MISC);
	misc = (unsigned)lodger_port_in(ports, GRAPHICS_DATA, 1);
	return !(misc & GRAPHICS_ON) && (misc & GRAPHICS_MAP) == GRAPHICS_MAP;
}

const struct display *
vga_text_open(unsigned with_ports, unsigned memory)
{
	long addr;

	ports = with_ports;
	if (!shows_text())
		return NULL;
	addr = lodger_memory_map(0, memory, 0, TEXT_MEMORY, 0, 3);
	if (addr < 0 && addr > -4096)
		return NULL;
	cells = (volatile uint16_t *)addr;
	for (unsigned i = SCREEN_ROWS * COLUMNS; i < ROWS * COLUMNS; i++)
		cells[i] = BLANK;
	return &text;
}
