/*
 * The screen's driver: draws the cells that the console server keeps in memory
 * which both share. What is on the screen can be drawn again at any time, so
 * this driver, too, has nothing to lose.
 */
#include <stddef.h>

#include "user/include/drivers.h"
#include "user/include/objects.h"
#include "user/include/server.h"
#include "user/servers/screen/screen.h"

static const volatile struct screen_memory *wanted;
static const struct display *display;

/* What the screen shows; no cell at first, since all must be drawn. */
static uint32_t shown[SCREEN_ROWS][SCREEN_COLUMNS];
enum { NOT_A_CELL = 1 << 16 };

static void
draw_changes(void)
{
	for (unsigned y = 0; y < SCREEN_ROWS; y++)
		for (unsigned x = 0; x < SCREEN_COLUMNS; x++) {
			uint16_t cell = wanted->cells[y][x];

			if (shown[y][x] == cell)
				continue;
			shown[y][x] = cell;
			display->draw(y, x, cell);
		}
	display->cursor(wanted->cursor_row, wanted->cursor_column);
}

int
main(void)
{
	unsigned memory = driver_handle("memory");
	unsigned own = driver_handle("screen");

	lodger_set_priority(0, DRIVER_PRIORITY);
	wanted = driver_map("screen-cells", SCREEN_MEMORY, false);
	display = framebuffer_open(memory);
	if (!display)
		display = vga_text_open(driver_handle("ports"), memory);
	if (!display) {
		server_log("screen: neither a text screen nor a framebuffer");
		return 0;
	}
	for (unsigned i = 0; i < SCREEN_ROWS * SCREEN_COLUMNS; i++)
		shown[i / SCREEN_COLUMNS][i % SCREEN_COLUMNS] = NOT_A_CELL;
	for (;;) {
		draw_changes();
		driver_wait(own);
	}
}
