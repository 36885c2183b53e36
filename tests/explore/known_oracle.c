/*
 * What the explorer should find, found in the plainest way: by trying all
 * steps of all agents. No stacks, no hooks, no reduction.
 */
#include "tests/explore/known_code.h"

enum { MAX_TRACE = CODE_AGENTS * CODE_LENGTH, TOO_MANY = 100000 };

struct buffered {
	u8 word;
	u64 value;
};

struct state {
	u64 words[CODE_WORDS];
	struct view views[CODE_AGENTS];
	u8 owner[CODE_LOCKS];		/* 0: free, else agent + 1 */
	bool irqs_off;
	unsigned nr_buffered[CODE_AGENTS];
	struct buffered buffer[CODE_AGENTS][CODE_LENGTH * 2];
};

static const struct code *code;
static bool tso, bounded;

/* ---- Sets and outcomes ----------------------------------------------------- */

#define SALT 0x243f6a8885a308d3ull

static u64
mix(u64 hash, u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

void
view_add(struct view *view, u64 value)
{
	view->last = value;
	view->seen = view->seen * 1000003 + value + 1; /* no two the same */
}

u64
outcome_of(const u64 *words, const struct view *views)
{
	u64 hash = SALT;

	for (unsigned i = 0; i < CODE_WORDS; i++)
		hash = mix(hash, words[i]);
	for (unsigned i = 0; i < CODE_AGENTS; i++)
		hash = mix(mix(hash, views[i].seen), views[i].at);
	return hash | 1;
}

u64
view_number(unsigned agent, const struct view *view)
{
	return mix(mix(SALT, agent), view->seen) | 1;
}

struct set *
set_make(u64 capacity)
{
	struct set *set = memory_of_all(sizeof(*set) + capacity * sizeof(u64));

	set->capacity = capacity;
	return set;
}

void
set_clear(struct set *set)
{
	set->nr = 0;
	memset(set->slot, 0, set->capacity * sizeof(u64));
}

static u64
slot_of(const struct set *set, u64 number)
{
	u64 i = (number >> 8) % set->capacity;

	while (set->slot[i] != 0 && set->slot[i] != number)
		i = (i + 1) % set->capacity;
	return i;
}

static bool
set_has(const struct set *set, u64 number)
{
	return set->slot[slot_of(set, number)] != 0;
}

bool
set_add(struct set *set, u64 number)
{
	if (set_has(set, number))
		return false;
	CHECK(++set->nr < set->capacity);
	set->slot[slot_of(set, number)] = number;
	return true;
}

u64
set_missing(const struct set *set, const struct set *other)
{
	for (u64 i = 0; i < set->capacity; i++)
		if (set->slot[i] != 0 && !set_has(other, set->slot[i]))
			return set->slot[i];
	return 0;
}

/* ---- One step -------------------------------------------------------------- */

static unsigned
host_of(unsigned agent)
{
	return code->interrupt && agent == 1 ? 0 : agent;
}

static const struct instr *
next_of(const struct state *s, unsigned agent)
{
	if (s->views[agent].at >= code->length[agent])
		return NULL;
	return &code->instr[agent][s->views[agent].at];
}

static bool
interrupted(const struct state *s, unsigned agent)
{
	u64 at = s->views[1].at;

	return code->interrupt && agent == 0 && at > 0 && at < code->length[1];
}

static bool
needs_empty_buffer(const struct instr *instr)
{
	switch (instr->kind) {
	case ADD: case ADD_BOTH: case FENCE: case LOCK: case IRQS_OFF:
	case IRQS_ON:
		return true;
	default:
		return false;
	}
}

static bool
can_step(const struct state *s, unsigned agent)
{
	const struct instr *instr = next_of(s, agent);

	if (!instr || interrupted(s, agent))
		return false;
	if (s->nr_buffered[host_of(agent)] > 0 && needs_empty_buffer(instr))
		return false;
	if (instr->kind == DELIVER)
		return !s->irqs_off;
	return instr->kind != LOCK || s->owner[instr->word] == 0;
}

/* Locks' words come after the others. */
static void
write_word(struct state *s, unsigned agent, u8 word, u64 value)
{
	unsigned host = host_of(agent);

	if (tso)
		s->buffer[host][s->nr_buffered[host]++] =
			(struct buffered){ word, value };
	else if (word < CODE_WORDS)
		s->words[word] = value;
	else
		s->owner[word - CODE_WORDS] = value;
}

static u64
read_word(const struct state *s, unsigned agent, u8 word)
{
	unsigned host = host_of(agent);

	for (unsigned i = s->nr_buffered[host]; i-- > 0;)
		if (s->buffer[host][i].word == word)
			return s->buffer[host][i].value;
	return s->words[word];
}

static void
drain(struct state *s, unsigned host)
{
	struct buffered oldest = s->buffer[host][0];

	s->nr_buffered[host]--;
	memmove(s->buffer[host], s->buffer[host] + 1,
		s->nr_buffered[host] * sizeof(oldest));
	memset(&s->buffer[host][s->nr_buffered[host]], 0, sizeof(oldest));
	if (oldest.word < CODE_WORDS)
		s->words[oldest.word] = oldest.value;
	else
		s->owner[oldest.word - CODE_WORDS] = oldest.value;
}

static void
do_step(struct state *s, unsigned agent, unsigned chosen)
{
	const struct instr *instr = next_of(s, agent);
	struct view *view = &s->views[agent];

	switch (instr->kind) {
	case READ:
		view_add(view, read_word(s, agent, instr->word));
		break;
	case WRITE:
		write_word(s, agent, instr->word, instr->value);
		break;
	case WRITE_MORE:
		write_word(s, agent, instr->word, view->last + instr->value);
		break;
	case ADD_BOTH:
		s->words[(instr->word + 1) % CODE_WORDS] += instr->value;
		/* fallthrough */
	case ADD:
		view_add(view, s->words[instr->word]);
		s->words[instr->word] += instr->value;
		break;
	case LOCK:
		s->owner[instr->word] = agent + 1;
		break;
	case UNLOCK:
		write_word(s, agent, CODE_WORDS + instr->word, 0);
		break;
	case CHOOSE:
		view_add(view, chosen);
		break;
	case IRQS_OFF:
	case IRQS_ON:
		s->irqs_off = instr->kind == IRQS_OFF;
		break;
	}
	view->at++;
}

static unsigned
nr_choices(const struct instr *instr)
{
	return instr->kind == CHOOSE ? instr->value : 1;
}

/* ---- Steps that nobody notices ----------------------------------------------- */

/* Bit i: changes word i; bit 8 + i: reads it. Locks and the flag of the
 * interrupts are words too. */
static unsigned
effects(const struct instr *instr)
{
	unsigned flag = CODE_WORDS + CODE_LOCKS;

	switch (instr->kind) {
	case READ:
		return 0x100 << instr->word;
	case WRITE: case WRITE_MORE: case ADD:
		return 1 << instr->word;
	case ADD_BOTH:
		return 1 << instr->word | 1 << (instr->word + 1) % CODE_WORDS;
	case LOCK:
		return 1 << (CODE_WORDS + instr->word);
	case IRQS_OFF: case IRQS_ON:
		return 1 << flag;
	case DELIVER:
		return 0x100 << flag;
	default:
		return 0;
	}
}

/* All that the agent does. */
static unsigned
effects_of_agent(unsigned agent)
{
	unsigned all = 0;

	for (unsigned i = 0; i < code->length[agent]; i++)
		all |= effects(&code->instr[agent][i]);
	return all;
}

static bool
conflicting(unsigned x, unsigned y)
{
	return (x & y & 0xff) || (x & y >> 8 & 0xff) || (x >> 8 & y & 0xff);
}

/* These are announced even by an agent that is alone. */
static bool
is_of_a_pair(unsigned word)
{
	for (unsigned a = 0; a < code->agents; a++)
		for (unsigned i = 0; i < code->length[a]; i++)
			if (code->instr[a][i].kind == ADD_BOTH &&
			    effects(&code->instr[a][i]) & 1 << word)
				return true;
	return false;
}

/* A load or store of a word that others do not touch, or that nobody changes,
 * and a step that never loses its turn, belong to the step before. */
static bool
is_silent(unsigned agent, const struct instr *instr)
{
	unsigned word = 0x101 << instr->word;
	unsigned mine = effects_of_agent(agent) & word;

	if (instr->kind == UNLOCK)
		return !tso && !bounded && (!code->interrupt || agent != 0);
	if (instr->kind == FENCE)
		return !tso;
	if (tso && instr->kind == ADD)
		return false; /* a fence too */
	if (instr->kind >= ADD_BOTH || is_of_a_pair(instr->word))
		return false;
	for (unsigned other = 0; other < code->agents; other++)
		if (other != agent &&
		    conflicting(mine, effects_of_agent(other) & word))
			return false;
	return true;
}

static void
do_silent(struct state *s, unsigned agent)
{
	while (next_of(s, agent) && is_silent(agent, next_of(s, agent)))
		do_step(s, agent, 0);
}

/* ---- All states at the end ------------------------------------------------- */

static struct set *visited, *outcomes, *views;

static u64
hash_of(const struct state *s)
{
	u64 hash = SALT;

	for (size_t i = 0; i < sizeof(*s) / sizeof(u64); i++)
		hash = mix(hash, ((const u64 *)s)[i]);
	return hash | 1;
}

static void
add_end(const struct state *s)
{
	set_add(outcomes, outcome_of(s->words, s->views));
	for (unsigned a = 0; a < code->agents; a++)
		set_add(views, view_number(a, &s->views[a]));
}

static void
visit(const struct state *s)
{
	bool end = true;
	struct state next;

	if (!set_add(visited, hash_of(s)))
		return;
	for (unsigned a = 0; a < code->agents; a++) {
		for (unsigned c = 0; can_step(s, a) &&
				     c < nr_choices(next_of(s, a)); c++) {
			end = false;
			next = *s;
			do_step(&next, a, c);
			do_silent(&next, a);
			visit(&next);
		}
		if (s->nr_buffered[a] > 0) {
			end = false;
			next = *s;
			drain(&next, a);
			visit(&next);
		}
	}
	if (end)
		add_end(s);
}

void
oracle_outcomes(const struct code *c, bool with_buffers, struct set *found,
		struct set *found_views)
{
	struct state start;

	memset(&start, 0, sizeof(start));
	if (!visited)
		visited = set_make(1 << 18);
	set_clear(visited);
	code = c;
	tso = with_buffers;
	outcomes = found;
	views = found_views;
	set_clear(outcomes);
	set_clear(views);
	for (unsigned a = 0; a < code->agents; a++)
		do_silent(&start, a);
	visit(&start);
}

/* ---- All interleavings ----------------------------------------------------- */

static struct counts counts;
static struct set *traces;
static unsigned preemptions_allowed;

/* An instruction that was executed, as the agent's nth. */
struct event {
	unsigned agent, at;
};
static struct event trace[MAX_TRACE];

static bool
dependent(struct event a, struct event b)
{
	unsigned x = effects(&code->instr[a.agent][a.at]);
	unsigned y = effects(&code->instr[b.agent][b.at]);

	return host_of(a.agent) == host_of(b.agent) || conflicting(x, y);
}

static u64
number(struct event event)
{
	return event.agent * CODE_LENGTH + event.at;
}

/* The same for two interleavings when dependent ones come in the same order:
 * the sum over all dependent pairs of a number for "this before that". */
static u64
trace_number(unsigned length)
{
	u64 sum = SALT;

	for (unsigned i = 0; i < length; i++)
		for (unsigned j = i + 1; j < length; j++)
			if (dependent(trace[i], trace[j]))
				sum += mix(mix(SALT, number(trace[i])),
					   number(trace[j]));
	return mix(sum, length) | 1;
}

static void
interleave(const struct state *s, unsigned length, unsigned last,
	   unsigned preemptions)
{
	bool end = true;

	if (counts.interleavings >= TOO_MANY)
		return;
	for (unsigned a = 0; a < code->agents; a++) {
		unsigned now = preemptions;

		if (!can_step(s, a))
			continue;
		end = false;
		if (length > 0 && a != last && can_step(s, last))
			now++;
		if (now > preemptions_allowed)
			continue;
		for (unsigned c = 0; c < nr_choices(next_of(s, a)); c++) {
			struct state next = *s;

			trace[length] = (struct event){ a, s->views[a].at };
			do_step(&next, a, c);
			do_silent(&next, a);
			interleave(&next, length + 1, a, now);
		}
	}
	if (end) {
		counts.interleavings++;
		counts.traces += set_add(traces, trace_number(length));
	}
}

struct counts
oracle_counts(const struct code *c, unsigned preemptions)
{
	struct state start;

	memset(&start, 0, sizeof(start));
	if (!traces)
		traces = set_make(1 << 18);
	set_clear(traces);
	code = c;
	tso = false;
	preemptions_allowed = preemptions;
	bounded = preemptions != ANY_PREEMPTIONS;
	counts = (struct counts){ 0 };
	for (unsigned a = 0; a < code->agents; a++)
		do_silent(&start, a);
	interleave(&start, 0, 0, 0);
	return counts;
}

static void
interleave_buffered(const struct state *s)
{
	bool end = true;

	if (counts.interleavings >= TOO_MANY)
		return;
	for (unsigned a = 0; a < code->agents; a++) {
		struct state next = *s;

		if (can_step(s, a)) {
			end = false;
			do_step(&next, a, 0);
			do_silent(&next, a);
			interleave_buffered(&next);
		}
		if (s->nr_buffered[a] > 0) {
			end = false;
			next = *s;
			drain(&next, a);
			interleave_buffered(&next);
		}
	}
	counts.interleavings += end;
}

u64
oracle_buffered(const struct code *c)
{
	struct state start;

	memset(&start, 0, sizeof(start));
	code = c;
	tso = true;
	bounded = false;
	counts = (struct counts){ 0 };
	for (unsigned a = 0; a < code->agents; a++)
		do_silent(&start, a);
	interleave_buffered(&start);
	return counts.interleavings;
}

/* ---- For people ------------------------------------------------------------ */

const char *
code_text(const struct code *c)
{
	static const char *const names[] = {
		"READ", "WRITE", "WRITE_MORE", "ADD", "ADD_BOTH", "LOCK",
		"UNLOCK", "CHOOSE", "FENCE", "IRQS_OFF", "IRQS_ON", "DELIVER",
	};
	static char text[1024];
	unsigned n = 0;

	for (unsigned a = 0; a < c->agents; a++)
		for (unsigned i = 0; i < c->length[a]; i++)
			n += snprintf(text + n, sizeof(text) - n, "%s%s %u %u",
				      i ? ", " : a ? " | " : "",
				      names[c->instr[a][i].kind],
				      c->instr[a][i].word,
				      c->instr[a][i].value);
	return text;
}

void
check_count(const struct code *c, const struct explore_options *options,
	    u64 expected, const char *file, int line)
{
	struct program program = code_program(c, NULL, 0);
	u64 seen = executions(&program, options);

	if (seen != expected)
		fail_test(file, line, "%s: %lu executions, expected %lu; %s",
			  search_name(options), seen, expected, code_text(c));
}
