/*
 * Trace records: kept only while a schedule is replayed for a report, but always
 * asked for, since the kernel reads memory for them: a schedule is to mean the
 * same. There is no clock, so records are a microsecond apart.
 */
#include "kernel/trace.h"
#include "arch/sim/sim.h"
#include "mm/mm.h"

enum { MAX_RECORDS = 65536 };

bool trace_on = true;

static struct trace_record records[MAX_RECORDS];
static unsigned nr_records;

void
trace_restart(void)
{
	nr_records = 0;
}

const struct trace_record *
sim_trace(unsigned *n)
{
	*n = nr_records;
	return records;
}

void
trace_add(enum trace_op op, u64 mm_id, int users, int count, u64 extra,
	  u64 caller)
{
	struct trace_record *record = &records[nr_records];

	if (!explore_recording || nr_records == MAX_RECORDS)
		return;
	*record = (struct trace_record){
		.seq = ++nr_records,
		.time_ns = nr_records * 1000ul,
		.caller = caller,
		.extra = extra,
		.mm_id = (u32)mm_id,
		.users = (s16)users,
		.count = (s16)count,
		.tid = (u32)current->tid,
		.cpu = (u8)sim_cpu_id(),
		.op = (u8)op,
	};
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
