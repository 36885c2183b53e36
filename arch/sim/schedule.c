/*
 * Schedules as strings: who ran, and how far.
 *
 *	0x34.1x12.4.0x7/01
 *
 * Agent 0 until it has done 34 operations, agent 1 for 12, agent 4 for one,
 * then agent 0 again; and the outcomes of explore_choose(), in order: 0, 1.
 * Every access to a region counts, shared or not, so that a schedule means the
 * same where nothing has been learnt yet. After the end of the string the last
 * agent goes on as long as it can.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/sim/engine.h"

enum { MAX_OUTCOMES = 256 };

struct segment {
	u32 agent;
	u32 count;	/* operations */
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

	segment->count = engine.accesses[segment->agent] - began;
}

void
schedule_ran(unsigned agent)
{
	if (ran.n && ran.segments[ran.n - 1].agent == agent)
		return;
	if (ran.n)
		close_segment();
	ran.segments[ran.n++] = (struct segment){ agent, 0 };
	began = engine.accesses[agent];
}

void
schedule_chose(unsigned outcome)
{
	if (ran.nr_outcomes < MAX_OUTCOMES)
		ran.outcomes[ran.nr_outcomes++] = (u8)outcome;
}

char *
schedule_string(void)
{
	char *text = malloc(ran.n * 16 + MAX_OUTCOMES + 2);
	char *end = text;
	unsigned outcomes = ran.nr_outcomes;

	*end = 0;
	if (ran.n)
		close_segment();
	for (unsigned i = 0; i < ran.n; i++) {
		const struct segment *segment = &ran.segments[i];

		end += sprintf(end, i ? ".%u" : "%u", segment->agent);
		if (segment->count != 1)
			end += sprintf(end, "x%u", segment->count);
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
	struct segment segment = { .count = 1 };

	if (given.n == MAX_STEPS || !read_number(text, &segment.agent) ||
	    segment.agent >= engine.nr_agents)
		return false;
	if (**text == 'x') {
		++*text;
		if (!read_number(text, &segment.count))
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

	if (at + 1 < given.n &&
	    engine.accesses[segment->agent] - at_began >= segment->count)
		return NOBODY;
	return segment->agent;
}

bool
schedule_may_go_on(void)
{
	return at + 1 >= given.n || schedule_turn() == engine.running;
}

/* The first call of an execution enters the first segment. */
unsigned
schedule_next(void)
{
	if (engine.depth > 0 && at + 1 >= given.n)
		return NOBODY;
	if (engine.depth > 0)
		at++;
	at_began = engine.accesses[given.segments[at].agent];
	return given.segments[at].agent;
}

unsigned
schedule_outcome(void)
{
	if (at_outcome < given.nr_outcomes)
		return given.outcomes[at_outcome++];
	return 0;
}
