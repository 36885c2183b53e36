/*
 * Objects of the machine, and processes built from outside: the third part of
 * kernel/abi.h, after abi_ipc.h, whose words on handles and their errors hold
 * here too. docs/objects.md has the whole picture.
 *
 * The first program, which is part of the kernel's image, begins with four
 * handles, and all that drivers ever get comes from these:
 */
#pragma once

#include <stdint.h>

enum lodger_first_handle {
	LODGER_ALL_PORTS = 1,	   /* ports 0 to 0xffff */
	LODGER_ALL_INTERRUPTS = 2, /* every line */
	LODGER_ALL_DEVICES = 3,	   /* physical memory that is not RAM */
	LODGER_BOOT_MODULE = 4,	   /* the archive that the loader brought; not
				    * there if it brought none */
};

/*
 * long resource_narrow(unsigned handle, uint64_t first, uint64_t count)
 *
 * A handle on a part of a port range, an interrupt range, or a physical range,
 * with the same rights. It is an object of its own: what is bound or mapped
 * through it has nothing to do with the wider one. Needs DUPLICATE. @first is
 * a port, a line, or a physical address; of physical memory both are bytes,
 * in whole pages. -EINVAL: not inside the range, or nothing.
 */

/* ---- Memory ----------------------------------------------------------- */

/*
 * A memory object (LODGER_MEMORY) is a run of pages that address spaces can
 * map, all the same pages. Of a physical range, which devices answer, nothing
 * is cached. The boot module can only be read.
 *
 * long memory_create(uint64_t len)
 *	Pages of zeroes, given when first touched, which live as long as a
 *	handle or a mapping does. READ, WRITE, MAP, DUPLICATE, TRANSFER. @len is
 *	rounded up to whole pages; -EINVAL: 0, or more than LODGER_MEMORY_MAX.
 *
 * long memory_map(unsigned mm, unsigned memory, uint64_t offset, uint64_t len,
 *		   uint64_t addr, unsigned prot)
 *	Maps [offset, offset + len) of it into the address space behind handle
 *	@mm, which needs MAP; 0: the caller's own. At @addr, replacing what is
 *	there, or, with 0, where the kernel likes; returns where. @memory needs
 *	MAP and READ, and WRITE for PROT_WRITE; without that mprotect cannot
 *	give it later either (-EACCES). A physical range has no PROT_EXEC. -EINVAL: not whole pages, or not
 *	inside; -EPERM; mmap's errors. A physical range is refused where it is
 *	RAM, or a controller that the kernel itself uses: -EACCES.
 *	The mapping is shared by fork, and outlives the handle. mm_read and
 *	messages do not reach physical ranges of another address space: -EFAULT.
 *	With LODGER_PRIVATE in @prot what is written there is the address
 *	space's own, and needs no WRITE; a page shows what the object has until
 *	it is written to. -EINVAL: it is a physical range or the module.
 *
 * long memory_info(unsigned memory, struct lodger_memory_info *buf)
 *	Needs MAP.
 */
#define LODGER_MEMORY_MAX (1ull << 40)
#define LODGER_PRIVATE	  (1u << 8)

enum lodger_memory_kind {
	LODGER_MEMORY_ANONYMOUS,
	LODGER_MEMORY_PHYSICAL,
	LODGER_MEMORY_MODULE,
};

struct lodger_memory_info {
	uint64_t length;   /* bytes that can be mapped, whole pages */
	uint64_t size;	   /* of the module's contents; else length */
	uint64_t physical; /* address of a physical range's first byte; else 0 */
	uint32_t offset;   /* where the module's contents begin; else 0 */
	uint32_t kind;	   /* enum lodger_memory_kind */
};

/* ---- Ports ------------------------------------------------------------ */

/*
 * A port range (LODGER_PORTS): READ, WRITE, DUPLICATE, TRANSFER. @width is 1,
 * 2 or 4 bytes, all of which must be in the range: else -EINVAL.
 *
 * long port_in(unsigned ports, unsigned port, unsigned width)
 *	Reads: the value. Needs READ.
 * long port_out(unsigned ports, unsigned port, unsigned width, uint32_t value)
 *	Needs WRITE.
 */

/*
 * A ring carries bytes between a driver and those that it works for, in memory
 * that they share. `head` and `tail` run freely; head - tail bytes are inside;
 * byte n is data[n % size]. Only the writer changes head, after the byte is
 * there; only the reader changes tail, after it has taken the byte.
 */
#define LODGER_RING_DATA 64 /* where the bytes begin */

struct lodger_ring {
	uint32_t head; /* next to write */
	uint32_t tail; /* next to read */
	uint32_t size; /* a power of two, at most LODGER_RING_MAX */
};

#define LODGER_RING_MAX (1u << 20)

/*
 * long ring_from_port(unsigned ports, uint32_t device, uint32_t ready,
 *		       struct lodger_ring *ring, uint64_t max)
 *	While (in(status port) & mask) == value, and the ring has room: a byte
 *	from the data port goes into the ring, and head moves on. Needs READ.
 * long ring_to_port(unsigned ports, uint32_t device, uint32_t ready,
 *		     struct lodger_ring *ring, uint64_t max)
 *	While it is so, and the ring is not empty: its next byte goes to the
 *	data port, and tail moves on. Needs READ and WRITE. A device with a
 *	FIFO, which is ready when that is empty, takes more at once: the status
 *	is read again after so many bytes.
 *
 * Both move at most @max bytes, and at most LODGER_RING_STEP, and return how
 * many. The ring is in the caller's memory. A byte and its index move in one
 * step: nobody who kills the caller finds one without the other. @device is
 * data port | status port << 16, @ready is mask | value << 8, and of
 * ring_to_port also bytes at once << 16 (0: one).
 *
 * -EFAULT; -EINVAL: a port is not in the range, the ring is not on a multiple
 * of 64, its size is no size, or its indices are further apart than it.
 */
#define LODGER_RING_STEP 256

/* ---- Interrupts ------------------------------------------------------- */

/*
 * A range of interrupt lines (LODGER_INTERRUPT): BIND, DUPLICATE, TRANSFER.
 * Lines below 16 are those of the ISA bus, wherever the machine has them
 * wired; from 16 on they are ACPI's global system interrupts. A handle with
 * which one is bound is for that line alone.
 *
 * long interrupt_bind(unsigned interrupt, unsigned notification, uint64_t bits)
 *	From now on the line is open, and when it fires, @bits are raised; then
 *	no more until interrupt_ack. The binding counts as a handle with SIGNAL.
 *	It ends, and the line is shut, when the last handle on this object
 *	closes, or with notification 0. Needs BIND, and SIGNAL on the
 *	notification, whose badge limits the bits (-EPERM). -EINVAL: more than
 *	one line, no bits, or the machine has no such line; -EBUSY: it is bound,
 *	through this object or another.
 *
 * long interrupt_ack(unsigned interrupt)
 *	The driver has heard. If the line fired again meanwhile the bits come at
 *	once. Needs BIND; -EINVAL: it is not bound.
 */

/* ---- Processes -------------------------------------------------------- */

/*
 * long process_create(unsigned building, const char *name,
 *		       unsigned personality)
 *	A process, a child of process 1, with one thread that has not begun,
 *	in the address space behind the building handle, which is used up. It
 *	has an id, a group and a session of its own, and no handles.
 *	@personality is an endpoint, with CALL, or 0: none; errors as
 *	personality_set's. Needs MAP. Returns a process handle (LODGER_PROCESS):
 *	CONTROL, STAT, DUPLICATE, TRANSFER. When the last handle on a process
 *	that has not begun closes, all of it goes; its personality is told of
 *	an end. -EAGAIN: no id is left.
 *
 * long process_give(unsigned process, unsigned handle)
 *	Moves a handle into the process; its number there. Needs CONTROL, and
 *	TRANSFER on the handle. -ESRCH: it has ended. -EINVAL: neither it has
 *	begun nor the one that the handle is for.
 *
 * long process_start(unsigned process, uint64_t entry, uint64_t sp)
 *	Lets it begin, at @entry, with stack @sp, all other registers 0. Needs
 *	CONTROL. -EINVAL: no user addresses; -EBUSY: it has begun already.
 *
 * long process_signal(unsigned process, int signal)
 *	As kill(). Needs CONTROL. -EINVAL: no such signal; -ESRCH: it has ended;
 *	-EBUSY: it has not begun: close the handle.
 *
 * long process_watch(unsigned process, unsigned notification, uint64_t bits)
 *	Raises @bits when it has ended, or at once if it has: its handles are
 *	closed then. One at a time for each object (-EBUSY); notification 0 ends
 *	it. Counts as a handle with SIGNAL. Needs STAT, and SIGNAL on the
 *	notification, whose badge limits the bits (-EPERM). -EINVAL: no bits.
 *
 * long process_info(unsigned process, struct lodger_process_info *buf)
 *	Needs STAT. Also when it has ended, and after its id was used again.
 */
enum lodger_process_state {
	LODGER_PROCESS_BUILT,	/* has not begun */
	LODGER_PROCESS_RUNS,
	LODGER_PROCESS_ENDED,
};

struct lodger_process_info {
	int32_t pid;
	uint32_t state;	/* enum lodger_process_state */
	int32_t status;	/* ended: as wait4() reports it */
	uint32_t unused;
};

/* ---- Address spaces --------------------------------------------------- */

/*
 * long mm_heap(unsigned mm, uint64_t start)
 *
 * brk() begins there. Needs MAP. -EBUSY: it has a heap; -EINVAL: no user
 * address; -ESRCH.
 *
 * long mm_regions(uint64_t id, struct lodger_region *buf, size_t n)
 *
 * The regions of an address space (ids as for mm_stat), by address, at most n
 * of them. Returns how many there are. -ESRCH: none with that id is alive, or
 * nobody lives there any more.
 */
enum {
	LODGER_REGION_SHARED = 1 << 0,
	LODGER_REGION_STACK = 1 << 1,
	LODGER_REGION_HEAP = 1 << 2,
};

struct lodger_region {
	uint64_t start, end;
	uint32_t prot;
	uint32_t flags; /* LODGER_REGION_* */
};

/* ---- Options and the log ---------------------------------------------- */

/*
 * long boot_option(const char *name, char *buf, size_t len)
 *
 * The value of a boot option, with a 0, cut to len. Returns its length without
 * the 0. -ENOENT: it was not given.
 *
 * long console_release(unsigned ports, unsigned notification, uint64_t bits)
 *
 * The kernel's log lets go of the serial port and the screen, for good: only a
 * panic, and the machine's end, take them back. From now on what is logged is
 * kept for klog_read, and @bits are raised (notification 0: nobody is told).
 * Another call replaces whom to tell. Returns where in the log the console was
 * released first: what is before has been shown. @ports must hold the serial
 * port's, with WRITE: -EPERM. Needs SIGNAL on the notification.
 *
 * long framebuffer_info(struct lodger_framebuffer *buf)
 *
 * The graphic screen that the loader set up, for a driver which is given that
 * physical range. -ENODEV: it set up none; there may be a VGA text screen.
 *
 * long klog_read(uint64_t *position, char *buf, size_t len)
 *
 * The log from *position on (0: from its beginning), which moves on; what was
 * overwritten meanwhile is left out. Returns how many bytes; 0: nothing new. A
 * line that the boot option loglevel keeps off the console begins with <7>.
 */

struct lodger_framebuffer {
	uint64_t address;	/* physical, of the upper left pixel */
	uint32_t width, height; /* pixels */
	uint32_t pitch;		/* bytes from one line to the next */
	uint8_t pixel_bytes;	/* 3 or 4, the lowest first */
	uint8_t red_shift, green_shift, blue_shift; /* of 8 bits each */
};
