/*
 * Trace records as text. The kernel's own kernel/trace.c has the same format,
 * for its log.
 */
#include <stdio.h>

#include "arch/sim/image.h"
#include "arch/sim/machine.h"
#include "arch/sim/records.h"
#include "mm/ledger.h"

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

const char *
trace_op_name(enum trace_op op)
{
	return (unsigned)op < NR_TRACE_OPS ? op_names[op] : "?";
}

static void
format_extra(const struct trace_record *record, char *buf, size_t size)
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
	format_extra(record, extra, sizeof(extra));
	function_name(record->caller, caller, sizeof(caller));
	fprintf(out, "%8lu %5lu.%06lu %3u %5u %-8s %4u %5s %-18s %s\n",
		record->seq, us / 1000000, us % 1000000, record->cpu,
		record->tid, trace_op_name(record->op), record->mm_id, counters,
		extra, caller);
}

int
records_write(const char *path)
{
	unsigned n;
	const struct trace_record *records = sim_trace(&n);
	FILE *out = fopen(path, "w");

	if (!out)
		return -1;
	fprintf(out, "     seq         time cpu  task op         mm   U/C "
		     "extra              caller\n");
	for (unsigned i = 0; i < n; i++)
		write_record(out, &records[i]);
	return fclose(out);
}
