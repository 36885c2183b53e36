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
		return &path[e->first];
	if (engine.host[e->agent] == step->agent && e->agent != step->agent)
		return &path[e->first];
	return e;
}

static void
try_source_set(struct node *at, const struct node *step)
{
	agents_t able = initials(at, step) & at->enabled;

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

/* Does @step need something that another CPU did after @at, not needing @at?
 * An interrupt that had not been sent yet: its sender might come first. */
static bool
needs_others(const struct node *at, const struct node *step)
{
	for (const struct node *node = at + 1; node < step; node++) {
		if (engine.host[node->agent] != engine.host[step->agent] &&
		    before(node, &step->clock) && !before(at, &node->clock))
			return true;
	}
	return false;
}

/*
 * Two steps of one CPU and its interrupt, or one that waits for the other, can
 * not change places here if the one that came second was not able to run: the
 * step that made it able (interrupts on, the store waited for) has conflicts
 * of its own. But for the step that sent an interrupt, which has none.
 */
static bool
no_choice(const struct node *at, const struct node *step)
{
	if (at->enabled & bit_of(step->agent))
		return false;
	if (step->op.kind == OP_WAIT)
		return true;
	return engine.host[at->agent] == engine.host[step->agent] &&
	       !needs_others(at, step);
}

/* A handler that wants the lock which its host took before: it is to come also
 * while the host holds it, and both wait for ever. */
static void
try_inside_section(struct node *e, const struct node *step)
{
	struct node *inside = e + 1;
	agents_t handler = bit_of(step->agent);

	if (e->op.kind == OP_LOCK && step->op.kind == OP_LOCK &&
	    engine.host[step->agent] == e->agent &&
	    inside->enabled & handler)
		inside->backtrack |= handler;
}

static void
conflict(struct node *e, struct node *step)
{
	struct node *at = where_to_try(e, step);

	try_inside_section(e, step);
	if (no_choice(at, step))
		return;
	if (!engine.bounded) {
		try_source_set(at, step);
		return;
	}
	try_agent(at, step);
	try_agent(turn_of(at), step);
}

/* ---- One step ----------------------------------------------------------------- */

/* A step that came before on the same word. If nothing else orders the two,
 * both orders are to be tried. */
static void
meet(u32 earlier, struct node *step)
{
	struct node *e;

	if (!earlier)
		return;
	e = &path[earlier - 1];
	if (before(e, &step->clock))
		return;
	if (engine.reduce && engine.depth >= engine.fresh)
		conflict(e, step);
	join(&step->clock, &e->clock);
}

/* All that @step depends on, the latest first: an earlier one that comes
 * before a later one is no conflict of its own. */
static void
meet_readers(struct shared *word, struct node *step)
{
	u32 reads[MAX_AGENTS];
	unsigned n = 0;

	for (unsigned i = 0; i < engine.nr_agents; i++) {
		unsigned place = n;

		if (!word->read[i])
			continue;
		while (place > 0 && reads[place - 1] < word->read[i]) {
			reads[place] = reads[place - 1];
			place--;
		}
		reads[place] = word->read[i];
		n++;
	}
	for (unsigned i = 0; i < n; i++)
		meet(reads[i], step);
}

static void
touch(struct shared *word, struct node *step, bool change)
{
	u32 number = (u32)(step - path) + 1;

	if (change)
		meet_readers(word, step);
	meet(word->write, step);
	if (!change) {
		word->read[step->agent] = number;
		return;
	}
	memset(word->read, 0, sizeof(word->read));
	word->write = number;
}

void
order_step(struct node *step)
{
	unsigned agent = step->agent;

	step->index = ++engine.events[agent];
	step->clock = engine.clocks[agent];
	step->clock.at[agent] = step->index;
	if (step->word)
		touch(step->word, step, changes(&step->op));
	if (step->second)
		touch(step->second, step, true);
	/* The lock's last holder is behind us; only now, since until here its
	 * taking of the lock was a conflict. */
	if (step->op.kind == OP_LOCK)
		join(&step->clock, &step->word->released);
	engine.clocks[agent] = step->clock;
}
