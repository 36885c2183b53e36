/* Schedules that are given, and searches by chance. */
#include "tests/explore/known.h"

static u64 counter SHARED, counter_lock SHARED, other_lock SHARED;
static u64 victim SHARED;

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

static void
garbage(void)
{
	static const char *const schedules[] = {
		"", "?", "lost update", "0 1 2 3 4 5", "zz", "-1", "99999999999",
		"\xff\xfe", "0:0:0:0",
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
	test("a schedule that is none is a tool error", garbage);
	test("random and PCT find a lost update, the same with the same seed",
	     seeds);
	test("other seeds try other orders", seeds_differ);
	test("a limit that is reached is no verdict", limits);
	test("a search says whether its bound cut anything off",
	     bound_that_matters);
}
