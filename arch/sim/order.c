/*
 * The order that counts. Two steps of different agents are dependent when they
 * share a word and one changes it; only the order of dependent steps can make
 * a difference. Each step has a vector clock, so that "before" can be asked.
 *
 * When a step e' comes that depends on an earlier e of another agent with
 * nothing in between to order them, the other order is worth a try: somebody
 * else is to run where e did. Whom, is the matter of Flanagan and Godefroid
 * (POPL 2005), with the source sets of Abdulla, Aronis, Jonsson and Sagonas
 * (POPL 2014): any agent that could come first among those steps after e that
 * do not need e will do, and one of them is enough.
 *
 * Under a bound on preemptions one of them is not enough, since the others may
 * cost more than the bound allows, and neither is that place alone: to run
 * somebody else in the middle of an agent's turn costs a preemption, before
 * the turn began perhaps none. So the conflicting agent itself is tried, there
 * and where the turn began (Coons, Musuvathi, McKinley, OOPSLA 2013).
 *
 * Interrupts need three more rules; they are with the code.
 */
#include <string.h>

#include "arch/sim/engine.h"

static void
join(struct clock *to, const struct clock *from)
{
	for (unsigned i = 0; i < engine.nr_agents; i++)
		to->at[i] = MAX(to->at[i], from->at[i]);
}

/* Is @node's step before what has @clock? */
static bool
before(const struct node *node, const struct clock *clock)
{
	return clock->at[node->agent] >= node->index;
}

void
order_reset(void)
{
	memset(engine.clocks, 0, sizeof(engine.clocks));
	memset(engine.events, 0, sizeof(engine.events));
}

/* ---- Independence, for sleep sets ------------------------------------------- */

static bool
same_word(const void *a, const void *b)
{
	return a && b && (u64)a / 8 == (u64)b / 8;
}

bool
changes(const struct op *op)
{
	return op->kind == OP_WRITE || op->kind == OP_UPDATE ||
	       op->kind == OP_LOCK || op->kind == OP_DRAIN;
}

bool
independent(const struct op *a, const struct op *b)
{
	if (a->kind == OP_RELAX || b->kind == OP_RELAX)
		return false;
	if (same_word(a->address, b->address))
		return !changes(a) && !changes(b);
	/* A second word is always changed. */
	return !same_word(a->second, b->address) &&
	       !same_word(a->address, b->second) &&
	       !same_word(a->second, b->second);
}

/* ---- What to try instead ------------------------------------------------------ */

/*
 * Among the steps after @e that do not need it, and then @step: the agents
 * whose first one needs none of the others.
 */
static agents_t
initials(const struct node *e, const struct node *step)
{
	const struct node *firsts[MAX_AGENTS];
	unsigned n = 0;
	agents_t seen = 0, found = 0;

	for (const struct node *node = e + 1; node <= step; node++) {
		bool first = true;

		if (seen & bit_of(node->agent) ||
		    (node != step && before(e, &node->clock)))
			continue;
		for (unsigned i = 0; i < n && first; i++)
			first = !before(firsts[i], &node->clock);
		firsts[n++] = node;
		seen |= bit_of(node->agent);
		if (first)
			found |= bit_of(node->agent);
	}
	return found;
}

/* Where @e, in the middle of a handler, cannot be preceded by the task that
 * it interrupts: the task can only run before the handler began. */
static struct node *
where_to_try(struct node *e, const struct node *step)
{
	/* A store that has left its buffer, and somebody on the same CPU: what
	 * counts is when it was made. */
	if (e->op.kind == OP_DRAIN &&
	    engine.buffer[step->agent] == (int)e->agent)
		e = &path[e->first];
	if (engine.host[e->agent] == step->agent && e->agent != step->agent)
		e = &path[e->first];
	return e;
}

static void
try_source_set(struct node *at, const struct node *step, agents_t able)
{
	if (able & at->backtrack)
		return;
	if (able & bit_of(step->agent))
		at->backtrack |= bit_of(step->agent);
	else if (able)
		at->backtrack |= able & -able;
	else
		at->backtrack |= at->enabled;
}

static void
try_agent(struct node *at, const struct node *step)
{
	if (at->enabled & bit_of(step->agent))
		at->backtrack |= bit_of(step->agent);
	else
		at->backtrack |= at->enabled;
}

/* The first step of the turn that @at is part of; drains break no turn. */
static struct node *
turn_of(struct node *at)
{
	unsigned agent = at->agent;
	struct node *first = at;

	while (at > path) {
		at--;
		if (at->op.kind == OP_DRAIN)
			continue;
		if (at->agent != agent)
			break;
		first = at;
	}
	return first;
}

/*
 * Two steps of one CPU and its interrupt, or one that waits for the other, can
 * not change places here if nothing can run that leads to the second: the step
 * that made it able (interrupts on, the store waited for) has conflicts of its
 * own.
 */
static bool
no_choice(const struct node *at, const struct node *step, agents_t able)
{
	return !able && (step->op.kind == OP_WAIT ||
			 engine.host[at->agent] == engine.host[step->agent]);
}

static void
conflict(struct node *e, struct node *step)
{
	struct node *at = where_to_try(e, step);
	agents_t able = initials(at, step) & at->enabled;

	if (no_choice(at, step, able))
		return;
	if (!engine.bounded) {
		try_source_set(at, step, able);
		return;
	}
	try_agent(at, step);
	try_agent(turn_of(at), step);
}

static bool
recording_conflicts(void)
{
	return engine.reduce && engine.depth >= engine.fresh;
}

static bool
changed_word(const struct node *node, const struct shared *word)
{
	return (node->word == word && changes(&node->op)) ||
	       node->second == word;
}

/* What @step waited for was changed last by @e, and it could not have gone on
 * just before. But perhaps before one of the changes that came earlier. */
static struct node *
last_chance(struct node *e, const struct node *step)
{
	for (; e >= path && !before(e, &step->clock); e--)
		if (changed_word(e, step->word) &&
		    e->enabled & bit_of(step->agent))
			return e;
	return NULL;
}

/*
 * A handler that waits may wait for somebody who waits for what the interrupted
 * agent would do next, in a lock that it holds for instance. Such a handler is
 * to come at each place.
 */
static void
try_handler_earlier(const struct node *step)
{
	agents_t handler = bit_of(step->agent);
	struct node *at = &path[step->first];

	if (!recording_conflicts())
		return;
	while (at-- > path) {
		if (at->agent != engine.host[step->agent] ||
		    !(at->enabled & handler))
			continue;
		at->backtrack |= handler;
		if (engine.bounded)
			try_agent(turn_of(at), step);
		return;
	}
}

/*
 * x86-TSO: a store into the buffer is nothing to other CPUs, but to an interrupt
 * of its own it is: it comes before or after. For want of a conflict that would
 * say so, both are always tried: the interrupts where a store is next, and the
 * host where an interrupt comes.
 */
static void
try_around_store(struct node *step)
{
	unsigned host = engine.host[step->agent];
	agents_t others = 0;

	if (step->agent != host) {
		if (step == &path[step->first] && engine.buffer[host] >= 0)
			step->backtrack |= bit_of(host) & step->enabled;
		return;
	}
	if (step->op.kind != OP_STORE)
		return;
	for (unsigned i = 0; i < engine.nr_agents; i++) {
		if (i == host || engine.host[i] != host ||
		    !engine.world->runnable(i))
			continue;
		/* If it is an update, first the buffer has to be empty. */
		others |= step->enabled & bit_of(i)
				  ? bit_of(i)
				  : bit_of((unsigned)engine.buffer[host]);
	}
	step->backtrack |= others & step->enabled;
}

static bool
is_waiting_handler(const struct node *step)
{
	return engine.host[step->agent] != step->agent &&
	       step != &path[step->first] &&
	       (step->op.kind == OP_LOCK || step->op.kind == OP_WAIT ||
		step->op.kind == OP_RELAX);
}

/* ---- One step ----------------------------------------------------------------- */

/* A step that came before on the same word. If nothing else orders the two,
 * both orders are to be tried. */
static void
meet(u32 earlier, struct node *step)
{
	struct node *e, *at;

	if (!earlier)
		return;
	e = &path[earlier - 1];
	if (before(e, &step->clock))
		return;
	if (recording_conflicts()) {
		at = step->op.kind == OP_WAIT ? last_chance(e, step) : e;
		if (at)
			conflict(at, step);
	}
	join(&step->clock, &e->clock);
}

/* Steps that came before, the latest first. */
struct earlier {
	u32 steps[2 * (MAX_AGENTS + 1)];
	unsigned n;
};

static void
add_earlier(struct earlier *earlier, u32 step)
{
	unsigned place = earlier->n++;

	while (place > 0 && earlier->steps[place - 1] < step) {
		earlier->steps[place] = earlier->steps[place - 1];
		place--;
	}
	earlier->steps[place] = step;
}

static void
find_earlier(struct earlier *earlier, const struct shared *word, bool change)
{
	add_earlier(earlier, word->write);
	for (unsigned i = 0; change && i < engine.nr_agents; i++)
		if (word->read[i])
			add_earlier(earlier, word->read[i]);
}

/* All that @step depends on. One that comes before a later one is no conflict
 * of its own: so the latest first, of both words together. */
static void
meet_all(struct node *step)
{
	struct earlier earlier = { .n = 0 };

	if (step->word)
		find_earlier(&earlier, step->word, changes(&step->op));
	if (step->second)
		find_earlier(&earlier, step->second, true);
	for (unsigned i = 0; i < earlier.n; i++)
		meet(earlier.steps[i], step);
}

static void
leave_mark(struct shared *word, const struct node *step, bool change)
{
	u32 number = (u32)(step - path) + 1;

	if (!change) {
		word->read[step->agent] = number;
		return;
	}
	memset(word->read, 0, sizeof(word->read));
	word->write = number;
}

/*
 * An agent that cannot go on, at an end where nobody can: had it come earlier,
 * it might have gone on.
 */
void
order_blocked(unsigned agent)
{
	struct node *step = &path[engine.depth];
	const struct op *op = &engine.pending[agent];

	if (!op->address || !recording_conflicts())
		return;
	*step = (struct node){ .op = *op, .agent = (u8)agent,
			       .first = engine.began[agent],
			       .word = make_shared(op->address),
			       .second = op->second ? make_shared(op->second)
						    : NULL,
			       .index = engine.events[agent] + 1,
			       .clock = engine.clocks[agent] };
	if (engine.busy[engine.host[agent]] != agent)
		step->first = engine.depth; /* it has not begun */
	meet_all(step);
	if (is_waiting_handler(step))
		try_handler_earlier(step);
}

void
order_step(struct node *step)
{
	unsigned agent = step->agent;

	if (recording_conflicts())
		try_around_store(step);
	if (is_waiting_handler(step))
		try_handler_earlier(step);
	step->index = ++engine.events[agent];
	step->clock = engine.clocks[agent];
	step->clock.at[agent] = step->index;
	meet_all(step);
	if (step->word)
		leave_mark(step->word, step, changes(&step->op));
	if (step->second)
		leave_mark(step->second, step, true);
	/* The lock's last holder is behind us; only now, since until here its
	 * taking of the lock was a conflict. */
	if (step->op.kind == OP_LOCK)
		join(&step->clock, &step->word->released);
	engine.clocks[agent] = step->clock;
}
