/*
 * From the keyboard's scan codes (set 1, which the controller translates to)
 * to what a terminal sends: US layout, the function keys as TERM=linux has
 * them. Which modifiers are down is known here, not to the driver. Pure C.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { KEYMAP_MOST = 8 }; /* bytes that one scan code can become */

struct keymap {
	uint8_t down; /* modifiers: enum modifier */
	bool caps_lock, num_lock;
	bool extended; /* after e0 */
	uint8_t skip;  /* codes of the Pause key that still come, after e1 */
};

/* One scan code: puts bytes into @out, and returns how many. @cursor_keys: the
 * program wants ESC O A instead of ESC [ A for the arrow keys. */
unsigned keymap_take(struct keymap *map, uint8_t code, bool cursor_keys,
		     char out[KEYMAP_MOST]);
