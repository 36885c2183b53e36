#include "user/servers/unix/tty.h"

#include <string.h>
#include <termios.h>

#include "user/servers/unix/call.h"

/* Marks of an input byte. */
enum { BYTE = 0xff, LINE_END = 0x100, END_OF_FILE = 0x200 };

/* An entry of cc[] that is off. */
enum { DISABLED = 0 };

struct tty console_tty;

void
tty_init(struct tty *tty)
{
	static const u8 cc[19] = {
		[VINTR] = 3, [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21,
		[VEOF] = 4, [VTIME] = 0, [VMIN] = 1, [VSTART] = 17,
		[VSTOP] = 19, [VSUSP] = 26, [VREPRINT] = 18, [VDISCARD] = 15,
		[VWERASE] = 23, [VLNEXT] = 22,
	};

	memset(tty, 0, sizeof(*tty));
	list_init(&tty->queue);
	tty->termios = (struct linux_termios){
		.iflag = ICRNL | IXON,
		.oflag = OPOST | ONLCR,
		.cflag = B38400 | CS8 | CREAD | HUPCL,
		.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL |
			 ECHOKE | IEXTEN,
	};
	memcpy(tty->termios.cc, cc, sizeof(cc));
}

static bool
is_control(u8 c)
{
	return c < 32 || c == 127;
}

/* A byte that belongs to the UTF-8 character before it. */
static bool
is_continuation(const struct tty *tty, u8 c)
{
	return (tty->termios.iflag & IUTF8) && (c & 0xc0) == 0x80;
}

static bool
local(const struct tty *tty, u32 flag)
{
	return tty->termios.lflag & flag;
}

/* ---- Output --------------------------------------------------------- */

static u32
output_room(const struct tty *tty)
{
	return TTY_OUTPUT - (tty->output_head - tty->output_tail);
}

/* As it is. Without room it is lost: writers have looked, an echo has room of
 * its own, and no more is typed before there is some. */
static void
emit(struct tty *tty, u8 c)
{
	if (output_room(tty) > 0)
		tty->output[tty->output_head++ % TTY_OUTPUT] = c;
}

static void
emit_tab(struct tty *tty)
{
	unsigned spaces = 8 - tty->column % 8;

	tty->column += spaces;
	if ((tty->termios.oflag & TABDLY) != TAB3) {
		emit(tty, '\t');
		return;
	}
	while (spaces--)
		emit(tty, ' ');
}

static void
emit_newline(struct tty *tty)
{
	if (tty->termios.oflag & ONLRET)
		tty->column = 0;
	if (tty->termios.oflag & ONLCR) {
		emit(tty, '\r');
		tty->column = 0;
	}
	tty->line_column = tty->column;
	emit(tty, '\n');
}

static void
emit_return(struct tty *tty)
{
	u32 flags = tty->termios.oflag;

	if ((flags & ONOCR) && tty->column == 0)
		return;
	if (flags & OCRNL) {
		if (flags & ONLRET)
			tty->column = tty->line_column = 0;
		emit(tty, '\n');
		return;
	}
	tty->column = tty->line_column = 0;
	emit(tty, '\r');
}

/* At most two bytes come of one, or eight of a tab. */
static void
process_output(struct tty *tty, u8 c)
{
	if (!(tty->termios.oflag & OPOST)) {
		emit(tty, c);
		return;
	}
	switch (c) {
	case '\n':
		emit_newline(tty);
		return;
	case '\r':
		emit_return(tty);
		return;
	case '\t':
		emit_tab(tty);
		return;
	case '\b':
		tty->column -= tty->column > 0;
		break;
	default:
		tty->column += !is_control(c) && !is_continuation(tty, c);
	}
	emit(tty, c);
}

/* Room for one byte and what may come of it. */
bool
tty_writable(const struct tty *tty)
{
	return output_room(tty) >= TTY_ECHO_ROOM;
}

static void
push_output(struct tty *tty)
{
	bool was_writable = tty_writable(tty);

	while (!tty->stopped && tty->output_head != tty->output_tail) {
		u32 at = tty->output_tail % TTY_OUTPUT;
		u32 used = tty->output_head - tty->output_tail;
		size_t n = os_terminal_write(tty->output + at,
					     MIN(used, TTY_OUTPUT - at));

		if (n == 0)
			break;
		tty->output_tail += n;
	}
	if ((!was_writable && tty_writable(tty)) ||
	    tty->output_head == tty->output_tail)
		wake(&tty->queue);
}

size_t
tty_put(struct tty *tty, const u8 *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		if (!tty_writable(tty)) {
			push_output(tty);
			if (!tty_writable(tty))
				break;
		}
		process_output(tty, bytes[done++]);
	}
	push_output(tty);
	return done;
}

void
tty_stop(struct tty *tty, bool stop)
{
	tty->stopped = stop;
	push_output(tty);
}

void
tty_flush_output(struct tty *tty)
{
	tty->output_tail = tty->output_head;
	wake(&tty->queue);
}

/* ---- Echo ----------------------------------------------------------- */

static void
echo_text(struct tty *tty, const char *text)
{
	while (*text)
		process_output(tty, (u8)*text++);
}

static void
echo_visibly(struct tty *tty, u8 c)
{
	if (local(tty, ECHOCTL) && is_control(c) && c != '\t') {
		emit(tty, '^');
		emit(tty, c ^ 0100);
		tty->column += 2; /* also when output is not processed */
	} else {
		process_output(tty, c);
	}
}

static void
echo(struct tty *tty, u8 c)
{
	if (!local(tty, ECHO))
		return;
	if (tty->line_end == tty->input_head)
		tty->line_column = tty->column;
	echo_visibly(tty, c);
}

/* ---- Input ---------------------------------------------------------- */

static u32
input_used(const struct tty *tty)
{
	return tty->input_head - tty->input_tail;
}

static void
add_input(struct tty *tty, unsigned value)
{
	tty->input[tty->input_head++ % TTY_INPUT] = (u16)value;
}

static void
add_line_end(struct tty *tty, unsigned value)
{
	add_input(tty, value | LINE_END);
	tty->line_end = tty->input_head;
	wake(&tty->queue);
}

static u8
byte_at(const struct tty *tty, u32 place)
{
	return tty->input[place % TTY_INPUT] & BYTE;
}

void
tty_flush_input(struct tty *tty)
{
	tty->input_tail = tty->input_head = tty->line_end = 0;
	wake(&tty->queue);
}

/* ---- Erasing -------------------------------------------------------- */

/* How far a tab moved the cursor follows from what is before it. */
static void
echo_erase_tab(struct tty *tty)
{
	unsigned columns = 0, back;
	bool after_tab = false;

	for (u32 at = tty->input_head; at != tty->line_end && !after_tab;) {
		u8 c = byte_at(tty, --at);

		if (c == '\t')
			after_tab = true;
		else if (is_control(c))
			columns += local(tty, ECHOCTL) ? 2 : 0;
		else
			columns += !is_continuation(tty, c);
	}
	if (!after_tab)
		columns += tty->line_column;
	for (back = 8 - columns % 8; back > 0; back--) {
		emit(tty, '\b');
		tty->column -= tty->column > 0;
	}
}

static void
echo_erased(struct tty *tty, u8 c)
{
	if (c == '\t') {
		echo_erase_tab(tty);
		return;
	}
	if (is_control(c) && local(tty, ECHOCTL))
		echo_text(tty, "\b \b");
	if (!is_control(c) || local(tty, ECHOCTL))
		echo_text(tty, "\b \b");
}

/* The place of the last character of the line; false: it has none. */
static bool
last_character(const struct tty *tty, u32 *place)
{
	u32 at = tty->input_head;

	while (at != tty->line_end) {
		if (!is_continuation(tty, byte_at(tty, --at))) {
			*place = at;
			return true;
		}
	}
	return false;
}

static void
erase_character(struct tty *tty)
{
	u32 at;

	if (!last_character(tty, &at))
		return;
	tty->input_head = at;
	if (!local(tty, ECHO))
		return;
	if (local(tty, ECHOE))
		echo_erased(tty, byte_at(tty, at));
	else
		echo_visibly(tty, tty->termios.cc[VERASE]);
}

static bool
is_word(u8 c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_' || c >= 0xc0;
}

/* What is behind the word, then the word. */
static void
erase_word(struct tty *tty)
{
	bool in_word = false;
	u32 at;

	while (last_character(tty, &at)) {
		u8 c = byte_at(tty, at);

		if (is_word(c))
			in_word = true;
		else if (in_word)
			return;
		tty->input_head = at;
		if (local(tty, ECHO))
			echo_erased(tty, c);
	}
}

static void
erase_line(struct tty *tty)
{
	u32 at;

	if (tty->input_head == tty->line_end)
		return;
	if (local(tty, ECHO) && local(tty, ECHOK) && local(tty, ECHOKE) &&
	    local(tty, ECHOE)) {
		while (last_character(tty, &at)) {
			tty->input_head = at;
			echo_erased(tty, byte_at(tty, at));
		}
		return;
	}
	tty->input_head = tty->line_end;
	if (!local(tty, ECHO))
		return;
	echo_visibly(tty, tty->termios.cc[VKILL]);
	if (local(tty, ECHOK))
		process_output(tty, '\n');
}

static void
reprint_line(struct tty *tty)
{
	echo_visibly(tty, tty->termios.cc[VREPRINT]);
	process_output(tty, '\n');
	for (u32 at = tty->line_end; at != tty->input_head; at++)
		echo_visibly(tty, byte_at(tty, at));
}

/* ---- What a typed byte means ---------------------------------------- */

static bool
is_key(const struct tty *tty, unsigned key, u8 c)
{
	u8 value = tty->termios.cc[key];

	return value != DISABLED && value == c;
}

static int
signal_for(const struct tty *tty, u8 c)
{
	if (!local(tty, ISIG))
		return 0;
	if (is_key(tty, VINTR, c))
		return LINUX_SIGINT;
	if (is_key(tty, VQUIT, c))
		return LINUX_SIGQUIT;
	if (is_key(tty, VSUSP, c))
		return LINUX_SIGTSTP;
	return 0;
}

static void
send_signal(struct tty *tty, int sig, u8 c)
{
	if (!local(tty, NOFLSH)) {
		tty_flush_output(tty);
		tty_flush_input(tty);
	}
	if (tty->termios.iflag & IXON)
		tty->stopped = false;
	echo(tty, c);
	tty_signal(tty, sig);
}

/* ^S and ^Q; true: it was one. */
static bool
flow_control(struct tty *tty, u8 c)
{
	if (!(tty->termios.iflag & IXON))
		return false;
	if (is_key(tty, VSTART, c)) {
		tty_stop(tty, false);
		return true;
	}
	if (!is_key(tty, VSTOP, c))
		return false;
	tty_stop(tty, true);
	return true;
}

/* One that edits the line; true: it was one. */
static bool
edit(struct tty *tty, u8 c)
{
	bool extended = local(tty, IEXTEN);

	if (is_key(tty, VERASE, c)) {
		erase_character(tty);
	} else if (is_key(tty, VKILL, c)) {
		erase_line(tty);
	} else if (extended && is_key(tty, VWERASE, c)) {
		erase_word(tty);
	} else if (extended && is_key(tty, VLNEXT, c)) {
		tty->literal_next = true;
		if (local(tty, ECHO) && local(tty, ECHOCTL))
			echo_text(tty, "^\b");
	} else if (extended && local(tty, ECHO) && is_key(tty, VREPRINT, c)) {
		reprint_line(tty);
	} else {
		return false;
	}
	return true;
}

/* One that ends the line; true: it was one. */
static bool
end_line(struct tty *tty, u8 c)
{
	if (c == '\n') {
		if (local(tty, ECHO) || local(tty, ECHONL))
			process_output(tty, '\n');
		add_line_end(tty, c);
	} else if (is_key(tty, VEOF, c)) {
		add_line_end(tty, END_OF_FILE);
	} else if (is_key(tty, VEOL, c) ||
		   (local(tty, IEXTEN) && is_key(tty, VEOL2, c))) {
		echo(tty, c);
		add_line_end(tty, c);
	} else {
		return false;
	}
	return true;
}

/* A byte of the line, or of the stream. As Linux, it shows a newline that was
 * typed literally, or in raw mode, as ^J. */
static void
add_byte(struct tty *tty, u8 c, bool was_return)
{
	bool canonical = local(tty, ICANON);

	/* The last place is for what ends the line. */
	if (canonical && input_used(tty) >= TTY_INPUT - 1) {
		process_output(tty, '\a');
		return;
	}
	if (c == '\n' && was_return && local(tty, ECHO))
		process_output(tty, c);
	else
		echo(tty, c);
	add_input(tty, c);
	if (!canonical) {
		tty->line_end = tty->input_head;
		wake(&tty->queue);
	}
}

/* As typed, or as the flags want it; false: it is dropped. */
static bool
translate(const struct tty *tty, u8 *c)
{
	u32 flags = tty->termios.iflag;

	if (*c == '\r') {
		if (flags & IGNCR)
			return false;
		if (flags & ICRNL)
			*c = '\n';
	} else if (*c == '\n' && (flags & INLCR)) {
		*c = '\r';
	}
	return true;
}

static void
take_byte(struct tty *tty, u8 c)
{
	bool was_return;
	int sig;

	if (tty->termios.iflag & ISTRIP)
		c &= 0x7f;
	was_return = c == '\r';
	if (tty->literal_next) {
		tty->literal_next = false;
		add_byte(tty, c, false);
		return;
	}
	if (flow_control(tty, c))
		return;
	sig = signal_for(tty, c);
	if (sig) {
		send_signal(tty, sig, c);
		return;
	}
	if ((tty->termios.iflag & IXANY) && tty->stopped)
		tty_stop(tty, false);
	if (!translate(tty, &c))
		return;
	if (local(tty, ICANON) && (edit(tty, c) || end_line(tty, c)))
		return;
	add_byte(tty, c, was_return);
}

/* Lines that nobody reads may fill it up; then typing waits. A line that is not
 * finished never does: its end has a place. */
bool
tty_input(struct tty *tty, u8 c)
{
	bool full = input_used(tty) >= TTY_INPUT;

	/* Whoever is stuck wants to be able to say ^C. */
	if (full && !signal_for(tty, c))
		return false;
	if (output_room(tty) < TTY_ECHO_ROOM / 2)
		return false;
	tty->last_input = os_now();
	take_byte(tty, c);
	return true;
}

void
tty_exchange(struct tty *tty)
{
	u8 c;

	push_output(tty);
	while (input_used(tty) < TTY_INPUT &&
	       output_room(tty) >= TTY_ECHO_ROOM / 2 &&
	       os_terminal_read(&c, 1) == 1)
		tty_input(tty, c);
	push_output(tty);
}

void
tty_resize(struct tty *tty, unsigned rows, unsigned columns)
{
	if (tty->size.row == rows && tty->size.col == columns)
		return;
	tty->size.row = (u16)rows;
	tty->size.col = (u16)columns;
	tty_signal(tty, LINUX_SIGWINCH);
}

/* ---- Reading -------------------------------------------------------- */

unsigned
tty_readable(const struct tty *tty)
{
	if (local(tty, ICANON))
		return tty->line_end - tty->input_tail;
	return input_used(tty);
}

static size_t
take_line(struct tty *tty, u8 *bytes, size_t len)
{
	size_t done = 0;

	while (tty->input_tail != tty->line_end) {
		u16 value = tty->input[tty->input_tail % TTY_INPUT];

		if (value & END_OF_FILE) { /* also right behind the last byte */
			tty->input_tail++;
			break;
		}
		if (done == len)
			break;
		bytes[done++] = value & BYTE;
		tty->input_tail++;
		if (value & LINE_END)
			break;
	}
	return done;
}

size_t
tty_take(struct tty *tty, u8 *bytes, size_t len)
{
	size_t done = 0;

	if (local(tty, ICANON))
		return take_line(tty, bytes, len);
	while (done < len && tty->input_tail != tty->input_head)
		bytes[done++] = byte_at(tty, tty->input_tail++);
	return done;
}

/* ---- Modes ---------------------------------------------------------- */

/* What was typed in raw mode counts as a line, if there is any. */
static void
begin_lines(struct tty *tty)
{
	for (u32 at = tty->input_tail; at != tty->input_head; at++)
		tty->input[at % TTY_INPUT] &= BYTE;
	tty->line_end = tty->input_head;
	if (input_used(tty))
		tty->input[(tty->input_head - 1) % TTY_INPUT] |= LINE_END;
}

void
tty_set_termios(struct tty *tty, const struct linux_termios *termios)
{
	bool was_canonical = local(tty, ICANON);
	bool was_flow = tty->termios.iflag & IXON;

	tty->termios = *termios;
	if (!was_canonical && local(tty, ICANON))
		begin_lines(tty);
	if (was_canonical && !local(tty, ICANON))
		tty->line_end = tty->input_head;
	if (was_canonical != local(tty, ICANON))
		tty->literal_next = false;
	if (was_flow && !(termios->iflag & IXON))
		tty_stop(tty, false);
	wake(&tty->queue);
}
