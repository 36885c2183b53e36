/*
 * I1 to I12: what must be true of all address spaces, tasks and CPUs whenever
 * no CPU is inside a marked transition. Debug builds only.
 */
#pragma once

#include "kernel/base/types.h"

/* Stops the world at a moment when no transition is open, checks everything,
 * and goes on; panics with the rule in words and the ledger when one does not
 * hold. May sleep. */
void check_invariants(void);

/* The checks alone: the caller knows that nothing moves. */
void check_world(void);

/* J1 to J5: handles and waits, kernel/debug/ipc_invariants.c. The same. */
void check_ipc(void);

/* K1 to K4: signals, kernel/debug/signal_invariants.c. The same. */
void check_signals(void);

/* A thread that checks every "invariants=" milliseconds. */
void invariants_start(void);

#ifndef CONFIG_DEBUG
#define check_invariants() debug_only(check_invariants())
#define invariants_start() debug_only(invariants_start())
#endif
