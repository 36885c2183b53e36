/*
 * The trace of one execution: what kernel/trace.h's calls record while the
 * explorer replays a schedule. At any other time nothing is recorded.
 */
#pragma once

#include "kernel/trace.h"

struct sim_record {
	struct trace_record record;	/* time_ns: the step's number, in us */
	char mm[16];			/* its name, "" when there is no mm */
};

void sim_trace_clear(void);
/* What is recorded from now on belongs to step @number. */
void sim_trace_step(unsigned number);
size_t sim_trace_length(void);
const struct sim_record *sim_trace_record(size_t index);

/* Writes all records as trace_dump() prints them, for the tools that draw
 * them. 0, or -1: the file cannot be written. */
int sim_trace_write(const char *path);

/* What a record's extra says; "" where there is nothing to say. */
void sim_trace_extra(const struct trace_record *record, char *buf, size_t size);
