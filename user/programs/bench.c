/*
 * What things cost, in instructions: run under `-icount shift=0` the time
 * stamp counter counts them one by one. Each row: 100 rounds to warm up, then
 * 9 batches; the median is shown, nothing is subtracted. Writes of CR3 come
 * from the kernel's own counters.
 *
 *	bench: ROW: N insn, N.NN cr3
 *	bench: ROW: N.NN ipis, N.NN spared
 *	bench: ROW: N bytes
 *
 * Goals, and what other kernels need, are in tests/bench/run, which reads
 * these lines. On Linux most rows run as well; there the counter counts cycles
 * of some clock, and CR3 writes are not known.
 *
 *	bench           all rows that this number of CPUs allows
 *	bench TEXT...   those whose names contain one of these; _ is a blank
 *
 * Rows with files and programs need the Unix server, and are left out where it
 * is not there.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/include/futex.h"
#include "user/include/help.h"
#include "user/include/ipc.h"
#include "user/include/lodger.h"
#include "user/include/objects.h"
#include "user/include/syscall_inline.h"

enum {
	WARM_UP = 100,
	BATCHES = 9,
	PAGE = 4096,
	TABLE_SPAN = 512 * PAGE, /* what one page table translates */
	FAULT_PAGES = 512,
	STACK = 65536,
};

static const char help[] =
	"bench: what things cost, in instructions and writes of CR3\n"
	"\n"
	"bench          all rows that can be measured here\n"
	"bench TEXT...  those whose names contain one of these; _ is a blank\n"
	"\n"
	"The figures are instructions only on one CPU, where QEMU counts them\n"
	"(tools/run --cpus 1 --icount); elsewhere they are ticks of some clock.\n"
	"`make bench`, outside, runs all of it and compares with the goals.\n";

static bool is_lodger, has_files;
static unsigned nr_cpus = 1;

static inline uint64_t
now(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void *
map(size_t size, int flags)
{
	void *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  flags | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		die("bench: mmap");
	return area;
}

/* ---- Partners: a task on the other side of a switch ------------------- */

struct result {
	double insn, cr3;
};

struct words {
	_Atomic int ping, pong, stop;
	struct result result; /* of a row, maybe by a child */
};

static struct words *words; /* shared by threads and processes */
static long partner;	    /* tid, or pid of a process */

enum {
	THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		 CLONE_THREAD | CLONE_SYSVSEM,
};

/* A task that runs @fn on @stack (its top) and ends when @fn returns. It may
 * use no thread-local storage: no errno, no stdio. */
static long
start_task(void (*fn)(void), char *stack, unsigned long flags)
{
	long tid;
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;
	register void (*r9)(void) __asm__("r9") = fn;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call *%%r9\n\t"
			 "xor %%edi, %%edi\n\t"
			 "mov %[exit], %%eax\n\t"
			 "syscall\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(tid)
			 : "a"(SYS_clone), "D"(flags), "S"(stack), "d"(0),
			   "r"(r10), "r"(r8), "r"(r9), [exit] "i"(SYS_exit)
			 : "rcx", "r11", "memory");
	if (tid < 0) {
		errno = -tid;
		die("bench: clone");
	}
	return tid;
}

static void
start_partner(void (*fn)(void), bool process)
{
	static char stack[STACK] __attribute__((aligned(16)));

	words->ping = words->pong = words->stop = 0;
	if (process) {
		partner = fork();
		if (partner == 0) {
			fn();
			_exit(0);
		}
	} else {
		partner = start_task(fn, stack + STACK, THREAD);
	}
}

static void
stop_partner(bool process)
{
	words->stop = 1;
	words->ping = -1;
	futex_wake(&words->ping, 1);
	if (process)
		wait(NULL);
	else
		while (syscall3(SYS_tgkill, getpid(), partner, 0) == 0)
			sched_yield();
}

static void
yielder(void)
{
	while (!words->stop)
		syscall0(SYS_sched_yield);
}

static void
start_yield_process(void)
{
	start_partner(yielder, true);
}

static void
start_yield_thread(void)
{
	start_partner(yielder, false);
}

static void
stop_process(void)
{
	stop_partner(true);
}

static void
stop_thread(void)
{
	stop_partner(false);
}

/* Waits for each ping and answers it. */
static void
ponger(void)
{
	int turn = 0;

	for (;;) {
		while (words->ping == turn)
			futex6(&words->ping, FUTEX_WAIT | FUTEX_PRIVATE, turn,
			       NULL, NULL, 0);
		turn = words->ping;
		if (words->stop)
			return;
		words->pong = turn;
		futex6(&words->pong, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL,
		       0);
	}
}

static void
start_ponger(void)
{
	start_partner(ponger, false);
}

static void
stop_ponger(void)
{
	words->stop = 1;
	words->ping = -1;
	futex6(&words->ping, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL, 0);
	stop_partner(false);
}

/* ---- Partners that answer calls ---------------------------------------- */

static unsigned endpoint;
static unsigned serve_at; /* the endpoint's handle in the server */
static struct lodger_message *call_message, *serve_message;

static void
serve(void)
{
	struct ipc ipc = { .message = serve_message,
			   .timeout = LODGER_FOREVER };
	long got = ipc_recv(serve_at, &ipc);

	while (got > 0 && !words->stop)
		got = ipc_reply_recv(ipc_reply_handle(got), 0, serve_at, &ipc);
	ipc_reply(ipc_reply_handle(got), 0, &ipc);
}

static void (*serve_with)(void) = serve;

static void
serve_child(void)
{
	while (!words->ping)
		syscall0(SYS_sched_yield);
	serve_with();
}

static void
start_server(bool process)
{
	long given;

	endpoint = lodger_endpoint_create();
	serve_at = process ? 1 : endpoint;
	start_partner(process ? serve_child : serve, process);
	if (!process)
		return;
	given = lodger_handle_duplicate(endpoint, LODGER_RIGHT_RECV |
					LODGER_RIGHT_TRANSFER, 0);
	if (lodger_handle_give(partner, given) != 1)
		die("bench: handle_give");
	words->ping = 1;
}

static void
stop_server(bool process)
{
	struct ipc ipc = { .timeout = LODGER_FOREVER };

	words->stop = 1;
	ipc_call(endpoint, 0, &ipc);
	stop_partner(process);
	lodger_handle_close(endpoint);
}

static void
start_server_process(void)
{
	start_server(true);
}

static void
start_server_thread(void)
{
	start_server(false);
}

static void
stop_server_process(void)
{
	stop_server(true);
	call_message = serve_message = NULL;
}

static void
stop_server_thread(void)
{
	stop_server(false);
}

/* 4 KiB from the caller to the server. */
static void
start_buffer_server(void)
{
	static struct lodger_message sends, receives;
	static char from[PAGE] __attribute__((aligned(PAGE)));
	static char to[PAGE] __attribute__((aligned(PAGE)));

	memset(from, 1, PAGE);
	memset(to, 1, PAGE);
	sends = (struct lodger_message){ .send_buf = (uint64_t)from,
					 .send_len = PAGE };
	receives = (struct lodger_message){ .recv_buf = (uint64_t)to,
					    .recv_len = PAGE };
	call_message = &sends;
	serve_message = &receives;
	start_server(true);
}

/* Answers each call with the handle that came in it. */
static void
serve_handles(void)
{
	struct lodger_message message = { .nr_recv = 1 };
	struct ipc ipc = { .message = &message, .timeout = LODGER_FOREVER };
	long got = ipc_recv(serve_at, &ipc);

	while (got > 0 && !words->stop) {
		message.nr_send = message.nr_recv;
		message.send_handles[0] = message.recv_handles[0];
		got = ipc_reply_recv(ipc_reply_handle(got), 0, serve_at, &ipc);
	}
	message.nr_send = 0;
	ipc_reply(ipc_reply_handle(got), 0, &ipc);
}

static void
start_handle_server(void)
{
	static struct lodger_message message = { .nr_send = 1, .nr_recv = 1 };

	message.recv_handles[0] = (uint32_t)lodger_notification_create();
	call_message = &message;
	serve_with = serve_handles;
	start_server(true);
}

static void
stop_handle_server(void)
{
	lodger_handle_close(call_message->recv_handles[0]);
	stop_server_process();
	serve_with = serve;
}

/* ---- A server of system calls ------------------------------------------- */

/* Ends when its client has another personality. */
static void
serve_writes(void)
{
	struct ipc ipc = { .timeout = LODGER_FOREVER };
	long got;

	while (!words->ping)
		syscall0(SYS_sched_yield);
	got = ipc_recv(1, &ipc);
	while (ipc_label(got) == SYS_write) {
		ipc.words[0] = ipc.words[2];
		got = ipc_reply_recv(ipc_reply_handle(got), LODGER_DONE, 1,
				     &ipc);
	}
}

/* From here on nobody prints what this process writes. */
static void
start_personality(void)
{
	unsigned both = lodger_endpoint_create();

	start_partner(serve_writes, true);
	endpoint = lodger_handle_duplicate(both, LODGER_RIGHT_CALL, 0);
	if (lodger_handle_give(partner, both) != 1)
		die("bench: handle_give");
	words->ping = 1;
	if (lodger_personality_set(endpoint) != 0)
		die("bench: personality_set");
}

static void
stop_personality(void)
{
	lodger_personality_set(0);
	stop_partner(true);
	lodger_handle_close(endpoint);
}

/* ---- Partners that signal ---------------------------------------------- */

static unsigned ping_bits, pong_bits;

static void
signaller(void)
{
	struct ipc ipc = { .timeout = LODGER_FOREVER };

	while (ipc_wait(ping_bits, &ipc) == 0 && !words->stop)
		syscall3(LODGER_signal, pong_bits, 1, 0);
}

static void
start_signaller(void)
{
	ping_bits = lodger_notification_create();
	pong_bits = lodger_notification_create();
	start_partner(signaller, false);
}

static void
stop_signaller(void)
{
	words->stop = 1;
	lodger_signal(ping_bits, 1);
	stop_partner(false);
	lodger_handle_close(ping_bits);
	lodger_handle_close(pong_bits);
}

/* ---- Measured loops: no C library inside ------------------------------ */

static void
loop_getpid(long n)
{
	while (n--)
		syscall0(SYS_getpid);
}

static void
loop_yield(long n)
{
	while (n--)
		syscall0(SYS_sched_yield);
}

static void
loop_ping_kthread(long n)
{
	while (n--)
		syscall0(LODGER_kthread_ping);
}

static void
loop_futex(long n)
{
	int turn = words->ping;

	while (n--) {
		words->ping = ++turn;
		futex6(&words->ping, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL,
		       0);
		while (words->pong != turn)
			futex6(&words->pong, FUTEX_WAIT | FUTEX_PRIVATE,
			       turn - 1, NULL, NULL, 0);
	}
}

static void
loop_call(long n)
{
	struct ipc ipc = { .message = call_message,
			   .timeout = LODGER_FOREVER };

	while (n--)
		ipc_call(endpoint, 0, &ipc);
}

/* What was received is sent, here and there. */
static void
loop_handle(long n)
{
	struct ipc ipc = { .message = call_message,
			   .timeout = LODGER_FOREVER };

	while (n--) {
		call_message->send_handles[0] = call_message->recv_handles[0];
		ipc_call(endpoint, 0, &ipc);
	}
}

static void
loop_signal(long n)
{
	struct ipc ipc = { .timeout = LODGER_FOREVER };

	while (n--) {
		syscall3(LODGER_signal, ping_bits, 1, 0);
		ipc_wait(pong_bits, &ipc);
	}
}

static void
loop_write(long n)
{
	while (n--)
		syscall3(SYS_write, 1, (long)words, 1);
}

static char *area;
static size_t area_size;

static void
map_private(void)
{
	area_size = FAULT_PAGES * PAGE;
	area = map(area_size, MAP_PRIVATE);
}

/* The pages are in the object; only this address space lacks them. */
static void
map_present(void)
{
	area_size = FAULT_PAGES * PAGE;
	area = map(area_size, MAP_SHARED);
	for (size_t i = 0; i < area_size; i += PAGE)
		area[i] = 1;
}

static void
unmap_area(void)
{
	munmap(area, area_size);
}

static void
forget_area(void)
{
	madvise(area, area_size, MADV_DONTNEED);
}

/* At most FAULT_PAGES. */
static void
loop_touch(long n)
{
	for (long i = 0; i < n; i++)
		((volatile char *)area)[i * PAGE] = 1;
}

static char *place; /* for mmap; NULL: the kernel's choice */

static void
loop_map_unmap(long n)
{
	while (n--) {
		long at = syscall6(SYS_mmap, (long)place, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		*(volatile char *)at = 1;
		syscall3(SYS_munmap, at, PAGE, 0);
	}
}

static void
reap(long pid)
{
	syscall6(SYS_wait4, pid, 0, 0, 0, 0, 0);
}

static void
return_at_once(void)
{
}

static void
loop_clone(long n)
{
	static char stack[STACK] __attribute__((aligned(16)));

	while (n--)
		reap(start_task(return_at_once, stack + STACK,
				CLONE_VM | SIGCHLD));
}

static void
loop_vfork(long n)
{
	static char stack[STACK] __attribute__((aligned(16)));

	while (n--)
		reap(start_task(return_at_once, stack + STACK,
				CLONE_VM | CLONE_VFORK | SIGCHLD));
}

static void
loop_fork(long n)
{
	while (n--) {
		long pid = syscall0(SYS_fork);

		if (pid == 0)
			syscall3(SYS_exit_group, 0, 0, 0);
		reap(pid);
	}
}

static char true_path[256];

/* `true` stands beside this program. */
static void
find_true(void)
{
	const char *self = (char *)getauxval(AT_EXECFN);
	const char *slash = strrchr(self, '/');
	int len = slash ? slash - self + 1 : 0;

	snprintf(true_path, sizeof(true_path), "%.*strue", len, self);
}

static void
run_program(const char *path, char **args, long n)
{
	while (n--) {
		long pid = syscall0(SYS_fork);

		if (pid == 0) {
			syscall3(SYS_execve, (long)path, (long)args,
				 (long)environ);
			syscall3(SYS_exit_group, 1, 0, 0);
		}
		reap(pid);
	}
}

static void
loop_fork_exec(long n)
{
	char *args[] = { true_path, NULL };

	run_program(true_path, args, n);
}

/* ---- With files and programs: the Unix server's ------------------------ */

static int null_file;

static void
open_null(void)
{
	null_file = open("/dev/null", O_WRONLY);
	if (null_file < 0)
		die("bench: /dev/null");
}

static void
close_null(void)
{
	close(null_file);
}

static void
loop_write_null(long n)
{
	while (n--)
		syscall3(SYS_write, null_file, (long)words, 1);
}

static int ping_pipe[2], pong_pipe[2];

/* Ends with the pipe's other end. */
static void
pipe_ponger(void)
{
	char byte;

	close(ping_pipe[1]);
	while (syscall3(SYS_read, ping_pipe[0], (long)&byte, 1) == 1)
		syscall3(SYS_write, pong_pipe[1], (long)&byte, 1);
}

static void
start_pipe_ponger(void)
{
	if (pipe(ping_pipe) != 0 || pipe(pong_pipe) != 0)
		die("bench: pipe");
	start_partner(pipe_ponger, true);
	close(ping_pipe[0]);
	close(pong_pipe[1]);
}

static void
stop_pipe_ponger(void)
{
	close(ping_pipe[1]);
	close(pong_pipe[0]);
	wait(NULL);
}

static void
loop_pipe(long n)
{
	char byte = 1;

	while (n--) {
		syscall3(SYS_write, ping_pipe[1], (long)&byte, 1);
		syscall3(SYS_read, pong_pipe[0], (long)&byte, 1);
	}
}

static void
loop_busybox_true(long n)
{
	char *args[] = { "true", NULL };

	run_program("/bin/busybox", args, n);
}

static void
loop_pipeline(long n)
{
	char *args[] = { "sh", "-c", "echo 3 2 1 | cat | wc -w > /dev/null",
			 NULL };

	run_program("/bin/busybox", args, n);
}

/* fork of a process with so many touched pages. */
static void
map_pages(size_t pages)
{
	area_size = pages * PAGE;
	area = map(area_size, MAP_PRIVATE);
	for (size_t i = 0; i < area_size; i += PAGE)
		area[i] = 1;
}

/* The kernel places pages from the top down: the next one comes below @area,
 * and has its translation in the same table. */
static void
map_neighbour(void)
{
	do
		map_pages(1);
	while ((uintptr_t)area % TABLE_SPAN == 0);
}

static void
place_alone(void)
{
	place = map(3 * TABLE_SPAN, MAP_PRIVATE);
	munmap(place, 3 * TABLE_SPAN);
	place += TABLE_SPAN;
}

static void
place_anywhere(void)
{
	place = NULL;
}

static void
map_1(void)
{
	map_pages(1);
}

static void
map_100(void)
{
	map_pages(100);
}

static void
map_10000(void)
{
	map_pages(10000);
}

/* ---- Many tasks: each yield goes once round all of them, in turn -------- */

enum { MOST_TASKS = 10000, SMALL_STACK = 512 };

static char *stacks;
static long nr_yielders;
static _Atomic int yielders_left;

static void
many_yielder(void)
{
	while (!words->stop)
		syscall0(SYS_sched_yield);
	--yielders_left;
}

/* @n tasks besides this one, all of them yielding. */
static void
start_yielders(long n)
{
	words->stop = 0;
	nr_yielders = yielders_left = n;
	stacks = map(n * SMALL_STACK, MAP_PRIVATE);
	for (long i = 0; i < n; i++)
		start_task(many_yielder, stacks + (i + 1) * SMALL_STACK,
			   THREAD);
}

static void
stop_yielders(void)
{
	words->stop = 1;
	while (yielders_left > 0)
		sched_yield();
	/* Gone from the count is not yet gone from its stack: that stays. */
}

static void
start_9(void)
{
	start_yielders(9);
}

static void
start_999(void)
{
	start_yielders(999);
}

static void
start_9999(void)
{
	start_yielders(MOST_TASKS - 1);
}

/* ---- The rows --------------------------------------------------------- */

struct row {
	const char *name;
	void (*prepare)(void);
	void (*loop)(long n);
	void (*after_batch)(void);
	void (*finish)(void);
	long batch;	/* rounds in a batch */
	long per_round; /* operations in a round; 0: 1 */
	bool lodger_only;
	bool no_server; /* in a child without a personality: what clone costs
			 * the kernel alone, for example */
	bool needs_files;
};

static const struct row rows[] = {
	{
		.name = "null system call",
		.loop = loop_getpid, .batch = 1000,
	},
	{
		.name = "yield to another process, one way",
		.prepare = start_yield_process, .loop = loop_yield,
		.finish = stop_process, .batch = 1000, .per_round = 2,
	},
	{
		.name = "yield to a thread of the same mm, one way",
		.prepare = start_yield_thread, .loop = loop_yield,
		.finish = stop_thread, .batch = 1000, .per_round = 2,
	},
	{
		.name = "user -> kernel thread -> user, same mm",
		.loop = loop_ping_kthread, .batch = 1000, .lodger_only = true,
	},
	{
		.name = "futex round trip, two threads",
		.prepare = start_ponger, .loop = loop_futex,
		.finish = stop_ponger, .batch = 1000,
	},
	{
		.name = "call + reply_recv, two address spaces",
		.prepare = start_server_process, .loop = loop_call,
		.finish = stop_server_process, .batch = 1000,
		.lodger_only = true,
	},
	{
		.name = "call + reply_recv, one address space",
		.prepare = start_server_thread, .loop = loop_call,
		.finish = stop_server_thread, .batch = 1000,
		.lodger_only = true,
	},
	{
		.name = "call + reply_recv with 4 KiB, two address spaces",
		.prepare = start_buffer_server, .loop = loop_call,
		.finish = stop_server_process, .batch = 1000,
		.lodger_only = true,
	},
	{
		.name = "call + reply_recv with a handle each way",
		.prepare = start_handle_server, .loop = loop_handle,
		.finish = stop_handle_server, .batch = 1000,
		.lodger_only = true,
	},
	{
		.name = "reflected write of one byte",
		.prepare = start_personality, .loop = loop_write,
		.finish = stop_personality, .batch = 1000,
		.lodger_only = true, .no_server = true,
	},
	{
		.name = "notification: signal, wake and switch",
		.prepare = start_signaller, .loop = loop_signal,
		.finish = stop_signaller, .batch = 1000, .per_round = 2,
		.lodger_only = true,
	},
	{
		.name = "fault: anonymous write with zeroing",
		.prepare = map_private, .loop = loop_touch,
		.after_batch = forget_area, .finish = unmap_area,
		.batch = FAULT_PAGES,
	},
	{
		.name = "fault: page already there",
		.prepare = map_present, .loop = loop_touch,
		.after_batch = forget_area, .finish = unmap_area,
		.batch = FAULT_PAGES,
	},
	{
		.name = "mmap + touch + munmap, one page",
		.prepare = map_neighbour, .loop = loop_map_unmap,
		.finish = unmap_area, .batch = 500,
	},
	{
		.name = "mmap + touch + munmap, a page and its table",
		.prepare = place_alone, .loop = loop_map_unmap,
		.finish = place_anywhere, .batch = 500,
	},
	{
		.name = "clone(CLONE_VM) + exit + reap",
		.loop = loop_clone, .batch = 200, .no_server = true,
	},
	{
		.name = "vfork + exit + wait",
		.loop = loop_vfork, .batch = 200, .no_server = true,
	},
	{
		.name = "fork + exit + wait",
		.loop = loop_fork, .batch = 100, .no_server = true,
	},
	{
		.name = "fork + exec + exit + wait",
		.prepare = find_true, .loop = loop_fork_exec, .batch = 50,
	},
	{
		.name = "write of one byte to /dev/null, Unix server",
		.prepare = open_null, .loop = loop_write_null,
		.finish = close_null, .batch = 1000, .needs_files = true,
	},
	{
		.name = "pipe round trip, two processes, Unix server",
		.prepare = start_pipe_ponger, .loop = loop_pipe,
		.finish = stop_pipe_ponger, .batch = 1000,
		.needs_files = true,
	},
	{
		.name = "fork + exec + wait of true, Unix server",
		.loop = loop_busybox_true, .batch = 20, .needs_files = true,
	},
	{
		.name = "shell with a pipeline of three, Unix server",
		.loop = loop_pipeline, .batch = 10, .needs_files = true,
	},
	{
		.name = "fork + exit + wait, 1 page more",
		.prepare = map_1, .loop = loop_fork, .finish = unmap_area,
		.batch = 50, .no_server = true,
	},
	{
		.name = "fork + exit + wait, 100 pages more",
		.prepare = map_100, .loop = loop_fork, .finish = unmap_area,
		.batch = 50, .no_server = true,
	},
	{
		.name = "fork + exit + wait, 10,000 pages more",
		.prepare = map_10000, .loop = loop_fork, .finish = unmap_area,
		.batch = 2, .no_server = true,
	},
	{
		.name = "switch, 10 tasks",
		.prepare = start_9, .loop = loop_yield,
		.finish = stop_yielders, .batch = 1000, .per_round = 10,
		.lodger_only = true, .no_server = true,
	},
	{
		.name = "switch, 1,000 tasks",
		.prepare = start_999, .loop = loop_yield,
		.finish = stop_yielders, .batch = 20, .per_round = 1000,
		.lodger_only = true, .no_server = true,
	},
	{
		.name = "switch, 10,000 tasks",
		.prepare = start_9999, .loop = loop_yield,
		.finish = stop_yielders, .batch = 2, .per_round = MOST_TASKS,
		.lodger_only = true, .no_server = true,
	},
};

static uint64_t
sum_counter(enum cpu_counter which)
{
	struct lodger_cpu_stat cpu;
	uint64_t sum = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		if (lodger_cpu_stat(i, &cpu) == 0)
			sum += cpu.counts[which];
	return sum;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Warms up with as many rounds as one batch at most, so that a loop over
 * pages stays inside its area. */
static void
warm_up(const struct row *row)
{
	row->loop(row->batch < WARM_UP ? row->batch : WARM_UP);
	if (row->after_batch)
		row->after_batch();
}

static void
take(const struct row *row, struct result *result)
{
	double batches[BATCHES];
	double operations = row->batch * (row->per_round ? row->per_round : 1);
	uint64_t writes = 0;

	if (row->prepare)
		row->prepare();
	warm_up(row);
	for (int i = 0; i < BATCHES; i++) {
		uint64_t before = sum_counter(COUNT_CR3_WRITES);
		uint64_t start = now();

		row->loop(row->batch);
		batches[i] = (now() - start) / operations;
		writes += sum_counter(COUNT_CR3_WRITES) - before;
		if (row->after_batch)
			row->after_batch();
	}
	if (row->finish)
		row->finish();
	qsort(batches, BATCHES, sizeof(double), by_size);
	result->insn = batches[BATCHES / 2];
	result->cr3 = writes / (BATCHES * operations);
}

static void
measure(const struct row *row)
{
	struct result *result = &words->result;

	if (!row->no_server) {
		take(row, result);
	} else if (fork() == 0) {
		if (is_lodger)
			lodger_personality_set(0);
		take(row, result);
		_exit(0);
	} else {
		wait(NULL);
	}
	printf("bench: %s: %.0f insn, %.2f cr3\n", row->name, result->insn,
	       result->cr3);
	fflush(stdout);
}

/* Boot options cannot have blanks: in @word, '_' stands for one. */
static bool
contains(const char *name, const char *word)
{
	for (; *name; name++) {
		size_t i = 0;

		while (word[i] && (word[i] == name[i] ||
				   (word[i] == '_' && name[i] == ' ')))
			i++;
		if (!word[i])
			return true;
	}
	return false;
}

static char **words_wanted;

static bool
wanted(const char *name)
{
	if (!*words_wanted)
		return true;
	for (char **word = words_wanted; *word; word++)
		if (contains(name, *word))
			return true;
	return false;
}

static void
run_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (wanted(rows[i].name) &&
		    (is_lodger || !rows[i].lodger_only) &&
		    (has_files || !rows[i].needs_files))
			measure(&rows[i]);
}

/* ---- Interrupts for a shootdown --------------------------------------- */

static _Atomic int *at_work; /* how many helpers have reached their CPU */

static void
pin(unsigned cpu)
{
	uint64_t mask = 1ul << cpu;

	syscall3(SYS_sched_setaffinity, 0, sizeof(mask), (long)&mask);
}

static _Atomic int next_cpu;

static void
busy_helper(void)
{
	pin(++next_cpu);
	++*at_work;
	while (!words->stop)
		__builtin_ia32_pause();
	--*at_work;
}

/* Has run here, and sleeps: the idle thread of this CPU borrows. */
static void
lazy_helper(void)
{
	pin(++next_cpu);
	++*at_work;
	while (!words->stop)
		futex_wait(&words->stop, 0);
	--*at_work;
}

/* Do CPUs 1 to @k stand on our address space without living there? */
static bool
all_lazy(unsigned k)
{
	struct lodger_mm_stat mm;
	struct lodger_cpu_stat cpu;

	lodger_mm_stat(LODGER_OWN_MM, &mm);
	for (unsigned i = 1; i <= k; i++)
		if (lodger_cpu_stat(i, &cpu) != 0 || !cpu.lazy ||
		    cpu.loaded_mm != (int64_t)mm.id)
			return false;
	return true;
}

static int helpers[64];
static unsigned nr_helpers;

static void
start_helpers(unsigned k, bool lazy)
{
	static char stacks[64][PAGE] __attribute__((aligned(16)));

	words->stop = 0;
	next_cpu = 0;
	*at_work = 0;
	for (nr_helpers = 0; nr_helpers < k; nr_helpers++)
		helpers[nr_helpers] =
			start_task(lazy ? lazy_helper : busy_helper,
				   stacks[nr_helpers + 1], THREAD);
	while (*at_work < (int)k || (lazy && !all_lazy(k)))
		sched_yield();
}

static void
stop_helpers(void)
{
	words->stop = 1;
	futex_wake(&words->stop, 64);
	while (*at_work > 0)
		sched_yield();
}

/* Interrupts sent, and spared because a CPU was lazy. A busy CPU is spared too
 * while a kernel thread runs there. */
struct ipis {
	double sent, spared;
};

/* From here, which is CPU 0: what the reaper does elsewhere is not ours. */
static struct ipis
ipis_so_far(void)
{
	struct lodger_cpu_stat cpu;

	if (lodger_cpu_stat(0, &cpu) != 0)
		return (struct ipis){ 0, 0 };
	return (struct ipis){ cpu.counts[COUNT_IPIS_TLB],
			      cpu.counts[COUNT_IPIS_SPARED] };
}

/* What munmap of one page costs the other CPUs, on average. The page's table
 * goes with it, unless the next page keeps it in use. */
static struct ipis
unmap_one_page(char *page, bool table_stays, int rounds)
{
	struct ipis sum = { 0, 0 };

	for (int i = 0; i < rounds; i++) {
		struct ipis before, after;

		mmap(page, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		*page = 1;
		if (table_stays)
			page[PAGE] = 1;
		before = ipis_so_far();
		syscall3(SYS_munmap, (long)page, PAGE, 0);
		after = ipis_so_far();
		sum.sent += after.sent - before.sent;
		sum.spared += after.spared - before.spared;
	}
	return (struct ipis){ sum.sent / rounds, sum.spared / rounds };
}

/* When the helpers are gone: no CPU but this one stands on our mm. */
static void
leave_other_cpus(void)
{
	struct lodger_task_stat task;

	for (unsigned i = 0; i < nr_helpers; i++)
		while (lodger_task_stat(helpers[i], &task) == 0)
			sched_yield();
	nr_helpers = 0;
	lodger_quiesce();
}

static void
ipi_rows(unsigned k, bool lazy, bool table_stays)
{
	enum { ROUNDS = 50 };
	char *range = map(3 * TABLE_SPAN, MAP_PRIVATE);
	char *page = range + TABLE_SPAN + TABLE_SPAN / 2;
	struct ipis first, later;
	char name[80];

	snprintf(name, sizeof(name), "munmap, table %s, %u other CPUs %s",
		 table_stays ? "stays" : "goes", k, lazy ? "lazy" : "busy");
	if (!wanted(name))
		return;
	leave_other_cpus();
	start_helpers(k, lazy);
	first = unmap_one_page(page, table_stays, 1);
	later = unmap_one_page(page, table_stays, ROUNDS);
	stop_helpers();
	munmap(range, 3 * TABLE_SPAN);
	printf("bench: %s, first: %.2f ipis, %.2f spared\n", name,
	       first.sent, first.spared);
	printf("bench: %s, then: %.2f ipis, %.2f spared\n", name,
	       later.sent, later.spared);
	fflush(stdout);
}

/* An address space that is used by 1, 2, 4 ... CPUs. */
static void
run_ipi_rows(void)
{
	for (unsigned k = 0; k < nr_cpus; k = k * 2 + 1)
		for (int i = 0; i < 4; i++)
			ipi_rows(k, i % 2, i < 2);
}

/* ---- Memory ----------------------------------------------------------- */

enum { SLEEPERS = 500 };

static void
sleeper(void)
{
	++*at_work;
	while (!words->stop)
		futex_wait(&words->stop, 0);
	--*at_work;
}

enum sleeper_kind {
	SLEEPING_THREAD,	 /* of this process */
	SLEEPING_VM_PROCESS,	 /* a process that shares our address space */
	SLEEPING_FORKED_PROCESS, /* a process with its own */
};

static void
start_sleeper(enum sleeper_kind kind, char *stack)
{
	if (kind != SLEEPING_FORKED_PROCESS) {
		start_task(sleeper, stack,
			   kind == SLEEPING_THREAD ? THREAD
						   : CLONE_VM | SIGCHLD);
	} else if (syscall0(SYS_fork) == 0) {
		sleeper();
		syscall3(SYS_exit_group, 0, 0, 0);
	}
}

static void
start_sleepers(enum sleeper_kind kind)
{
	words->stop = 0;
	*at_work = 0;
	stacks = map(SLEEPERS * SMALL_STACK, MAP_PRIVATE | MAP_POPULATE);
	for (long i = 0; i < SLEEPERS; i++)
		start_sleeper(kind, stacks + (i + 1) * SMALL_STACK);
	while (*at_work < SLEEPERS)
		sched_yield();
}

static void
stop_sleepers(void)
{
	words->stop = 1;
	futex_wake(&words->stop, SLEEPERS);
	while (*at_work > 0)
		sched_yield();
	while (wait(NULL) > 0)
		;
	munmap(stacks, SLEEPERS * SMALL_STACK);
}

/* Bytes in use by the kernel: all but the pages of programs. */
static long
kernel_bytes(void)
{
	struct lodger_sys_stat sys;

	lodger_quiesce();
	lodger_sys_stat(&sys);
	return (sys.total_frames - sys.free_frames - sys.user_frames) * PAGE;
}

static long
bytes_for_sleeper(enum sleeper_kind kind)
{
	long before = kernel_bytes(), after;

	start_sleepers(kind);
	after = kernel_bytes();
	stop_sleepers();
	return (after - before) / SLEEPERS;
}

static void
run_memory_rows(void)
{
	long thread = bytes_for_sleeper(SLEEPING_THREAD);
	long process = bytes_for_sleeper(SLEEPING_VM_PROCESS);
	long forked = bytes_for_sleeper(SLEEPING_FORKED_PROCESS);

	printf("bench: kernel memory for an idle task: %ld bytes\n", thread);
	printf("bench: kernel memory for a process: %ld bytes\n",
	       process - thread);
	printf("bench: kernel memory for an mm, its tables included: "
	       "%ld bytes\n", forked - process);
}

/* Up to this program's beginning, those before it included. */
static void
run_boot_row(void)
{
	struct lodger_task_stat me;

	lodger_task_stat(0, &me);
	printf("bench: boot: %lu insn, 0 cr3\n", (unsigned long)me.start_ns);
}

/* Until the shell, which is our child here, asks for a command. It does so over
 * a pipe, since this program has the terminal. */
static void
run_prompt_row(void)
{
	char *args[] = { "sh", "-i", NULL };
	struct lodger_sys_stat sys;
	int input[2], output[2];
	char byte = 0;
	pid_t pid;

	if (pipe(input) != 0 || pipe(output) != 0)
		die("bench: pipe");
	pid = fork();
	if (pid == 0) {
		dup2(input[0], 0);
		dup2(output[1], 1);
		execve("/bin/sh", args, environ);
		_exit(1);
	}
	while (byte != '#' && read(output[0], &byte, 1) == 1)
		;
	lodger_sys_stat(&sys);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("bench: boot to the shell's prompt: %lu insn, %lu cr3\n",
	       (unsigned long)sys.time_ns,
	       (unsigned long)sum_counter(COUNT_CR3_WRITES));
}

/* ---- An interrupt to its driver ---------------------------------------- */

/*
 * Interrupted is a program that does nothing but write down the time. The
 * driver is another process, with a better priority, and writes down the time
 * when it has acknowledged: what is between the last of the one and the one of
 * the other. The timer is the old one (an edge), set anew for each round.
 */
enum { INTERRUPTS = 200, TIMER_TICKS = 30 };

static struct {
	volatile uint64_t last, heard;
	_Atomic int ready;
} *times;

static int
drive(unsigned line, unsigned news)
{
	struct ipc ipc = { .timeout = LODGER_FOREVER };

	lodger_set_priority(0, LODGER_PRIO_FIRST);
	lodger_interrupt_bind(line, news, 1);
	times->ready = 2;
	for (;;) {
		if (ipc_wait(news, &ipc) != 0 ||
		    lodger_interrupt_ack(line) != 0)
			return 1;
		times->heard = now();
	}
}

static double
one_interrupt(void)
{
	times->heard = 0;
	lodger_port_out(LODGER_ALL_PORTS, 0x43, 1, 0x30);
	lodger_port_out(LODGER_ALL_PORTS, 0x40, 1, TIMER_TICKS);
	lodger_port_out(LODGER_ALL_PORTS, 0x40, 1, 0);
	while (!times->heard)
		times->last = now();
	return times->heard - times->last;
}

static void
run_interrupt_row(void)
{
	static double costs[INTERRUPTS];
	unsigned line = lodger_resource_narrow(LODGER_ALL_INTERRUPTS, 0, 1);
	unsigned news = lodger_notification_create();
	uint64_t writes;
	pid_t pid;

	times = map(PAGE, MAP_SHARED);
	pid = fork();
	if (pid == 0) {
		while (times->ready == 0)
			sched_yield();
		_exit(drive(1, 2));
	}
	lodger_handle_give(pid, line);
	lodger_handle_give(pid, news);
	times->ready = 1;
	while (times->ready == 1)
		sched_yield();
	one_interrupt();
	writes = sum_counter(COUNT_CR3_WRITES);
	for (int i = 0; i < INTERRUPTS; i++)
		costs[i] = one_interrupt();
	writes = sum_counter(COUNT_CR3_WRITES) - writes;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	qsort(costs, INTERRUPTS, sizeof(double), by_size);
	printf("bench: interrupt to driver and acknowledge: %.0f insn, "
	       "%.2f cr3\n", costs[INTERRUPTS / 2],
	       writes / (2.0 * INTERRUPTS)); /* there, and not back */
}

/* ---- Start ------------------------------------------------------------ */

static void
look_around(void)
{
	struct lodger_sys_stat sys;

	is_lodger = lodger_sys_stat(&sys) == 0;
	if (is_lodger)
		nr_cpus = sys.nr_cpus;
	else
		puts("bench: not Lodger: clock ticks, no CR3 counts");
	has_files = access("/dev/null", W_OK) == 0;
	pin(0); /* partners must be on the same CPU; they inherit it */
	words = map(PAGE, MAP_SHARED);
	at_work = (_Atomic int *)(words + 1);
}

int
main(int argc, char **argv)
{
	help_option(argc, argv, help);
	words_wanted = argv + (argc > 0);
	look_around();
	if (is_lodger && has_files && wanted("boot to the shell's prompt"))
		run_prompt_row();
	if (is_lodger && wanted("boot"))
		run_boot_row();
	run_rows();
	if (is_lodger && nr_cpus == 1 && wanted("interrupt to driver"))
		run_interrupt_row();
	if (is_lodger && nr_cpus > 1)
		run_ipi_rows();
	if (is_lodger && wanted("kernel memory"))
		run_memory_rows();
	return 0;
}
