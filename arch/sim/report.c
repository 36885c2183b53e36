/*
 * Tables and sentences. A failure is told by story.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "arch/sim/image.h"
#include "arch/sim/records.h"
#include "arch/sim/report.h"
#include "arch/sim/story.h"
#include "arch/sim/words.h"

enum { MIN_ADDRESS = 0x400000 }; /* smaller numbers are numbers */

const char *
verdict_name(enum verdict_code code)
{
	switch (code) {
	case EXPLORE_OK:
		return "ok";
	case EXPLORE_VIOLATION:
		return "VIOLATION";
	case EXPLORE_RACE:
		return "RACE";
	case EXPLORE_DEADLOCK:
		return "DEADLOCK";
	case EXPLORE_STUCK:
		return "STUCK";
	case EXPLORE_LIMIT:
		return "LIMIT REACHED";
	case EXPLORE_TOOL_ERROR:
		break;
	}
	return "TOOL ERROR";
}

/* ---- The table --------------------------------------------------------- */

/* 1234567 as "1,234,567". The text lives until the eighth call from now. */
static const char *
thousands(u64 n)
{
	static char buffers[8][32];
	static unsigned next;
	char *to = buffers[next++ % 8] + 31;

	*to = 0;
	for (unsigned digits = 0; n || !digits; n /= 10, digits++) {
		if (digits && digits % 3 == 0)
			*--to = ',';
		*--to = (char)('0' + n % 10);
	}
	return to;
}

/* How much of all interleavings was tried. */
static void
format_extent(const struct outcome *outcome, char *buf, size_t size)
{
	const struct explore_options *options = &outcome->options;
	const struct explore_stats *stats = &outcome->result.stats;
	enum verdict_code code = outcome->result.code;

	if (code != EXPLORE_OK && code != EXPLORE_LIMIT) {
		snprintf(buf, size, "%s", verdict_name(code));
		return;
	}
	switch (options->strategy) {
	case SEARCH_EXHAUSTIVE:
		snprintf(buf, size, stats->complete ? "all" : "limit reached");
		break;
	case SEARCH_BOUNDED:
		if (!stats->bound_mattered) /* it never was in the way */
			snprintf(buf, size, stats->complete ? "all"
							    : "limit reached");
		else
			snprintf(buf, size,
				 stats->complete ? "bound %u: complete"
						 : "only bound %u",
				 stats->bound_done);
		break;
	case SEARCH_RANDOM:
		snprintf(buf, size, "by chance, seed %" PRIu64, options->seed);
		break;
	case SEARCH_PCT:
		snprintf(buf, size, "PCT %u, seed %" PRIu64, options->bound,
			 options->seed);
		break;
	case SEARCH_REPLAY:
		snprintf(buf, size, "one schedule");
	}
}

/* Columns: of the scenario's name, and left for what it is about. */
static int name_width = 8, about_width;

void
report_heading(unsigned longest_name)
{
	struct winsize terminal;

	name_width = MAX((int)longest_name, name_width);
	about_width = 200;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &terminal))
		about_width = MAX(terminal.ws_col - name_width - 64, 0);
	printf("%-*s %13s %11s %6s %8s  %-17s %.*s\n", name_width, "scenario",
	       "interleavings", "states", "depth", "time", "tried",
	       about_width, "about");
}

void
report_row(const struct outcome *outcome)
{
	const struct explore_stats *stats = &outcome->result.stats;
	char extent[48];

	format_extent(outcome, extent, sizeof(extent));
	printf("%-*s %13s %11s %6u %6.1f s  %-17s %.*s\n", name_width,
	       outcome->name, thousands(stats->executions),
	       thousands(stats->states), stats->depth, stats->seconds, extent,
	       about_width, outcome->about);
}

/* ---- Failures ---------------------------------------------------------- */

/* An address in words, or as it is. */
static void
print_address(u64 address)
{
	char name[WORD_NAME_LEN];
	struct source_line place;

	if (is_code(address)) {
		source_lines(&address, &place, 1);
		printf("%s:%u, %s()", place.file, place.line, place.function);
		return;
	}
	word_name((const void *)address, name);
	printf("%s", name);
}

/* The engine knows addresses only: "0x4012ab" becomes "mm/mm.c:88, mmput()". */
static void
print_sentence(const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end) {
		char *after = (char *)text + 1;
		u64 address = strncmp(text, "0x", 2)
				      ? 0 : strtoul(text, &after, 16);

		if (address >= MIN_ADDRESS)
			print_address(address);
		else
			printf("%.*s", (int)(after - text), text);
		text = after;
	}
}

static void
print_indented(const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		printf("    ");
		print_sentence(text, length);
		printf("\n");
		text += length + (text[length] == '\n');
	}
}

static void
print_commands(const struct outcome *outcome, const char *program,
	       unsigned steps)
{
	const struct explore_failure *failure = &outcome->result.failure;
	const char *tso = outcome->options.tso ? " --tso" : "";

	printf("\n  Again:\n    %s%s --scenario %s --replay %s\n", program,
	       tso, outcome->name, failure->schedule);
	printf("\n  Again in gdb, from the last step on (\"continue\" goes to "
	       "the failure):\n    gdb -q -ex 'break explore_breakpoint if "
	       "number >= %u' -ex run --args \\\n        "
	       "%s%s --scenario %s --replay %s\n",
	       steps, program, tso, outcome->name, failure->schedule);
}

void
report_failure(const struct outcome *outcome, const struct world *world,
	       const char *program, bool all_steps, const char *trace)
{
	const struct explore_failure *failure = &outcome->result.failure;
	struct explore_result again = { 0 };

	if (failure->schedule)
		story_record(world, &outcome->options, failure->schedule,
			     &again);
	printf("\n%s: %s, found after %s interleaving%s; %u preemption%s, "
	       "%u steps\n\n", outcome->name, verdict_name(failure->code),
	       thousands(failure->found_after),
	       failure->found_after == 1 ? "" : "s", failure->preemptions,
	       failure->preemptions == 1 ? "" : "s", again.failure.steps);
	print_indented(failure->sentence);
	if (!failure->schedule)
		return;
	if (again.code != failure->code ||
	    again.failure.preemptions != failure->preemptions ||
	    strcmp(again.failure.sentence, failure->sentence) != 0)
		printf("\n  TOOL ERROR: the same schedule, run again, ended "
		       "with %s, %u preemptions: %s\n",
		       verdict_name(again.code), again.failure.preemptions,
		       again.failure.sentence);
	printf("\n");
	print_indented(again.failure.notes);
	printf("\n");
	story_print(all_steps);
	print_commands(outcome, program, again.failure.steps);
	if (!records_write(trace))
		printf("\n  Trace records of it: %s\n", trace);
	printf("\n");
}

void
report_replay(const struct outcome *outcome, const struct world *world,
	      bool all_steps, const char *trace)
{
	struct explore_result again = { 0 };

	story_record(world, &outcome->options, outcome->options.replay, &again);
	printf("\n");
	story_print(all_steps);
	if (!records_write(trace))
		printf("\n  Trace records of it: %s\n", trace);
}

/* ---- The total --------------------------------------------------------- */

void
total_add(struct total *total, const struct outcome *outcome)
{
	const struct explore_stats *stats = &outcome->result.stats;

	total->scenarios++;
	total->limited += outcome->result.code == EXPLORE_LIMIT;
	total->failed += outcome->result.code != EXPLORE_OK &&
			 outcome->result.code != EXPLORE_LIMIT;
	total->interleavings += stats->executions;
	total->cut += stats->cut;
	total->states += stats->states;
	total->accesses += stats->accesses;
	total->seconds += stats->seconds;
	total->s5_per_second = MAX(total->s5_per_second, outcome->rate);
}

void
report_total(const struct total *total, double elapsed)
{
	double seconds = total->seconds > 0 ? total->seconds : 1;

	printf("\n%u scenario%s, %u failed, %u ended by a limit, in %.1f s\n"
	       "%s interleavings to their end, %s given up where the rest was "
	       "known; %s states\n", total->scenarios,
	       total->scenarios == 1 ? "" : "s", total->failed, total->limited,
	       elapsed, thousands(total->interleavings), thousands(total->cut),
	       thousands(total->states));
	printf("speed, on one core: %.1f million accesses a second",
	       (double)total->accesses / seconds / 1e6);
	if (total->s5_per_second > 0)
		printf("; S5: %s complete executions a second",
		       thousands((u64)total->s5_per_second));
	printf("\n");
}
