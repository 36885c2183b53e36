/*
 * The story of one schedule.
 *
 * The engine calls before each step. What a step did to the counters is
 * therefore known at the next one, and so is what it traced.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/sim/image.h"
#include "arch/sim/machine.h"
#include "arch/sim/records.h"
#include "arch/sim/story.h"
#include "arch/sim/words.h"
#include "mm/ledger.h"

struct event {
	struct explore_step step;
	char agent[16];
	char who[24], counters[48];	/* before the step */
	char word[WORD_NAME_LEN], second[WORD_NAME_LEN];
	unsigned first_record;		/* of the trace: what this step added */
	unsigned after;			/* the step it conflicts with, or 0 */
	bool shown;
	struct source_line place;
};

/* One more than there are steps: how things were at the end. */
static struct event *events;
static size_t nr_steps, room;
static const struct world *world;

/* ---- Writing down ------------------------------------------------------ */

static struct event *
next_event(void)
{
	if (nr_steps == room) {
		room = room ? 2 * room : 256;
		events = realloc(events, room * sizeof(*events));
		if (!events)
			abort();
	}
	memset(&events[nr_steps], 0, sizeof(*events));
	return &events[nr_steps];
}

static void
look(struct event *event, unsigned agent)
{
	sim_trace(&event->first_record);
	if (world->describe)
		world->describe(agent, event->who, event->counters);
}

static void
on_step(const struct explore_step *step)
{
	struct event *event = next_event();

	explore_quiet_begin();
	nr_steps++;
	event->step = *step;
	snprintf(event->agent, sizeof(event->agent), "%s",
		 world->agent_name(step->agent));
	if (step->op.address)
		word_name(step->op.address, event->word);
	if (step->op.second)
		word_name(step->op.second, event->second);
	mm_names_learn();
	look(event, step->agent);
	explore_quiet_end();
}

static void
on_choice(const char *what, unsigned outcome)
{
	struct event *event = &events[nr_steps - 1];

	snprintf(event->word, sizeof(event->word), "%s %s", what,
		 outcome ? "yes" : "no");
}

void
story_record(const struct world *the_world,
	     const struct explore_options *options, const char *schedule,
	     struct explore_result *result)
{
	struct explore_options replay = *options;

	world = the_world;
	nr_steps = 0;
	replay.strategy = SEARCH_REPLAY;
	replay.replay = schedule;
	explore_on_step = on_step;
	explore_on_choice = on_choice;
	explore_recording = true;
	explore_search(world, &replay, result);
	explore_on_step = NULL;
	explore_on_choice = NULL;
	explore_recording = false;
	look(next_event(), 0);
}

/* ---- Which steps matter ------------------------------------------------ */

static unsigned
cpu_of(const struct event *event)
{
	unsigned agent = event->step.agent;

	return world->host_of ? world->host_of(agent) : agent;
}

static bool
changes(const struct op *op)
{
	return op->kind == OP_WRITE || op->kind == OP_UPDATE ||
	       op->kind == OP_DRAIN;
}

static bool
accesses(const struct op *op)
{
	return op->address && (op->kind == OP_READ || changes(op));
}

static bool
overlap(const void *a, unsigned a_size, const void *b, unsigned b_size)
{
	return a && b && (u64)a < (u64)b + b_size && (u64)b < (u64)a + a_size;
}

/* An operation's second word is a whole one. */
static bool
share_bytes(const struct op *a, const struct op *b)
{
	return overlap(a->address, a->size, b->address, b->size) ||
	       overlap(a->address, a->size, b->second, 8) ||
	       overlap(a->second, 8, b->address, b->size) ||
	       overlap(a->second, 8, b->second, 8);
}

/* The last access to what step @i accesses, if another CPU made it and one of the
 * two is a change. Number of the step, or 0. */
static unsigned
conflict(size_t i)
{
	const struct op *op = &events[i].step.op;

	if (!accesses(op))
		return 0;
	for (size_t j = i; j-- > 0;) {
		const struct op *before = &events[j].step.op;

		if (!accesses(before) || !share_bytes(op, before))
			continue;
		if (cpu_of(&events[j]) == cpu_of(&events[i]) ||
		    !(changes(op) || changes(before)))
			return 0;
		return events[j].step.number;
	}
	return 0;
}

static bool
moved_counters(size_t i)
{
	return strcmp(events[i].counters, events[i + 1].counters) != 0;
}

/* Another turn of the same loop that waits? */
static bool
still_waits(size_t i)
{
	unsigned agent = events[i].step.agent;

	if (events[i].step.op.kind != OP_RELAX)
		return false;
	for (size_t j = i; j-- > 0;)
		if (events[j].step.agent == agent)
			return events[j].step.op.kind == OP_RELAX;
	return false;
}

static bool
matters(size_t i)
{
	const struct explore_step *step = &events[i].step;

	if (still_waits(i))
		return i + 1 == nr_steps;
	return i == 0 || i + 1 == nr_steps || step->switched ||
	       events[i + 1].step.switched || step->op.kind == OP_CHOOSE ||
	       moved_counters(i) || events[i].after ||
	       events[i].first_record != events[i + 1].first_record;
}

static void
select_steps(bool all)
{
	for (size_t i = 0; i < nr_steps; i++)
		events[i].after = conflict(i);
	for (size_t i = 0; i < nr_steps; i++) {
		events[i].shown = all || matters(i);
		if (events[i].after) /* steps are numbered from 1 */
			events[events[i].after - 1].shown = true;
	}
}

static void
find_places(void)
{
	u64 *callers = calloc(nr_steps + 1, sizeof(*callers));
	struct source_line *lines = calloc(nr_steps + 1, sizeof(*lines));

	if (!callers || !lines)
		abort();
	for (size_t i = 0; i < nr_steps; i++)
		callers[i] = events[i].step.op.caller;
	source_lines(callers, lines, nr_steps);
	for (size_t i = 0; i < nr_steps; i++)
		events[i].place = lines[i];
	free(callers);
	free(lines);
}

/* ---- Printing ---------------------------------------------------------- */

static const char *
verb(const struct op *op)
{
	static const char *const verbs[] = {
		[OP_START] = "begins",
		[OP_READ] = "reads",
		[OP_WRITE] = "writes",
		[OP_UPDATE] = "updates",
		[OP_FENCE] = "full barrier",
		[OP_LOCK] = "locks",
		[OP_UNLOCK] = "unlocks",
		[OP_WAIT] = "waited for",
		[OP_RELAX] = "lets others go on",
		[OP_CHOOSE] = "chance:",
		[OP_STORE] = "puts into its store buffer",
		[OP_DRAIN] = "its store is visible now:",
		[OP_PRIVATE] = "goes on",
	};

	return op->kind < ARRAY_SIZE(verbs) ? verbs[op->kind] : "?";
}

/* "updates A.count, after step 41" */
static void
print_what(const struct event *event)
{
	char text[160];
	int n;

	n = snprintf(text, sizeof(text), "%s %s%s%s", verb(&event->step.op),
		     event->word, event->second[0] ? " and " : "",
		     event->second);
	if (event->after)
		snprintf(text + n, sizeof(text) - (size_t)n, ", after step %u",
			 event->after);
	printf("%-46s", text);
}

static void
print_place(const struct source_line *place)
{
	if (place->line)
		printf(" %s:%u, %s()", place->file, place->line,
		       place->function);
}

/* Who runs on the CPU of step @i after the switch there. */
static const char *
next_task(size_t i)
{
	for (size_t j = i + 1; j < nr_steps; j++)
		if (events[j].step.agent == events[i].step.agent &&
		    strcmp(events[j].who, events[i].who))
			return events[j].who;
	return "the next task";
}

/* What a record of step @i says besides its name and its mm. */
static void
print_detail(size_t i, const struct trace_record *record)
{
	switch (record->op) {
	case TRACE_SWITCH:
	case TRACE_HANDOVER:
		printf(" to %s", next_task(i));
		break;
	case TRACE_MMGET:
	case TRACE_MMPUT:
	case TRACE_MMGRAB:
	case TRACE_MMDROP:
		printf(" %s", mm_ref_name(record->extra));
		break;
	case TRACE_IPI:
		printf(" to cpu%lu", record->extra & 0xff);
		break;
	case TRACE_FLUSH:
		if (~record->extra)
			printf(" %#lx", record->extra);
		break;
	case TRACE_TEARDOWN:
		printf(" of %lu pages", record->extra);
	}
}

/* "mmdrop borrow: A 0/1" */
static void
print_record(size_t i, const struct trace_record *record)
{
	printf("%24s=> %s", "", trace_op_name(record->op));
	print_detail(i, record);
	if (record->users || record->count)
		printf(": %s %d/%d", mm_name(record->mm_id), record->users,
		       record->count);
	printf("\n");
}

static int agent_width, who_width, counters_width;

static void
measure(void)
{
	agent_width = 4, who_width = 4, counters_width = 3;
	for (size_t i = 0; i <= nr_steps; i++) {
		const struct event *event = &events[i];

		agent_width = MAX(agent_width, (int)strlen(event->agent));
		who_width = MAX(who_width, (int)strlen(event->who));
		counters_width = MAX(counters_width,
				     (int)strlen(event->counters));
	}
}

/* '!': the explorer took the CPU's turn away; '>': its turn had ended. */
static char
mark(const struct explore_step *step)
{
	return step->preempted ? '!' : step->switched ? '>' : ' ';
}

static void
print_event(size_t i)
{
	const struct event *event = &events[i];
	unsigned n;
	const struct trace_record *records = sim_trace(&n);

	printf("%5u %c %-*s %-*s %-*s ", event->step.number,
	       mark(&event->step), agent_width, event->agent, who_width,
	       event->who, counters_width, event[1].counters);
	print_what(event);
	print_place(&event->place);
	printf("\n");
	for (unsigned r = event->first_record; r < event[1].first_record; r++)
		print_record(i, &records[r]);
}

/* From step @i on: how many of its agent's in a row are not shown. Of loops
 * that wait: of all agents'. */
static size_t
hidden_run(size_t i)
{
	size_t end = i;

	while (end < nr_steps && !events[end].shown &&
	       (events[end].step.agent == events[i].step.agent ||
		still_waits(end)))
		end++;
	return end - i;
}

static void
print_hidden(size_t i, size_t n)
{
	if (still_waits(i))
		printf("        ... %zu turns of loops that wait\n", n);
	else
		printf("        ... %zu more step%s of %s\n", n,
		       n == 1 ? "" : "s", events[i].agent);
}

void
story_print(bool all)
{
	select_steps(all);
	find_places();
	measure();
	printf(" step   %-*s %-*s %-*s %-46s %s\n", agent_width, "CPU",
	       who_width, "task", counters_width, "U/C", "what it does",
	       "where");
	for (size_t i = 0; i < nr_steps; i++) {
		size_t hidden = hidden_run(i);

		if (!hidden) {
			print_event(i);
			continue;
		}
		print_hidden(i, hidden);
		i += hidden - 1;
	}
}
