/* One look at the machine: all that is shown and compared was the kernel's
 * word a moment ago. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "actors.h"
#include "user/include/lodger.h"

enum { MAX_ROWS = 4, MAX_SHOWN_CPUS = 8, NAME_LEN = 24 };

/* The two counters of an address space. 0/0: the kernel knows it no more. */
struct counters {
	const char *space;
	int users, count;
};

struct stands {
	const char *runs, *root;
};

/* What a step must lead to; NULL: anything. */
struct expected {
	struct stands left, right;
	struct counters rows[MAX_ROWS]; /* up to the first without a name */
};

struct picture {
	struct {
		int users, count;
		bool torn_down;
		uint64_t resident;
	} spaces[MAX_ROWS]; /* in the order of the rows */
	struct {
		char runs[NAME_LEN];
		char root[NAME_LEN];
		char borrows[NAME_LEN]; /* "-": lives in its own */
		uint64_t cr3_writes;	/* since the CPU started */
		uint64_t cr3_new;	/* since the step before */
	} cpus[MAX_SHOWN_CPUS];
};

extern unsigned nr_cpus; /* how many are shown */

void pictures_init(void);

/* Calls the address space in which @who lives, or one with this id, @name. */
void observe(const char *name, enum who who);
void name_space(uint64_t id, const char *name);
uint64_t space_of(enum who who);
/* The names of everything but init_mm and the observer's own are free again. */
void forget_spaces(void);

void look(const struct counters *rows, struct picture *picture);
bool as_expected(const struct picture *seen, const struct expected *want);
/* @expected NULL: anything. */
bool is(const char *expected, const char *seen);

/* What happened on @cpu since the last mark(). */
void mark(void);
uint64_t since(unsigned cpu, enum cpu_counter which);

uint64_t free_frames(void);
uint64_t user_frames(void); /* in use by programs */
long nr_spaces_alive(void);
