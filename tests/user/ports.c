// timeout=120
/* Ports, and bytes moved between a device and a ring: what arrives, in which
 * order; a ring that is full, empty, wraps around, lies across two pages, or
 * whose indices are lies; rights, narrowing and wrong arguments. The device is
 * the serial port's scratch register, which gives back what was put there. */
#include "tests/user/outside.h"

enum {
	UART = 0x3f8,
	SCRATCH = UART + 7,
	STOP = 0x80, /* ready while this bit is clear */
	SIZE = 16,
};

#define PORTS LODGER_ALL_PORTS

static unsigned char *memory; /* of three pages; a ring in the second */
static struct lodger_ring *ring;

static unsigned char *
data(void)
{
	return (unsigned char *)ring + LODGER_RING_DATA;
}

static void
reset(uint32_t start, uint32_t size)
{
	memset(memory, 0xaa, 3 * PAGE);
	ring->head = ring->tail = start;
	ring->size = size;
}

static long
from_port(uint64_t max)
{
	return lodger_ring_from_port(PORTS, SCRATCH, SCRATCH, STOP, 0, ring,
				     max);
}

static long
to_port(uint64_t max)
{
	return lodger_ring_to_port(PORTS, SCRATCH, SCRATCH, STOP, 0, 1, ring,
				   max);
}

static void
put(unsigned char byte)
{
	data()[ring->head % ring->size] = byte;
	ring->head++;
}

/* ---- One access ------------------------------------------------------------ */

static void
single(void)
{
	unsigned narrow = lodger_resource_narrow(PORTS, UART, 8);
	unsigned reads = duplicate(narrow, LODGER_RIGHT_READ, 0);
	unsigned writes = duplicate(narrow, LODGER_RIGHT_WRITE, 0);

	check_equal(lodger_port_out(narrow, SCRATCH, 1, 0x15a), 0, "out");
	check_equal(lodger_port_in(narrow, SCRATCH, 1), 0x5a, "in");
	check_equal(lodger_port_out(PORTS, 0xcf8, 4, 0x80000000), 0,
		    "four bytes");
	check_equal(lodger_port_in(PORTS, 0xcf8, 4), 0x80000000,
		    "a value is not an error");
	lodger_port_out(PORTS, 0xcf8, 4, 0);
	show_expect("a port below", lodger_port_in(narrow, UART - 1, 1),
		    -EINVAL);
	show_expect("a port above", lodger_port_in(narrow, UART + 8, 1),
		    -EINVAL);
	show_expect("half above", lodger_port_out(narrow, SCRATCH, 2, 0),
		    -EINVAL);
	show_expect("the end of all ports",
		    lodger_port_in(PORTS, 0xffff, 2), -EINVAL);
	show_expect("port 65536", lodger_port_in(PORTS, 0x10000, 1), -EINVAL);
	show_expect("three bytes", lodger_port_in(narrow, UART, 3), -EINVAL);
	show_expect("eight bytes", lodger_port_in(narrow, UART, 8), -EINVAL);
	show_expect("no bytes", lodger_port_in(narrow, UART, 0), -EINVAL);
	show_expect("out without the right",
		    lodger_port_out(reads, SCRATCH, 1, 1), -EPERM);
	show_expect("in without the right",
		    lodger_port_in(writes, SCRATCH, 1), -EPERM);
	show_expect("no handle", lodger_port_in(99, SCRATCH, 1), -EBADF);
	show_expect("another handle",
		    lodger_port_in(LODGER_ALL_DEVICES, SCRATCH, 1), -EINVAL);
	show_expect("wider than it is",
		    lodger_resource_narrow(narrow, UART, 9), -EINVAL);
	show_expect("before it", lodger_resource_narrow(narrow, UART - 1, 2),
		    -EINVAL);
	show_expect("narrow without the right",
		    lodger_resource_narrow(reads, UART, 1), -EPERM);
	lodger_handle_close(reads);
	lodger_handle_close(writes);
	reads = duplicate(narrow, LODGER_RIGHT_READ | LODGER_RIGHT_DUPLICATE,
			  0);
	writes = lodger_resource_narrow(reads, SCRATCH, 1);
	show_expect("a part has no more rights than the whole",
		    lodger_port_out(writes, SCRATCH, 1, 1), -EPERM);
	check_equal(lodger_port_in(writes, SCRATCH, 1), 0x5a, "and no less");
	lodger_handle_close(reads);
	lodger_handle_close(writes);
	lodger_handle_close(narrow);
}

/* ---- Rings ------------------------------------------------------------------- */

static void
into_the_ring(void)
{
	bool right = true;

	reset(0xfffffff0, SIZE); /* the indices wrap around */
	for (unsigned i = 0; i < SIZE; i++) {
		lodger_port_out(PORTS, SCRATCH, 1, i);
		right &= from_port(1) == 1 && ring->head == 0xfffffff1 + i &&
			 data()[i] == i;
	}
	check(right, "each byte comes, and head moves on");
	check_equal(from_port(1), 0, "no byte when the ring is full");
	ring->tail += 3;
	check_equal(from_port(100), 3, "as many as there is room for");
	check(data()[0] == SIZE - 1 && data()[2] == SIZE - 1 && data()[3] == 3,
	      "where the oldest were");
	ring->tail += 5;
	lodger_port_out(PORTS, SCRATCH, 1, STOP);
	check_equal(from_port(5), 0, "no byte when the device has none");
	check(memory[PAGE - 1] == 0xaa && data()[SIZE] == 0xaa,
	      "nothing outside of the ring");
}

static void
out_of_the_ring(void)
{
	reset(7, SIZE);
	lodger_port_out(PORTS, SCRATCH, 1, 0);
	check_equal(to_port(10), 0, "nothing goes when the ring is empty");
	put(1);
	put(2);
	put(STOP | 3);
	put(4);
	check_equal(to_port(1), 1, "one byte goes");
	check_equal(lodger_port_in(PORTS, SCRATCH, 1), 1, "the first");
	check_equal(to_port(10), 2, "then those that the device takes");
	check_equal(lodger_port_in(PORTS, SCRATCH, 1), STOP | 3, "the third");
	check_equal(ring->tail, 10, "tail says so");
	lodger_port_out(PORTS, SCRATCH, 1, 0);
	check_equal(to_port(10), 1, "the last one");
	check(ring->tail == ring->head, "the ring is empty");
	check_equal(to_port(0), 0, "none if none are wanted");
}

/* More than one call moves; over pages that nobody touched yet. */
static void
large_rings(void)
{
	enum { BIG = 8192 };
	unsigned char *area = private_memory(4 * PAGE);
	long moved = 0, n;

	ring = (struct lodger_ring *)(area + PAGE - LODGER_RING_DATA);
	ring->size = BIG;
	lodger_port_out(PORTS, SCRATCH, 1, 0x42);
	while ((n = from_port(~0ull)) > 0) {
		moved += n;
		if (moved > BIG || n != LODGER_RING_STEP)
			break;
	}
	check_equal(moved, BIG, "all of a large ring");
	for (int i = 0; i < BIG; i++)
		moved -= data()[i] == 0x42;
	check_equal(moved, 0, "is filled");
	munmap(area, 4 * PAGE);
	ring = (struct lodger_ring *)(memory + PAGE);
}

/* ---- Lies ---------------------------------------------------------------------- */

static void
refused(const char *what, long error)
{
	long in = from_port(4), out = to_port(4);

	show(what, in);
	check(in == error && out == error, "refused, both ways");
}

static void
lies(void)
{
	static const uint32_t sizes[] = { 0, 3, 24, 0x80000001, 1u << 21,
					  ~0u };
	static const uint32_t apart[] = { SIZE + 1, 1u << 31, ~0u };

	lodger_port_out(PORTS, SCRATCH, 1, 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		reset(0, sizes[i]);
		refused("a size that is none", -EINVAL);
	}
	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
		reset(5, SIZE);
		ring->head = ring->tail + apart[i];
		refused("indices too far apart", -EINVAL);
	}
	reset(0x12345678, SIZE);
	check_equal(from_port(3), 3, "indices far beyond the size are legal");
	check(data()[0x12345678 % SIZE] == 0, "modulo the size");
	reset(0, 1u << 20); /* goes on after its memory ends */
	ring->head = ring->tail = 3 * PAGE;
	show_expect("a ring longer than its memory", from_port(4), -EFAULT);
	check_equal(ring->head, 3 * PAGE, "and head stays");
}

/* Another thread changes the indices all the time: all that may change is in
 * the ring, and in the call's own memory. */
static _Atomic int stop;

static void *
liar(void *unused)
{
	uint32_t seed = 1;

	(void)unused;
	while (!stop) {
		seed = seed * 1664525 + 1013904223;
		ring->head = seed >> 8;
		ring->tail = (seed >> 8) - (seed >> 28);
		ring->size = seed & 64 ? SIZE : seed;
	}
	return NULL;
}

static void
lies_all_the_time(void)
{
	bool intact = true;
	pthread_t thread;

	reset(0, SIZE);
	lodger_port_out(PORTS, SCRATCH, 1, 0);
	mprotect(memory, PAGE, PROT_NONE);
	pthread_create(&thread, NULL, liar, NULL);
	for (int i = 0; i < 20000; i++) {
		from_port(8);
		to_port(8);
	}
	stop = 1;
	pthread_join(thread, NULL);
	mprotect(memory, PAGE, PROT_READ | PROT_WRITE);
	for (unsigned i = 0; i < PAGE; i++)
		intact &= memory[i] == 0xaa;
	check(intact, "no byte before the ring, whatever its indices say");
}

/* The clock's registers: which one is in its data port, what was written to its
 * index port last has decided. One has the bit that means ready, one has not. So
 * it can be seen when the status was read. */
static void
bursts(void)
{
	enum { INDEX = 0x70, DATA = 0x71, STATUS_B = 0x0b, STATUS_D = 0x0d,
	       VALID = 0x80 };
	static const unsigned char bytes[] = { STATUS_B, STATUS_D, STATUS_B,
					       STATUS_D, STATUS_D, STATUS_B,
					       STATUS_B };
	static const struct {
		unsigned at_once, max, moved;
	} rows[] = {
		{ 0, 7, 1 }, /* one */
		{ 1, 7, 1 },
		{ 3, 7, 3 },
		{ 4, 7, 7 }, /* ready once more, then for fewer */
		{ 5, 7, 7 },
		{ 16, 7, 7 },
		{ 16, 2, 2 },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		reset(0, SIZE);
		for (unsigned n = 0; n < sizeof(bytes); n++)
			put(bytes[n]);
		lodger_port_out(PORTS, INDEX, 1, STATUS_D);
		check_equal(lodger_ring_to_port(PORTS, INDEX, DATA, VALID, VALID,
						rows[i].at_once, ring,
						rows[i].max),
			    rows[i].moved, "bytes at once");
		check_equal(ring->tail, rows[i].moved, "are out of the ring");
	}
}

static void
wrong_arguments(void)
{
	unsigned narrow = lodger_resource_narrow(PORTS, SCRATCH, 1);
	unsigned reads = duplicate(narrow, LODGER_RIGHT_READ, 0);
	void *locked = mmap(NULL, PAGE, PROT_READ,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long result;

	reset(0, SIZE);
	put(1);
	result = lodger_ring_from_port(narrow, UART, SCRATCH, 0, 0, ring, 1);
	show_expect("a data port outside", result, -EINVAL);
	result = lodger_ring_from_port(narrow, SCRATCH, UART, 0, 0, ring, 1);
	show_expect("a status port outside", result, -EINVAL);
	result = lodger_ring_to_port(reads, SCRATCH, SCRATCH, 0, 0, 0, ring, 1);
	show_expect("out without the right", result, -EPERM);
	result = lodger_ring_from_port(99, SCRATCH, SCRATCH, 0, 0, ring, 1);
	show_expect("no handle", result, -EBADF);
	result = lodger_ring_from_port(narrow, SCRATCH, SCRATCH, 0, 0,
				       (void *)((char *)ring + 4), 1);
	show_expect("a crooked ring", result, -EINVAL);
	result = lodger_ring_from_port(narrow, SCRATCH, SCRATCH, 0, 0,
				       (void *)0x40, 1);
	show_expect("no ring", result, -EFAULT);
	result = lodger_ring_from_port(narrow, SCRATCH, SCRATCH, 0, 0,
				       (void *)(1ul << 47), 1);
	show_expect("a ring in the kernel", result, -EFAULT);
	result = lodger_ring_from_port(narrow, SCRATCH, SCRATCH, 0, 0, locked,
				       1);
	show_expect("a ring that cannot be written", result, -EFAULT);
	munmap(locked, PAGE);
	lodger_handle_close(narrow);
	lodger_handle_close(reads);
}

int
main(void)
{
	lodger_or_skip();
	begin();
	memory = private_memory(3 * PAGE);
	ring = (struct lodger_ring *)(memory + PAGE);
	single();
	into_the_ring();
	out_of_the_ring();
	large_rings();
	lies();
	lies_all_the_time();
	bursts();
	wrong_arguments();
	lodger_check_invariants();
	return end();
}
