/*
 * Rendezvous for demonstrations and tests: a task that comes by an armed point
 * on a CPU stops there until it is let go. kernel/abi.h, hold(), says which
 * points there are and what is promised.
 */
#pragma once

#include "kernel/abi.h"

void hold_point(enum lodger_hold_point point);
