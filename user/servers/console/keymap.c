/* See keymap.h. What each key gives is as in Linux's default map (defkeymap)
 * and in terminfo's "linux". */
#include "user/servers/console/keymap.h"

#include <string.h>

enum modifier {
	LEFT_SHIFT = 1 << 0,
	RIGHT_SHIFT = 1 << 1,
	LEFT_CTRL = 1 << 2,
	RIGHT_CTRL = 1 << 3,
	LEFT_ALT = 1 << 4,
	RIGHT_ALT = 1 << 5,

	SHIFT = LEFT_SHIFT | RIGHT_SHIFT,
	CTRL = LEFT_CTRL | RIGHT_CTRL,
	ALT = LEFT_ALT | RIGHT_ALT,
};

enum scan_code {
	CODE_ESC = 0x01,
	CODE_BACKSPACE = 0x0e,
	CODE_TAB = 0x0f,
	CODE_ENTER = 0x1c,
	CODE_CTRL = 0x1d,
	CODE_LEFT_SHIFT = 0x2a,
	CODE_SLASH = 0x35,
	CODE_RIGHT_SHIFT = 0x36,
	CODE_KEYPAD_STAR = 0x37,
	CODE_ALT = 0x38,
	CODE_SPACE = 0x39,
	CODE_CAPS_LOCK = 0x3a,
	CODE_F1 = 0x3b,
	CODE_F10 = 0x44,
	CODE_NUM_LOCK = 0x45,
	CODE_KEYPAD_7 = 0x47, /* and on to the point, 0x53 */
	CODE_KEYPAD_POINT = 0x53,
	CODE_LESS = 0x56, /* beside the left shift, on some keyboards */
	CODE_F11 = 0x57,
	CODE_F12 = 0x58,

	RELEASED = 0x80, /* added to the code */
	EXTENDED = 0xe0,
	PAUSE = 0xe1,
	PAUSE_REST = 2, /* codes that follow PAUSE */
};

/* Codes from 0x02 on; 0: none of these. */
static const char plain[] = "1234567890-=\0\0qwertyuiop[]\0\0asdfghjkl;'`\0\\"
			    "zxcvbnm,./";
static const char shifted[] = "!@#$%^&*()_+\0\0QWERTYUIOP{}\0\0ASDFGHJKL:\"~\0|"
			      "ZXCVBNM<>?";
enum { FIRST_PRINTABLE = 0x02 };

static const char *const function_keys[] = {
	"\033[[A", "\033[[B", "\033[[C", "\033[[D", "\033[[E", "\033[17~",
	"\033[18~", "\033[19~", "\033[20~", "\033[21~", "\033[23~", "\033[24~",
	/* with shift, F13 to F20 */
	"\033[25~", "\033[26~", "\033[28~", "\033[29~", "\033[31~", "\033[32~",
	"\033[33~", "\033[34~",
};
enum { NR_FUNCTION_KEYS = 12, NR_SHIFTED = 8 };

/* The keys between the letters and the keypad, by their places on the keypad;
 * an arrow is only its letter. */
static const char *const cursor_block[] = {
	"\033[1~", "A", "\033[5~", "-", "D", "\033[G", "C", "+",
	"\033[4~", "B", "\033[6~", "\033[2~", "\033[3~",
};
static const char keypad[] = "789-456+1230.";

static unsigned
give(char out[KEYMAP_MOST], const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len);
	return len;
}

/* ---- Modifiers ------------------------------------------------------- */

static uint8_t
modifier(uint8_t code, bool extended)
{
	switch (code) {
	case CODE_LEFT_SHIFT: /* e0 before it: not a key, but a disguise */
		return extended ? 0 : LEFT_SHIFT;
	case CODE_RIGHT_SHIFT:
		return extended ? 0 : RIGHT_SHIFT;
	case CODE_CTRL:
		return extended ? RIGHT_CTRL : LEFT_CTRL;
	case CODE_ALT:
		return extended ? RIGHT_ALT : LEFT_ALT;
	default:
		return 0;
	}
}

/* ---- Keys ------------------------------------------------------------ */

/* As on every terminal: ^A is 1. Linux has these for the digits as well. */
static char
with_ctrl(char c)
{
	static const char digits[] = "\000\033\034\035\036\037\177";

	if (c >= '2' && c <= '8')
		return digits[c - '2'];
	if (c == '/' || c == '-')
		return '_' & 0x1f;
	if (c == ' ' || c == '`')
		return 0;
	if (c == '?')
		return 127;
	if (c >= '@' && c <= '~')
		return c & 0x1f;
	return c;
}

static char
printable(const struct keymap *map, uint8_t code)
{
	bool shift = map->down & SHIFT;
	char c;

	if (code == CODE_SPACE)
		return ' ';
	if (code == CODE_LESS)
		return shift ? '>' : '<';
	if (code < FIRST_PRINTABLE ||
	    code - FIRST_PRINTABLE >= (int)sizeof(plain) - 1)
		return 0;
	c = plain[code - FIRST_PRINTABLE];
	if (map->caps_lock && c >= 'a' && c <= 'z')
		shift = !shift;
	return shift ? shifted[code - FIRST_PRINTABLE] : c;
}

/* Keys that are one byte: with Alt, ESC stands before it. */
static unsigned
give_byte(const struct keymap *map, char c, char out[KEYMAP_MOST])
{
	unsigned n = 0;

	if (map->down & ALT)
		out[n++] = '\033';
	out[n++] = c;
	return n;
}

static unsigned
function_key(const struct keymap *map, unsigned number, char out[KEYMAP_MOST])
{
	if (map->down & SHIFT && number < NR_SHIFTED)
		number += NR_FUNCTION_KEYS;
	return give(out, function_keys[number]);
}

static unsigned
keypad_key(const struct keymap *map, uint8_t code, bool cursor_keys,
	   char out[KEYMAP_MOST])
{
	unsigned place = code - CODE_KEYPAD_7;
	const char *text = cursor_block[place];

	if (map->num_lock && !map->extended)
		return give_byte(map, keypad[place], out);
	if (text[1] != 0)
		return give(out, text);
	if (text[0] < 'A')
		return give_byte(map, text[0], out);
	give(out, cursor_keys ? "\033O" : "\033[");
	out[2] = text[0];
	return 3;
}

static unsigned
pressed(struct keymap *map, uint8_t code, bool cursor_keys,
	char out[KEYMAP_MOST])
{
	bool ctrl = map->down & CTRL;
	char c;

	if (code >= CODE_KEYPAD_7 && code <= CODE_KEYPAD_POINT)
		return keypad_key(map, code, cursor_keys, out);
	if (map->extended && code != CODE_ENTER && code != CODE_SLASH)
		return 0;
	if (code >= CODE_F1 && code <= CODE_F10)
		return function_key(map, code - CODE_F1, out);

	switch (code) {
	case CODE_F11:
	case CODE_F12:
		return function_key(map, code - CODE_F11 + 10, out);
	case CODE_CAPS_LOCK:
		map->caps_lock = !map->caps_lock;
		return 0;
	case CODE_NUM_LOCK:
		map->num_lock = !map->num_lock;
		return 0;
	case CODE_ESC:
		return give_byte(map, '\033', out);
	case CODE_BACKSPACE:
		return give_byte(map, ctrl ? '\b' : 127, out);
	case CODE_TAB:
		return give(out, map->down & SHIFT ? "\033\t" : "\t");
	case CODE_ENTER:
		return give_byte(map, '\r', out);
	case CODE_KEYPAD_STAR:
		return give_byte(map, '*', out);
	}
	if (map->extended)
		return give_byte(map, '/', out);
	c = printable(map, code);
	if (c == 0)
		return 0;
	return give_byte(map, ctrl ? with_ctrl(c) : c, out);
}

unsigned
keymap_take(struct keymap *map, uint8_t code, bool cursor_keys,
	    char out[KEYMAP_MOST])
{
	uint8_t bit = modifier(code & ~RELEASED, map->extended);
	unsigned n = 0;

	if (map->skip > 0) {
		map->skip--;
		return 0;
	}
	if (code == PAUSE) {
		map->skip = PAUSE_REST;
		return 0;
	}
	if (code == EXTENDED) {
		map->extended = true;
		return 0;
	}
	if (code & RELEASED)
		map->down &= ~bit;
	else if (bit)
		map->down |= bit;
	else
		n = pressed(map, code, cursor_keys, out);
	map->extended = false;
	return n;
}
