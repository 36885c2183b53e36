/*
 * Trace records: one for every switch, CR3 write, counter change, IPI and
 * exit, in a ring per CPU. 48 bytes each; the newest are kept. Debug builds
 * record from the start, release builds when asked ("trace", trace_control).
 * This header is the format; tools read it too.
 */
#pragma once

#include "kernel/base/atomic.h"

struct mm;

enum trace_op {
	TRACE_NONE,
	TRACE_SWITCH,	/* extra: tid of the next task */
	TRACE_CR3,	/* mm: the one loaded; extra: root */
	TRACE_LAZY,	/* CPU became lazy on mm */
	TRACE_MMGET,	/* users + 1; extra: enum mm_ref */
	TRACE_MMPUT,	/* users - 1; extra: enum mm_ref */
	TRACE_MMGRAB,	/* count + 1; extra: enum mm_ref */
	TRACE_MMDROP,	/* count - 1; extra: enum mm_ref */
	TRACE_HANDOVER, /* a borrow changed hands; extra: new holder's tid */
	TRACE_PARK,	/* a borrow parked in prev_mm */
	TRACE_TEARDOWN, /* contents gone; extra: pages freed */
	TRACE_FREE,	/* struct and root gone */
	TRACE_IPI,	/* extra: target CPU, kind << 8 */
	TRACE_FLUSH,	/* extra: first address of the range, ~0: all */
	TRACE_FORK,	/* extra: tid of the child */
	TRACE_EXEC,	/* mm: the new one */
	TRACE_EXIT,	/* extra: status */
	TRACE_USER,	/* a program's own mark; extra: its value */
	NR_TRACE_OPS,
};

struct trace_record {
	u64 seq;	/* global order, from 1; 0: empty, or being written */
	u64 time_ns;
	u64 caller;	/* address of the code responsible */
	u64 extra;
	u32 mm_id;	/* low 32 bits; 0 is init_mm */
	s16 users, count; /* after the operation */
	u32 tid;
	u8 cpu;
	u8 op;		/* enum trace_op */
	u16 unused;
};

enum { TRACE_RING_RECORDS = 2048 }; /* a CPU; a power of two */

/* cpu->trace points at it. */
struct trace_ring {
	u64 next; /* slots ever taken; modulo the size: the next one */
	struct trace_record records[TRACE_RING_RECORDS];
};

/* Gives this CPU its ring; until then, and when there is no memory for it,
 * nothing is recorded here. Once on each CPU, when it has a current task and
 * frames_init() has run. */
void trace_init_cpu(void);

extern bool trace_on; /* changed by trace_enable() */

/* What the two below do when recording is on. */
void trace_mm(enum trace_op op, const struct mm *mm, u64 extra, u64 caller);
void trace_add(enum trace_op op, u64 mm_id, int users, int count, u64 extra,
	       u64 caller);

/*
 * Adds a record to this CPU's ring. Any context. @mm may be NULL; its counters
 * are read here, so the caller must keep it from being freed.
 *
 * A macro: while nothing is recorded, no argument is computed.
 */
#define trace(op, mm, extra, caller)                    \
	do {                                            \
		if (READ_ONCE(trace_on))                \
			trace_mm(op, mm, extra, caller); \
	} while (0)

/* The same with the counters as the caller saw them: for one that has just
 * given its reference back, and may not look at the mm any more. */
#define trace_counts(op, mm_id, users, count, extra, caller)                 \
	do {                                                                 \
		if (READ_ONCE(trace_on))                                     \
			trace_add(op, mm_id, users, count, extra, caller);   \
	} while (0)

/* Stops or continues recording, on all CPUs. */
void trace_enable(bool on);
/* Prints the newest @max records of all CPUs, oldest first, one line each. */
void trace_dump(unsigned max);
const char *trace_op_name(enum trace_op op);
