/*
 * Runs the tests of the explorer: "known [WORDS]" those whose name contains
 * one of the words. One line a test, exit code 1 when one fails.
 *
 * KNOWN_SEED=2 makes other random programs, KNOWN_STEPS= prints every step.
 *
 *	known --replay NAME SCHEDULE
 *
 * prints what becomes of one of the programs of known_replay.c.
 */
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/explore/known_world.h"

enum { TEST_SECONDS = 300, TEST_FAILED = 99, ENOUGH = 50000 };

u64 random_state = 1;
char program_path[4096];

static unsigned nr_tests, nr_failed;
static char **filters;
static const char *test_name;

/* ---- Searches -------------------------------------------------------------- */

const char *const code_names[] = {
	[EXPLORE_OK] = "OK",
	[EXPLORE_VIOLATION] = "VIOLATION",
	[EXPLORE_RACE] = "RACE",
	[EXPLORE_DEADLOCK] = "DEADLOCK",
	[EXPLORE_STUCK] = "STUCK",
	[EXPLORE_LIMIT] = "LIMIT",
	[EXPLORE_TOOL_ERROR] = "TOOL ERROR",
};

const char *
search_name(const struct explore_options *options)
{
	static char name[64];
	static const char *const names[] = {
		"exhaustive", "bounded", "random", "PCT", "replay",
	};

	snprintf(name, sizeof(name), "%s(%u)%s%s", names[options->strategy],
		 options->bound, options->reduce ? "" : " unreduced",
		 options->tso ? " TSO" : "");
	return name;
}

/* Where a search's process leaves its result. */
static struct {
	struct explore_result result;
	char schedule[64 * 1024];
	struct explore_result again; /* a failure's replay, right after it */
} *outbox;

void *
memory_of_all(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

/* For who wants to see what happened: KNOWN_STEPS=1 known NAME. */
static void
print_step(const struct explore_step *step)
{
	printf("%4u agent %u: op %u at %p (%#lx)%s\n", step->number,
	       step->agent, step->op.kind, step->op.address, step->op.caller,
	       step->preempted ? ", preempts" : "");
}

static void
search_and_exit(const struct program *program, struct explore_options options)
{
	struct explore_result *result = &outbox->result;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (options.max_steps == 0)
		options.max_steps = 1000;
	if (getenv("KNOWN_STEPS")) {
		explore_recording = true;
		explore_on_step = print_step;
	}
	explore_search(program_world(program, options.tso), &options, result);
	if (result->failure.schedule) {
		snprintf(outbox->schedule, sizeof(outbox->schedule), "%s",
			 result->failure.schedule);
		options.strategy = SEARCH_REPLAY;
		options.replay = outbox->schedule;
		explore_search(program_world(program, options.tso), &options,
			       &outbox->again);
	}
	fflush(stdout);
	_exit(0);
}

const struct explore_result *
explore_program(const struct program *program,
		const struct explore_options *options)
{
	int status = -1;
	pid_t child;

	if (!outbox)
		outbox = memory_of_all(sizeof(*outbox));
	memset(&outbox->result, 0, sizeof(outbox->result));
	outbox->schedule[0] = '\0';
	fflush(stdout);
	child = fork();
	if (child == 0)
		search_and_exit(program, *options);
	CHECK(waitpid(child, &status, 0) == child);
	if (WIFSIGNALED(status))
		FAIL("%s: %s", search_name(options), strsignal(WTERMSIG(status)));
	if (status != 0)
		_exit(WEXITSTATUS(status));
	outbox->result.failure.schedule = outbox->schedule;
	return &outbox->result;
}

static void
expect_same_failure(const struct explore_failure *found,
		    const struct explore_result *again, const char *where)
{
	if (again->code != found->code ||
	    again->failure.preemptions != found->preemptions ||
	    strcmp(again->failure.sentence, found->sentence) != 0)
		FAIL("%s \"%s\" (%u preemptions) is %s \"%s\" (%u) when %s is "
		     "replayed %s", code_names[found->code], found->sentence,
		     found->preemptions, code_names[again->code],
		     again->failure.sentence, again->failure.preemptions,
		     found->schedule, where);
}

/* Compares the failure that was found with its replay in the same process, and
 * with that in another one. */
static void
expect_same_replays(const struct program *program,
		    struct explore_options options,
		    const struct explore_result *found)
{
	static struct explore_failure failure;
	static char schedule[sizeof(outbox->schedule)];
	const struct explore_result *again;
	unsigned steps = outbox->again.failure.steps;

	failure = found->failure;
	failure.schedule = strcpy(schedule, outbox->schedule);
	CHECK(*schedule);
	expect_same_failure(&failure, &outbox->again, "in the same process");
	options.strategy = SEARCH_REPLAY;
	options.replay = schedule;
	again = explore_program(program, &options);
	expect_same_failure(&failure, again, "in another process");
	CHECK_EQ(again->failure.steps, steps);
}

static void
expect_code(const struct explore_result *result, enum verdict_code code,
	    const char *text, const struct explore_options *options)
{
	if (result->code != code || !strstr(result->failure.sentence, text))
		FAIL("%s: %s \"%s\" (%s), expected %s \"%s\"",
		     search_name(options), code_names[result->code],
		     result->failure.sentence, outbox->schedule,
		     code_names[code], text);
}

const struct explore_result *
expect(const struct program *program, const struct explore_options *options,
       enum verdict_code code, const char *text)
{
	static struct explore_result found;

	found = *explore_program(program, options);
	/* Brute force may take too long. */
	if (found.code == EXPLORE_LIMIT && options->max_executions == ENOUGH)
		return &found;
	expect_code(&found, code, text, options);
	if (code != EXPLORE_OK)
		expect_same_replays(program, *options, &found);
	return &found;
}

bool
replays_what_it_finds(const struct program *program,
		      const struct explore_options *options)
{
	const struct explore_result found = *explore_program(program, options);

	if (found.code == EXPLORE_OK || found.code == EXPLORE_LIMIT)
		return false;
	expect_same_replays(program, *options, &found);
	return true;
}

void
expect_under(bool tso, const struct program *program, enum verdict_code code,
	     const char *text)
{
	expect(program, WITH(EXHAUSTIVE, REDUCED, .tso = tso), code, text);
	expect(program, WITH(BOUNDED(3), REDUCED, .tso = tso), code, text);
	expect(program, WITH(BOUNDED(3), .tso = tso, .max_executions = ENOUGH),
	       code, text);
	expect(program, WITH(EXHAUSTIVE, .tso = tso, .max_executions = ENOUGH),
	       code, text);
}

void
expect_always(const struct program *program, enum verdict_code code,
	      const char *text)
{
	expect_under(false, program, code, text);
	expect_under(true, program, code, text);
}

u64
executions(const struct program *program, const struct explore_options *options)
{
	const struct explore_result *result = explore_program(program, options);

	expect_code(result, EXPLORE_OK, "", options);
	CHECK(result->stats.complete);
	return result->stats.executions;
}

/* ---- Tests ----------------------------------------------------------------- */

u64
random_below(u64 n)
{
	random_state = random_state * 6364136223846793005ull +
		       1442695040888963407ull;
	return (random_state >> 33) % n;
}

static bool
selected(const char *name)
{
	for (char **filter = filters; *filter; filter++)
		if (strstr(name, *filter))
			return true;
	return !*filters;
}

static void
run_in_child(void (*fn)(void))
{
	const struct rlimit limit = { TEST_SECONDS, RLIM_INFINITY };

	setrlimit(RLIMIT_CPU, &limit); /* of processor time: a SIGXCPU */
	fn();
	fflush(stdout);
	_exit(0);
}

void
fail_test(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	printf("FAILED %s: %s:%d: ", test_name, file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(TEST_FAILED);
}

static void
report(const char *name, int status)
{
	nr_failed += status != 0;
	if (status == 0)
		printf("ok %s\n", name);
	else if (WIFSIGNALED(status))
		printf("FAILED %s: %s\n", name,
		       WTERMSIG(status) == SIGXCPU ?
			       "HANG" : strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != TEST_FAILED)
		printf("FAILED %s: exit status %d\n", name,
		       WEXITSTATUS(status));
}

void
test(const char *name, void (*fn)(void))
{
	int status = -1;
	pid_t child;

	if (!selected(name))
		return;
	nr_tests++;
	test_name = name;
	child = fork();
	if (child == 0)
		run_in_child(fn);
	waitpid(child, &status, 0);
	report(name, status);
}

int
main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	readlink("/proc/self/exe", program_path, sizeof(program_path) - 1);
	filters = argv + 1;
	if (getenv("KNOWN_SEED"))
		random_state = strtoull(getenv("KNOWN_SEED"), NULL, 0);
	if (argc == 4 && strcmp(argv[1], "--replay") == 0)
		return replay_named(argv[2], argv[3]);
	count_tests();
	classic_tests();
	litmus_tests();
	memory_tests();
	interrupt_tests();
	random_tests();
	replay_tests();
	printf("%u tests, %u failed\n", nr_tests, nr_failed);
	return nr_failed != 0;
}
