/*
 * The terminal's line discipline: between the bytes of a terminal and programs
 * that read lines. Read Linux: drivers/tty/n_tty.c.
 */
#pragma once

#include "kernel/base/list.h"
#include "user/servers/unix/linux.h"
#include "user/servers/unix/os.h"

enum {
	TTY_INPUT = 4096,  /* bytes, of which a line has one less */
	TTY_OUTPUT = 8192,
	TTY_ECHO_ROOM = 1024, /* of these, for echoes alone */
};

struct tty {
	struct linux_termios termios;
	struct linux_winsize size;
	struct list queue; /* woken when something can be read or written */

	/* Input: free-running places. What is before line_end is read as lines;
	 * each byte may be marked as the last of its line. */
	u16 input[TTY_INPUT];
	u32 input_head, input_tail, line_end;
	bool literal_next;    /* ^V came */
	u64 last_input;	      /* when; for VTIME */

	/* Output that the terminal has not taken yet. */
	u8 output[TTY_OUTPUT];
	u32 output_head, output_tail;
	unsigned column;      /* where the cursor is, for tabs */
	unsigned line_column; /* where it was when the line began */
	bool stopped;	      /* by ^S */

	/* Jobs: who it belongs to, and whose turn it is; 0: nobody. */
	int session, group;
	u64 hangups; /* files opened before the last one are dead */
};

extern struct tty console_tty; /* the one there is */

/* As a terminal is when nobody has touched it. */
void tty_init(struct tty *tty);

/* ---- The terminal's side -------------------------------------------- */

/* A byte was typed. false: there is no room, try again later. */
bool tty_input(struct tty *tty, u8 byte);
/* Takes from the terminal, and gives it, what can be taken and given now. */
void tty_exchange(struct tty *tty);
void tty_resize(struct tty *tty, unsigned rows, unsigned columns);

/* ---- The programs' side --------------------------------------------- */

/* How many bytes the next read could have; 0: it would wait. A line's end
 * without any byte (^D) counts as one. */
unsigned tty_readable(const struct tty *tty);
/* Up to @len bytes of the first line, or of what is there in raw mode. */
size_t tty_take(struct tty *tty, u8 *bytes, size_t len);
/* How many bytes were taken; they are on their way. */
size_t tty_put(struct tty *tty, const u8 *bytes, size_t len);
bool tty_writable(const struct tty *tty);

void tty_set_termios(struct tty *tty, const struct linux_termios *termios);
void tty_flush_input(struct tty *tty);
void tty_flush_output(struct tty *tty);
void tty_stop(struct tty *tty, bool stop);

/* ---- Jobs (tty_jobs.c) ---------------------------------------------- */

struct call;

/*
 * May the caller use the terminal? 0; or -ERESTARTSYS after its group was sent
 * @sig (SIGTTIN, SIGTTOU); -EIO when nobody could let it go on.
 */
int tty_check_job(struct tty *tty, struct call *call, int sig);

/* The process has ended: if it was a session's leader, its terminal is hung
 * up. */
void tty_leader_exits(int pid);
void tty_hang_up(struct tty *tty);

/* The session has no terminal yet, and nobody has this one. -EPERM. */
int tty_acquire(struct tty *tty, struct call *call, bool steal);
int tty_release(struct tty *tty, struct call *call);
int tty_set_group(struct tty *tty, struct call *call, int group);
/* The caller's terminal; NULL: it has none. */
struct tty *tty_of(struct call *call);

/* To all of the terminal's foreground. */
void tty_signal(struct tty *tty, int sig);
