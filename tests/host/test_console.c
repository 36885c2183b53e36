// with: user/servers/console/console.c user/servers/console/emulator.c user/servers/console/csi.c user/servers/console/cells.c user/servers/console/charset.c user/servers/console/keymap.c
/* The console server's inner part: what goes where. */
#include "host.h"
#include "console_world.h"

/* ---- What goes where ------------------------------------------------- */

static void
both_ways(void)
{
	struct world *w = new_world();

	put(w->serial_in, "from the line\r");
	put(w->keyboard, "\x1e\x9e\x2a\x30\xb0\xaa\x1c");
	put(w->output, "one\r\n\033[31mtwo");
	serve(w);
	EXPECT(take(w->input), "from the line^MaB^M");
	EXPECT(take(w->serial_out), "one^M^J^[[31mtwo");
	EXPECT(screen_row(w, 0), "one");
	EXPECT(screen_row(w, 1), "two");
	CHECK_EQ(w->screen.cells[1][0] >> 8, 0x04);
	CHECK_EQ(w->screen.cursor_row, 1);
	CHECK_EQ(w->screen.cursor_column, 3);
}

static void
questions(void)
{
	struct world *w = new_world();

	put(w->output, "ab\033[6nc\033[m\033[cd");
	serve(w);
	EXPECT(take(w->input), "^[[1;3R^[[?6c");
	EXPECT(take(w->serial_out), "abc^[[md");
}

/* However the output is cut, all receive the same. */
static void
split_anywhere(void)
{
	static const char text[] = "a\033[1;33mb\033[6n\xc3\xa9\033]0;title\007"
				   "\033[2;2Hc\033(0q\033(B\033[Kd";
	char serial[RING], cells[RING];
	struct world *w = new_world();

	put(w->output, text);
	serve(w);
	strcpy(serial, take(w->serial_out));
	strcpy(cells, screen_row(w, 1));
	for (size_t cut = 0; cut <= strlen(text); cut++) {
		char first[sizeof(text)];

		memcpy(first, text, cut);
		first[cut] = 0;
		w = new_world();
		put(w->output, first);
		serve(w);
		put(w->output, text + cut);
		serve(w);
		EXPECT(take(w->input), "^[[1;3R");
		EXPECT(take(w->serial_out), serial);
		EXPECT(screen_row(w, 1), cells);
	}
}

static void
long_sequences(void)
{
	struct world *w = new_world();
	char text[300] = "x\033]0;";

	memset(text + 5, 't', 250);
	put(w->output, text);
	serve(w);
	CHECK_EQ(ring_used((void *)w->serial_out), strlen(text));
	take(w->serial_out);
	put(w->output, "\007y\033[6nz\033[m");
	serve(w);
	EXPECT(take(w->serial_out), "^Gyz^[[m");
	EXPECT(screen_row(w, 0), "xyz");
}

static void
full_rings(void)
{
	struct world *w = new_world();

	for (int i = 0; i < SMALL_RING + 10; i++)
		put(w->serial_in, "s");
	put(w->keyboard, "\x1e\x1e");
	put(w->output, "\033[6n");
	serve(w);
	CHECK_EQ(ring_used((void *)w->input), SMALL_RING);
	CHECK_EQ(ring_used((void *)w->serial_in), 10);
	CHECK_EQ(ring_used((void *)w->keyboard), 2);
	take(w->input);
	serve(w);
	EXPECT(take(w->input), "ssssssssssaa");

	/* the serial line is slow: output waits, nothing is dropped */
	for (int i = 0; i < RING - 100; i++)
		put(w->output, "o");
	serve(w);
	for (int i = 0; i < 500; i++)
		put(w->output, "p");
	serve(w);
	CHECK(ring_used((void *)w->output) > 0);
	CHECK_EQ(ring_used((void *)w->output) +
			 ring_used((void *)w->serial_out),
		 RING - 100 + 500);
	take(w->serial_out);
	serve(w);
	CHECK_EQ(ring_used((void *)w->output), 0);
}

static void
no_serial_line(void)
{
	struct world *w = new_world();
	struct console_rings rings = rings_of(w);
	struct console *c;

	serve(w);
	c = console_work(&w->saved);
	c->no_serial = true;
	console_commit(&w->saved, &rings);
	console_settle(&w->saved);
	for (int i = 0; i < 100; i++) {
		put(w->output, "a line that is shown on the screen alone\r\n");
		serve(w);
		CHECK_EQ(ring_used(rings.output), 0);
	}
	CHECK_EQ(ring_used(rings.serial_out), 0);
}

static void
log_text(struct world *w, const char *text, bool serial)
{
	struct console_rings rings = rings_of(w);
	struct console *c = console_work(&w->saved);

	CHECK(console_log_room(c, &rings, strlen(text)));
	console_log(c, &rings, text, strlen(text), serial);
	console_commit(&w->saved, &rings);
	console_settle(&w->saved);
}

static void
log_lines(void)
{
	struct world *w = new_world();

	serve(w);
	log_text(w, "early\n", false);
	put(w->output, "$ ls\033[3");
	serve(w);
	log_text(w, "[1.0] one ", true);
	log_text(w, "line\n", true);
	put(w->output, "1mx");
	serve(w);
	EXPECT(take(w->serial_out), "$ ls^M^J[1.0] one line^M^J^[[31mx");
	EXPECT(screen_row(w, 0), "early");
	EXPECT(screen_row(w, 1), "$ ls");
	EXPECT(screen_row(w, 2), "[1.0] one line");
	EXPECT(screen_row(w, 3), "x");
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("what is typed goes in, what is written to both outputs",
	     both_ways);
	test("questions are answered, and stay away from the serial line",
	     questions);
	test("output may be cut anywhere", split_anywhere);
	test("a sequence that is too long to be held goes out", long_sequences);
	test("where a ring is full, bytes wait", full_rings);
	test("without a serial line the screen goes on", no_serial_line);
	test("log lines stand alone, and inside no sequence", log_lines);
	return host_result();
}
