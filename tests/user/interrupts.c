// timeout=120
/* Interrupts as a driver has them: the old timer (edges), and the HPET, whose
 * registers are device memory, with its line raised until it is served (level).
 * Delivered once until acknowledged, none lost; handles that close, and drivers
 * that are killed, at any moment; rights and wrong arguments. */
#include "tests/user/outside.h"

#define SELF "/tests/interrupts"

enum {
	LINE = 0, /* of the timer */
	PIT_DATA = 0x40,
	PIT_COMMAND = 0x43,
	PIT_ONE_SHOT = 0x30, /* counter 0, both bytes, mode 0 */
	PIT_RATE = 0x34,     /* mode 2 */

	HPET_BASE = 0xfed00000,
	HPET_CONFIG = 0x10 / 8,
	HPET_STATUS = 0x20 / 8,
	HPET_COUNTER = 0xf0 / 8,
	HPET_TIMER = 0x100 / 8,	  /* configuration, then the comparator */
	TIMER_LEVEL = 1 << 1,
	TIMER_ENABLE = 1 << 2,
	TIMER_ROUTE_SHIFT = 9,
	HPET_LINE = 20,
	SOON = 10000, /* ticks of 10 ns */
	ROUNDS = 200,
};

static const struct ipc forever = WORDS_ALONE;

static unsigned
interrupt(unsigned line)
{
	long handle = lodger_resource_narrow(LODGER_ALL_INTERRUPTS, line, 1);

	if (handle < 0)
		check(false, "resource_narrow of an interrupt");
	return (unsigned)handle;
}

/* One interrupt, @ticks of 838 ns from now. */
static void
timer_once(unsigned ports, unsigned ticks)
{
	lodger_port_out(ports, PIT_COMMAND, 1, PIT_ONE_SHOT);
	lodger_port_out(ports, PIT_DATA, 1, ticks & 0xff);
	lodger_port_out(ports, PIT_DATA, 1, ticks >> 8);
}

static void
timer_rate(unsigned ports, unsigned ticks)
{
	lodger_port_out(ports, PIT_COMMAND, 1, PIT_RATE);
	lodger_port_out(ports, PIT_DATA, 1, ticks & 0xff);
	lodger_port_out(ports, PIT_DATA, 1, ticks >> 8);
}

static long
wait_for(unsigned news, uint64_t *bits)
{
	struct ipc ipc = forever;
	long result = ipc_wait(news, &ipc);

	*bits = ipc.words[0];
	return result;
}

/* Are there bits now? */
static bool
nothing_yet(unsigned news)
{
	struct ipc ipc = { .timeout = 0 };

	return ipc_wait(news, &ipc) == -ETIMEDOUT;
}

/* Lets the timer's output go up, by asking it (read-back of the status). */
static void
await_timer(unsigned ports)
{
	enum { READ_BACK = 0xe2, OUTPUT = 0x80 };

	do
		lodger_port_out(ports, PIT_COMMAND, 1, READ_BACK);
	while (!(lodger_port_in(ports, PIT_DATA, 1) & OUTPUT));
}

/* ---- The HPET: device memory -------------------------------------------- */

static volatile uint64_t *hpet;

static void
map_hpet(void)
{
	struct lodger_memory_info info = { 0 };
	long range = lodger_resource_narrow(LODGER_ALL_DEVICES, HPET_BASE,
					    PAGE);
	long addr;

	check_equal(lodger_memory_info(range, &info), 0, "memory_info");
	check(info.length == PAGE && info.physical == HPET_BASE &&
		      info.kind == LODGER_MEMORY_PHYSICAL,
	      "of a physical range");
	addr = lodger_memory_map(0, range, 0, PAGE, 0, PROT_READ | PROT_WRITE);
	check(addr > 0, "device memory is mapped");
	lodger_handle_close(range);
	hpet = (volatile uint64_t *)addr;
	check((hpet[0] & 0xffff0000) == 0x80860000, "it is the HPET's");
	hpet[HPET_CONFIG] = 1; /* count, and no legacy routes */
}

static void
hpet_once(void)
{
	hpet[HPET_TIMER + 1] = hpet[HPET_COUNTER] + SOON;
	hpet[HPET_TIMER] = TIMER_LEVEL | TIMER_ENABLE |
			   HPET_LINE << TIMER_ROUTE_SHIFT;
}

static void
hpet_served(void)
{
	hpet[HPET_STATUS] = 1;
	hpet[HPET_TIMER] = 0;
}

/* Returns when every interrupt that was due before has come. The machine's
 * timers fire in the order of their times, and all lines lead to CPU 0; the
 * first interrupt may overtake one that waits there, the second cannot. */
static void
await_earlier(void)
{
	unsigned line = interrupt(HPET_LINE);
	unsigned news = lodger_notification_create();
	uint64_t bits;

	lodger_interrupt_bind(line, news, 1);
	for (int i = 0; i < 2; i++) {
		hpet_once();
		wait_for(news, &bits);
		hpet_served();
		lodger_interrupt_ack(line);
	}
	lodger_handle_close(line);
	lodger_handle_close(news);
}

/* ---- The timer: edges --------------------------------------------------- */

static void
one_at_a_time(void)
{
	enum { MORE = 20 };
	unsigned line = interrupt(LINE), news = lodger_notification_create();
	uint64_t bits;

	check_equal(lodger_interrupt_bind(line, news, 0x30), 0, "bind");
	timer_once(LODGER_ALL_PORTS, 100);
	check_equal(wait_for(news, &bits), 0, "an interrupt comes");
	check_equal(bits, 0x30, "as the bits asked for");
	/* Many more, unacknowledged: that is remembered, once. */
	for (int i = 0; i < MORE; i++) {
		timer_once(LODGER_ALL_PORTS, 100);
		await_timer(LODGER_ALL_PORTS);
	}
	await_earlier();
	check(nothing_yet(news), "not a second one before it is acknowledged");
	check_equal(lodger_interrupt_ack(line), 0, "ack");
	check_equal(wait_for(news, &bits), 0, "the one that came meanwhile");
	check_equal(lodger_interrupt_ack(line), 0, "ack");
	check(nothing_yet(news), "and no more");
	check_equal(lodger_interrupt_ack(line), 0, "ack with nothing there");
	timer_once(LODGER_ALL_PORTS, 100);
	check_equal(wait_for(news, &bits), 0, "the next one");
	lodger_handle_close(line); /* pending: not acknowledged */
	timer_once(LODGER_ALL_PORTS, 100);
	await_earlier();
	check(nothing_yet(news), "none when the handle is closed");
	line = interrupt(LINE);
	check_equal(lodger_interrupt_bind(line, news, 1), 0, "bound again");
	timer_once(LODGER_ALL_PORTS, 100);
	check_equal(wait_for(news, &bits), 0, "it comes");
	check_equal(bits, 1, "with the new bits");
	check_equal(lodger_interrupt_bind(line, 0, 0), 0, "unbind");
	show_expect("ack of what is not bound", lodger_interrupt_ack(line),
		    -EINVAL);
	lodger_handle_close(line);
	lodger_handle_close(news);
}

static void
none_is_lost(void)
{
	unsigned line = interrupt(LINE), news = lodger_notification_create();
	uint64_t bits;

	lodger_interrupt_bind(line, news, 1);
	timer_rate(LODGER_ALL_PORTS, 500);
	for (int i = 0; i < ROUNDS; i++) {
		wait_for(news, &bits);
		if (i % 3 == 0)
			sched_yield();
		lodger_interrupt_ack(line);
	}
	check(true, "a timer that goes on and on is heard all the time");
	timer_once(LODGER_ALL_PORTS, 65535);
	lodger_handle_close(line);
	lodger_handle_close(news);
}

/* One wait for calls and interrupts. */
static void
bound_to_an_endpoint(void)
{
	unsigned line = interrupt(LINE), news = lodger_notification_create();
	unsigned endpoint = lodger_endpoint_create();
	unsigned ears = duplicate(endpoint, LODGER_RIGHT_RECV, 0);
	struct ipc ipc = WORDS_ALONE;

	lodger_bind(news, endpoint);
	lodger_interrupt_bind(line, news, 8);
	lodger_handle_close(endpoint); /* nobody can call any more */
	timer_once(LODGER_ALL_PORTS, 100);
	check_equal(ipc_recv(ears, &ipc), 0, "recv returns with an interrupt");
	check_equal(ipc.words[0], 8, "which raised these bits");
	lodger_handle_close(news);
	lodger_interrupt_ack(line);
	timer_once(LODGER_ALL_PORTS, 100);
	ipc = forever;
	check_equal(ipc_recv(ears, &ipc), 0, "the line alone keeps it alive");
	lodger_handle_close(line);
	ipc = forever;
	show_expect("and then nobody can speak", ipc_recv(ears, &ipc), -EPIPE);
	lodger_handle_close(ears);
}

/* ---- A level ------------------------------------------------------------ */

static void
a_level(void)
{
	unsigned line = interrupt(HPET_LINE);
	unsigned news = lodger_notification_create();
	uint64_t bits;

	check_equal(lodger_interrupt_bind(line, news, 2), 0, "bind");
	hpet_once();
	check_equal(wait_for(news, &bits), 0, "an interrupt comes");
	check(nothing_yet(news), "once, while the line stays raised");
	/* Acknowledged without being served: it comes again. */
	check_equal(lodger_interrupt_ack(line), 0, "ack");
	check_equal(wait_for(news, &bits), 0, "again, since it was not served");
	hpet_served();
	check_equal(lodger_interrupt_ack(line), 0, "ack");
	check(nothing_yet(news), "served: no more");
	hpet_once();
	check_equal(wait_for(news, &bits), 0, "the next one");
	lodger_handle_close(line);
	lodger_handle_close(news);
	hpet_served();
}

/* ---- Drivers that are killed -------------------------------------------- */

/* Handle 1: ports; 2: the interrupt; 3: a notification that says "I work". */
static int
be_driver(void)
{
	unsigned news = lodger_notification_create();
	uint64_t bits;

	if (lodger_interrupt_bind(2, news, 1) != 0)
		return 8;
	timer_rate(1, 300);
	for (;;) {
		if (wait_for(news, &bits) != 0)
			return 9;
		lodger_signal(3, 1);
		lodger_interrupt_ack(2);
	}
}

static void
drivers_that_die(void)
{
	unsigned working = lodger_notification_create();
	struct program program;
	uint64_t bits;

	for (int i = 0; i < 20; i++) {
		unsigned process = create_process(SELF, "driver", &program);

		lodger_process_give(process,
				    lodger_resource_narrow(LODGER_ALL_PORTS,
							   PIT_DATA, 4));
		lodger_process_give(process, interrupt(LINE));
		lodger_process_give(process, duplicate(working,
						       LODGER_RIGHT_SIGNAL |
						       LODGER_RIGHT_TRANSFER,
						       0));
		lodger_process_start(process, program.entry, program.sp);
		for (int n = 0; n < i % 4; n++)
			wait_for(working, &bits);
		lodger_process_signal(process, SIGKILL);
		if (process_end(process) != KILLED(SIGKILL))
			check(false, "a driver ends when it is killed");
		lodger_handle_close(process);
	}
	check(true, "20 drivers in a row, each killed at work");
	lodger_handle_close(working);
	timer_once(LODGER_ALL_PORTS, 65535);
}

/* ---- Wrong -------------------------------------------------------------- */

static void
wrong_arguments(void)
{
	unsigned line = interrupt(LINE), other = interrupt(LINE);
	unsigned news = lodger_notification_create();
	unsigned ears = duplicate(news, LODGER_RIGHT_WAIT, 0);
	unsigned badged = duplicate(news, LODGER_RIGHT_SIGNAL, 6);
	unsigned cascade = interrupt(2), none = interrupt(150);
	unsigned weak = duplicate(line, LODGER_RIGHT_DUPLICATE, 0);

	show_expect("bind all lines",
		    lodger_interrupt_bind(LODGER_ALL_INTERRUPTS, news, 1),
		    -EINVAL);
	show_expect("bind no bits", lodger_interrupt_bind(line, news, 0),
		    -EINVAL);
	show_expect("bind to no handle", lodger_interrupt_bind(line, 99, 1),
		    -EBADF);
	show_expect("bind to a line", lodger_interrupt_bind(line, line, 1),
		    -EINVAL);
	show_expect("bind to what cannot be signalled",
		    lodger_interrupt_bind(line, ears, 1), -EPERM);
	show_expect("bind other bits than the badge",
		    lodger_interrupt_bind(line, badged, 1), -EPERM);
	show_expect("bind without the right",
		    lodger_interrupt_bind(weak, news, 1), -EPERM);
	show_expect("ack without the right", lodger_interrupt_ack(weak),
		    -EPERM);
	show_expect("a line that the timer has taken",
		    lodger_interrupt_bind(cascade, news, 1), -EINVAL);
	show_expect("a line that there is not",
		    lodger_interrupt_bind(none, news, 1), -EINVAL);
	check_equal(lodger_interrupt_bind(line, badged, 2), 0, "bind");
	show_expect("bind again", lodger_interrupt_bind(line, news, 1), -EBUSY);
	show_expect("bind by another handle",
		    lodger_interrupt_bind(other, news, 1), -EBUSY);
	show_expect("ack by another handle", lodger_interrupt_ack(other),
		    -EINVAL);
	show_expect("narrow to nothing", lodger_resource_narrow(line, 0, 0),
		    -EINVAL);
	show_expect("narrow to more", lodger_resource_narrow(line, 0, 2),
		    -EINVAL);
	show_expect("narrow to another", lodger_resource_narrow(line, 1, 1),
		    -EINVAL);
	show_expect("narrow with a sum that is too great",
		    lodger_resource_narrow(LODGER_ALL_INTERRUPTS, 1, ~0ull),
		    -EINVAL);
	show_expect("narrow a notification", lodger_resource_narrow(news, 0, 1),
		    -EINVAL);
	show_expect("narrow no handle", lodger_resource_narrow(99, 0, 1),
		    -EBADF);
	lodger_handle_close(weak);
	weak = duplicate(line, LODGER_RIGHT_BIND, 0);
	show_expect("narrow what may not be duplicated",
		    lodger_resource_narrow(weak, LINE, 1), -EPERM);
	for (unsigned handle = LODGER_BOOT_MODULE + 1; handle < 30; handle++)
		lodger_handle_close(handle);
}

static void
all(void)
{
	map_hpet();
	one_at_a_time();
	none_is_lost();
	bound_to_an_endpoint();
	a_level();
	munmap((void *)hpet, PAGE);
	drivers_that_die();
	wrong_arguments();
}

int
main(int argc, char **argv)
{
	uint64_t tasks;
	long before;

	if (argc > 1)
		return be_driver();
	(void)argv;
	lodger_or_skip();
	begin();
	tasks = tasks_now();
	all();
	before = frames_at_rest(tasks);
	all();
	check_equal(frames_at_rest(tasks), before, "nothing is left");
	lodger_check_invariants();
	return end();
}
