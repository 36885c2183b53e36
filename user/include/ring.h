/*
 * Bytes between two sides, in shared memory. One side writes the bytes and
 * `head`, the other reads them and writes `tail`; both run freely, so that
 * head - tail is how many bytes are inside. A byte belongs to the reader from
 * the moment head has passed it, and its place to the writer from the moment
 * tail has: a side that is killed before that has not written, or not read.
 *
 * Each index is stored with release and loaded with acquire order: the bytes
 * that it speaks of are there. After moving head the writer signals; after
 * moving tail the reader signals if the ring was tight. A side that was
 * restarted looks into the ring, and signals, first of all: then no wake-up is
 * lost, whenever either was killed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernel/abi.h"

static inline unsigned char *
ring_data(struct lodger_ring *ring)
{
	return (unsigned char *)ring + LODGER_RING_DATA;
}

/* Bytes that a ring of @size takes in memory. */
static inline size_t
ring_bytes(uint32_t size)
{
	return LODGER_RING_DATA + (size_t)size;
}

/* Bytes inside. A ring whose indexes make no sense is empty. */
static inline uint32_t
ring_used(const struct lodger_ring *ring)
{
	uint32_t used = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) -
			__atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);

	return used <= ring->size ? used : 0;
}

/* Room. A ring whose indexes make no sense has none. */
static inline uint32_t
ring_room(const struct lodger_ring *ring)
{
	uint32_t used = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) -
			__atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);

	return used <= ring->size ? ring->size - used : 0;
}

/* Byte number @index, wherever head and tail are. */
static inline unsigned char *
ring_at(struct lodger_ring *ring, uint32_t index)
{
	return ring_data(ring) + (index & (ring->size - 1));
}

/* Copies to or from the places from @index on; moves no index. */
static inline void
ring_place(struct lodger_ring *ring, uint32_t index, const void *buf, size_t n)
{
	size_t straight = ring->size - (index & (ring->size - 1));

	if (straight > n)
		straight = n;
	memcpy(ring_at(ring, index), buf, straight);
	memcpy(ring_data(ring), (const char *)buf + straight, n - straight);
}

static inline void
ring_fetch(struct lodger_ring *ring, uint32_t index, void *buf, size_t n)
{
	size_t straight = ring->size - (index & (ring->size - 1));

	if (straight > n)
		straight = n;
	memcpy(buf, ring_at(ring, index), straight);
	memcpy((char *)buf + straight, ring_data(ring), n - straight);
}

/* The writer's: as much of @buf as there is room for. Returns how much. */
static inline size_t
ring_write(struct lodger_ring *ring, const void *buf, size_t n)
{
	size_t room = ring_room(ring);

	if (n > room)
		n = room;
	ring_place(ring, ring->head, buf, n);
	__atomic_store_n(&ring->head, ring->head + (uint32_t)n,
			 __ATOMIC_RELEASE);
	return n;
}

/* The reader's: at most @n bytes. Returns how many. */
static inline size_t
ring_read(struct lodger_ring *ring, void *buf, size_t n)
{
	size_t used = ring_used(ring);

	if (n > used)
		n = used;
	ring_fetch(ring, ring->tail, buf, n);
	__atomic_store_n(&ring->tail, ring->tail + (uint32_t)n,
			 __ATOMIC_RELEASE);
	return n;
}

/* The reader's, when it has moved tail from @before: was the ring at least half
 * full? Then the writer may be waiting for room, and should be signalled. (A
 * writer must not wait while half of the ring is free.) */
static inline bool
ring_was_tight(const struct lodger_ring *ring, uint32_t before)
{
	/* The writer moves head, then looks at tail, then waits. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&ring->head, __ATOMIC_RELAXED) - before >=
	       ring->size / 2;
}
