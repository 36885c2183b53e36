/*
 * The ledger: who holds each reference on an address space, and why. Debug
 * builds keep it, so that a wrong total names its culprit; release builds
 * have none.
 *
 * Linux has no such thing. Its nearest kin is lib/ref_tracker.c.
 */
#pragma once

#include "kernel/base/types.h"

struct mm;

enum mm_ref {
	/* on users */
	REF_TASK,     /* holder: a task whose mm it is */
	REF_GET,      /* holder: a task, for one operation (mmget_not_zero) */
	REF_BUILDING, /* holder: who builds a new mm, before exec or start */
	/* on count */
	REF_USERS,    /* holder: the mm: one for all users together */
	REF_STATIC,   /* holder: init_mm, for ever */
	REF_BORROW,   /* holder: a lazy task, whose active_mm it is */
	REF_PARKED,   /* holder: a CPU, until its finish step */
	REF_ADOPTED,  /* holder: a kernel thread between use and unuse */
	REF_PIN,      /* holder: an outsider that keeps the struct */
	NR_MM_REFS,
};

/* "task", "borrow": as in the names above. */
static inline const char *
mm_ref_name(enum mm_ref why)
{
	static const char *const names[NR_MM_REFS] = {
		[REF_TASK] = "task",	   [REF_GET] = "get",
		[REF_BUILDING] = "building", [REF_USERS] = "users",
		[REF_STATIC] = "static",   [REF_BORROW] = "borrow",
		[REF_PARKED] = "parked",   [REF_ADOPTED] = "adopted",
		[REF_PIN] = "pin",
	};

	return (unsigned)why < NR_MM_REFS ? names[why] : "?";
}

/* How many bytes it wants on a machine with @memory bytes: enough for all the
 * references that so much memory has holders for. */
size_t ledger_size(u64 memory);
/* Before the first reference: @size bytes to keep it in, zeroed. Panics when
 * they are used up. */
void ledger_boot(void *memory, size_t size);
/* A new mm: nobody holds anything yet. */
void ledger_init(struct mm *mm);
/* @caller: address of the code that changed the counter. */
void ledger_add(struct mm *mm, enum mm_ref why, const void *holder, u64 caller);
/* Panics, with the ledger, when there is no such entry: dropped twice. */
void ledger_remove(struct mm *mm, enum mm_ref why, const void *holder,
		   u64 caller);
/* A reference changes hands with no counter operation. */
void ledger_move(struct mm *mm, enum mm_ref why, const void *holder,
		 enum mm_ref new_why, const void *new_holder, u64 caller);
unsigned ledger_count(const struct mm *mm, enum mm_ref why);
/* The struct is about to be freed: panics when a reference is left. */
void ledger_close(struct mm *mm, u64 caller);
/* Prints every reference now held: who, which CPU, why, from where. */
void ledger_print(const struct mm *mm);

#ifndef CONFIG_DEBUG
#define ledger_size(...) debug_only(ledger_size(__VA_ARGS__))
#define ledger_boot(...) debug_only(ledger_boot(__VA_ARGS__))
#define ledger_init(...) debug_only(ledger_init(__VA_ARGS__))
#define ledger_add(...) debug_only(ledger_add(__VA_ARGS__))
#define ledger_remove(...) debug_only(ledger_remove(__VA_ARGS__))
#define ledger_move(...) debug_only(ledger_move(__VA_ARGS__))
#define ledger_close(...) debug_only(ledger_close(__VA_ARGS__))
#define ledger_print(...) debug_only(ledger_print(__VA_ARGS__))
#endif
