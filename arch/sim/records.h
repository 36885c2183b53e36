/* Trace records as text: for the report of a failure, and for the tools. */
#pragma once

#include "kernel/trace.h"

/* Writes all records of the replay as trace_dump() prints them, for the tools
 * that draw them. 0, or -1: the file cannot be written. */
int records_write(const char *path);
