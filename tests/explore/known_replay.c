/* Schedules that are given, and searches by chance. */
#include "tests/explore/known.h"

static u64 counter SHARED, counter_lock SHARED, other_lock SHARED;
static u64 victim SHARED, two_words[2] SHARED;

static void
add_in_two_steps(void)
{
	store(&counter, load(&counter) + 1);
}

static void
fail_by_choice(void)
{
	unsigned fails = explore_choose(3, "how?", CALLER);

	if (fails == 2 && load(&counter) == 1)
		explore_fail(EXPLORE_VIOLATION, "choice %u, counter 1", fails);
}

static void
takes_both(void)
{
	lock(&counter_lock);
	lock(&other_lock);
	unlock(&other_lock);
	unlock(&counter_lock);
}

static void
takes_both_reversed(void)
{
	lock(&other_lock);
	lock(&counter_lock);
	unlock(&counter_lock);
	unlock(&other_lock);
}

static void
plain_add(void)
{
	counter++;
}

static void
frees(void)
{
	shadow_freed(&victim, sizeof(victim), CALLER);
}

static void
frees_two_words_first(void)
{
	shadow_freed(two_words, sizeof(two_words), CALLER);
	store(&counter, 1);
}

static void
fails_before(void)
{
	if (load(&counter) == 0)
		explore_fail(EXPLORE_VIOLATION, "it is not stored yet");
}

static void
uses(void)
{
	store(&victim, 1);
}

static void
waits_for_ever(void)
{
	while (load(&counter) == 0)
		explore_relax(CALLER);
}

/* What this one does first is chosen, and once in 4,096 times the other one looks
 * at @late: so it becomes shared in the middle of a search. */
static u64 chosen SHARED, late SHARED, data SHARED, flag SHARED;

static void
choose_number(unsigned digits)
{
	u64 n = 0;

	for (unsigned i = 0; i < digits; i++)
		n = n * MAX_CHOICES + explore_choose(MAX_CHOICES, "n?", CALLER);
	store(&chosen, n);
}

static void
stores_in_turn(void)
{
	choose_number(4);
	store(&late, 1);
	store(&data, 1);
	store(&flag, 1);
}

/* With 1 it looks at @late. With 2 that is of no account, but @late leaves the
 * store buffer all the same, between what must be seen and what must not. */
static void
looks_in_between(void)
{
	u64 seen = load(&data);

	if (load(&chosen) == 1)
		load(&late);
	else if (load(&chosen) == 2 && seen && !load(&flag))
		explore_fail(EXPLORE_VIOLATION, "data, and no flag");
}

static void
writes_unordered(void)
{
	choose_number(3);
	late = 1;
}

static void
reads_unordered(void)
{
	if (load(&chosen) == 1 && late == 1)
		explore_fail(EXPLORE_VIOLATION, "late is 1");
}

static void
counter_is_2(void)
{
	if (counter != 2)
		explore_fail(EXPLORE_VIOLATION, "counter is %lu, not 2",
			     counter);
}

/* One of each verdict. */
static const struct named {
	const char *name;
	struct program program;
	struct explore_options options;
	enum verdict_code code;
} programs[] = {
	{ "lost update",
	  { .body = { add_in_two_steps, add_in_two_steps },
	    .check = counter_is_2 },
	  { EXHAUSTIVE, REDUCED }, EXPLORE_VIOLATION },
	{ "choice", { .body = { fail_by_choice, add_in_two_steps } },
	  { EXHAUSTIVE, REDUCED }, EXPLORE_VIOLATION },
	{ "interrupt",
	  { .body = { add_in_two_steps, add_in_two_steps },
	    .interrupt = { [1] = { 0, 1 } }, .check = counter_is_2 },
	  { EXHAUSTIVE, REDUCED, TSO }, EXPLORE_VIOLATION },
	{ "late word", { .body = { stores_in_turn, looks_in_between } },
	  { EXHAUSTIVE, REDUCED, TSO }, EXPLORE_VIOLATION },
	{ "crossed locks", { .body = { takes_both, takes_both_reversed } },
	  { EXHAUSTIVE, REDUCED }, EXPLORE_DEADLOCK },
	{ "race", { .body = { plain_add, plain_add } },
	  { EXHAUSTIVE, REDUCED, .races = true }, EXPLORE_RACE },
	{ "use after free", { .body = { uses, frees } },
	  { EXHAUSTIVE, REDUCED }, EXPLORE_VIOLATION },
	{ "waiting for nothing", { .body = { waits_for_ever, uses } },
	  { EXHAUSTIVE, REDUCED }, EXPLORE_STUCK },
};

/* ---- In another process ---------------------------------------------------- */

int
replay_named(const char *name, const char *schedule)
{
	for (unsigned i = 0; i < ARRAY_SIZE(programs); i++) {
		struct explore_options options = programs[i].options;
		const struct explore_result *result;

		if (strcmp(programs[i].name, name) != 0)
			continue;
		options.strategy = SEARCH_REPLAY;
		options.replay = schedule;
		result = explore_program(&programs[i].program, &options);
		printf("%s: %s", code_names[result->code],
		       result->failure.sentence);
		return 0;
	}
	return EXPLORE_TOOL_ERROR;
}

/* Runs this program again; what it says is put into @line. */
static void
replay_elsewhere(const char *name, const char *schedule, char *line,
		 size_t size)
{
	char command[8192];
	FILE *pipe;
	size_t length;

	snprintf(command, sizeof(command), "%s --replay '%s' '%s'",
		 program_path, name, schedule);
	fflush(stdout);
	pipe = popen(command, "r");
	CHECK(pipe);
	length = fread(line, 1, size - 1, pipe);
	line[length] = '\0';
	CHECK_EQ(pclose(pipe), 0);
}

static void
other_process(void)
{
	char seen[1024], expected[1024];

	for (unsigned i = 0; i < ARRAY_SIZE(programs); i++) {
		const struct named *named = &programs[i];
		const struct explore_result *found = expect(
			&named->program, &named->options, named->code, "");

		snprintf(expected, sizeof(expected), "%s: %s",
			 code_names[found->code], found->failure.sentence);
		replay_elsewhere(named->name, found->failure.schedule, seen,
				 sizeof(seen));
		if (strcmp(seen, expected) != 0)
			FAIL("%s: \"%s\", expected \"%s\"", named->name, seen,
			     expected);
	}
}

/* A word that the search knows to be shared, and the schedule by itself does not
 * show it. */
static void
late_word(void)
{
	const struct program program = {
		.body = { stores_in_turn, looks_in_between },
	};
	struct explore_options options = { .tso = true };

	for (unsigned i = 0; i < 8; i++) {
		options.strategy = i & 1 ? SEARCH_BOUNDED : SEARCH_EXHAUSTIVE;
		options.bound = 2;
		options.reduce = i & 2;
		options.tso = i & 4;
		expect(&program, &options, EXPLORE_VIOLATION,
		       "data, and no flag");
	}
}

/* The first execution that comes there, by chance, learns that the word is shared,
 * when it is too late to see the race; with what follows from it nothing can be
 * found that a replay would not call a race. */
static void
late_race(void)
{
	const struct program program = {
		.body = { writes_unordered, reads_unordered },
	};

	for (unsigned tso = 0; tso < 2; tso++)
		expect(&program, WITH(.strategy = SEARCH_RANDOM, .seed = 1,
				      .max_executions = 100000, .races = true,
				      .tso = tso), EXPLORE_RACE, "data race");
}

/* An order of stores means the same where there is more in the buffers, or less:
 * the numbers are those of agent 0's operations. */
static void
numbered_stores(void)
{
	static const struct {
		const char *schedule;
		enum verdict_code code;
	} all[] = {
		{ "0x0.1x0.0x8.0@5.0@6.0@7.1x9.0@8/0002", EXPLORE_VIOLATION },
		/* What the string does not name goes to memory at once. */
		{ "0x0.1x0.0x8.0@7.1x9.0@8/0002", EXPLORE_VIOLATION },
		{ "0x0.1x0.0x8.0@7.0@8.1x9/0002", EXPLORE_OK },
		{ "0x0.1x0.0x8.1x9/0002", EXPLORE_OK },
		/* Before the 6th, which nobody sees, agent 1 has a turn. */
		{ "0x0.1x0.0x5.1.0x3.0@5/0002", EXPLORE_OK },
		/* Not the oldest; not a store; there is no such agent. */
		{ "0x0.1x0.0x8.0@8.0@7.1x9/0002", EXPLORE_TOOL_ERROR },
		{ "0x0.1x0.0x8.0@3.1x9/0002", EXPLORE_TOOL_ERROR },
		{ "0x0.1x0.0x8.7@8/0002", EXPLORE_TOOL_ERROR },
	};
	const struct program program = {
		.body = { stores_in_turn, looks_in_between },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		const struct explore_result *result = explore_program(
			&program, WITH(.strategy = SEARCH_REPLAY, TSO,
				       .replay = all[i].schedule));

		if (result->code != all[i].code)
			FAIL("\"%s\" is %s: %s", all[i].schedule,
			     code_names[result->code],
			     result->failure.sentence);
	}
}

/* To free is an operation for each word, whoever knows it. */
static void
counted_words(void)
{
	const struct program program = {
		.body = { frees_two_words_first, fails_before },
	};

	CHECK_EQ(explore_program(&program, WITH(.strategy = SEARCH_REPLAY,
			.replay = "0x0.1x0.0x2.1x1.0x1"))->code,
		 EXPLORE_VIOLATION);
	CHECK_EQ(explore_program(&program, WITH(.strategy = SEARCH_REPLAY,
			.replay = "0x0.1x0.0x3.1x1"))->code, EXPLORE_OK);
}

static void
garbage(void)
{
	static const char *const schedules[] = {
		"", "?", "lost update", "0 1 2 3 4 5", "zz", "-1", "99999999999",
		"\xff\xfe", "0:0:0:0", "0@", "0@x", "0@1", /* without store buffers */
	};

	for (unsigned i = 0; i < ARRAY_SIZE(schedules); i++) {
		const struct explore_result *result = explore_program(
			&programs[0].program,
			WITH(.strategy = SEARCH_REPLAY,
			     .replay = schedules[i]));

		if (result->code != EXPLORE_TOOL_ERROR)
			FAIL("\"%s\" is %s", schedules[i],
			     code_names[result->code]);
		CHECK(result->failure.sentence[0] != '\0');
	}
}

/* ---- By chance ------------------------------------------------------------- */

static struct explore_result
by_chance(enum strategy strategy, u64 seed)
{
	return *explore_program(&programs[0].program,
				WITH(.strategy = strategy, .bound = 2,
				     .seed = seed, .max_executions = 100));
}

static void
seeds(void)
{
	for (unsigned i = 0; i < 10; i++) {
		enum strategy strategy = i & 1 ? SEARCH_PCT : SEARCH_RANDOM;
		struct explore_result first = by_chance(strategy, i);
		struct explore_result again = by_chance(strategy, i);

		CHECK_EQ(first.code, EXPLORE_VIOLATION);
		CHECK_EQ(again.code, EXPLORE_VIOLATION);
		CHECK_EQ(again.failure.found_after, first.failure.found_after);
		CHECK_EQ(again.stats.steps, first.stats.steps);
		expect(&programs[0].program,
		       WITH(.strategy = strategy, .bound = 2, .seed = i,
			    .max_executions = 100),
		       EXPLORE_VIOLATION, "counter is 1, not 2");
	}
}

static void
seeds_differ(void)
{
	u64 different = 0;

	for (u64 seed = 1; seed < 10; seed++)
		different += by_chance(SEARCH_RANDOM, seed)
				     .failure.found_after !=
			     by_chance(SEARCH_RANDOM, 0).failure.found_after;
	CHECK(different > 0);
}

/* ---- Limits ---------------------------------------------------------------- */

static void
limits(void)
{
	struct program fine = { .body = { add_in_two_steps, add_in_two_steps,
					  add_in_two_steps } };
	const struct explore_result *result = explore_program(
		&fine, WITH(EXHAUSTIVE, .max_executions = 5));

	CHECK_EQ(result->code, EXPLORE_LIMIT);
	CHECK_EQ(result->stats.executions, 5);
	CHECK(!result->stats.complete);
}

static void
bound_that_matters(void)
{
	struct program fine = { .body = { add_in_two_steps,
					  add_in_two_steps } };
	const struct explore_result *result;

	result = explore_program(&fine, WITH(BOUNDED(1), REDUCED));
	CHECK_EQ(result->code, EXPLORE_OK);
	CHECK_EQ(result->stats.bound_done, 1);
	CHECK(result->stats.bound_mattered);
	result = explore_program(&fine, WITH(BOUNDED(10), REDUCED));
	CHECK_EQ(result->code, EXPLORE_OK);
	CHECK(!result->stats.bound_mattered);
}

void
replay_tests(void)
{
	test("each kind of failure is replayed in another process",
	     other_process);
	test("a failure is replayed although a word became shared late",
	     late_word);
	test("a schedule counts each word that is freed", counted_words);
	test("a race at a word that becomes shared late is one",
	     late_race);
	test("a schedule names the stores that become visible late",
	     numbered_stores);
	test("a schedule that is none is a tool error", garbage);
	test("random and PCT find a lost update, the same with the same seed",
	     seeds);
	test("other seeds try other orders", seeds_differ);
	test("a limit that is reached is no verdict", limits);
	test("a search says whether its bound cut anything off",
	     bound_that_matters);
}
