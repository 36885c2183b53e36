/* The world of the small programs: known_world.c. */
#pragma once

#include "tests/explore/known.h"

/* The world in which @program runs; one at a time. */
const struct world *program_world(const struct program *program, bool tso);
