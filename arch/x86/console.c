/*
 * The early log's two devices: the first serial port (16550, 115200 8N1) and
 * the VGA text screen. Neither is waited for without end, and a missing one
 * is noticed. The caller (printk) serialises.
 */
#include "arch/arch.h"
#include "arch/x86/platform.h"
#include "kernel/base/string.h"

/* ---- Serial --------------------------------------------------------- */

/* Registers of the 16550, from its base port. */
enum {
	COM1 = 0x3f8,
	UART_PORTS = 8,
	UART_DATA = COM1 + 0,	      /* divisor, low, while LINE_DIVISOR */
	UART_INTERRUPTS = COM1 + 1,   /* divisor, high */
	UART_FIFO = COM1 + 2,
	UART_LINE_CONTROL = COM1 + 3,
	UART_MODEM_CONTROL = COM1 + 4,
	UART_LINE_STATUS = COM1 + 5,

	LINE_8N1 = 0x03,
	LINE_DIVISOR = 0x80,
	DIVISOR_115200 = 1,
	FIFO_ON_CLEARED = 0x07,
	MODEM_LOOPBACK = 0x1e,
	MODEM_READY = 0x0b, /* DTR, RTS, and OUT2 for interrupts */
	STATUS_CAN_SEND = 0x20,
	STATUS_ALL_SENT = 0x40,

	SEND_TRIES = 1 << 22, /* half a second and more */
};

static bool have_serial;
static bool serial_stuck; /* did not take the last byte: do not wait again */

/* In loopback, what is sent comes back, unless there is no port. */
static bool
serial_answers(void)
{
	const u8 probe = 0xae;

	outb(UART_MODEM_CONTROL, MODEM_LOOPBACK);
	outb(UART_DATA, probe);
	for (int i = 0; i < 1000; i++)
		if (inb(UART_DATA) == probe)
			return true;
	return false;
}

static void
serial_init(void)
{
	outb(UART_INTERRUPTS, 0);
	outb(UART_LINE_CONTROL, LINE_DIVISOR);
	outb(UART_DATA, DIVISOR_115200);
	outb(UART_INTERRUPTS, 0);
	outb(UART_LINE_CONTROL, LINE_8N1);
	outb(UART_FIFO, FIFO_ON_CLEARED);
	have_serial = serial_answers();
	outb(UART_MODEM_CONTROL, MODEM_READY);
}

static bool
serial_ready(void)
{
	return inb(UART_LINE_STATUS) & STATUS_CAN_SEND;
}

static void
serial_put(char c)
{
	int tries = serial_stuck ? 1 : SEND_TRIES;

	while (!serial_ready())
		if (--tries == 0) {
			serial_stuck = true;
			return;
		}
	serial_stuck = false;
	outb(UART_DATA, c);
}

static void
serial_write(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			serial_put('\r');
		serial_put(text[i]);
	}
}

void
console_drain(void)
{
	for (int i = 0; have_serial && i < SEND_TRIES; i++)
		if (inb(UART_LINE_STATUS) & STATUS_ALL_SENT)
			return;
}

/* ---- Screen --------------------------------------------------------- */

/* The screen is slow to touch, so a copy in memory says what it shows and
 * only changes are written. Four cells (character, colour) at a time. */
enum {
	VGA_TEXT = 0xb8000,
	COLUMNS = 80,
	ROWS = 25,
	CELLS_PER_WORD = 4,
	WORDS_PER_ROW = COLUMNS / CELLS_PER_WORD,
	WORDS = ROWS * WORDS_PER_ROW,
	GREY_ON_BLACK = 0x07,
	TAB_STOP = 8,

	VGA_MISC_READ = 0x3cc,
	VGA_GRAPHICS_INDEX = 0x3ce,
	VGA_GRAPHICS_DATA = 0x3cf,
	GRAPHICS_MISC = 6,
	GRAPHICS_ON = 1 << 0,
	GRAPHICS_MAP = 3 << 2, /* which addresses: 3 is 0xb8000 */
	VGA_CRTC_INDEX = 0x3d4,
	VGA_CRTC_DATA = 0x3d5,
	CRTC_START_HIGH = 0x0c,
	CRTC_START_LOW = 0x0d,
	CRTC_CURSOR_HIGH = 0x0e,
	CRTC_CURSOR_LOW = 0x0f,
	NO_DEVICE = 0xff,
};

#define BLANK_WORD 0x0720072007200720ul

static volatile u64 *screen; /* NULL: there is no text screen */
static union {
	u64 words[WORDS];
	u16 cells[ROWS * COLUMNS];
} shown;
static unsigned cursor; /* cell where the next character goes */

/* Is there a VGA, in a text mode? (UEFI leaves it in a graphics mode.) */
static bool
vga_shows_text(void)
{
	u8 misc;

	if (inb(VGA_MISC_READ) == NO_DEVICE)
		return false;
	outb(VGA_GRAPHICS_INDEX, GRAPHICS_MISC);
	misc = inb(VGA_GRAPHICS_DATA);
	return !(misc & GRAPHICS_ON) && (misc & GRAPHICS_MAP) == GRAPHICS_MAP;
}

static void
screen_set(unsigned word, u64 value)
{
	if (shown.words[word] != value) {
		shown.words[word] = value;
		screen[word] = value;
	}
}

static void
screen_clear(void)
{
	for (unsigned i = 0; i < WORDS; i++) {
		shown.words[i] = BLANK_WORD;
		screen[i] = BLANK_WORD;
	}
	cursor = 0;
}

static void
screen_init(void)
{
	if (!vga_shows_text())
		return;
	screen = phys_to_virt(VGA_TEXT);
	screen_clear();
}

static void
crtc_set(u8 index, u8 value)
{
	outb(VGA_CRTC_INDEX, index);
	outb(VGA_CRTC_DATA, value);
}

/* What is shown begins where the memory does; a driver may have moved it. */
static void
screen_reset(void)
{
	if (!vga_shows_text()) {
		screen = NULL;
		return;
	}
	crtc_set(CRTC_START_HIGH, 0);
	crtc_set(CRTC_START_LOW, 0);
	screen_clear();
}

void
console_map(void)
{
	if (screen)
		screen = map_device(VGA_TEXT, sizeof(shown));
}

static void
screen_scroll(void)
{
	for (unsigned i = 0; i < WORDS - WORDS_PER_ROW; i++)
		screen_set(i, shown.words[i + WORDS_PER_ROW]);
	for (unsigned i = WORDS - WORDS_PER_ROW; i < WORDS; i++)
		screen_set(i, BLANK_WORD);
	cursor -= COLUMNS;
}

static void
screen_show(char c)
{
	volatile u16 *cell = (volatile u16 *)screen + cursor;

	shown.cells[cursor] = (GREY_ON_BLACK << 8) | (u8)c;
	*cell = shown.cells[cursor];
	cursor++;
}

static void
screen_put(char c)
{
	if (cursor >= ROWS * COLUMNS)
		screen_scroll();

	if (c == '\n')
		cursor = cursor - cursor % COLUMNS + COLUMNS;
	else if (c == '\r')
		cursor -= cursor % COLUMNS;
	else if (c == '\b')
		cursor -= cursor % COLUMNS ? 1 : 0;
	else if (c == '\t')
		cursor = ALIGN_UP(cursor + 1, TAB_STOP);
	else
		screen_show(c);
}

static void
screen_move_cursor(void)
{
	crtc_set(CRTC_CURSOR_HIGH, cursor >> 8);
	crtc_set(CRTC_CURSOR_LOW, cursor & 0xff);
}

/* ---- Both ----------------------------------------------------------- */

void
console_init(void)
{
	serial_init();
	screen_init();
}

void
arch_console_reset(void)
{
	console_drain();
	serial_init();
	serial_stuck = false;
	if (screen)
		screen_reset();
}

void
arch_console_ports(u16 *first, u16 *count)
{
	*first = COM1;
	*count = UART_PORTS;
}

void
arch_console_write(const char *text, size_t len)
{
	if (have_serial)
		serial_write(text, len);
	if (!screen)
		return;
	for (size_t i = 0; i < len; i++)
		screen_put(text[i]);
	screen_move_cursor();
}
