/*
 * What the console server and its drivers share. All of it is handed out by
 * init, by name, and outlives each of them:
 *
 *	memory		notifications (who waits)
 *	serial-rings	serial (the driver)
 *	keyboard-ring	keyboard
 *	screen-cells	screen
 *	terminal	terminal-client (see user/include/terminal.h)
 *	console-state	console (the console server)
 *
 * A byte that a device gave is accepted when it is in the driver's ring, and
 * one for the device is delivered when it is out of it; both happen in one
 * step of the kernel (ring_from_port, ring_to_port). So a driver has nothing
 * to lose, and never resets what the device itself still holds.
 */
#pragma once

#include "user/include/ring.h"

/* To the console server, besides TERMINAL_OUTPUT and TERMINAL_TAKEN. */
enum {
	CONSOLE_SERIAL = 1 << 2,   /* bytes came, or room, or the driver itself */
	CONSOLE_KEYBOARD = 1 << 3,
	CONSOLE_LOG = 1 << 4,	   /* from the kernel */
};

/* To a driver. */
enum {
	DRIVER_WORK = 1 << 0,	   /* the console moved its end of a ring */
	DRIVER_INTERRUPT = 1 << 1, /* from the kernel */
};

/* ---- serial-rings ------------------------------------------------------ */

enum {
	SERIAL_IN_SIZE = 4096,
	SERIAL_OUT_SIZE = 16384,
	SERIAL_IN_AT = 64,
	SERIAL_OUT_AT = 8192,
	SERIAL_MEMORY = 8 * 4096,
};

/* What the memory begins with; the driver writes it. */
struct serial_memory {
	uint32_t absent; /* 1: there is no serial port in this machine */
};

static inline struct lodger_ring *
serial_in(void *memory)
{
	return (struct lodger_ring *)((char *)memory + SERIAL_IN_AT);
}

static inline struct lodger_ring *
serial_out(void *memory)
{
	return (struct lodger_ring *)((char *)memory + SERIAL_OUT_AT);
}

/* Fresh memory is all zero; who comes first sets what never changes. */
static inline void
serial_init(void *memory)
{
	serial_in(memory)->size = SERIAL_IN_SIZE;
	serial_out(memory)->size = SERIAL_OUT_SIZE;
}

/* ---- keyboard-ring: nothing but a ring of scan codes -------------------- */

enum { KEYBOARD_SIZE = 2048, KEYBOARD_MEMORY = 4096 };

static inline struct lodger_ring *
keyboard_ring(void *memory)
{
	return memory;
}

static inline void
keyboard_init(void *memory)
{
	keyboard_ring(memory)->size = KEYBOARD_SIZE;
}

/* ---- console-state: the console server's own ---------------------------- */

enum { CONSOLE_STATE = 8 * 4096 };

/* ---- What every driver does (user/lib/driver.c) ------------------------- */

/* The memory that init gave under @name, mapped whole; ends the program with a
 * sentence if it is not there. */
void *driver_map(const char *name, size_t size, bool writable);
/* A handle that must be there. */
unsigned driver_handle(const char *name);
/* Binds "interrupt" to @notification; ends the program if it cannot be. */
void driver_bind(unsigned interrupt, unsigned notification);
/* Waits; the bits. */
uint64_t driver_wait(unsigned notification);
/* Ends the program. */
void driver_fail(const char *what, long error)
	__attribute__((noreturn));
