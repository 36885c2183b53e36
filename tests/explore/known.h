/*
 * Known answers: small programs whose behaviour is known beforehand, to test
 * the explorer with. A program is a few functions in ordinary C, its agents;
 * the files with programs are compiled with -fsanitize=thread. Their variables
 * are marked SHARED: that is all the memory that the explorer looks at, and
 * it has its initial value again in each execution.
 *
 * Each test runs in a process of its own, and each search in a child of that:
 * a crash is one FAILED line, and the engine's static data is fresh. Each
 * failure that the explorer finds is replayed twice, where it was found, by an
 * engine that has just searched, and in another child: it must take as many
 * preemptions and say the same sentence, and both replays as many steps.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/sim/explore.h"

/* ---- Programs -------------------------------------------------------------- */

/* A word of its own, since the explorer thinks in words of 8 bytes. */
#define SHARED __attribute__((section("shared"), aligned(8)))

enum { MAX_BODIES = 4 };

struct program {
	void (*body[MAX_BODIES])(void);
	/* When all have come to their end: may call explore_fail(). */
	void (*check)(void);
	/* At each end, also when some cannot go on; then that is no deadlock. */
	void (*collect)(void);
	/* times != 0: this body is an interrupt's handler, and comes @times
	 * times whenever body[host] has interrupts on. */
	struct {
		unsigned char host, times;
	} interrupt[MAX_BODIES];
};

/* For bodies. */
void lock(u64 *word);
void unlock(u64 *word);
void interrupts_off(void);
void interrupts_on(void);

/* Ordinary loads and stores of a CPU, but never left out by the compiler. */
#define load(p)     __atomic_load_n(p, __ATOMIC_RELAXED)
#define store(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define fence()     __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* ---- Searches -------------------------------------------------------------- */

#define EXHAUSTIVE .strategy = SEARCH_EXHAUSTIVE
#define BOUNDED(n) .strategy = SEARCH_BOUNDED, .bound = (n)
#define REDUCED    .reduce = true
#define TSO        .tso = true
#define WITH(...)   (&(struct explore_options){ __VA_ARGS__ })

/* In a process of its own. The result is valid until the next search. */
const struct explore_result *
explore_program(const struct program *program,
		const struct explore_options *options);
extern const char *const code_names[]; /* of verdicts */
/* Memory, all 0, that those processes share with the test's. */
void *memory_of_all(size_t size);
/* Fails the test unless the search ends with @code, and with a sentence that
 * contains @text; replays a failure. What it returns is valid until the next
 * call. */
const struct explore_result *
expect(const struct program *program, const struct explore_options *options,
       enum verdict_code code, const char *text);
/* The same, but it may find nothing, or any failure. True: one was found. */
bool replays_what_it_finds(const struct program *program,
			   const struct explore_options *options);
/* The same with and without reduction, exhaustively and bounded, under one
 * memory model, or under both. */
void expect_under(bool tso, const struct program *program,
		  enum verdict_code code, const char *text);
void expect_always(const struct program *program, enum verdict_code code,
		   const char *text);
/* For people: "bounded(2) unreduced". */
const char *search_name(const struct explore_options *options);
/* The number of executions of a search, which must end well and completely. */
u64 executions(const struct program *program,
	       const struct explore_options *options);

/* ---- Tests ----------------------------------------------------------------- */

/* @name is a sentence about behaviour. */
void test(const char *name, void (*fn)(void));
/* Ends the running test as failed. */
void fail_test(const char *file, int line, const char *fmt, ...) __noreturn
	__printf(3, 4);
/* A number below @n, the same in every run. */
u64 random_below(u64 n);
extern u64 random_state;

#define FAIL(...) fail_test(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK(cond)                        \
	do {                               \
		if (!(cond))               \
			FAIL("%s", #cond); \
	} while (0)
#define CHECK_EQ(seen, expected)                                       \
	do {                                                           \
		long long seen_ = (long long)(seen);                   \
		long long expected_ = (long long)(expected);           \
		if (seen_ != expected_)                                \
			FAIL("%s is %lld, expected %lld", #seen,       \
			     seen_, expected_);                        \
	} while (0)

void count_tests(void);
void classic_tests(void);
void litmus_tests(void);
void memory_tests(void);
void interrupt_tests(void);
void random_tests(void);
void replay_tests(void);
/* For another process: prints the verdict and the sentence. */
extern char program_path[];
int replay_named(const char *name, const char *schedule);
