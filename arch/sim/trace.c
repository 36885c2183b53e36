/*
 * kernel/trace.h for the simulator. Nothing here is explored: a record is no
 * step, so that a replay with records takes the same steps as the run without.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/sim/image.h"
#include "arch/sim/trace.h"
#include "arch/sim/words.h"
#include "kernel/base/cpu.h"
#include "mm/mm.h"
#include "sched/task.h"

extern bool explore_recording;	/* arch/sim/explore.h */

bool trace_on = true;

static struct sim_record *records;
static size_t length, room;
static unsigned step;

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

/* ---- Recording --------------------------------------------------------- */

static struct sim_record *
record_add(void)
{
	if (length == room) {
		room = room ? 2 * room : 256;
		records = realloc(records, room * sizeof(*records));
		if (!records)
			abort();
	}
	memset(&records[length], 0, sizeof(*records));
	return &records[length++];
}

void
trace_add(enum trace_op op, u64 mm_id, int users, int count, u64 extra,
	  u64 caller)
{
	struct sim_record *added;
	struct trace_record *record;

	if (!explore_recording)
		return;
	added = record_add();
	if (mm_id || users || count)
		mm_name(mm_id, added->mm);
	record = &added->record;
	record->seq = length;
	record->time_ns = step * 1000ul;
	record->caller = caller;
	record->extra = extra;
	record->mm_id = (u32)mm_id;
	record->users = (s16)users;
	record->count = (s16)count;
	record->tid = (u32)current->tid;
	record->cpu = (u8)this_cpu()->id;
	record->op = op;
}

void
trace_mm(enum trace_op op, const struct mm *mm, u64 extra, u64 caller)
{
	if (mm)
		trace_add(op, mm->id, mm->users.value, mm->count.value, extra,
			  caller);
	else
		trace_add(op, 0, 0, 0, extra, caller);
}

void
trace_enable(bool on)
{
	trace_on = on;
}

const char *
trace_op_name(enum trace_op op)
{
	return (unsigned)op < NR_TRACE_OPS ? op_names[op] : "?";
}

/* ---- For the report ---------------------------------------------------- */

void
sim_trace_clear(void)
{
	length = 0;
	step = 0;
}

void
sim_trace_step(unsigned number)
{
	step = number;
}

size_t
sim_trace_length(void)
{
	return length;
}

const struct sim_record *
sim_trace_record(size_t index)
{
	return &records[index];
}

void
sim_trace_extra(const struct trace_record *record, char *buf, size_t size)
{
	switch (record->op) {
	case TRACE_MMGET:
	case TRACE_MMPUT:
	case TRACE_MMGRAB:
	case TRACE_MMDROP:
		snprintf(buf, size, "%s", mm_ref_name(record->extra));
		break;
	case TRACE_CR3:
	case TRACE_FLUSH:
	case TRACE_IPI:
		snprintf(buf, size, "%#lx", record->extra);
		break;
	default:
		snprintf(buf, size, "%ld", (long)record->extra);
	}
}

static void
write_record(FILE *out, const struct trace_record *record)
{
	char counters[16], extra[24], caller[64];
	u64 us = record->time_ns / 1000;

	snprintf(counters, sizeof(counters), "%d/%d", record->users,
		 record->count);
	sim_trace_extra(record, extra, sizeof(extra));
	function_name(record->caller, caller, sizeof(caller));
	fprintf(out, "%8lu %5lu.%06lu %3u %5u %-8s %4u %5s %-18s %s\n",
		record->seq, us / 1000000, us % 1000000, record->cpu,
		record->tid, trace_op_name(record->op), record->mm_id, counters,
		extra, caller);
}

int
sim_trace_write(const char *path)
{
	FILE *out = fopen(path, "w");

	if (!out)
		return -1;
	fprintf(out, "     seq         time cpu  task op         mm   U/C "
		     "extra              caller\n");
	for (size_t i = 0; i < length; i++)
		write_record(out, &records[i].record);
	return fclose(out);
}
