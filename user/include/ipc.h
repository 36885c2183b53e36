/*
 * Handles and messages, for programs. What each call promises stands in
 * kernel/abi_ipc.h; all return 0 or more, or a negative errno.
 *
 * A message of words goes in and comes out in struct ipc: the calls below are
 * inline, so that a compiler may keep all of it in registers.
 */
#pragma once

#include "user/include/lodger.h"

struct ipc {
	uint64_t words[6];
	uint64_t badge;			/* recv: the caller's */
	struct lodger_message *message; /* NULL: words alone */
	uint64_t timeout;		/* ns; LODGER_FOREVER */
};

/* What recv returns. */
static inline unsigned
ipc_reply_handle(long result)
{
	return (unsigned long)result >> 32;
}

static inline unsigned
ipc_label(long result)
{
	return (unsigned)result;
}

static inline long
ipc_syscall(long nr, uint64_t target, unsigned endpoint, struct ipc *ipc)
{
	register uint64_t r10 __asm__("r10") = ipc->words[3];
	register uint64_t r8 __asm__("r8") = ipc->words[4];
	register uint64_t r9 __asm__("r9") = ipc->words[5];
	register void *r12 __asm__("r12") = ipc->message;
	register uint64_t r13 __asm__("r13") = ipc->timeout;
	register uint64_t r14 __asm__("r14") = endpoint;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result), "+b"(target), "+D"(ipc->words[0]),
			   "+S"(ipc->words[1]), "+d"(ipc->words[2]), "+r"(r10),
			   "+r"(r8), "+r"(r9)
			 : "a"(nr), "r"(r12), "r"(r13), "r"(r14)
			 : "rcx", "r11", "memory");
	ipc->words[3] = r10;
	ipc->words[4] = r8;
	ipc->words[5] = r9;
	ipc->badge = target;
	return result;
}

static inline uint64_t
ipc_target(unsigned handle, unsigned label)
{
	return (uint64_t)label << 32 | handle;
}

/* Result: the answer's label. */
static inline long
ipc_call(unsigned endpoint, unsigned label, struct ipc *ipc)
{
	return ipc_syscall(LODGER_call, ipc_target(endpoint, label), 0, ipc);
}

/* Result: label and reply handle, see above. */
static inline long
ipc_recv(unsigned endpoint, struct ipc *ipc)
{
	return ipc_syscall(LODGER_recv, endpoint, 0, ipc);
}

static inline long
ipc_reply(unsigned reply, unsigned label, struct ipc *ipc)
{
	return ipc_syscall(LODGER_reply, ipc_target(reply, label), 0, ipc);
}

static inline long
ipc_reply_recv(unsigned reply, unsigned label, unsigned endpoint,
	       struct ipc *ipc)
{
	return ipc_syscall(LODGER_reply_recv, ipc_target(reply, label),
			   endpoint, ipc);
}

/* Bits, in words[0], which are then cleared. */
static inline long
ipc_wait(unsigned notification, struct ipc *ipc)
{
	return ipc_syscall(LODGER_wait, notification, 0, ipc);
}

long lodger_handle_duplicate(unsigned handle, unsigned rights, uint64_t badge);
long lodger_handle_close(unsigned handle);
long lodger_handle_stat(unsigned handle, struct lodger_handle_stat *buf);
long lodger_handle_give(int pid, unsigned handle);
long lodger_endpoint_create(void);
long lodger_notification_create(void);
long lodger_signal(unsigned notification, uint64_t bits);
long lodger_bind(unsigned notification, unsigned endpoint);
long lodger_set_priority(int tid, unsigned prio);

long lodger_mm_open(void);
long lodger_mm_create(void);
long lodger_mm_read(unsigned handle, uint64_t addr, void *buf, size_t len);
long lodger_mm_write(unsigned handle, uint64_t addr, const void *buf,
		     size_t len);
long lodger_mm_map(unsigned handle, uint64_t addr, uint64_t len, int prot);
long lodger_mm_unmap(unsigned handle, uint64_t addr, uint64_t len);
long lodger_mm_protect(unsigned handle, uint64_t addr, uint64_t len, int prot);
long lodger_mm_info(unsigned handle, struct lodger_mm_stat *buf);
/* @name: what the caller is called then; NULL: as before. */
long lodger_mm_exec(unsigned building, uint64_t entry, uint64_t sp,
		    const char *name);

long lodger_personality_set(unsigned endpoint);
long lodger_personality_signal(unsigned endpoint, enum lodger_whom whom,
			       int number, int signal, int from);
