/*
 * The serial port's driver: a 16550 at COM1, by interrupts, in both directions.
 * Bytes go between its FIFOs and the rings that it shares with the console
 * server. It keeps nothing else, and may be killed at any moment: the next one
 * finds FIFOs and rings as they were left. The line's speed and form are as
 * the kernel's early log has set them.
 */
#include "user/include/drivers.h"
#include "user/include/objects.h"
#include "user/include/server.h"

/* Registers of the 16550, and what is in them. */
enum {
	COM1 = 0x3f8,
	UART_DATA = COM1 + 0,
	UART_INTERRUPTS = COM1 + 1,
	UART_CAUSE = COM1 + 2,
	UART_MODEM_CONTROL = COM1 + 4,
	UART_STATUS = COM1 + 5,

	ON_RECEIVED = 1 << 0,
	ON_CAN_SEND = 1 << 1,
	NO_CAUSE = 1 << 0,
	CAUSE_FIFO = 0xc0, /* both: there are FIFOs, and they are on */
	FIFO_SIZE = 16,
	MODEM_READY = 0x0b, /* DTR, RTS, and OUT2 for interrupts */
	STATUS_RECEIVED = 1 << 0,
	STATUS_CAN_SEND = 1 << 5,
	NO_DEVICE = 0xff,

	AT_ONCE = 256, /* bytes that one kernel call moves */
};

static unsigned ports, interrupt, own, console;
static unsigned burst; /* bytes that the port takes when it has none */
static struct lodger_ring *in, *out;

static unsigned
read_port(unsigned port)
{
	return (unsigned)lodger_port_in(ports, port, 1);
}

/* To be interrupted when there is something that could then be done. */
static void
want_interrupts(void)
{
	unsigned wanted = 0;

	if (ring_room(in) > 0)
		wanted |= ON_RECEIVED;
	if (ring_used(out) > 0)
		wanted |= ON_CAN_SEND;
	lodger_port_out(ports, UART_INTERRUPTS, 1, wanted);
}

/* As many bytes as the port and the rings allow: were there any? */
static bool
move(void)
{
	uint32_t before = out->tail;
	long received = lodger_ring_from_port(ports, UART_DATA, UART_STATUS,
					      STATUS_RECEIVED, STATUS_RECEIVED,
					      in, AT_ONCE);
	long sent = lodger_ring_to_port(ports, UART_DATA, UART_STATUS,
					STATUS_CAN_SEND, STATUS_CAN_SEND,
					burst, out, AT_ONCE);

	if (received < 0)
		driver_fail("receiving", received);
	if (sent < 0)
		driver_fail("sending", sent);
	if (received > 0 || (sent > 0 && ring_was_tight(out, before)))
		lodger_signal(console, CONSOLE_SERIAL);
	return received > 0 || sent > 0;
}

/*
 * The interrupt is an edge: it comes again only after the port has had no
 * cause for a moment. Shutting all causes makes that moment, so whatever came
 * before this call, or comes during it, leads to an interrupt or is moved here.
 */
static void
serve(void)
{
	lodger_port_out(ports, UART_INTERRUPTS, 1, 0);
	while (move())
		;
	want_interrupts();
}

int
main(void)
{
	void *memory = driver_map("serial-rings", SERIAL_MEMORY, true);
	struct serial_memory *shared = memory;

	lodger_set_priority(0, DRIVER_PRIORITY);
	ports = driver_handle("ports");
	interrupt = driver_handle("interrupt");
	own = driver_handle("serial");
	console = driver_handle("console");
	in = serial_in(memory);
	out = serial_out(memory);
	serial_init(memory);

	if (read_port(UART_STATUS) == NO_DEVICE) {
		shared->absent = 1;
		lodger_signal(console, CONSOLE_SERIAL);
		server_log("serial: there is no port at 0x%x", COM1);
		return 0;
	}
	burst = (read_port(UART_CAUSE) & CAUSE_FIFO) == CAUSE_FIFO ? FIFO_SIZE
								   : 1;
	lodger_port_out(ports, UART_MODEM_CONTROL, 1, MODEM_READY);
	driver_bind(interrupt, own);
	lodger_signal(console, CONSOLE_SERIAL);
	for (;;) {
		serve();
		if (driver_wait(own) & DRIVER_INTERRUPT)
			lodger_interrupt_ack(interrupt);
	}
}
