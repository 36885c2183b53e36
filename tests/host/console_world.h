/* The console server's inner part, with all that it works on. */
#pragma once

#include "host.h"

#include <sys/mman.h>

#include "user/servers/console/console.h"

enum { RING = 1024, SMALL_RING = 64 };

/* Everything that a killed server leaves behind. */
struct world {
	struct console_saved saved;
	_Alignas(64) unsigned char serial_in[LODGER_RING_DATA + RING];
	_Alignas(64) unsigned char serial_out[LODGER_RING_DATA + RING];
	_Alignas(64) unsigned char keyboard[LODGER_RING_DATA + SMALL_RING];
	_Alignas(64) unsigned char input[LODGER_RING_DATA + SMALL_RING];
	_Alignas(64) unsigned char output[LODGER_RING_DATA + RING];
	struct screen_memory screen;
};

static inline struct console_rings
rings_of(struct world *w)
{
	return (struct console_rings){
		.serial_in = (struct lodger_ring *)w->serial_in,
		.serial_out = (struct lodger_ring *)w->serial_out,
		.keyboard = (struct lodger_ring *)w->keyboard,
		.input = (struct lodger_ring *)w->input,
		.output = (struct lodger_ring *)w->output,
		.screen = &w->screen,
	};
}

/* In shared memory, so that a child can work on it. */
static inline struct world *
new_world(void)
{
	struct world *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct console_rings rings = rings_of(w);

	CHECK(w != MAP_FAILED);
	rings.serial_in->size = RING;
	rings.serial_out->size = RING;
	rings.keyboard->size = SMALL_RING;
	rings.input->size = SMALL_RING;
	rings.output->size = RING;
	return w;
}

static inline bool
step(struct world *w)
{
	struct console_rings rings = rings_of(w);
	bool moved = console_move(console_work(&w->saved), &rings);

	console_commit(&w->saved, &rings);
	console_settle(&w->saved);
	return moved;
}

/* What the server does, from its start until nothing is left to do. */
static inline void
serve(struct world *w)
{
	struct console_rings rings = rings_of(w);

	console_start(&w->saved, &rings);
	while (step(w))
		;
}

/* ---- Reading and writing its partners' ends -------------------------- */

static inline void
put(void *ring, const char *text)
{
	size_t n = strlen(text);

	CHECK_EQ(ring_write(ring, text, n), n);
}

/* All that is in the ring, with control codes as ^X. */
static inline const char *
take(void *ring)
{
	static char text[4 * RING];
	unsigned char c;
	size_t len = 0;

	while (ring_read(ring, &c, 1)) {
		if (c < 32)
			text[len++] = '^';
		text[len++] = c < 32 ? c ^ 64 : c;
	}
	text[len] = 0;
	return text;
}

static inline void
expect(const char *file, int line, const char *seen, const char *want)
{
	if (strcmp(seen, want) != 0)
		fail_test(file, line, "\"%s\" seen, \"%s\" expected", seen,
			  want);
}
#define EXPECT(seen, want) expect(__FILE__, __LINE__, seen, want)

static inline const char *
screen_row(const struct world *w, int y)
{
	static char text[SCREEN_COLUMNS + 1];
	int end = 0;

	for (int x = 0; x < SCREEN_COLUMNS; x++) {
		text[x] = w->screen.cells[y][x] & 0xff;
		if (text[x] != ' ')
			end = x + 1;
	}
	text[end] = 0;
	return text;
}
