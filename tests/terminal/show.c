/*
 * The terminal emulator as a program of the host, for tests/suites/terminal.py.
 * Reads "ROWS COLUMNS LENGTH\n" and that many bytes, again and again, and
 * prints for each the screen: the cursor's row and column, the answers, and
 * each row's cells as pairs of hexadecimal numbers (glyph, colours).
 */
#include <stdio.h>
#include <stdlib.h>

#include "user/servers/console/emulator.h"

static struct emulator e;

static void
show(void)
{
	printf("%d %d ", e.pen.y, e.pen.x);
	for (int i = 0; i < e.nr_answer; i++)
		printf("%02x", (unsigned char)e.answer[i]);
	printf("\n");
	for (int y = 0; y < e.rows; y++) {
		for (int x = 0; x < e.columns; x++)
			printf("%02x%02x", e.cells[y][x].glyph,
			       e.cells[y][x].colours);
		printf("\n");
	}
	fflush(stdout);
}

int
main(void)
{
	unsigned rows, columns, length;

	while (scanf("%u %u %u", &rows, &columns, &length) == 3) {
		getchar();
		emulator_init(&e, rows, columns);
		while (length-- > 0)
			emulator_put(&e, getchar());
		show();
	}
	return 0;
}
