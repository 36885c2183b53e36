/*
 * Schedules as strings: who ran, and how far.
 *
 *	0x34.1x12.4.0x7/01
 *
 * Agent 0 until it has done 34 operations, agent 1 for 12, agent 4 for one,
 * then agent 0 again; and the outcomes of explore_choose(), in order: 0, 1.
 * After the end of the string the last agent goes on as long as it can.
 *
 *	0x34.1x12.0@30.1x7.0@33
 *
 * With store buffers: what agent 0 stored in its 30th operation becomes visible
 * after agent 1 has done 12, and what it stored in its 33rd after 7 more. All
 * other stores go to memory at once. Those that are still in a buffer when a
 * failure ends the execution stand at the end, so that they wait as well.
 *
 * A schedule means the same whatever is known: what is shared is learnt, and
 * what one search knows another may not. So every access to a region is an
 * operation and counts, shared or not; and a store is called by its number, since
 * which of them have to wait in a buffer is a matter of what is shared.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/sim/engine.h"

enum { MAX_OUTCOMES = 256 };

struct segment {
	u8 agent;
	bool drains;	/* a store of its becomes visible */
	u32 n;		/* operations; of a store: the number of its own */
};

struct schedule {
	struct segment segments[MAX_STEPS];
	unsigned n;
	u8 outcomes[MAX_OUTCOMES];
	unsigned nr_outcomes;
};

static struct schedule ran;	/* what this execution did */
static u32 began;		/* its last segment's: accesses before it */

static struct schedule given;	/* what a replay is to do */
static unsigned at;		/* segment of it */
static unsigned at_outcome;
static u32 at_began;

/* ---- Recording -------------------------------------------------------------- */

void
schedule_start(void)
{
	ran.n = 0;
	ran.nr_outcomes = 0;
	at = 0;
	at_outcome = 0;
	at_began = 0;
}

static void
close_segment(void)
{
	struct segment *segment = &ran.segments[ran.n - 1];

	if (!segment->drains)
		segment->n = engine.accesses[segment->agent] - began;
}

static void
open_segment(unsigned agent, bool drains, u32 n)
{
	if (ran.n)
		close_segment();
	ran.segments[ran.n++] = (struct segment){ (u8)agent, drains, n };
	began = engine.accesses[agent];
}

void
schedule_ran(unsigned agent)
{
	const struct segment *last = ran.n ? &ran.segments[ran.n - 1] : NULL;

	if (!last || last->drains || last->agent != agent)
		open_segment(agent, false, 0);
}

void
schedule_drains(unsigned drain)
{
	unsigned agent;
	u32 operation;

	buffer_origin(drain, 0, &agent, &operation);
	open_segment(agent, true, operation);
}

void
schedule_chose(unsigned outcome)
{
	if (ran.nr_outcomes < MAX_OUTCOMES)
		ran.outcomes[ran.nr_outcomes++] = (u8)outcome;
}

/* What has not left the buffers yet. */
static void
add_buffers(void)
{
	unsigned agent;
	u32 operation;

	for (unsigned drain = 0; drain < engine.nr_agents; drain++)
		for (unsigned i = 0;
		     ran.n < MAX_STEPS && buffer_origin(drain, i, &agent,
							&operation); i++)
			open_segment(agent, true, operation);
}

static char *
write_segment(char *end, const struct segment *segment)
{
	end += sprintf(end, "%u", segment->agent);
	if (segment->drains)
		end += sprintf(end, "@%u", segment->n);
	else if (segment->n != 1)
		end += sprintf(end, "x%u", segment->n);
	return end;
}

char *
schedule_string(void)
{
	unsigned outcomes = ran.nr_outcomes;
	char *text, *end;

	add_buffers();
	if (ran.n)
		close_segment();
	end = text = malloc(ran.n * 16 + MAX_OUTCOMES + 2);
	for (unsigned i = 0; i < ran.n; i++) {
		if (i)
			*end++ = '.';
		end = write_segment(end, &ran.segments[i]);
	}
	while (outcomes && !ran.outcomes[outcomes - 1])
		outcomes--;
	if (outcomes)
		*end++ = '/';
	for (unsigned i = 0; i < outcomes; i++)
		*end++ = (char)('0' + ran.outcomes[i]);
	*end = 0;
	return text;
}

/* ---- Reading ------------------------------------------------------------------ */

static bool
read_number(const char **text, u32 *number)
{
	char *end;
	unsigned long value;

	if (!isdigit((unsigned char)**text))
		return false;
	value = strtoul(*text, &end, 10);
	*text = end;
	*number = (u32)value;
	return value < 1u << 30;
}

static bool
read_segment(const char **text)
{
	struct segment segment = { .n = 1 };
	u32 agent;

	if (given.n == MAX_STEPS || !read_number(text, &agent) ||
	    agent >= engine.nr_agents)
		return false;
	segment.agent = (u8)agent;
	segment.drains = **text == '@';
	if (segment.drains && engine.buffer[agent] < 0)
		return false;
	if (**text == 'x' || **text == '@') {
		++*text;
		if (!read_number(text, &segment.n))
			return false;
	}
	given.segments[given.n++] = segment;
	return true;
}

static bool
read_outcomes(const char *text)
{
	for (; *text; text++) {
		if (*text < '0' || *text >= '0' + MAX_CHOICES ||
		    given.nr_outcomes == MAX_OUTCOMES)
			return false;
		given.outcomes[given.nr_outcomes++] = (u8)(*text - '0');
	}
	return true;
}

bool
schedule_parse(const char *text)
{
	given.n = 0;
	given.nr_outcomes = 0;
	do {
		if (!read_segment(&text))
			return false;
	} while (*text == '.' && text++);
	if (*text == '/')
		return read_outcomes(text + 1);
	return *text == 0;
}

/* ---- Following ------------------------------------------------------------------ */

unsigned
schedule_turn(void)
{
	const struct segment *segment = &given.segments[at];

	if (segment->drains || (at + 1 < given.n &&
	    engine.accesses[segment->agent] - at_began >= segment->n))
		return NOBODY;
	return segment->agent;
}

bool
schedule_may_go_on(void)
{
	return at + 1 >= given.n || schedule_turn() == engine.running;
}

/* The buffer whose oldest store it is that @segment calls. */
static unsigned
buffer_of_store(const struct segment *segment)
{
	unsigned drain = (unsigned)engine.buffer[segment->agent];
	unsigned agent;
	u32 operation;

	if (!buffer_origin(drain, 0, &agent, &operation) ||
	    agent != segment->agent || operation != segment->n)
		explore_fail(EXPLORE_TOOL_ERROR, "the schedule cannot be "
			     "followed: %u@%u, after %u steps, is not the "
			     "oldest store in its buffer", segment->agent,
			     segment->n, engine.depth);
	return drain;
}

/* The first call of an execution enters the first segment. */
unsigned
schedule_next(void)
{
	const struct segment *segment;

	if (engine.depth > 0 && at + 1 >= given.n)
		return NOBODY;
	if (engine.depth > 0)
		at++;
	segment = &given.segments[at];
	at_began = engine.accesses[segment->agent];
	return segment->drains ? buffer_of_store(segment) : segment->agent;
}

bool
schedule_delays(void)
{
	const u32 operation = engine.accesses[engine.running] + 1;

	for (unsigned i = at; i < given.n; i++)
		if (given.segments[i].drains &&
		    given.segments[i].agent == engine.running &&
		    given.segments[i].n == operation)
			return true;
	return false;
}

unsigned
schedule_outcome(void)
{
	if (at_outcome < given.nr_outcomes)
		return given.outcomes[at_outcome++];
	return 0;
}
