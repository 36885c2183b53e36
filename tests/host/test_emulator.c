// with: user/servers/console/emulator.c user/servers/console/csi.c user/servers/console/cells.c user/servers/console/charset.c
/* The terminal emulator: sequences against the screens that they must give. */
#include "host.h"

#include "user/servers/console/charset.h"
#include "user/servers/console/emulator.h"

enum { ROWS = 5, COLUMNS = 10, GREY = 0x07 };

static struct emulator e;

static void
feed(const char *bytes)
{
	for (; *bytes; bytes++)
		emulator_put(&e, *bytes);
}

static void
start(const char *bytes)
{
	emulator_init(&e, ROWS, COLUMNS);
	feed(bytes);
}

/* Row @y, without the blanks at its end. */
static const char *
row(int y)
{
	static char text[EMULATOR_COLUMNS + 1];
	int end = 0;

	for (int x = 0; x < e.columns; x++) {
		text[x] = e.cells[y][x].glyph;
		if (text[x] != ' ')
			end = x + 1;
	}
	text[end] = 0;
	return text;
}

static void
expect_rows(const char *file, int line, const char *const *rows, int n)
{
	for (int y = 0; y < e.rows; y++) {
		const char *want = y < n ? rows[y] : "";

		if (strcmp(row(y), want) != 0)
			fail_test(file, line, "row %d is \"%s\", expected \"%s\"",
				  y, row(y), want);
	}
}

/* The screen from the top; rows not named are blank. */
#define SCREEN(...)                                                         \
	expect_rows(__FILE__, __LINE__, (const char *const[]){ __VA_ARGS__ }, \
		    sizeof((const char *const[]){ __VA_ARGS__ }) /          \
			    sizeof(char *))
#define CURSOR(row_, column_)                       \
	do {                                        \
		CHECK_EQ(e.pen.y + 1, row_);        \
		CHECK_EQ(e.pen.x + 1, column_);     \
	} while (0)
#define COLOURS(y, x, want) CHECK_EQ(e.cells[y][x].colours, want)

static void
expect_answer(const char *file, int line, const char *want)
{
	e.answer[e.nr_answer] = 0;
	if (strcmp(e.answer, want) != 0)
		fail_test(file, line, "answer \"%s\", expected \"%s\"",
			  e.answer + 1, want + 1);
	e.nr_answer = 0;
}
#define ANSWER(want) expect_answer(__FILE__, __LINE__, want)

/* Five rows of one letter each. */
static void
letters(void)
{
	start("aaa\r\nbbb\r\nccc\r\nddd\r\neee");
}

/* ---- Tests ----------------------------------------------------------- */

static void
text_and_controls(void)
{
	start("one\r\ntwo\n3\b\b4\rT");
	SCREEN("one", "two", "T 43");
	CURSOR(3, 2);
	feed("\033[4;1H1\t2\t3\t4");
	CHECK_EQ(e.cells[3][8].glyph, '2');
	CHECK_EQ(e.cells[3][9].glyph, '3');
	CHECK_EQ(e.cells[4][0].glyph, '4');
}

static void
wrapping(void)
{
	start("0123456789");
	CURSOR(1, 10);
	feed("\rx");
	SCREEN("x123456789");
	start("0123456789ab");
	SCREEN("0123456789", "ab");
	start("0123456789\b!");
	SCREEN("01234567!9");
	start("0123456789\033[K");
	SCREEN("012345678");
	start("\033[?7l0123456789abc");
	SCREEN("012345678c");
	CURSOR(1, 10);
}

static void
scrolling(void)
{
	letters();
	feed("\r\nfff");
	SCREEN("bbb", "ccc", "ddd", "eee", "fff");
	feed("\033[H\033M");
	SCREEN("", "bbb", "ccc", "ddd", "eee");
	CURSOR(1, 1);
}

static void
scroll_region(void)
{
	letters();
	feed("\033[2;4r");
	CURSOR(1, 1);
	feed("\033[4;1H\n\n!");
	SCREEN("aaa", "ddd", "", "!", "eee");
	feed("\033[2;2H\033M");
	SCREEN("aaa", "", "ddd", "", "eee");
	feed("\033[5;1H\n\nx");
	SCREEN("aaa", "", "ddd", "", "xee");
	feed("\033[3;2r\033[9;9H");
	CURSOR(5, 9);
	feed("\033[?6h");
	CURSOR(2, 1);
	feed("\033[9;1H*");
	SCREEN("aaa", "", "ddd", "*", "xee");
	feed("\033[6n");
	ANSWER("\033[3;2R");
}

static void
lines(void)
{
	letters();
	feed("\033[2;2H\033[2L");
	SCREEN("aaa", "", "", "bbb", "ccc");
	CURSOR(2, 2);
	feed("\033[M");
	SCREEN("aaa", "", "bbb", "ccc");
	feed("\033[99M");
	SCREEN("aaa");
	letters();
	feed("\033[2;3r\033[2;1H\033[L");
	SCREEN("aaa", "", "bbb", "ddd", "eee");
	feed("\033[5;1H\033[L");
	SCREEN("aaa", "", "bbb", "ddd", "eee");
}

static void
characters(void)
{
	start("0123456789\033[1;4H\033[2@");
	SCREEN("012  34567");
	feed("\033[3P");
	SCREEN("0124567");
	feed("\033[2X");
	SCREEN("012  67");
	feed("\033[99@");
	SCREEN("012");
	start("abc\r\033[4hXY\033[4lZ");
	SCREEN("XYZbc");
}

static void
erasing(void)
{
	letters();
	feed("\033[3;2H\033[K");
	SCREEN("aaa", "bbb", "c", "ddd", "eee");
	feed("\033[4;2H\033[1K");
	SCREEN("aaa", "bbb", "c", "  d", "eee");
	feed("\033[2K\033[2;2H\033[1J");
	SCREEN("", "  b", "c", "", "eee");
	feed("\033[J");
	SCREEN("", "");
	letters();
	feed("\033[2J");
	SCREEN("");
	CURSOR(5, 4);
}

static void
moving(void)
{
	start("\033[3;4H");
	CURSOR(3, 4);
	feed("\033[A");
	CURSOR(2, 4);
	feed("\033[2B\033[3C");
	CURSOR(4, 7);
	feed("\033[2D");
	CURSOR(4, 5);
	feed("\033[E");
	CURSOR(5, 1);
	feed("\033[2F\033[7G");
	CURSOR(3, 7);
	feed("\033[2d\033[3`");
	CURSOR(2, 3);
	feed("\033[999;999H");
	CURSOR(5, 10);
	feed("\033[99A\033[99D");
	CURSOR(1, 1);
	feed("\033[0;0f\033[0C");
	CURSOR(1, 2);
}

static void
saving(void)
{
	start("\033[3;4H\033[31m\0337\033[H\033[0mx\0338y");
	SCREEN("x", "", "   y");
	COLOURS(2, 3, 0x04);
	feed("\033[s\033[5;5H\033[u");
	CURSOR(3, 5);
}

static void
attributes(void)
{
	start("\033[1ma\033[0;7mb\033[0;31;44mc\033[0;5md\033[4me\033[0;2mf"
	      "\033[0;91mg\033[0;1;7mh\033[27;22mi\033[mj");
	COLOURS(0, 0, 0x0f);
	COLOURS(0, 1, 0x70);
	COLOURS(0, 2, 0x14);
	COLOURS(0, 3, 0x87);
	COLOURS(0, 4, 0x83);
	COLOURS(0, 5, 0x08);
	COLOURS(0, 6, 0x0c);
	COLOURS(0, 7, 0x78);
	COLOURS(0, 8, GREY);
	COLOURS(0, 9, GREY);
	start("\033[38;5;196ma\033[48;2;0;0;255mb\033[39;49mc");
	COLOURS(0, 0, 0x0c);
	COLOURS(0, 1, 0x1c);
	start("\033[44m\033[K");
	COLOURS(0, 9, 0x17);
}

static void
charsets(void)
{
	start("\033)0\016lqk\017lqk");
	CHECK(memcmp(row(0), "\xda\xc4\xbf" "lqk", 6) == 0);
	start("\033(0x\033(Bx");
	CHECK(memcmp(row(0), "\xb3x", 2) == 0);
	start("\033[11m\001\002\xb3\033[10m");
	CHECK(memcmp(row(0), "\001\002\xb3", 3) == 0);
}

static void
unicode(void)
{
	start("\xc3\xa9\xe2\x94\x80\xe2\x82\xac!");
	CHECK(memcmp(row(0), "\x82\xc4?!", 4) == 0);
	start("\xc3" "a\x80" "b\xe0\x80\x80" "c\xf5\xed\xa0\x80");
	CHECK_EQ(strcmp(row(0), "?a?b?c??"), 0);
	start("e\xcc\x81\xe6\x97\xa5|");
	CHECK_EQ(strcmp(row(0), "e? |"), 0);
	start("\xc2\x9b" "31mx");
	COLOURS(0, 0, 0x04);
}

static void
round_trip(void)
{
	for (int glyph = 1; glyph < 255; glyph++)
		if (glyph != 7)
			CHECK_EQ(cp437_glyph(cp437_unicode(glyph)), glyph);
}

static void
questions(void)
{
	start("abc\033[6n");
	ANSWER("\033[1;4R");
	CHECK(e.asked);
	feed("\033[5n\033[c");
	ANSWER("\033[0n\033[?6c");
	feed("\033Z");
	ANSWER("\033[?6c");
	feed("\033[0m");
	CHECK(!e.asked);
	for (int i = 0; i < 100; i++)
		feed("\033[6n");
	CHECK(e.nr_answer <= sizeof(e.answer));
}

static void
modes(void)
{
	start("a\033[?5h");
	COLOURS(0, 0, 0x70);
	COLOURS(4, 9, 0x70);
	feed("\033[?5l");
	COLOURS(4, 9, GREY);
	feed("\033[?25l\033[?1h");
	CHECK(e.cursor_hidden && e.cursor_keys);
	feed("\033[20h\nb");
	SCREEN("a", "b");
	feed("\033c");
	SCREEN("");
	CHECK(!e.cursor_hidden && !e.cursor_keys && !e.newline);
}

static void
tab_stops(void)
{
	start("\033[3g\033[1;4H\033H\r\tx");
	SCREEN("   x");
	feed("\033[1;4H\033[g\r\ty");
	CHECK_EQ(e.cells[0][9].glyph, 'y');
}

static void
alternate_screen(void)
{
	start("shell\033[?1049h\033[2J\033[3;3Hvi");
	SCREEN("", "", "  vi");
	feed("\033[?1049l!");
	SCREEN("shell!");
}

static void
strings_are_swallowed(void)
{
	start("a\033]0;title\007b\033]P0aabbcc" "c\033Pq..\033\\d\033_x\033\\e");
	SCREEN("abcde");
	start("a\033[12\030b\033[[Ac\033[>5ld\033%Ge\033[?99;7hf\033[1!pg");
	SCREEN("abcdefg");
	start("\033[3\n1mx");
	CURSOR(2, 2);
	COLOURS(1, 0, 0x04);
}

static void
log_lines(void)
{
	start("ab\033[31");
	emulator_log(&e, '!');
	emulator_log(&e, '\n');
	emulator_log(&e, 'L');
	feed("mc");
	SCREEN("ab!", "Lc");
	COLOURS(1, 0, GREY);
	COLOURS(1, 1, 0x04);
}

static void
odd_sizes(void)
{
	emulator_init(&e, 1000, 1000);
	CHECK_EQ(e.rows, EMULATOR_ROWS);
	CHECK_EQ(e.columns, EMULATOR_COLUMNS);
	emulator_init(&e, 0, 0);
	feed("abc\033[Hxyz\n\033M\033[L\033[M\033[@\033[P\t\033[6n");
	CHECK_EQ(e.rows, 1);
	ANSWER("\033[1;1R");
}

/* ---- Anything -------------------------------------------------------- */

/* Cells that are not on the screen hold this, and must go on doing so. */
static const struct cell outside = { 0xa5, 0x5a };

static void
mark_outside(struct emulator *t)
{
	for (int y = 0; y < EMULATOR_ROWS; y++)
		for (int x = y < t->rows ? t->columns : 0;
		     x < EMULATOR_COLUMNS; x++)
			t->cells[y][x] = t->other[y][x] = outside;
}

static void
check_sound(const struct emulator *t)
{
	CHECK(t->pen.x >= 0 && t->pen.x < t->columns);
	CHECK(t->pen.y >= 0 && t->pen.y < t->rows);
	CHECK(t->top >= 0 && t->top < t->bottom && t->bottom <= t->rows);
	CHECK(t->nr_answer <= sizeof(t->answer));
	CHECK(t->nr_parameters <= EMULATOR_PARAMETERS);
	CHECK(t->changed_last <= t->rows);
}

static void
check_outside(const struct emulator *t)
{
	for (int y = 0; y < EMULATOR_ROWS; y++)
		for (int x = y < t->rows ? t->columns : 0;
		     x < EMULATOR_COLUMNS; x++)
			CHECK(t->cells[y][x].glyph == outside.glyph &&
			      t->cells[y][x].colours == outside.colours);
}

/* Few bytes that mean nothing, many that begin, fill and end sequences. */
static unsigned char
likely_byte(void)
{
	static const char some[] = "\033\033\033[[[[;?0123456789HJKLMPX@rmhlnABCD"
				   "GdsuE78DMc()#]P\007\010\t\n\r\016\017gf`";

	if (host_random(4) == 0)
		return host_random(256);
	return some[host_random(sizeof(some) - 1)];
}

static void
random_bytes(void)
{
	struct emulator *t = malloc(sizeof(*t));

	for (int round = 0; round < 300; round++) {
		emulator_init(t, 1 + host_random(30), 1 + host_random(90));
		mark_outside(t);
		for (int i = 0; i < 3000; i++) {
			emulator_put(t, likely_byte());
			if (host_random(50) == 0)
				emulator_log(t, host_random(256));
			if (host_random(8) == 0)
				t->nr_answer = 0;
			check_sound(t);
		}
		check_outside(t);
	}
	free(t);
}

/* Whoever copies the changed rows has the whole screen. */
static void
changes_are_told(void)
{
	struct emulator *t = malloc(sizeof(*t));
	struct emulator *copy = malloc(sizeof(*copy));

	for (int round = 0; round < 200; round++) {
		emulator_init(t, 1 + host_random(10), 1 + host_random(20));
		*copy = *t;
		for (int i = 0; i < 1000; i++) {
			emulator_unchanged(t);
			for (u64 n = 1 + host_random(9); n > 0; n--)
				emulator_put(t, likely_byte());
			for (int y = t->changed_first; y < t->changed_last; y++)
				memcpy(copy->cells[y], t->cells[y],
				       sizeof(t->cells[y]));
			if (t->other_changed)
				memcpy(copy->other, t->other, sizeof(t->other));
			CHECK(memcmp(copy->cells, t->cells,
				     sizeof(t->cells)) == 0);
			CHECK(memcmp(copy->other, t->other,
				     sizeof(t->other)) == 0);
		}
	}
	free(t);
	free(copy);
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("text, tabs, backspace, newline and return", text_and_controls);
	test("the last column holds one character before a wrap", wrapping);
	test("a line feed scrolls at the bottom, ESC M at the top", scrolling);
	test("a scroll region scrolls alone, and origin mode counts from it",
	     scroll_region);
	test("lines are inserted and deleted inside the region", lines);
	test("characters are inserted, deleted, erased", characters);
	test("parts of lines and of the screen are erased", erasing);
	test("the cursor moves, and stays on the screen", moving);
	test("the cursor is saved with its attributes", saving);
	test("attributes and colours are Linux's", attributes);
	test("line drawing and PC characters", charsets);
	test("UTF-8 becomes code page 437, and bad UTF-8 one '?' each", unicode);
	test("each glyph's character shows as that glyph", round_trip);
	test("questions are answered", questions);
	test("modes: inverse, cursor, newline, and the reset", modes);
	test("tab stops are set and cleared", tab_stops);
	test("the alternate screen comes and goes", alternate_screen);
	test("strings and unknown sequences show nothing",
	     strings_are_swallowed);
	test("the log does not disturb a sequence", log_lines);
	test("a size is cut to what there is room for", odd_sizes);
	test("no bytes, in any order, reach outside the screen", random_bytes);
	test("every change is told", changes_are_told);
	return host_result();
}
