/*
 * Handles and messages: the second half of kernel/abi.h, with docs/ipc.md for
 * the whole picture.
 *
 * A handle is a small number, from 1 on, with rights; all threads of a process
 * share one table of at most 4,095. fork gives the child an empty one, exec
 * keeps it. Every call that takes a handle answers
 *
 *	-EBADF   there is no handle with that number
 *	-EINVAL  it is for an object of another type
 *	-EPERM   it lacks a right
 *
 * and every call that makes one
 *
 *	-EMFILE  the table is full
 *	-ENOMEM  nothing has changed
 */
#pragma once

#include <stdint.h>

enum lodger_object_type {
	LODGER_ENDPOINT = 1,
	LODGER_REPLY,
	LODGER_NOTIFICATION,
	LODGER_MM,
	LODGER_BUILDING,
	LODGER_MEMORY,	  /* from here on: kernel/abi_objects.h */
	LODGER_PORTS,
	LODGER_INTERRUPT,
	LODGER_PROCESS,
};

enum lodger_right {
	LODGER_RIGHT_CALL = 1 << 0,	/* endpoint: call */
	LODGER_RIGHT_RECV = 1 << 1,	/* endpoint: recv, bind */
	LODGER_RIGHT_REPLY = 1 << 2,	/* reply: reply, once */
	LODGER_RIGHT_SIGNAL = 1 << 3,	/* notification: signal */
	LODGER_RIGHT_WAIT = 1 << 4,	/* notification: wait, bind */
	/* mm, building (a reply handle serves for READ and WRITE, and a
	 * reflected call's for MAP) */
	LODGER_RIGHT_READ = 1 << 5,
	LODGER_RIGHT_WRITE = 1 << 6,
	LODGER_RIGHT_MAP = 1 << 7,
	LODGER_RIGHT_STAT = 1 << 10,
	/* READ, WRITE and MAP are memory's and ports', too */
	LODGER_RIGHT_BIND = 1 << 11,	/* interrupt: bind, ack */
	LODGER_RIGHT_CONTROL = 1 << 12, /* process: give, start, signal */
	/* any object */
	LODGER_RIGHT_DUPLICATE = 1 << 8,
	LODGER_RIGHT_TRANSFER = 1 << 9, /* give, and send in a message */
};

/*
 * long handle_duplicate(unsigned handle, unsigned rights, uint64_t badge)
 *
 * A second handle for the same object, with @rights, all of which the first
 * one must have, besides LODGER_RIGHT_DUPLICATE: -EPERM. Returns its number.
 *
 * A badge other than 0 says who calls: an endpoint's receiver is told it, and
 * a notification lets such a handle raise these bits only. A handle without a
 * badge can be duplicated with any; one that has a badge keeps it: 0 or the
 * same, else -EPERM.
 */

/*
 * long handle_close(unsigned handle)
 *
 * When the last handle that may receive from an endpoint closes, calls that
 * wait there end with -EPIPE; and so on, for each kind of partner.
 */

/* long handle_stat(unsigned handle, struct lodger_handle_stat *buf) */
struct lodger_handle_stat {
	uint32_t type;	 /* enum lodger_object_type */
	uint32_t rights; /* enum lodger_right */
	uint64_t badge;	 /* 0: none */
};

/*
 * long handle_give(int pid, unsigned handle)
 *
 * Moves a handle to a child process of the caller, and returns its number
 * there. Needs LODGER_RIGHT_TRANSFER. -ESRCH: no such child, or it has ended.
 */

/*
 * long endpoint_create(void)
 *
 * A handle on a new endpoint: CALL, RECV, DUPLICATE, TRANSFER.
 */

/*
 * long notification_create(void)
 *
 * A handle on a new notification: SIGNAL, WAIT, DUPLICATE, TRANSFER.
 */

/*
 * long signal(unsigned notification, uint64_t bits)
 *
 * Ors bits into the notification, and wakes one who waits; never waits itself.
 * -EPERM: bits that the handle's badge does not have; -EPIPE: nobody can wait
 * for it any more.
 */

/*
 * long bind(unsigned notification, unsigned endpoint)
 *
 * From now on recv on the endpoint also returns when the notification has
 * bits. Needs WAIT and RECV. -EBUSY: one of the two is bound already. With
 * endpoint 0 the binding ends, as it does when the notification dies.
 */

/*
 * long set_priority(int tid, unsigned prio)
 *
 * A thread of the caller's process (0: the caller) gets a priority of its own:
 * LODGER_PRIO_FIRST to LODGER_PRIO_LAST, first is best. While it serves
 * callers it runs with the best of theirs, if that is better. -EINVAL; -ESRCH.
 */
enum {
	LODGER_PRIO_FIRST = 9,
	LODGER_PRIO_DEFAULT = 16,
	LODGER_PRIO_LAST = 30,
};

/*
 * long mm_open(void)
 *
 * A handle on the caller's own address space: READ, WRITE, MAP, STAT,
 * DUPLICATE, TRANSFER. It counts in `count`, once with all its duplicates, and
 * not in `users`: its holder can outlive everybody who lives there, and is then
 * told -ESRCH.
 *
 * long mm_create(void)
 *
 * A building handle on a new, empty address space, 1/1: READ, WRITE, MAP,
 * STAT, TRANSFER. It is that one user, so there is only one of it; closing it
 * frees the address space, mm_exec() uses it up.
 *
 * What can be done through either. Each operation holds users for itself alone;
 * -ESRCH: nobody lives there any more.
 *
 * long mm_read(unsigned handle, uint64_t addr, void *buf, size_t len)
 * long mm_write(unsigned handle, uint64_t addr, const void *buf, size_t len)
 *	As its own tasks could: -EFAULT; -ENOMEM. Returns len, or
 *	LODGER_BUFFER_MAX if that is less. With a reply handle too: the memory
 *	of the caller that waits for the answer.
 * long mm_map(unsigned handle, uint64_t addr, uint64_t len, int prot)
 *	Fresh private memory, at addr (replacing what is there), or where the
 *	kernel likes: 0. Returns where. Errors are mmap's. With PROT_GROWSDOWN
 *	(mprotect's) in @prot it is a stack, which grows.
 * long mm_unmap(unsigned handle, uint64_t addr, uint64_t len)
 * long mm_protect(unsigned handle, uint64_t addr, uint64_t len, int prot)
 * long mm_info(unsigned handle, struct lodger_mm_stat *buf)
 *	Of a zombie, too.
 *
 * long mm_exec(unsigned building, uint64_t entry, uint64_t sp,
 *		const char *name)
 *
 * The caller moves into what it has built and goes on at entry; its other
 * threads end, its handles stay. It is called @name then, cut to fit; 0: as
 * before. Returns only an error; -EINVAL: entry or sp is no user address.
 */

/*
 * Five calls use more registers than others, since a message is in registers:
 *
 *	register      in                         out
 *	rax           number                     result
 *	rdi rsi rdx   words 0, 1, 2              words 0, 1, 2
 *	r10 r8 r9     words 3, 4, 5              words 3, 4, 5
 *	rbx           handle, label << 32        recv: badge
 *	r12           struct lodger_message *    -
 *	r13           timeout                    -
 *	r14           endpoint (reply_recv)      -
 *
 * A label has 31 bits: else -EINVAL. The timeout is in nanoseconds; ~0: none;
 * 0: does not wait. With an error the words are as they were.
 *
 * call        sends a message to an endpoint and waits for the answer. Result:
 *	       the answer's label.
 * recv	       waits for a call, or for a signal if a notification is bound.
 *	       Result: label | reply handle << 32; rbx is the caller's badge. A
 *	       signal has no reply handle: word 0 is the bits; they come first,
 *	       but for a personality's events (kernel/abi_personality.h).
 * reply       answers a call, once. Result 0. The handle is used up.
 * reply_recv  both; after an error of the first half nothing is received.
 * wait	       (rbx: a notification) until it has bits: word 0, which are then
 *	       cleared. Result 0.
 *
 *	-EPIPE	    nobody can receive or answer (or call, or signal) any more
 *	-ETIMEDOUT
 *	-EINTR	    killed: only the kernel sees that
 *	-ESRCH	    reply: the caller does not wait any more; the handle is
 *		    used up
 *	-EBUSY	    reply: another thread is answering this call
 *	-EMFILE	    recv: no slot for the reply handle
 *	-EDEADLK    call: the only one who could answer waits for the caller;
 *		    recv: the process's own system calls would come here
 *
 * With a struct lodger_message more travels: up to four handles, which leave
 * the sender's table (each needs TRANSFER), and one buffer, copied straight
 * from one address space to the other.
 *
 *	-EMSGSIZE   the sender's: more than the other side has room for, or
 *		    than LODGER_BUFFER_MAX or LODGER_MESSAGE_HANDLES
 *	-EFAULT	    to the side whose memory it is; -ENOMEM likewise
 *	-EBADF, -EPERM, -EINVAL  the sender's: one of the handles
 *
 * Whoever is not at fault is not told: a call whose receiver faults waits for
 * the next one; a receiver whose caller faults waits on; a caller whose answer
 * was refused to the server waits on. A caller that cannot take its answer
 * gets the error, and the server 0.
 */
enum {
	LODGER_MESSAGE_HANDLES = 4,
	LODGER_BUFFER_MAX = 65536,
};

struct lodger_message {
	uint64_t send_buf, send_len;
	uint64_t recv_buf;
	uint64_t recv_len;  /* room; afterwards: what came */
	uint32_t nr_send;
	uint32_t nr_recv;   /* room; afterwards: what came */
	uint32_t send_handles[LODGER_MESSAGE_HANDLES];
	uint32_t recv_handles[LODGER_MESSAGE_HANDLES]; /* what came */
	uint64_t peer_room; /* after recv: how long the answer may be */
};

#define LODGER_FOREVER (~0ull)
