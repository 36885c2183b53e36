/*
 * The command line of build/explore/explore. The exit code is an enum
 * verdict_code: of several scenarios, that of the worst.
 *
 * A scenario is explored in a process of its own: the kernel boots once in
 * each, and one that crashes takes no other with it. A replay is not, so that
 * gdb has it at hand.
 */
#define _GNU_SOURCE	/* strverscmp() */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "arch/sim/jobs.h"
#include "arch/sim/machine.h"
#include "arch/sim/report.h"
#include "tests/explore/scenario.h"

enum { MAX_SCENARIOS = 256, GRACE_SECONDS = 30 };

extern const struct scenario __start_scenarios[], __stop_scenarios[];

/* What the command line asks for. */
struct request {
	const struct scenario *scenarios[MAX_SCENARIOS];
	unsigned nr_scenarios;
	struct explore_options options;
	bool deep;		/* exhaustive, else as far as time allows */
	bool stop;		/* at the first scenario that fails */
	bool all_steps;
	const char *trace;
	unsigned jobs;		/* at a time */
};

static const char usage[] =
"usage: explore [options] --all | --scenario NAME ...\n"
"\n"
"  --list               the scenarios, and what each is about\n"
"  --bound N            at most N preemptions, from 0 up (default: 2)\n"
"  --exhaustive         any number of preemptions\n"
"  --deep               exhaustive; where --seconds end it, ever larger bounds\n"
"  --random             by chance: --seed S, --executions N\n"
"  --pct DEPTH          by chance, with priorities: the same\n"
"  --replay SCHEDULE    this one schedule\n"
"  --tso                stores become visible late, as on x86\n"
"  --no-reduction       equivalent interleavings too\n"
"  --seconds N          for each scenario, of processor time\n"
"  --executions N       for each scenario\n"
"  --first              do not look for a shorter failure\n"
"  --stop               after the first scenario that fails\n"
"  --jobs N             scenarios at a time (default: one a processor)\n"
"  --verbose            every step of a failure\n"
"  --trace FILE         where the trace of a failure goes\n"
"\n"
"Exit code: 0 ok, 10 violation, 11 race, 12 deadlock, 13 stuck, 14 limit\n"
"reached, 15 tool error.\n";

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void __noreturn __printf(1, 2)
give_up(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "explore: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(EXPLORE_TOOL_ERROR);
}

static const char *program;	/* as it was called */
static struct request request = {
	.options = {
		.strategy = SEARCH_BOUNDED,
		.bound = 2,
		.reduce = true,
		.races = true,
		.keep_going = true,
		.max_steps = 20000,
	},
};
static struct outcome *outcomes; /* one for each scenario asked for */
static struct total total;

/* ---- One scenario ------------------------------------------------------ */

/* Exhaustive for half of the time; if that is not enough, bound after bound. */
static void
search_deep(struct outcome *outcome)
{
	struct explore_options *options = &outcome->options;

	options->strategy = SEARCH_EXHAUSTIVE;
	options->max_seconds /= 2;
	explore_search(machine_world(), options, &outcome->result);
	if (outcome->result.code != EXPLORE_LIMIT)
		return;
	options->strategy = SEARCH_BOUNDED;
	options->bound = 100;
	explore_search(machine_world(), options, &outcome->result);
}

/* build/explore/NAME.trace, beside the program. */
static const char *
default_trace(const char *name)
{
	static char path[512];
	const char *slash = strrchr(program, '/');

	snprintf(path, sizeof(path), "%.*s%s.trace",
		 slash ? (int)(slash + 1 - program) : 0, program, name);
	return path;
}

/* The process gets a SIGXCPU when it has used that much. */
static void
limit_processor_time(rlim_t seconds)
{
	struct rlimit limit = { seconds, RLIM_INFINITY };

	setrlimit(RLIMIT_CPU, &limit);
}

/* S5 by chance: nothing is given up, so this is what an execution costs, with
 * all its checks. */
static void
measure_speed(struct outcome *outcome)
{
	const struct explore_options options = {
		.strategy = SEARCH_RANDOM, .max_executions = 3000,
		.max_steps = outcome->options.max_steps, .races = true,
	};
	struct explore_result result;

	if (strncmp(outcome->name, "s05", 3) != 0)
		return;
	explore_search(machine_world(), &options, &result);
	if (result.stats.seconds > 0)
		outcome->rate = (double)result.stats.executions /
				result.stats.seconds;
}

static bool
failed(enum verdict_code code)
{
	return code != EXPLORE_OK && code != EXPLORE_LIMIT;
}

static void
report_details(const struct outcome *outcome)
{
	const char *trace = request.trace ? request.trace
					  : default_trace(outcome->name);

	if (failed(outcome->result.code))
		report_failure(outcome, machine_world(), program,
			       request.all_steps, trace);
	else if (outcome->options.strategy == SEARCH_REPLAY)
		report_replay(outcome, machine_world(), request.all_steps,
			      trace);
}

static void
explore(struct outcome *outcome, const struct scenario *scenario)
{
	outcome->name = scenario->name;
	outcome->about = scenario->about;
	outcome->options = request.options;
	/* The engine only looks at its limits between executions: one of them
	 * may never end. */
	if (request.options.max_seconds)
		limit_processor_time(2 * (rlim_t)request.options.max_seconds +
				     GRACE_SECONDS);
	scenario_boot(scenario);
	if (request.deep)
		search_deep(outcome);
	else
		explore_search(machine_world(), &outcome->options,
			       &outcome->result);
	report_row(outcome);
	report_details(outcome);
	measure_speed(outcome);
	fflush(stdout);
}

static void
explore_nth(unsigned i)
{
	explore(&outcomes[i], request.scenarios[i]);
}

/* The worse of two: a tool error, then the first failure, then a limit. */
static enum verdict_code
worse(enum verdict_code a, enum verdict_code b)
{
	if (a == EXPLORE_TOOL_ERROR || b == EXPLORE_TOOL_ERROR)
		return EXPLORE_TOOL_ERROR;
	return failed(a) || b == EXPLORE_OK ? a : b;
}

static bool
nth_ended(unsigned i, int exit_code, const char *why)
{
	struct outcome *outcome = &outcomes[i];
	enum verdict_code *code = &outcome->result.code;

	/* The kernel panics before there is anything to explore; or a crash. */
	if (why) {
		*code = exit_code == EXPLORE_VIOLATION ? EXPLORE_VIOLATION
						       : EXPLORE_TOOL_ERROR;
		outcome->name = request.scenarios[i]->name;
		printf("%s: %s: %s\n", outcome->name, verdict_name(*code), why);
	}
	total_add(&total, outcome);
	total.code = worse(total.code, outcome->result.code);
	return !request.stop || !failed(total.code);
}

static unsigned
longest_name(void)
{
	size_t longest = 0;

	for (unsigned i = 0; i < request.nr_scenarios; i++)
		longest = MAX(longest, strlen(request.scenarios[i]->name));
	return (unsigned)longest;
}

/* Explores all, prints them in their order, and sums up. */
static enum verdict_code
explore_all(void)
{
	double start = now();

	outcomes = shared_memory(request.nr_scenarios * sizeof(*outcomes));
	report_heading(longest_name());
	run_jobs(request.nr_scenarios, request.jobs, explore_nth, nth_ended);
	report_total(&total, now() - start);
	return total.code;
}

/* ---- The command line -------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
	const struct scenario *const *one = a, *const *other = b;

	return strverscmp((*one)->name, (*other)->name); /* s9 before s10 */
}

static bool
begins_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* All whose name is @name, or begins with it: "s5" is enough; but "" are
 * those that should pass. */
static void
choose(const char *name)
{
	const struct scenario *scenario;
	unsigned before = request.nr_scenarios;

	for (scenario = __start_scenarios; scenario < __stop_scenarios;
	     scenario++) {
		if (*name ? !begins_with(scenario->name, name)
			  : begins_with(scenario->name, "broken_"))
			continue;
		if (request.nr_scenarios == MAX_SCENARIOS)
			give_up("too many scenarios");
		request.scenarios[request.nr_scenarios++] = scenario;
	}
	if (request.nr_scenarios == before)
		give_up("no scenario is called %s: see --list", name);
	qsort(&request.scenarios[before], request.nr_scenarios - before,
	      sizeof(request.scenarios[0]), by_name);
}

static void
list_scenarios(void)
{
	choose("");
	for (unsigned i = 0; i < request.nr_scenarios; i++)
		printf("%-*s %u CPU%s  %s\n", (int)longest_name(),
		       request.scenarios[i]->name, request.scenarios[i]->cpus,
		       request.scenarios[i]->cpus == 1 ? " " : "s",
		       request.scenarios[i]->about);
}

static u64
number(const char *text)
{
	char *end;
	u64 n = strtoul(text, &end, 0);

	if (!*text || *end)
		give_up("%s is no number", text);
	return n;
}

static const struct option long_options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "scenario", required_argument, NULL, 's' },
	{ "list", no_argument, NULL, 'l' },
	{ "bound", required_argument, NULL, 'b' },
	{ "exhaustive", no_argument, NULL, 'x' },
	{ "deep", no_argument, NULL, 'd' },
	{ "random", no_argument, NULL, 'r' },
	{ "pct", required_argument, NULL, 'p' },
	{ "seed", required_argument, NULL, 'S' },
	{ "executions", required_argument, NULL, 'e' },
	{ "seconds", required_argument, NULL, 't' },
	{ "replay", required_argument, NULL, 'R' },
	{ "tso", no_argument, NULL, 'T' },
	{ "no-reduction", no_argument, NULL, 'n' },
	{ "first", no_argument, NULL, 'f' },
	{ "stop", no_argument, NULL, '1' },
	{ "jobs", required_argument, NULL, 'j' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "trace", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* Options of the search. False: it is none. */
static bool
search_option(struct explore_options *options, int option, const char *value)
{
	switch (option) {
	case 'b':
		options->strategy = SEARCH_BOUNDED;
		options->bound = (unsigned)number(value);
		return true;
	case 'x':
		options->strategy = SEARCH_EXHAUSTIVE;
		return true;
	case 'r':
		options->strategy = SEARCH_RANDOM;
		return true;
	case 'p':
		options->strategy = SEARCH_PCT;
		options->bound = (unsigned)number(value);
		return true;
	case 'R':
		options->strategy = SEARCH_REPLAY;
		options->replay = value;
		return true;
	case 'S':
		options->seed = number(value);
		return true;
	case 'e':
		options->max_executions = number(value);
		return true;
	case 't':
		options->max_seconds = strtod(value, NULL);
		return true;
	case 'T':
		options->tso = true;
		return true;
	case 'n':
		options->reduce = false;
		return true;
	case 'f':
		options->keep_going = false;
		return true;
	}
	return false;
}

static void
other_option(int option, const char *value)
{
	switch (option) {
	case 'a':
		choose("");
		break;
	case 's':
		choose(value);
		break;
	case 'd':
		request.deep = true;
		break;
	case '1':
		request.stop = true;
		break;
	case 'j':
		request.jobs = (unsigned)number(value);
		break;
	case 'v':
		request.all_steps = true;
		break;
	case 'o':
		request.trace = value;
		break;
	case 'l':
		list_scenarios();
		exit(EXPLORE_OK);
	case 'h':
		fputs(usage, stdout);
		exit(EXPLORE_OK);
	default:
		fputs(usage, stderr);
		exit(EXPLORE_TOOL_ERROR);
	}
}

static void
parse(int argc, char **argv)
{
	const struct explore_options *options = &request.options;
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (!search_option(&request.options, option, optarg))
			other_option(option, optarg);
	if (optind < argc || !request.nr_scenarios)
		other_option('?', NULL);
	if (!request.jobs)
		request.jobs = 1;
	if (options->strategy == SEARCH_REPLAY && request.nr_scenarios != 1)
		give_up("a schedule belongs to one scenario");
	if ((options->strategy == SEARCH_RANDOM ||
	     options->strategy == SEARCH_PCT) && !options->max_executions &&
	    !options->max_seconds)
		give_up("how long? --executions or --seconds");
	if (request.deep && !options->max_seconds)
		give_up("how long? --seconds");
}

int
main(int argc, char **argv)
{
	program = argv[0];
	request.jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	parse(argc, argv);
	if (request.options.strategy != SEARCH_REPLAY)
		return explore_all();
	outcomes = shared_memory(sizeof(*outcomes));
	report_heading(longest_name());
	explore_nth(0);
	return outcomes[0].result.code;
}
