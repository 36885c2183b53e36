/*
 * Everything that the server needs from below, and its only way there:
 * os_lodger.c has it from the kernel, tests/host/unix/os_host.c from a test.
 * Nothing here knows a file; nothing above knows a handle's meaning.
 *
 * All times are nanoseconds. Functions answer 0 or more, or a negative errno.
 */
#pragma once

#include "kernel/base/types.h"

/* ---- What comes in -------------------------------------------------- */

enum os_kind {
	OS_CALL,     /* a system call of a program: number, words, reply */
	OS_FORK,     /* word 0: the child's pid, word 1: clone's flags; reply */
	OS_EXIT,     /* pid has ended */
	OS_CANCEL,   /* a signal waits for tid, whose call was received */
	OS_TERMINAL, /* the terminal has input, or room for output */
	OS_TIME,     /* the deadline has passed */
};

struct os_event {
	enum os_kind kind;
	int pid, tid;
	unsigned number; /* Linux's */
	unsigned reply;	 /* to answer, once; serves as a space until then */
	u64 words[6];
};

#define OS_NEVER (~0ull)

/* How many calls may be unanswered at once: with more, no other is received;
 * and how many memories there are room for beside them. */
enum { OS_CALLS_MAX = 3000, OS_MEMORIES_MAX = 1000 };

/* The next event, or OS_TIME once os_now() is past the deadline. */
void os_receive(struct os_event *event, u64 deadline);

/* ---- What goes out -------------------------------------------------- */

/*
 * Answers a call: 0 or more or a negative errno, which are the program's
 * result, or -ERESTARTSYS or -ERESTARTNOHAND (linux.h): it had no effect, and
 * is to be made again unless a signal handler says otherwise. A caller that is
 * gone is no error.
 */
void os_answer(unsigned reply, long result);

/* Answers: as -ERESTARTNOHAND, but if no handler runs restart_syscall comes
 * instead, with the same arguments, and @value as the last. */
void os_answer_restart(unsigned reply, u64 value);

/* os_answer() and os_receive() in one step. */
void os_answer_receive(unsigned reply, long result, struct os_event *event,
		       u64 deadline);

/* Answers execve: the caller goes on in the address space @building. After an
 * error both are still ours, and the call waits on; -ESRCH: it is gone. */
int os_answer_execute(unsigned reply, unsigned building, u64 entry, u64 sp,
		      const char *name);

/* ---- Memory of programs --------------------------------------------- */

/*
 * A space is the reply of a call in flight, or a building. -EFAULT: the
 * program could not have done it there itself; -ESRCH: it is gone; -ENOMEM.
 * A copy that failed may have been made in part.
 */
int os_copy_in(unsigned space, void *to, u64 from, size_t len);
int os_copy_out(unsigned space, u64 to, const void *from, size_t len);

/* Fresh private pages at @addr, in place of what is there, or where there is
 * room: 0. Returns where. */
long os_map(unsigned space, u64 addr, u64 len, int prot);
int os_unmap(unsigned space, u64 addr, u64 len);
int os_protect(unsigned space, u64 addr, u64 len, int prot);

/* Zeroed pages that spaces can map: a handle, or an error; -EMFILE: there are
 * OS_MEMORIES_MAX. The server sees them at *view, all of them, at once. */
long os_memory(u64 len, void **view);
/* The pages go when no space maps them any more. */
void os_free_memory(unsigned memory, void *view, u64 len);
/* Maps @len bytes of the memory from @offset on, in place of what is there; a
 * page that the space writes to becomes its own. All is in whole pages. */
int os_map_memory(unsigned space, u64 addr, u64 len, unsigned memory,
		  u64 offset, int prot);

/* A new address space; os_close() frees it if nobody moved in. */
long os_building(void);
/* Its brk() begins there. */
int os_heap(unsigned building, u64 start);
void os_close(unsigned handle);

/* A new process that lives in the building, which is used up, and whose calls
 * come here. It leads a session of its own. Returns its pid; it does not run
 * before os_start(), which uses up *process. */
long os_process(unsigned building, const char *name, unsigned *process);
int os_start(unsigned process, u64 entry, u64 sp);

/* ---- Memory of the server ------------------------------------------- */

/* Small pieces, zeroed; NULL: none left. The caller keeps the size. */
void *os_alloc(size_t size);
void os_free(void *piece, size_t size);

/* Whole zeroed pages, page-aligned, that will not fault; @len is a multiple of
 * the page size. Resizing may move them; on NULL the old ones are untouched. */
void *os_pages(size_t len);
void *os_resize_pages(void *pages, size_t old_len, size_t len);
void os_free_pages(void *pages, size_t len);

/* ---- Processes ------------------------------------------------------ */

struct os_task {
	int pid, ppid, pgid, sid;
	char state; /* as in /proc/PID/stat */
	bool is_kthread;
	int cpu, prio;
	unsigned nr_threads;
	u64 sig_blocked, sig_ignored, sig_caught, sig_pending;
	u64 start, cpu_time;
	u64 mm; /* its address space; OS_NO_MM: none */
	char name[16];
};

#define OS_NO_MM (~0ull)

struct os_mm {
	int users, count;
	u64 resident, mapped; /* bytes */
};

struct os_region {
	u64 start, end;
	int prot;
	enum { OS_PLAIN, OS_HEAP, OS_STACK } what;
};

int os_task(int tid, struct os_task *task);
int os_mm(u64 mm, struct os_mm *stat);
enum { TASKS_MAX = 4096 }; /* that are listed */

/* At most @n of them; how many there are. */
long os_tasks(int *tids, size_t n);
long os_regions(u64 mm, struct os_region *regions, size_t n);

/* A signal to programs, to all of them in one step, also to those that are being
 * born. As kill() by process @from; 0: as the kernel. @sig 0: none is sent.
 * -ESRCH: there is nobody. */
enum os_whom {
	OS_GROUP,
	OS_OTHERS, /* all but process @number */
	OS_PROCESS,
	OS_THREAD,
};
int os_signal(enum os_whom whom, int number, int sig, int from);

/* ---- The machine ---------------------------------------------------- */

struct os_machine {
	unsigned nr_cpus, nr_tasks;
	u64 memory, memory_free; /* bytes */
	u64 idle, busy;		 /* time, of all CPUs together */
	u64 switches;
};

void os_machine(struct os_machine *machine);
u64 os_now(void);      /* since some moment, never backwards */
u64 os_realtime(void); /* since 1970 */
void os_random(void *buf, size_t len);
/* A sentence for people, in the kernel's log; a line end is added. */
void os_log(const char *fmt, ...) __printf(1, 2);
/* The processor's capabilities, for AT_HWCAP. */
u64 os_hwcap(void);

/* ---- The terminal --------------------------------------------------- */

/* How many bytes were taken or given; 0: none now, an event will come. */
size_t os_terminal_write(const void *bytes, size_t len);
size_t os_terminal_read(void *bytes, size_t len);
void os_terminal_size(unsigned *rows, unsigned *columns);
