// timeout=120
/* A driver that is killed at any moment, and started again, loses no byte and
 * doubles none: the serial port, looped back on itself, gives back what was sent
 * to it, through a ring, in both directions. */
#include "tests/user/outside.h"

enum {
	DATA = 0x3f8,
	MODEM_CONTROL = DATA + 4,
	LINE_STATUS = DATA + 5,
	LOOP = 0x10,
	NORMAL = 0x0b,
	RECEIVED = 0x01,
	CAN_SEND = 0x20,
	FIFO = 16,
	SIZE = 8, /* less than the FIFO: it is often full */
	KILLS = 60,
	PORTS = 1, /* the driver's handle */
};

static struct lodger_ring *ring;
static _Atomic long *turns; /* of the driver */

static unsigned char *
data(void)
{
	return (unsigned char *)ring + LODGER_RING_DATA;
}

static void
receive_for_ever(void)
{
	for (;;) {
		lodger_ring_from_port(PORTS, DATA, LINE_STATUS, RECEIVED,
				      RECEIVED, ring, 3);
		++*turns;
	}
}

static void
send_for_ever(void)
{
	for (;;) {
		lodger_ring_to_port(PORTS, DATA, LINE_STATUS, CAN_SEND,
				    CAN_SEND, 1, ring, 3);
		++*turns;
	}
}

static pid_t
start_driver(void (*work)(void))
{
	_Atomic int *word = shared_memory(PAGE);
	pid_t pid = fork_or_die();

	if (pid == 0) {
		await_word(word, 1);
		work();
	}
	lodger_handle_give(pid, lodger_resource_narrow(LODGER_ALL_PORTS, DATA,
						       8));
	signal_word(word, 1);
	munmap((void *)word, PAGE);
	return pid;
}

static void
kill_driver(pid_t pid)
{
	kill(pid, SIGKILL);
	if (status_of(pid) != KILLED(SIGKILL))
		check(false, "a driver ends when it is killed");
}

/* In loopback what is sent is received at once; the FIFO must not overflow. */
static void
feed(uint32_t *sent)
{
	for (; *sent - ring->head < FIFO; ++*sent)
		lodger_port_out(LODGER_ALL_PORTS, DATA, 1, *sent & 0xff);
}

static bool
take(uint32_t *taken)
{
	bool right = true;

	for (; *taken != __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
	     ++*taken)
		right &= data()[*taken % SIZE] == (*taken & 0xff);
	ring->tail = *taken;
	return right;
}

/* How long until the next kill: differs from turn to turn. */
static bool
time_to_kill(int kills, long since)
{
	return *turns - since > kills * 7 % 23;
}

/* What is printed meanwhile would come back, too. */
static void
begin_loop(void)
{
	fflush(stdout);
	lodger_port_out(LODGER_ALL_PORTS, MODEM_CONTROL, 1, LOOP | NORMAL);
	while (lodger_port_in(LODGER_ALL_PORTS, LINE_STATUS, 1) & RECEIVED)
		lodger_port_in(LODGER_ALL_PORTS, DATA, 1);
}

static void
end_loop(void)
{
	lodger_port_out(LODGER_ALL_PORTS, MODEM_CONTROL, 1, NORMAL);
}

static void
from_the_device(void)
{
	uint32_t sent = 0, taken = 0;
	bool right = true;

	begin_loop();
	memset(ring, 0, PAGE);
	ring->size = SIZE;
	for (int kills = 0; kills < KILLS; kills++) {
		pid_t pid = start_driver(receive_for_ever);
		long since = *turns;

		while (!time_to_kill(kills, since)) {
			feed(&sent);
			right &= take(&taken);
			sched_yield();
		}
		kill_driver(pid);
		right &= take(&taken);
	}
	while (lodger_ring_from_port(LODGER_ALL_PORTS, DATA, LINE_STATUS,
				     RECEIVED, RECEIVED, ring, 16) > 0)
		right &= take(&taken);
	right &= take(&taken);
	end_loop();
	check(sent > KILLS, "many bytes were sent");
	check(right && taken == sent,
	      "each was received, once, whoever was killed");
}

static void
to_the_device(void)
{
	uint32_t put = 0, got = 0;
	bool right = true;

	begin_loop();
	memset(ring, 0, PAGE);
	ring->size = SIZE;
	for (int kills = 0; kills < KILLS; kills++) {
		pid_t pid = start_driver(send_for_ever);
		long since = *turns;

		while (!time_to_kill(kills, since)) {
			while (put - got < SIZE) { /* no overflow */
				data()[put % SIZE] = put & 0xff;
				__atomic_store_n(&ring->head, ++put,
						 __ATOMIC_RELEASE);
			}
			while (lodger_port_in(LODGER_ALL_PORTS, LINE_STATUS,
					      1) & RECEIVED)
				right &= lodger_port_in(LODGER_ALL_PORTS, DATA,
							1) == (got++ & 0xff);
			sched_yield();
		}
		kill_driver(pid);
	}
	while (lodger_ring_to_port(LODGER_ALL_PORTS, DATA, LINE_STATUS,
				   CAN_SEND, CAN_SEND, 1, ring, 16) > 0)
		;
	while (lodger_port_in(LODGER_ALL_PORTS, LINE_STATUS, 1) & RECEIVED)
		right &= lodger_port_in(LODGER_ALL_PORTS, DATA, 1) ==
			 (got++ & 0xff);
	end_loop();
	check(put > KILLS, "many bytes were put into the ring");
	check(right && got == put, "each was sent, once, whoever was killed");
}

int
main(void)
{
	lodger_or_skip();
	begin();
	ring = shared_memory(PAGE);
	turns = shared_memory(PAGE);
	from_the_device();
	to_the_device();
	lodger_check_invariants();
	return end();
}
