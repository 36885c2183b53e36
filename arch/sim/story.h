/*
 * A schedule told: run once more with every step written down, then printed
 * as a table, one line a step. Most of the hundreds of steps do not matter;
 * those are counted, not shown, unless all are asked for.
 */
#pragma once

#include "arch/sim/explore.h"

/* Runs @schedule again and writes it down; how it ended is in *@result. */
void story_record(const struct world *world,
		  const struct explore_options *options, const char *schedule,
		  struct explore_result *result);

/* Prints what was written down; @all: every single step. */
void story_print(bool all);
