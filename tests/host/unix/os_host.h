/*
 * The Unix server on the host: a world below os.h that a test arranges. Time
 * stands still unless it is told to go on, signals are written down, and the
 * programs' memory is one arena with holes where a program has none.
 */
#pragma once

#include "host.h"
#include "user/servers/unix/os.h"

/* ---- The programs' memory ------------------------------------------- */

enum { ARENA_SIZE = 1 << 20 };
extern u8 *arena;
#define ARENA_BAD 0x1000ull /* an address where nothing is */

/* Copies something into the arena, at a place of its own until arena_reset();
 * its address there. */
u64 arena_put(const void *data, size_t len);
u64 arena_string(const char *string);
/* Room for @len bytes that end where memory ends. */
u64 arena_at_end(size_t len);
void arena_reset(void);

/* ---- Processes ------------------------------------------------------ */

enum { SHELL = 10 /* the first process; it leads session and group 10 */ };

struct host_task {
	struct os_task task;
	bool lives;
	u64 signals;	/* that were sent, bit n - 1 */
	unsigned count; /* how many */
	int from;	/* who sent the last one; 0: the kernel */
};

struct host_task *host_task(int pid);
/* A child, as fork makes it, which the server is told of. */
void host_fork(int parent, int pid, u64 flags);
void host_exit(int pid);

/* ---- Calls ---------------------------------------------------------- */

#define PENDING (-5000l) /* the call waits */
#define RESTART (-5001l) /* comes again, as restart_syscall, with: */
extern u64 host_restart_with;

/* Makes a call for a process's thread; its result, or PENDING. */
long host_call(int pid, long number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);
#define CALL0(nr)	       host_call(SHELL, nr, 0, 0, 0, 0, 0, 0)
#define CALL1(nr, a)	       host_call(SHELL, nr, (u64)(a), 0, 0, 0, 0, 0)
#define CALL2(nr, a, b)	       host_call(SHELL, nr, (u64)(a), (u64)(b), 0, 0, 0, 0)
#define CALL3(nr, a, b, c)     host_call(SHELL, nr, (u64)(a), (u64)(b), (u64)(c), 0, 0, 0)
#define CALL4(nr, a, b, c, d)  host_call(SHELL, nr, (u64)(a), (u64)(b), (u64)(c), (u64)(d), 0, 0)
#define CALL6(nr, a, b, c, d, e, f) \
	host_call(SHELL, nr, (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), (u64)(f))

/* The handle of the last call; what became of it. */
extern unsigned last_reply;
long host_answer(unsigned reply);

/* A signal for the thread (tid == pid) that waits in a call. */
void host_cancel(int pid);
/* Time goes on, and what was to happen meanwhile does. */
void host_sleep(u64 ns);

/* ---- The terminal --------------------------------------------------- */

/* Somebody types; what was shown since the last look, 0-terminated. */
void host_type(const char *bytes, size_t len);
const char *host_screen(void);
extern size_t host_screen_room; /* how much the terminal takes at once */

/* ---- Memory of the server ------------------------------------------- */

/* Allocation number @nth from now on fails, and only that one; 0: none. */
extern unsigned host_fail_nth;
extern bool host_failed;
extern u64 host_live; /* pieces that are in use */

/* What was mapped into the last building: bytes at an address, or a hole. */
bool host_building_read(u64 addr, void *buf, size_t len);
extern u64 host_entry, host_sp;
extern char host_name[16];
extern unsigned host_buildings; /* that are neither closed nor used up */
extern unsigned host_memories;	/* that files have */
extern unsigned host_memories_made; /* so far */

/* A server with the files of this archive (NULL: none), and a SHELL whose
 * descriptors 0, 1 and 2 are the console. */
void host_begin(const void *archive, u64 size);
