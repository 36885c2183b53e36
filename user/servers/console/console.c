/* See console.h. */
#include "user/servers/console/console.h"

#include <stddef.h>

_Static_assert(sizeof(struct cell) == sizeof(uint16_t), "the same cells");

/* ---- Rings, as a step sees them -------------------------------------- */

/* Bytes to be read, for a reader who is at @tail. */
static uint32_t
waiting(const struct lodger_ring *ring, uint32_t tail)
{
	uint32_t n = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) - tail;

	return n <= ring->size ? n : 0;
}

/* Room, for a writer who is at @head. */
static uint32_t
room(const struct lodger_ring *ring, uint32_t head)
{
	uint32_t n = head - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);

	return n <= ring->size ? ring->size - n : 0;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void
to_input(struct console *c, struct console_rings *rings, const char *text,
	 size_t n)
{
	ring_place(rings->input, c->input, text, n);
	c->input += n;
}

static void
to_serial(struct console *c, struct console_rings *rings, const char *text,
	  size_t n)
{
	if (c->no_serial)
		return;
	ring_place(rings->serial_out, c->serial_out, text, n);
	c->serial_out += n;
}

static uint32_t
serial_room(const struct console *c, const struct console_rings *rings)
{
	return c->no_serial ? CONSOLE_STEP * 2 + CONSOLE_HELD :
			      room(rings->serial_out, c->serial_out);
}

/* ---- What is typed --------------------------------------------------- */

static bool
take_serial(struct console *c, struct console_rings *rings)
{
	uint32_t n = least(waiting(rings->serial_in, c->serial_in),
			   room(rings->input, c->input));

	for (uint32_t i = 0; i < n; i++)
		to_input(c, rings, (char *)ring_at(rings->serial_in,
						   c->serial_in + i), 1);
	c->serial_in += n;
	return n > 0;
}

static bool
take_keyboard(struct console *c, struct console_rings *rings)
{
	uint32_t begin = c->keyboard;
	char text[KEYMAP_MOST];

	while (waiting(rings->keyboard, c->keyboard) > 0 &&
	       room(rings->input, c->input) >= sizeof(text)) {
		uint8_t code = *ring_at(rings->keyboard, c->keyboard++);
		unsigned n = keymap_take(&c->keymap, code,
					 c->screen.cursor_keys, text);

		to_input(c, rings, text, n);
	}
	return c->keyboard != begin;
}

/* ---- What is shown --------------------------------------------------- */

/* An answer that there is no room for is not given: nobody listens. */
static void
give_answer(struct console *c, struct console_rings *rings)
{
	if (room(rings->input, c->input) >= c->screen.nr_answer)
		to_input(c, rings, c->screen.answer, c->screen.nr_answer);
	c->screen.nr_answer = 0;
}

static void
release_held(struct console *c, struct console_rings *rings)
{
	to_serial(c, rings, c->held, c->nr_held);
	c->nr_held = 0;
}

/* The byte has been through the emulator; the serial line gets it too. */
static void
forward(struct console *c, struct console_rings *rings, char byte,
	bool was_inside)
{
	bool inside = emulator_inside(&c->screen);

	c->held[c->nr_held++] = byte;
	if (c->too_long || c->nr_held == CONSOLE_HELD)
		c->too_long = inside;
	else if (inside)
		return;
	else if (was_inside && c->screen.asked)
		c->nr_held = 0;
	release_held(c, rings);
}

static void
show_byte(struct console *c, struct console_rings *rings, unsigned char byte)
{
	bool was_inside = emulator_inside(&c->screen);

	if (!was_inside)
		c->screen.asked = false;
	emulator_put(&c->screen, byte);
	forward(c, rings, byte, was_inside);
	if (c->screen.nr_answer > 0)
		give_answer(c, rings);
}

static bool
take_output(struct console *c, struct console_rings *rings)
{
	uint32_t n = least(waiting(rings->output, c->output), CONSOLE_STEP);
	uint32_t begin = c->output;

	while (c->output - begin < n && serial_room(c, rings) >= CONSOLE_HELD)
		show_byte(c, rings, *ring_at(rings->output, c->output++));
	if (c->output != begin)
		c->log_line_open = false;
	return c->output != begin;
}

/* Typed first: ^C should not wait behind a flood of output. */
bool
console_move(struct console *c, struct console_rings *rings)
{
	bool moved = take_serial(c, rings);

	moved |= take_keyboard(c, rings);
	moved |= take_output(c, rings);
	return moved;
}

/* ---- The log --------------------------------------------------------- */

bool
console_log_room(const struct console *c, const struct console_rings *rings,
		 size_t n)
{
	return serial_room(c, rings) >= 2 * n + 2; /* \n becomes \r\n */
}

static void
log_byte(struct console *c, struct console_rings *rings, char byte, bool serial)
{
	emulator_log(&c->screen, byte);
	if (serial && byte == '\n')
		to_serial(c, rings, "\r", 1);
	if (serial)
		to_serial(c, rings, &byte, 1);
}

void
console_log(struct console *c, struct console_rings *rings, const char *text,
	    size_t n, bool serial)
{
	if (n == 0)
		return;
	/* A program may have written half a line. */
	if (c->screen.pen.x > 0 && !c->log_line_open)
		log_byte(c, rings, '\n', serial);
	for (size_t i = 0; i < n; i++)
		log_byte(c, rings, text[i], serial);
	c->log_line_open = text[n - 1] != '\n';
}

/* ---- The two copies -------------------------------------------------- */

static void
publish_rows(const struct emulator *screen, struct screen_memory *to, int first,
	     int end)
{
	to->cursor_row = screen->cursor_hidden ? SCREEN_NO_CURSOR :
						 screen->pen.y;
	to->cursor_column = screen->pen.x;
	for (int y = first; y < end; y++)
		memcpy(to->cells[y], screen->cells[y],
		       screen->columns * sizeof(struct cell));
}

static void
publish(const struct console *c, struct console_rings *rings)
{
	__atomic_store_n(&rings->serial_in->tail, c->serial_in,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&rings->keyboard->tail, c->keyboard, __ATOMIC_RELEASE);
	__atomic_store_n(&rings->output->tail, c->output, __ATOMIC_RELEASE);
	__atomic_store_n(&rings->serial_out->head, c->serial_out,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&rings->input->head, c->input, __ATOMIC_RELEASE);
}

struct console *
console_work(struct console_saved *saved)
{
	struct console *work = &saved->copies[1 - saved->in_force];

	emulator_unchanged(&work->screen);
	return work;
}

void
console_commit(struct console_saved *saved, struct console_rings *rings)
{
	const struct console *c = &saved->copies[1 - saved->in_force];

	__atomic_store_n(&saved->in_force, 1 - saved->in_force,
			 __ATOMIC_RELEASE);
	publish(c, rings);
	publish_rows(&c->screen, rings->screen, c->screen.changed_first,
		     c->screen.changed_last);
}

/* Rows that are as they were need no copying. */
void
console_settle(struct console_saved *saved)
{
	const struct console *from = &saved->copies[saved->in_force];
	struct console *to = &saved->copies[1 - saved->in_force];

	memcpy(to, from, offsetof(struct console, screen.cells));
	for (int y = from->screen.changed_first; y < from->screen.changed_last;
	     y++)
		memcpy(to->screen.cells[y], from->screen.cells[y],
		       sizeof(to->screen.cells[y]));
	if (from->screen.other_changed)
		memcpy(to->screen.other, from->screen.other,
		       sizeof(to->screen.other));
}

static void
recover(struct console_saved *saved, struct console_rings *rings)
{
	const struct console *c = &saved->copies[saved->in_force];

	publish(c, rings);
	publish_rows(&c->screen, rings->screen, 0, c->screen.rows);
	saved->copies[1 - saved->in_force] = *c;
}

void
console_start(struct console_saved *saved, struct console_rings *rings)
{
	if (!saved->begun) {
		emulator_init(&saved->copies[0].screen, SCREEN_ROWS,
			      SCREEN_COLUMNS);
		__atomic_store_n(&saved->begun, 1, __ATOMIC_RELEASE);
	}
	recover(saved, rings);
}
