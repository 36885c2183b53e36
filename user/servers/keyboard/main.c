/*
 * The keyboard's driver: scan codes from the PC's controller (8042) into the
 * ring that it shares with the console server, which knows what they mean and
 * which modifiers are down. So this one has nothing to lose when it is killed.
 */
#include "user/include/drivers.h"
#include "user/include/objects.h"
#include "user/include/server.h"

enum {
	PORT_DATA = 0x60,
	PORT_STATUS = 0x64, /* read */
	PORT_COMMAND = 0x64, /* write */

	STATUS_FULL = 1 << 0,  /* there is a byte to be read */
	STATUS_BUSY = 1 << 1,  /* the last byte written was not taken yet */
	STATUS_MOUSE = 1 << 5, /* the byte is not the keyboard's */

	COMMAND_SET_MODE = 0x60,
	/* Interrupts, translation to set 1, tested, no mouse. */
	MODE = 1 << 0 | 1 << 2 | 1 << 5 | 1 << 6,

	AT_ONCE = 64,
	TRIES = 10000,
};

static unsigned ports, interrupt, own, console;
static struct lodger_ring *ring;

static unsigned
status(void)
{
	return (unsigned)lodger_port_in(ports, PORT_STATUS, 1);
}

static void
send(unsigned port, unsigned value)
{
	for (int i = 0; i < TRIES && status() & STATUS_BUSY; i++)
		;
	lodger_port_out(ports, port, 1, value);
}

/* Nothing is asked, so no answer gets among the scan codes, and one that was
 * killed in between is completed by the next. */
static void
set_mode(void)
{
	send(PORT_COMMAND, COMMAND_SET_MODE);
	send(PORT_DATA, MODE);
}

/* A byte of the mouse, from before it was shut off, would block the others. */
static void
skip_mouse(void)
{
	const unsigned mouse = STATUS_FULL | STATUS_MOUSE;

	for (int i = 0; i < AT_ONCE && (status() & mouse) == mouse; i++)
		lodger_port_in(ports, PORT_DATA, 1);
}

/* When the ring is full the rest stays in the keyboard, and comes when the
 * console has signalled room. */
static void
serve(void)
{
	long n;

	skip_mouse();
	do {
		n = lodger_ring_from_port(ports, PORT_DATA, PORT_STATUS,
					  STATUS_FULL | STATUS_MOUSE,
					  STATUS_FULL, ring, AT_ONCE);
		if (n < 0)
			driver_fail("receiving", n);
		if (n > 0)
			lodger_signal(console, CONSOLE_KEYBOARD);
	} while (n > 0);
}

int
main(void)
{
	void *memory = driver_map("keyboard-ring", KEYBOARD_MEMORY, true);

	lodger_set_priority(0, DRIVER_PRIORITY);
	ports = driver_handle("ports");
	interrupt = driver_handle("interrupt");
	own = driver_handle("keyboard");
	console = driver_handle("console");
	ring = keyboard_ring(memory);
	keyboard_init(memory);

	driver_bind(interrupt, own);
	set_mode();
	lodger_signal(console, CONSOLE_KEYBOARD);
	for (;;) {
		serve();
		if (driver_wait(own) & DRIVER_INTERRUPT)
			lodger_interrupt_ack(interrupt);
	}
}
