/*
 * Ports, for drivers: one access, or bytes moved between a device and a ring.
 *
 * Such a move is what makes a driver that is killed lose nothing: a byte is
 * taken from the device and put into the ring, index and all, with the kernel
 * not preemptible and no wait in between. So the byte's place is found before
 * the device is asked; the caller's lock on its address space keeps it there.
 */
#include "kernel/base/assert.h"
#include "kernel/ipc/handle.h"
#include "kernel/objects/resource.h"
#include "mm/mm.h"
#include "mm/remote.h"

/* ---- One access -------------------------------------------------------- */

/* May the caller use these ports through handle @number? */
static int
check_ports(u32 number, u32 rights, u64 port, u64 width)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle *handle = get_handle(number, &ports_ops, rights);
	int err = IS_ERR(handle) ? PTR_ERR(handle) : 0;

	if (!err && !resource_has(to_resource(handle->object), port, width))
		err = -EINVAL;
	spin_unlock_irqrestore(&ipc_lock, flags);
	return err;
}

static bool
width_ok(u64 width)
{
	return width == 1 || width == 2 || width == 4;
}

long
native_port_in(u32 number, u64 port, u64 width)
{
	int err = check_ports(number, LODGER_RIGHT_READ, port, width);

	if (!err && !width_ok(width))
		err = -EINVAL;
	return err ? err : (long)arch_port_in((u16)port, (unsigned)width);
}

long
native_port_out(u32 number, u64 port, u64 width, u32 value)
{
	int err = check_ports(number, LODGER_RIGHT_WRITE, port, width);

	if (!err && !width_ok(width))
		err = -EINVAL;
	if (!err)
		arch_port_out((u16)port, (unsigned)width, value);
	return err;
}

/* ---- Rings ------------------------------------------------------------- */

struct device {
	u16 data, status;
	u8 mask, value; /* ready: (status & mask) == value */
	u8 at_once;	/* bytes that it takes when it is ready */
	unsigned room;	/* that it still takes */
};

/* One call's view of a ring in the caller's memory. What is in it may change
 * at any moment, and is believed only as far as it cannot hurt. */
struct ring {
	struct mm *mm;
	uaddr_t addr;
	uaddr_t missing;	     /* after -EAGAIN: to be made present */
	struct lodger_ring *indices; /* while mm->lock is held */
	u32 size;
};

static bool
is_ready(const struct device *device)
{
	return (arch_port_in(device->status, 1) & device->mask) ==
	       device->value;
}

/* Does it take a byte? */
static bool
takes_one(struct device *device)
{
	if (!device->room && is_ready(device))
		device->room = device->at_once;
	if (!device->room)
		return false;
	device->room--;
	return true;
}

/* The byte at @offset in the ring's memory, in the direct map, or an error. */
static u8 *
ring_place(struct ring *ring, u64 offset)
{
	u8 *place = mm_direct_address(ring->mm, ring->addr + offset, true);

	if (IS_ERR(place))
		ring->missing = ring->addr + offset;
	return place;
}

/* mm->lock has been taken: what was found before may be gone. */
static int
ring_open(struct ring *ring)
{
	u32 size;

	ring->indices = (struct lodger_ring *)ring_place(ring, 0);
	if (IS_ERR(ring->indices))
		return PTR_ERR(ring->indices);
	size = READ_ONCE(ring->indices->size);
	if (!size || (size & (size - 1)) || size > LODGER_RING_MAX)
		return -EINVAL;
	ring->size = size;
	return 0;
}

/* Bytes inside; -EINVAL: the indices make no sense. */
static long
ring_used(const struct ring *ring)
{
	u32 used = load_acquire(&ring->indices->head) -
		   load_acquire(&ring->indices->tail);

	return used <= ring->size ? (long)used : -EINVAL;
}

/* Where byte @index is. */
static u8 *
ring_byte(struct ring *ring, u32 index)
{
	return ring_place(ring, LODGER_RING_DATA + (index & (ring->size - 1)));
}

/* Moves one byte from @device into @ring: 1; 0: nothing to move, or no room. */
static int
byte_in(struct ring *ring, struct device *device)
{
	u32 head = READ_ONCE(ring->indices->head);
	long used = ring_used(ring);
	u8 *place;

	if (used < 0)
		return (int)used;
	if ((u32)used == ring->size)
		return 0;
	place = ring_byte(ring, head);
	if (IS_ERR(place))
		return PTR_ERR(place);
	if (!is_ready(device))
		return 0;
	*place = (u8)arch_port_in(device->data, 1);
	store_release(&ring->indices->head, head + 1);
	return 1;
}

static int
byte_out(struct ring *ring, struct device *device)
{
	u32 tail = READ_ONCE(ring->indices->tail);
	long used = ring_used(ring);
	u8 *place;

	if (used <= 0)
		return (int)used;
	place = ring_byte(ring, tail);
	if (IS_ERR(place))
		return PTR_ERR(place);
	if (!takes_one(device))
		return 0;
	arch_port_out(device->data, 1, *place);
	store_release(&ring->indices->tail, tail + 1);
	return 1;
}

typedef int (*move_t)(struct ring *ring, struct device *device);

/* As many bytes as can be moved at once, at most up to @max; *done counts. */
static int
move_some(struct ring *ring, struct device *device, move_t move,
	  u64 max, u64 *done)
{
	int moved;

	mutex_lock(&ring->mm->lock);
	moved = ring_open(ring);
	if (!moved && *done < max)
		do
			moved = move(ring, device);
		while (moved > 0 && ++*done < max);
	mutex_unlock(&ring->mm->lock);
	return MIN(moved, 0);
}

/* What was moved counts: an error that comes later is met again. */
static long
move_all(struct ring *ring, struct device *device, move_t move, u64 max)
{
	u64 done = 0;
	int err;

	for (;;) {
		err = move_some(ring, device, move, max, &done);
		if (err == -EAGAIN)
			err = mm_fault(ring->mm, ring->missing,
				       FAULT_USER | FAULT_WRITE);
		else
			break;
		if (err)
			break;
	}
	return done ? (long)done : err;
}

static long
ring_move(u32 number, u32 rights, u32 ports, u32 ready, uaddr_t addr, u64 max,
	  move_t move)
{
	struct device device = {
		.data = (u16)ports,
		.status = (u16)(ports >> 16),
		.mask = (u8)ready,
		.value = (u8)(ready >> 8),
		.at_once = MAX((u8)(ready >> 16), (u8)1),
	};
	struct ring ring = { .mm = current->mm, .addr = addr };
	int err = check_ports(number, rights, device.data, 1);

	if (!err)
		err = check_ports(number, LODGER_RIGHT_READ, device.status, 1);
	if (err)
		return err;
	if (!IS_ALIGNED(addr, LODGER_RING_DATA))
		return -EINVAL;
	if (addr > USER_END - LODGER_RING_MAX - LODGER_RING_DATA)
		return -EFAULT;
	return move_all(&ring, &device, move,
			MIN(max, (u64)LODGER_RING_STEP));
}

long
native_ring_from_port(u32 number, u32 device, u32 ready, uaddr_t ring, u64 max)
{
	return ring_move(number, LODGER_RIGHT_READ, device, ready, ring, max,
			 byte_in);
}

long
native_ring_to_port(u32 number, u32 device, u32 ready, uaddr_t ring, u64 max)
{
	return ring_move(number, LODGER_RIGHT_WRITE, device, ready, ring, max,
			 byte_out);
}
