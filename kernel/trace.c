/*
 * Trace rings. A record costs some seventy instructions: one slot of this
 * CPU's ring, one global number, eight stores.
 *
 * An interrupt may come between the steps and trace on its own: each has its
 * own slot, since a slot is taken in one instruction.
 */
#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/symbols.h"
#include "kernel/trace.h"
#include "mm/mm.h"
#include "sched/task.h"

enum { RING_ORDER = 5 };

STATIC_ASSERT(sizeof(struct trace_ring) <= PAGE_SIZE << RING_ORDER,
	      "a ring fits the pages taken for it");
STATIC_ASSERT((TRACE_RING_RECORDS & (TRACE_RING_RECORDS - 1)) == 0,
	      "slots are found by masking");

static u64 last_seq; /* of all CPUs */
#ifdef CONFIG_DEBUG
bool trace_on = true;
#else
bool trace_on;
#endif

static const char *const op_names[NR_TRACE_OPS] = {
	[TRACE_NONE] = "none",	       [TRACE_SWITCH] = "switch",
	[TRACE_CR3] = "cr3",	       [TRACE_LAZY] = "lazy",
	[TRACE_MMGET] = "mmget",       [TRACE_MMPUT] = "mmput",
	[TRACE_MMGRAB] = "mmgrab",     [TRACE_MMDROP] = "mmdrop",
	[TRACE_HANDOVER] = "handover", [TRACE_PARK] = "park",
	[TRACE_TEARDOWN] = "teardown", [TRACE_FREE] = "free",
	[TRACE_IPI] = "ipi",	       [TRACE_FLUSH] = "flush",
	[TRACE_FORK] = "fork",	       [TRACE_EXEC] = "exec",
	[TRACE_EXIT] = "exit",	       [TRACE_USER] = "user",
};

void
trace_init_cpu(void)
{
	struct page *page = alloc_pages(RING_ORDER, ALLOC_KERNEL);
	struct trace_ring *ring;

	ASSERT(current && !this_cpu()->trace);
	if (!page) {
		pr_warn("no memory for the trace of cpu%u", this_cpu()->id);
		return;
	}
	ring = page_address(page);
	memset(ring, 0, sizeof(*ring));
	this_cpu()->trace = ring;
}

void
trace_add(enum trace_op op, u64 mm_id, int users, int count, u64 extra,
	  u64 caller)
{
	struct cpu *cpu = this_cpu();
	struct trace_ring *ring = cpu->trace;
	struct trace_record *record;
	u64 now, slot, seq;

	if (unlikely(!ring))
		return;
	now = arch_time_ns();
	slot = __atomic_fetch_add(&ring->next, 1, __ATOMIC_RELAXED);
	seq = __atomic_add_fetch(&last_seq, 1, __ATOMIC_RELAXED);
	record = &ring->records[slot % TRACE_RING_RECORDS];

	/* Readers on other CPUs skip it until seq is back: read_record(). */
	WRITE_ONCE(record->seq, 0);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	record->time_ns = now;
	record->caller = caller;
	record->extra = extra;
	record->mm_id = mm_id;
	record->users = users;
	record->count = count;
	record->tid = cpu->curr->tid;
	record->cpu = cpu->id;
	record->op = op;
	store_release(&record->seq, seq);
}

void
trace_mm(enum trace_op op, const struct mm *mm, u64 extra, u64 caller)
{
	if (mm)
		trace_add(op, mm->id, mm_users(mm), mm_count(mm), extra,
			  caller);
	else
		trace_add(op, 0, 0, 0, extra, caller);
}

void
trace_enable(bool on)
{
	WRITE_ONCE(trace_on, on);
}

const char *
trace_op_name(enum trace_op op)
{
	return (unsigned)op < NR_TRACE_OPS ? op_names[op] : "?";
}

/* ---- Printing --------------------------------------------------------- */

/* What is left to print of one ring: slots [next, end). */
struct cursor {
	const struct trace_ring *ring;
	u64 next, end;
};

/* Copies slot @slot; false when it is empty or changes under our hands. */
static bool
read_record(const struct trace_ring *ring, u64 slot, struct trace_record *copy)
{
	const struct trace_record *record =
		&ring->records[slot % TRACE_RING_RECORDS];
	u64 seq = load_acquire(&record->seq);

	*copy = *record;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return seq != 0 && READ_ONCE(record->seq) == seq;
}

/* Returns how many rings there are. */
static unsigned
cursors_open(struct cursor *cursors)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MAX_CPUS; i++) {
		const struct trace_ring *ring = cpus[i].trace;
		u64 end = ring ? READ_ONCE(ring->next) : 0;
		u64 kept = MIN(end, (u64)TRACE_RING_RECORDS);

		if (ring)
			cursors[n++] = (struct cursor){ ring, end - kept, end };
	}
	return n;
}

/* Moves on to the first readable record numbered @first or later; false: there
 * is none. */
static bool
settle(struct cursor *cursor, u64 first, struct trace_record *record)
{
	for (; cursor->next < cursor->end; cursor->next++)
		if (read_record(cursor->ring, cursor->next, record) &&
		    record->seq >= first)
			return true;
	return false;
}

/* Takes the oldest record of all rings; false: all are at their end. */
static bool
take_oldest(struct cursor *cursors, unsigned n, u64 first,
	    struct trace_record *oldest)
{
	struct cursor *found = NULL;
	struct trace_record record;

	for (unsigned i = 0; i < n; i++) {
		if (!settle(&cursors[i], first, &record) ||
		    (found && record.seq > oldest->seq))
			continue;
		found = &cursors[i];
		*oldest = record;
	}
	if (found)
		found->next++;
	return found != NULL;
}

static void
format_extra(char *buf, size_t size, const struct trace_record *record)
{
	switch (record->op) {
	case TRACE_MMGET:
	case TRACE_MMPUT:
	case TRACE_MMGRAB:
	case TRACE_MMDROP:
		strscpy(buf, mm_ref_name(record->extra), size);
		break;
	case TRACE_CR3:
	case TRACE_FLUSH:
	case TRACE_IPI:
		snprintf(buf, size, "%#lx", record->extra);
		break;
	default:
		snprintf(buf, size, "%ld", (s64)record->extra);
	}
}

static void
print_record(const struct trace_record *record)
{
	u64 us = record->time_ns / 1000;
	char counters[16], extra[24], caller[SYMBOL_LEN];

	snprintf(counters, sizeof(counters), "%d/%d", record->users,
		 record->count);
	format_extra(extra, sizeof(extra), record);
	symbol_format_caller(caller, sizeof(caller), record->caller);
	printk(LOG_INFO, "%8lu %5lu.%06lu %3u %5u %-8s %4u %5s %-18s %s",
	       record->seq, us / 1000000, us % 1000000, record->cpu,
	       record->tid, trace_op_name(record->op), record->mm_id, counters,
	       extra, caller);
}

void
trace_dump(unsigned max)
{
	u64 last = READ_ONCE(last_seq);
	u64 first = last > max ? last - max + 1 : 1;
	struct cursor cursors[MAX_CPUS]; /* 1.5 KiB */
	unsigned n = cursors_open(cursors);
	struct trace_record record;

	printk(LOG_INFO, "     seq         time cpu  task op         mm   U/C "
			 "extra              caller");
	while (take_oldest(cursors, n, first, &record))
		print_record(&record);
}
