/* What the explorer prints for people. */
#pragma once

#include "arch/sim/explore.h"

/* One scenario, explored. */
struct outcome {
	const char *name, *about;
	struct explore_options options;
	struct explore_result result;
	double rate;		/* complete executions a second; 0: not known */
};

/* "VIOLATION" and so on. */
const char *verdict_name(enum verdict_code code);

/* One line for each scenario, under one heading. What a scenario is about is
 * cut off where the terminal ends. */
void report_heading(unsigned longest_name);
void report_row(const struct outcome *outcome);

/* All that is known of a failure. Runs the schedule again. @program: how to
 * call it. @all_steps: print every step, not only those that matter. @trace:
 * the file for the trace. */
void report_failure(const struct outcome *outcome, const struct world *world,
		    const char *program, bool all_steps, const char *trace);

/* A schedule that was given and ends well: its story, and the trace. */
void report_replay(const struct outcome *outcome, const struct world *world,
		   bool all_steps, const char *trace);

/* What all scenarios together come to. */
struct total {
	enum verdict_code code;	/* the worst; by the caller of total_add() */
	unsigned scenarios, failed, limited;
	u64 interleavings, cut, states, accesses;
	double seconds;		/* of the processors; all added up */
	double s5_per_second;	/* executions of the scenario S5; 0: not run */
};
void total_add(struct total *total, const struct outcome *outcome);
void report_total(const struct total *total, double elapsed);
