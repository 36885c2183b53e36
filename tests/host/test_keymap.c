// with: user/servers/console/keymap.c
/* Scan codes against what a terminal sends. */
#include "host.h"

#include "user/servers/console/keymap.h"

static struct keymap map;
static bool cursor_keys;

/* What the codes, two digits each, become, with control codes as ^X. */
static const char *
typed(const char *codes)
{
	static char text[200];
	char out[KEYMAP_MOST];
	size_t len = 0;
	unsigned code;

	for (; sscanf(codes, " %2x", &code) == 1; codes += 3) {
		unsigned n = keymap_take(&map, code, cursor_keys, out);

		CHECK(n <= KEYMAP_MOST);
		for (unsigned i = 0; i < n; i++) {
			unsigned char c = out[i];

			if (c < 32 || c == 127)
				text[len++] = '^';
			text[len++] = c < 32 || c == 127 ? c ^ 64 : c;
		}
		if (strlen(codes) <= 2)
			break;
	}
	text[len] = 0;
	return text;
}

#define TYPED(codes, want)                                               \
	do {                                                             \
		const char *seen_ = typed(codes);                        \
		if (strcmp(seen_, want) != 0)                            \
			FAIL("%s gives \"%s\", expected \"%s\"", codes, \
			     seen_, want);                               \
	} while (0)

static void
letters(void)
{
	TYPED("1e 9e 30 b0 02 82 39 b9 1c 9c 0f 8f 0e 8e 01 81", "ab1 ^M^I^?^[");
	TYPED("0c 0d 1a 1b 27 28 29 2b 33 34 35 56", "-=[];'`\\,./<");
}

static void
shifts(void)
{
	TYPED("2a 1e 02 aa 1e", "A!a");
	TYPED("36 1e 2a b6 30 aa 30", "ABb");
	TYPED("2a 0c 0d 1a 1b 27 28 29 2b 33 34 35 56 aa", "_+{}:\"~|<>?>");
	TYPED("2a 2a 2a 1e aa 1e", "Aa"); /* repeated by the keyboard */
}

static void
caps(void)
{
	TYPED("3a ba 1e 02 2a 1e 02 aa 3a ba 1e", "A1a!a");
}

static void
controls(void)
{
	TYPED("1d 2e 9d 2e", "^Cc");
	TYPED("e0 1d 20 e0 9d 20", "^Dd");
	TYPED("1d 1a 2b 1b 35 0c 2a 03 aa 0e 39 9d", "^[^\\^]^_^_^@^H^@");
	TYPED("1d 03 04 05 06 07 08 09 9d", "^@^[^\\^]^^^_^?");
	TYPED("38 1e b8 e0 38 1e e0 b8 1e", "^[a^[aa");
	TYPED("38 1d 1e 9d 1c b8", "^[^A^[^M");
}

static void
cursor(void)
{
	TYPED("e0 48 e0 c8 e0 50 e0 4b e0 4d", "^[[A^[[B^[[D^[[C");
	TYPED("e0 47 e0 4f e0 49 e0 51 e0 52 e0 53",
	      "^[[1~^[[4~^[[5~^[[6~^[[2~^[[3~");
	TYPED("2a 0f aa 0f", "^[^I^I");
	cursor_keys = true;
	TYPED("e0 48 e0 47", "^[OA^[[1~");
	cursor_keys = false;
	/* a keyboard with NumLock on puts shifts around these keys */
	TYPED("e0 2a e0 48 e0 c8 e0 aa 1e", "^[[Aa");
}

static void
function_keys(void)
{
	TYPED("3b 3f 40 44 57 58", "^[[[A^[[[E^[[17~^[[21~^[[23~^[[24~");
	TYPED("2a 3b 42 aa", "^[[25~^[[34~");
}

static void
keypad(void)
{
	TYPED("47 48 4c 4a 4e 37 e0 35 e0 1c", "^[[1~^[[A^[[G-+*/^M");
	TYPED("45 c5 47 48 4c 53 52 45 c5 53", "785.0^[[3~");
}

static void
others(void)
{
	TYPED("e1 1d 45 e1 9d c5 1e", "a"); /* Pause */
	TYPED("fa fe ee ff 00 1e", "a");    /* the controller's own words */
	TYPED("e0 5b e0 db e0 5d 46 54 70 7f 1e", "a");
}

static void
anything(void)
{
	char out[KEYMAP_MOST];

	for (int i = 0; i < 1000000; i++)
		CHECK(keymap_take(&map, host_random(256), host_random(2), out) <=
		      KEYMAP_MOST);
	/* all released, the locks as they are: letters come again */
	typed("e0 9d 9d e0 b8 b8 aa b6 00 00 00");
	typed("e0 9d 9d e0 b8 b8 aa b6");
	CHECK_EQ(map.down, 0);
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("letters, digits and signs are those of the US layout", letters);
	test("either shift, pressed and released", shifts);
	test("caps lock is for letters alone", caps);
	test("ctrl and alt", controls);
	test("arrows and the keys around them are TERM=linux's", cursor);
	test("function keys are TERM=linux's", function_keys);
	test("the keypad has two meanings", keypad);
	test("codes that are no keys give nothing", others);
	test("any codes, in any order, are safe", anything);
	return host_result();
}
