/*
 * Programs as data: short lists of instructions for each agent, that can be
 * run under the explorer (known_code.c) and by an oracle that shares no code
 * with it (known_oracle.c).
 */
#pragma once

#include "tests/explore/known.h"

enum { CODE_AGENTS = 3, CODE_LENGTH = 12, CODE_WORDS = 3, CODE_LOCKS = 2 };

enum instr_kind {
	READ,		/* last = word */
	WRITE,		/* word = value */
	WRITE_MORE,	/* word = last + value */
	ADD,		/* last = word, word += value: in one step */
	ADD_BOTH,	/* last = word; word += value, the next word too */
	LOCK,
	UNLOCK,
	CHOOSE,		/* last = 0 .. value - 1 */
	FENCE,
	IRQS_OFF,
	IRQS_ON,
	DELIVER,	/* the first of an interrupt's handler */
};

struct instr {
	u8 kind, word, value;
};

struct code {
	unsigned agents;
	unsigned length[CODE_AGENTS];
	struct instr instr[CODE_AGENTS][CODE_LENGTH];
	bool interrupt;	/* agent 1 is an interrupt of agent 0; comes once */
};

/* For people: "READ w0, ADD w1 2 | LOCK l0". */
const char *code_text(const struct code *code);

/* ---- States at the end ----------------------------------------------------- */

/* Of each agent: what it saw last, all that it saw, and where it stands. */
struct view {
	u64 last, seen, at;
};

void view_add(struct view *view, u64 value);
/* One number for a state, never 0. */
u64 outcome_of(const u64 *words, const struct view *views);
u64 view_number(unsigned agent, const struct view *view);

/* A set of such numbers, that searches in processes of their own can fill. */
struct set {
	u64 nr, capacity;
	u64 slot[];
};

struct set *set_make(u64 capacity);
void set_clear(struct set *set);
/* False: it was there already. */
bool set_add(struct set *set, u64 number);
/* A number that @set has and @other has not, or 0. */
u64 set_missing(const struct set *set, const struct set *other);

/* ---- Running it ------------------------------------------------------------ */

/* @code as a program; one at a time. The states at its ends are added to
 * @outcomes, if not NULL. @forbidden, if not 0, is an outcome or a view that
 * is a violation. */
struct program code_program(const struct code *code, struct set *outcomes,
			    u64 forbidden);

/* The number of executions that @code needs is @expected. */
void check_count(const struct code *code, const struct explore_options *options,
		 u64 expected, const char *file, int line);
#define CHECK_COUNT(code, options, expected) \
	check_count(code, options, expected, __FILE__, __LINE__)

/* ---- The oracle ------------------------------------------------------------ */

struct counts {
	u64 interleavings;	/* with at most the given preemptions */
	u64 traces;		/* classes of equal order of dependent ones */
};

enum { ANY_PREEMPTIONS = 1000 };
struct counts oracle_counts(const struct code *code, unsigned preemptions);
/* All interleavings when each store waits in its CPU's buffer for a step of its
 * own. */
u64 oracle_buffered(const struct code *code);
/* All states in which @code can end, and the agents' views then. */
void oracle_outcomes(const struct code *code, bool tso, struct set *outcomes,
		     struct set *views);
