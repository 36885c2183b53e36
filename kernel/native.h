/* Lodger's own system calls; kernel/abi.h says what each one promises. */
#pragma once

#include "kernel/base/types.h"

typedef long (*native_t)(u64, u64, u64, u64, u64, u64);

/* The call with @number, or NULL. */
native_t native_call(u64 number);

/* ---- kernel/mm_stat.c --------------------------------------------------- */

/* What mm_stat() tells of @mm, on which the caller has a pin of its own. Takes
 * mm->lock. */
struct mm;
long stat_pinned_mm(struct mm *mm, uaddr_t buf);
long native_mm_stat(u64 id, uaddr_t buf);

/* ---- Debug builds: kernel/debug/native.c ------------------------------- */

/* At the end of system call @number: withdraws the failure that the caller
 * asked for, unless this was the call that asked. */
void end_injection(u64 number);

#ifdef CONFIG_DEBUG
long native_fail(int class, unsigned nth);
long native_fail_happened(void);
long native_check_invariants(void);
#else
#define end_injection(number)	debug_only(end_injection(number))
#define native_fail		NULL
#define native_fail_happened	NULL
#define native_check_invariants NULL
#endif
