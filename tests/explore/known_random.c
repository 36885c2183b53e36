/*
 * Hundreds of small random programs, always the same ones: reduction must
 * find every end that brute force finds, and both what the oracle finds.
 */
#include "tests/explore/known_code.h"

enum { MAX_INTERLEAVINGS = 1500, MAX_BOUND = 2 };

/* What the programs of a test are made of. */
struct shape {
	unsigned programs, words;
	unsigned sections, choices, fences; /* percent of agents that have */
	bool interrupt, tso;
};

/* ---- Making one ------------------------------------------------------------ */

static struct instr
random_instr(const struct shape *shape)
{
	static const u8 kinds[] = {
		READ, READ, READ, WRITE, WRITE, WRITE_MORE, WRITE_MORE, ADD,
		ADD_BOTH,
	};

	return (struct instr){
		.kind = kinds[random_below(ARRAY_SIZE(kinds))],
		.word = random_below(shape->words),
		.value = 1 + random_below(3),
	};
}

static void
insert(struct code *code, unsigned agent, unsigned at, struct instr instr)
{
	struct instr *list = code->instr[agent];

	CHECK(code->length[agent] < CODE_LENGTH);
	memmove(&list[at + 1], &list[at],
		(code->length[agent]++ - at) * sizeof(*list));
	list[at] = instr;
}

/* Puts @open and @close around some of the agent's instructions. */
static void
insert_pair(struct code *code, unsigned agent, struct instr open,
	    struct instr close)
{
	unsigned from = random_below(code->length[agent]);
	unsigned to = from + 1 + random_below(code->length[agent] - from);

	insert(code, agent, to, close);
	insert(code, agent, from, open);
}

static bool
happens(unsigned percent)
{
	return random_below(100) < percent;
}

/* Sections may cross those of other agents: some programs deadlock. A second
 * one lies within the first or around it, or is of the other lock. */
static void
add_sections(struct code *code, unsigned agent, const struct shape *shape)
{
	unsigned l = random_below(CODE_LOCKS);

	for (unsigned n = 0; n < CODE_LOCKS && happens(shape->sections); n++)
		insert_pair(code, agent,
			    (struct instr){ LOCK, (l + n) % CODE_LOCKS, 0 },
			    (struct instr){ UNLOCK, (l + n) % CODE_LOCKS, 0 });
}

static void
make_agent(struct code *code, unsigned agent, const struct shape *shape)
{
	bool handler = shape->interrupt && agent == 1;

	code->length[agent] = 0;
	for (unsigned n = 2 + random_below(3); n > 0; n--)
		insert(code, agent, 0, random_instr(shape));
	if (happens(shape->choices))
		insert(code, agent, random_below(code->length[agent]),
		       (struct instr){ CHOOSE, 0, 2 });
	if (happens(shape->fences))
		insert(code, agent, random_below(code->length[agent]),
		       (struct instr){ FENCE, 0, 0 });
	if (shape->interrupt && agent == 0 && happens(70))
		insert_pair(code, agent, (struct instr){ IRQS_OFF, 0, 0 },
			    (struct instr){ IRQS_ON, 0, 0 });
	else if (!handler || happens(20))
		add_sections(code, agent, shape);
	if (handler)
		insert(code, agent, 0, (struct instr){ DELIVER, 0, 0 });
}

/* Not too large for brute force, and with more than one end. */
static struct code
make_code(const struct shape *shape)
{
	struct code code = { .interrupt = shape->interrupt };
	u64 n;

	do {
		code.agents = 2 + random_below(CODE_AGENTS - 1);
		for (unsigned a = 0; a < code.agents; a++)
			make_agent(&code, a, shape);
		n = oracle_counts(&code, ANY_PREEMPTIONS).interleavings;
	} while (n < 4 || n > MAX_INTERLEAVINGS / (shape->tso ? 5 : 1));
	return code;
}

/* ---- Comparing ------------------------------------------------------------- */

static struct set *oracle, *views, *brute, *reduced;

static bool tso;

/* A schedule that ends so. */
static const char *
example(const struct code *code, u64 outcome)
{
	struct program program = code_program(code, NULL, outcome);

	return explore_program(&program, WITH(BOUNDED(9), .tso = tso))
		->failure.schedule;
}

static void
expect_subset(const struct set *small, const struct set *large,
	      const struct code *code, const char *what)
{
	u64 missing = set_missing(small, large);

	if (missing)
		FAIL("%s: %lu ends, %lu expected; not %s; %s", what,
		     large->nr, small->nr, example(code, missing),
		     code_text(code));
}

static void
collect(const struct code *code, const struct explore_options *options,
	struct set *ends, const char *what)
{
	struct program program = code_program(code, ends, 0);
	const struct explore_result *result;

	set_clear(ends);
	result = explore_program(&program, options);
	if (result->code != EXPLORE_OK || !result->stats.complete)
		FAIL("%s: %s; %s", what, result->failure.sentence,
		     code_text(code));
}

static void
check_exhaustive(const struct code *code)
{
	oracle_outcomes(code, tso, oracle, views);
	collect(code, WITH(EXHAUSTIVE, .tso = tso), brute, "brute force");
	collect(code, WITH(EXHAUSTIVE, REDUCED, .tso = tso), reduced,
		"reduction");
	expect_subset(oracle, brute, code, "brute force");
	expect_subset(brute, oracle, code, "the oracle");
	expect_subset(oracle, reduced, code, "reduction");
	expect_subset(reduced, oracle, code, "the oracle, not reduction");
}

/* What can be reached with few preemptions must be, with reduction too. */
static void
check_bounded(const struct code *code)
{
	for (unsigned bound = 0; bound <= MAX_BOUND; bound++) {
		collect(code, WITH(BOUNDED(bound), .tso = tso), brute,
			"bounded brute force");
		collect(code, WITH(BOUNDED(bound), REDUCED, .tso = tso),
			reduced, "bounded reduction");
		expect_subset(brute, reduced, code, "bounded reduction");
		expect_subset(reduced, oracle, code, "the oracle");
	}
}

static u64
random_member(const struct set *set)
{
	u64 i;

	do
		i = random_below(set->capacity);
	while (set->slot[i] == 0);
	return set->slot[i];
}

static u64 found_by_chance;

/* Searches that begin with nothing learnt: what they find can be played again. */
static void
check_by_chance(const struct program *program)
{
	found_by_chance += replays_what_it_finds(
		program, WITH(.strategy = SEARCH_RANDOM, .tso = tso,
			      .max_executions = 30));
	found_by_chance += replays_what_it_finds(
		program, WITH(.strategy = SEARCH_PCT, .bound = 2, .tso = tso,
			      .max_executions = 30));
}

/* One end, or one view of an agent, is forbidden: found by all searches. */
static void
check_verdicts(const struct code *code)
{
	u64 forbidden = random_member(happens(50) ? oracle : views);
	struct program program = code_program(code, NULL, forbidden);
	unsigned fewest[2];

	for (unsigned reduce = 0; reduce < 2; reduce++) {
		expect(&program,
		       WITH(EXHAUSTIVE, .reduce = reduce, .tso = tso),
		       EXPLORE_VIOLATION, "is forbidden");
		fewest[reduce] = expect(&program,
					WITH(BOUNDED(9), .reduce = reduce,
					     .tso = tso),
					EXPLORE_VIOLATION, "is forbidden")
					 ->failure.preemptions;
	}
	CHECK_EQ(fewest[1], fewest[0]);
	check_by_chance(&program);
}

static void
check_programs(const struct shape *shape)
{
	tso = shape->tso;
	oracle = set_make(1 << 12);
	views = set_make(1 << 12);
	brute = set_make(1 << 12);
	reduced = set_make(1 << 12);
	for (unsigned i = 0; i < shape->programs; i++) {
		struct code code = make_code(shape);

		check_exhaustive(&code);
		check_bounded(&code);
		check_verdicts(&code);
	}
	CHECK(found_by_chance > shape->programs);
}

/* ---- Counting -------------------------------------------------------------- */

static void
counts(void)
{
	static const struct shape shape = { .words = 3, .sections = 40 };

	for (unsigned i = 0; i < 60; i++) {
		struct code code = make_code(&shape);
		struct counts all = oracle_counts(&code, ANY_PREEMPTIONS);

		CHECK_COUNT(&code, WITH(EXHAUSTIVE), all.interleavings);
		CHECK_COUNT(&code, WITH(EXHAUSTIVE, REDUCED), all.traces);
		CHECK_COUNT(&code, WITH(BOUNDED(1)),
			    oracle_counts(&code, 1).interleavings);
	}
}

/* ---- The tests ------------------------------------------------------------- */

static void
loads_and_stores(void)
{
	check_programs(&(struct shape){ .programs = 80, .words = 3 });
}

static void
one_word(void)
{
	check_programs(&(struct shape){ .programs = 40, .words = 1 });
}

static void
with_locks(void)
{
	check_programs(&(struct shape){ .programs = 80, .words = 2,
					.sections = 50 });
}

static void
with_choices(void)
{
	check_programs(&(struct shape){ .programs = 50, .words = 2,
					.sections = 20, .choices = 50 });
}

static void
with_interrupts(void)
{
	check_programs(&(struct shape){ .programs = 80, .words = 2,
					.sections = 30, .interrupt = true });
}

static void
with_buffers(void)
{
	check_programs(&(struct shape){ .programs = 80, .words = 3,
					.fences = 30, .tso = true });
}

static void
with_buffers_and_all(void)
{
	check_programs(&(struct shape){ .programs = 60, .words = 2,
					.sections = 30, .choices = 20,
					.fences = 20, .interrupt = true,
					.tso = true });
}

void
random_tests(void)
{
	test("random programs take as many executions as the oracle counts",
	     counts);
	test("random loads and stores end as they can", loads_and_stores);
	test("random programs of one word end as they can", one_word);
	test("random programs with locks end as they can", with_locks);
	test("random programs with choices end as they can", with_choices);
	test("random programs with interrupts end as they can",
	     with_interrupts);
	test("random programs under TSO end as they can", with_buffers);
	test("random programs with everything end as they can",
	     with_buffers_and_all);
}
