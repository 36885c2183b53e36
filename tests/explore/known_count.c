/* How many executions a search needs, against arithmetic and the oracle. */
#include "tests/explore/known_code.h"

/* Many agents, each the same list of instructions. */
static struct code
same_for(unsigned agents, unsigned length, const struct instr *instr)
{
	struct code code = { .agents = agents };

	for (unsigned a = 0; a < agents; a++) {
		code.length[a] = length;
		memcpy(code.instr[a], instr, length * sizeof(*instr));
	}
	return code;
}

static u64
factorial(unsigned n)
{
	return n < 2 ? 1 : n * factorial(n - 1);
}

/* ---- Arithmetic ------------------------------------------------------------ */

static void
multinomial(void)
{
	static const unsigned lengths[][CODE_AGENTS] = {
		{ 1, 1 }, { 2, 1 }, { 2, 2 }, { 4, 3 }, { 5, 5 },
		{ 1, 1, 1 }, { 2, 1, 1 }, { 2, 2, 2 }, { 3, 2, 3 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct code code = { .agents = lengths[i][2] ? 3 : 2 };
		u64 expected = 1;
		unsigned sum = 0;

		for (unsigned a = 0; a < code.agents; a++) {
			code.length[a] = lengths[i][a];
			sum += lengths[i][a];
			expected *= factorial(lengths[i][a]);
			for (unsigned k = 0; k < code.length[a]; k++)
				code.instr[a][k] = (struct instr){ WRITE, 0, 1 };
		}
		expected = factorial(sum) / expected;
		CHECK_COUNT(&code, WITH(EXHAUSTIVE), expected);
		CHECK_COUNT(&code, WITH(EXHAUSTIVE, REDUCED), expected);
		CHECK_EQ(oracle_counts(&code, ANY_PREEMPTIONS).interleavings,
			 expected);
	}
}

static void
one_write_each(void)
{
	struct instr write = { WRITE, 0, 1 };

	for (unsigned n = 2; n <= CODE_AGENTS; n++) {
		struct code code = same_for(n, 1, &write);

		CHECK_COUNT(&code, WITH(EXHAUSTIVE), factorial(n));
		CHECK_COUNT(&code, WITH(EXHAUSTIVE, REDUCED), factorial(n));
	}
}

static void
words_of_their_own(void)
{
	struct code code = { .agents = 3, .length = { 3, 3, 3 } };

	for (unsigned a = 0; a < 3; a++)
		for (unsigned i = 0; i < 3; i++)
			code.instr[a][i] = (struct instr){ WRITE, a, i };
	CHECK_COUNT(&code, WITH(EXHAUSTIVE, REDUCED), 1);
	CHECK_COUNT(&code, WITH(EXHAUSTIVE), 1);
}

static void
readers(void)
{
	struct instr reads[] = { { READ, 0, 0 }, { READ, 1, 0 } };
	struct code code = same_for(3, 2, reads);

	CHECK_COUNT(&code, WITH(EXHAUSTIVE, REDUCED), 1);
}

static void
one_writer_many_readers(void)
{
	/* Each of two readers sees the word before or after the write. */
	struct code code = {
		.agents = 3, .length = { 1, 1, 1 },
		.instr = { { { WRITE, 0, 1 } }, { { READ } }, { { READ } } },
	};

	CHECK_COUNT(&code, WITH(EXHAUSTIVE, REDUCED), 4);
	CHECK_COUNT(&code, WITH(EXHAUSTIVE), 6);
}

static void
one_lock(void)
{
	/* Sections under a lock: only the order of the sections matters, and
	 * who waits has no steps. */
	struct instr section[] = {
		{ LOCK, 0, 0 }, { READ, 0, 0 }, { WRITE_MORE, 0, 1 },
		{ UNLOCK, 0, 0 },
	};

	for (unsigned n = 2; n <= CODE_AGENTS; n++) {
		struct code code = same_for(n, 4, section);

		CHECK_COUNT(&code, WITH(EXHAUSTIVE, REDUCED), factorial(n));
	}
}

/* ---- Choices --------------------------------------------------------------- */

static void
choices(void)
{
	struct code code = {
		.agents = 2, .length = { 2, 1 },
		.instr = { { { CHOOSE, 0, 3 }, { CHOOSE, 0, 2 } },
			   { { CHOOSE, 0, 4 } } },
	};
	struct set *outcomes = set_make(1024);
	struct program program = code_program(&code, outcomes, 0);

	CHECK_EQ(executions(&program, WITH(EXHAUSTIVE, REDUCED)), 24);
	CHECK_EQ(outcomes->nr, 24);
}

static void
choice_after_a_race(void)
{
	/* The read before the write or after, two outcomes each. */
	struct code code = {
		.agents = 2, .length = { 2, 1 },
		.instr = { { { READ }, { CHOOSE, 0, 2 } }, { { WRITE, 0, 1 } } },
	};
	struct set *outcomes = set_make(1024);
	struct program program = code_program(&code, outcomes, 0);

	CHECK_EQ(executions(&program, WITH(EXHAUSTIVE, REDUCED)), 4);
	CHECK_EQ(outcomes->nr, 4);
}

/* ---- The textbooks' problems, as short as they can be ----------------------------- */

/* The figures are counted by hand; 0: too many for that. */
struct problem {
	const char *name;
	u64 interleavings, traces, buffered;
	struct code code;
};

/* Six orders of two and two steps. Two reads may change places: that leaves four. */
#define LOST_UPDATE { { READ, 0, 0 }, { WRITE_MORE, 0, 1 } }
/* "I want to; it is your turn; do you want to? whose turn is it?" */
#define PETERSON(me, ...)                                              \
	{ { WRITE, me, 1 }, { WRITE, 2, 1 - me }, __VA_ARGS__          \
	  { READ, 1 - me, 0 }, { READ, 2, 0 } }

static const struct problem problems[] = {
	{ "lost update", 6, 4, 0,
	  { .agents = 2, .length = { 2, 2 },
	    .instr = { LOST_UPDATE, LOST_UPDATE } } },
	{ "lost wake-up", 6, 4, 0, /* each of two reads: before the write or after */
	  { .agents = 2, .length = { 2, 2 },
	    .instr = { { { READ, 0, 0 }, { WRITE, 1, 1 } },
		       { { WRITE, 0, 1 }, { READ, 1, 0 } } } } },
	/* Both reads first is one of three; a store, its visibility, a read: the
	 * last two in any order, so that there are 2 * 2 * 6! / (3! * 3!). */
	{ "store buffering", 6, 3, 80,
	  { .agents = 2, .length = { 2, 2 },
	    .instr = { { { WRITE, 0, 1 }, { READ, 1, 0 } },
		       { { WRITE, 1, 1 }, { READ, 0, 0 } } } } },
	/* A store, its visibility, the fence, the read: 8! / (4! * 4!). Without buffers a
	 * fence is no step. */
	{ "store buffering with fences", 6, 3, 70,
	  { .agents = 2, .length = { 3, 3 },
	    .instr = { { { WRITE, 0, 1 }, { FENCE, 0, 0 }, { READ, 1, 0 } },
		       { { WRITE, 1, 1 }, { FENCE, 0, 0 }, { READ, 0, 0 } } } } },
	{ "lock order", 0, 0, 0,
	  { .agents = 2, .length = { 4, 4 },
	    .instr = { { { LOCK, 0, 0 }, { LOCK, 1, 0 }, { UNLOCK, 1, 0 },
			 { UNLOCK, 0, 0 } },
		       { { LOCK, 1, 0 }, { LOCK, 0, 0 }, { UNLOCK, 0, 0 },
			 { UNLOCK, 1, 0 } } } } },
	{ "Peterson's entry", 70, 0, 0,
	  { .agents = 2, .length = { 4, 4 },
	    .instr = { PETERSON(0, ), PETERSON(1, ) } } },
	{ "Peterson's entry with a fence", 70, 0, 0,
	  { .agents = 2, .length = { 5, 5 },
	    .instr = { PETERSON(0, { FENCE }, ), PETERSON(1, { FENCE }, ) } } },
};

static void
check_figure(u64 counted, u64 by_hand, const char *name)
{
	if (by_hand && counted != by_hand)
		FAIL("%s: the oracle counts %lu, by hand it is %lu", name,
		     counted, by_hand);
}

static void
textbooks(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(problems); i++) {
		const struct problem *problem = &problems[i];
		const struct code *code = &problem->code;
		struct counts all = oracle_counts(code, ANY_PREEMPTIONS);

		check_figure(all.interleavings, problem->interleavings,
			     problem->name);
		check_figure(all.traces, problem->traces, problem->name);
		CHECK_COUNT(code, WITH(EXHAUSTIVE), all.interleavings);
		CHECK_COUNT(code, WITH(EXHAUSTIVE, REDUCED), all.traces);
	}
}

static void
textbooks_with_buffers(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(problems); i++) {
		const struct problem *problem = &problems[i];
		u64 all = oracle_buffered(&problem->code);

		check_figure(all, problem->buffered, problem->name);
		CHECK_COUNT(&problem->code, WITH(EXHAUSTIVE, .tso = true), all);
	}
}

/* ---- The oracle ------------------------------------------------------------ */

static const struct code mixed[] = {
	{ .agents = 2, .length = { 2, 2 },
	  .instr = { { { READ, 0, 0 }, { WRITE_MORE, 0, 1 } },
		     { { READ, 0, 0 }, { WRITE_MORE, 0, 1 } } } },
	{ .agents = 2, .length = { 3, 3 },
	  .instr = { { { WRITE, 0, 1 }, { READ, 1, 0 }, { WRITE, 0, 2 } },
		     { { WRITE, 1, 1 }, { READ, 0, 0 }, { WRITE, 1, 2 } } } },
	{ .agents = 3, .length = { 2, 2, 2 },
	  .instr = { { { WRITE, 0, 1 }, { READ, 1, 0 } },
		     { { WRITE, 1, 1 }, { READ, 2, 0 } },
		     { { WRITE, 2, 1 }, { READ, 0, 0 } } } },
	{ .agents = 3, .length = { 2, 3, 1 },
	  .instr = { { { ADD, 0, 1 }, { ADD, 1, 1 } },
		     { { READ, 0, 0 }, { ADD, 1, 2 }, { READ, 1, 0 } },
		     { { ADD, 0, 4 } } } },
	{ .agents = 3, .length = { 2, 2, 2 },
	  .instr = { { { ADD_BOTH, 0, 1 }, { READ, 2, 0 } },
		     { { ADD_BOTH, 1, 2 }, { READ, 0, 0 } },
		     { { WRITE, 1, 7 }, { WRITE, 2, 7 } } } },
	{ .agents = 3, .length = { 4, 3, 2 },
	  .instr = { { { LOCK, 0, 0 }, { WRITE, 0, 1 }, { UNLOCK, 0, 0 },
		       { READ, 1, 0 } },
		     { { LOCK, 0, 0 }, { READ, 0, 0 }, { UNLOCK, 0, 0 } },
		     { { WRITE, 1, 1 }, { READ, 0, 0 } } } },
	{ .agents = 2, .length = { 6, 6 },
	  .instr = { { { LOCK, 0, 0 }, { LOCK, 1, 0 }, { READ, 0, 0 },
		       { UNLOCK, 1, 0 }, { UNLOCK, 0, 0 }, { READ, 1, 0 } },
		     { { LOCK, 1, 0 }, { WRITE, 0, 1 }, { LOCK, 0, 0 },
		       { UNLOCK, 0, 0 }, { UNLOCK, 1, 0 }, { WRITE, 1, 1 } } } },
};

static void
interleavings_of_mixed(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(mixed); i++)
		CHECK_COUNT(&mixed[i], WITH(EXHAUSTIVE),
			    oracle_counts(&mixed[i], ANY_PREEMPTIONS)
				    .interleavings);
}

static void
traces_of_mixed(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(mixed); i++)
		CHECK_COUNT(&mixed[i], WITH(EXHAUSTIVE, REDUCED),
			    oracle_counts(&mixed[i], ANY_PREEMPTIONS).traces);
}

static void
preemptions_of_mixed(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(mixed); i++)
		for (unsigned bound = 0; bound < 4; bound++)
			CHECK_COUNT(&mixed[i], WITH(BOUNDED(bound)),
				    oracle_counts(&mixed[i], bound)
					    .interleavings);
}

void
count_tests(void)
{
	test("brute force finds the multinomial number of interleavings",
	     multinomial);
	test("writers of one shared word once each come in every order",
	     one_write_each);
	test("writers of words of their own need one execution",
	     words_of_their_own);
	test("readers of the same words need one execution", readers);
	test("a write is seen or not by each of two readers",
	     one_writer_many_readers);
	test("sections under one lock come in every order, no more", one_lock);
	test("all outcomes of all choices are tried, each once", choices);
	test("choices are tried again in each order that differs",
	     choice_after_a_race);
	test("the textbooks' problems have as many interleavings as by hand",
	     textbooks);
	test("the textbooks' problems have as many with store buffers",
	     textbooks_with_buffers);
	test("brute force finds the interleavings that the oracle counts",
	     interleavings_of_mixed);
	test("reduction leaves one execution of each class of equal ones",
	     traces_of_mixed);
	test("bounded brute force finds the interleavings with few preemptions",
	     preemptions_of_mixed);
}
