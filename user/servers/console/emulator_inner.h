/* What the emulator's files know of each other. */
#pragma once

#include "user/servers/console/emulator.h"

enum intensity { HALF, NORMAL, BOLD };

enum { GREY_ON_BLACK = 0x07 };

/* cells.c: changing what is shown. Rows and columns are inside the screen. */
struct cell blank(const struct emulator *e);
uint8_t pen_colours(const struct emulator *e);
void set_cell(struct emulator *e, int y, int x, struct cell cell);
void erase(struct emulator *e, int y, int x, int n);
void erase_rows(struct emulator *e, int first, int end);
/* The rows [top, bottom) move by n; blank ones come in. */
void scroll_up(struct emulator *e, int top, int bottom, int n);
void scroll_down(struct emulator *e, int top, int bottom, int n);
/* In the cursor's row, from its column on. */
void insert_cells(struct emulator *e, int n);
void delete_cells(struct emulator *e, int n);
void invert_screen(struct emulator *e);
void use_alternate(struct emulator *e, bool on);

/* emulator.c */
void move_to(struct emulator *e, int x, int y);
void line_feed(struct emulator *e);
void reset(struct emulator *e);
void save_cursor(struct emulator *e);
void restore_cursor(struct emulator *e);

/* csi.c: the sequence ESC [ parameters final is complete. */
void control_sequence(struct emulator *e, unsigned char final);
void answer(struct emulator *e, const char *text);
