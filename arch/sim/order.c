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
 * and where the turn began (Coons, Musuvathi, McKinley, OOPSLA 2013). For the same
 * reason a release is then a step that has a conflict with who takes the lock next:
 * to come before it and to wait may be what makes a later change of turns free.
 *
 * What interrupts and store buffers add is with the code.
 */
#include <string.h>

#include "arch/sim/engine.h"

/* Is @node's step before what has @clock? */
static bool
before(const struct node *node, const struct clock *clock)
{
	return clock->at[node->agent] >= node->index;
}

static u32 latest_of[MAX_AGENTS]; /* its latest step, + 1 */
static u32 latest_on[MAX_AGENTS]; /* by host: the same of all its agents */

void
order_reset(void)
{
	memset(engine.clocks, 0, sizeof(engine.clocks));
	memset(engine.events, 0, sizeof(engine.events));
	memset(latest_on, 0, sizeof(latest_on));
	memset(latest_of, 0, sizeof(latest_of));
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

/* ---- Who waits ------------------------------------------------------------------ */

/*
 * Did @step wait for what @e brought? Its agent waited for a word or for an
 * interrupt already, and when @e was to come it waited in vain: then it cannot
 * come first. Who changes the word before is in conflict with @e itself.
 * Not known of steps to come: there may be others before.
 */
static bool
waited_for(const struct node *e, const struct node *step)
{
	return e->stuck & bit_of(step->agent) && !step->expected &&
	       latest_of[step->agent] <= (u32)(e - path);
}

/* ---- What to try instead ------------------------------------------------------ */

/*
 * Among the steps after @e that do not need it, and then @step: the agents whose
 * first one needs none of the others.
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

/* Who does something after @at that @step needs. */
static agents_t
leading_to(const struct node *at, const struct node *step)
{
	agents_t found = 0;

	for (const struct node *node = at + 1; node < step; node++)
		if (before(node, &step->clock))
			found |= bit_of(node->agent);
	return found;
}

static void
try_agent(struct node *at, const struct node *step)
{
	agents_t able = at->enabled & bit_of(step->agent);

	if (!able)
		able = at->enabled & leading_to(at, step);
	at->backtrack |= able ? able : at->enabled;
}

/* The first step of the turn that @at is part of; drains break no turn. */
static struct node *
turn_of(struct node *at)
{
	struct node *first = at;

	for (; at >= path; at--) {
		if (at->op.kind == OP_DRAIN)
			continue;
		if (first->op.kind != OP_DRAIN && at->agent != first->agent)
			break;
		first = at;
	}
	return first;
}

static void
try_within_bound(struct node *at, const struct node *step)
{
	/* To leave a store in its buffer costs nothing. */
	if (at->op.kind == OP_DRAIN)
		at->backtrack |= at->enabled;
	try_agent(at, step);
	try_agent(turn_of(at), step);
}

/* @able: who can run instead of @e on the way to @step. */
static void
conflict(struct node *e, struct node *step, agents_t able)
{
	if (engine.bounded)
		try_within_bound(e, step);
	else
		try_source_set(e, step, able);
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

/* False: @step cannot come before @e, but perhaps before an earlier step. */
static bool
conflict_if_able(struct node *e, struct node *step)
{
	agents_t able = initials(e, step) & e->enabled;

	if (able)
		conflict(e, step, able);
	return able;
}

/* Before the changes of what @step waited for, the latest first. */
static void
try_waiting_earlier(struct node *e, struct node *step)
{
	for (; e >= path && !before(e, &step->clock); e--)
		if (changed_word(e, step->word) && !waited_for(e, step) &&
		    conflict_if_able(e, step))
			return;
}

/* ---- One CPU -------------------------------------------------------------------- */

/*
 * A task and the handlers that interrupt it are agents of one host. One runs at
 * a time, and a handler runs to its end: as if each took a lock, the task for
 * one step, a handler for all of its steps. So they depend on each other whatever
 * they do, and a handler is tried before each step of the task.
 */
static bool
begins_handler(const struct node *step)
{
	return engine.host[step->agent] != step->agent &&
	       step == &path[step->first];
}

/* The interrupt's cause, if there was none before. */
static void
join_cause(struct node *step)
{
	const struct node *e;

	if (!step->word || !step->word->write)
		return;
	e = &path[step->word->write - 1];
	if (engine.host[e->agent] != engine.host[step->agent] &&
	    waited_for(e, step))
		join(&step->clock, &e->clock);
}

/* A handler that begins could have come before the latest step of its host; if
 * interrupts were off then, before an earlier one. */
static void
try_handler_earlier(struct node *e, struct node *step)
{
	const unsigned host = engine.host[step->agent];
	const struct clock clock = step->clock;

	join_cause(step);
	for (; e >= path && !before(e, &step->clock); e--)
		if (engine.host[e->agent] == host && !e->masked &&
		    e->op.kind != OP_START &&
		    (e->agent == host || begins_handler(e)) &&
		    conflict_if_able(e, step))
			break;
	step->clock = clock;
}

static void
meet_host(struct node *step)
{
	u32 latest = latest_on[engine.host[step->agent]];
	struct node *e = &path[latest - 1];

	if (!latest || e->agent == step->agent)
		return;
	if (recording_conflicts() && !before(e, &step->clock)) {
		if (begins_handler(step))
			try_handler_earlier(e, step);
		else /* the task could have gone on before the handler */
			conflict_if_able(&path[e->first], step);
	}
	join(&step->clock, &e->clock);
}

/* ---- Store buffers ---------------------------------------------------------------- */

/* A store comes before it leaves the buffer, and what waits until the buffer is
 * empty after that. Asked after meet_host(): whether a handler's stores are in it
 * is a matter of when the handler came. */
static void
meet_buffer(struct node *step)
{
	int drain = engine.buffer[step->agent];

	if (step->op.kind == OP_DRAIN)
		join(&step->clock, &path[step->first].clock);
	else if (drain >= 0 && needs_empty_buffer(&step->op))
		join(&step->clock, &engine.clocks[drain]);
}

/* A CPU's load of what its own buffer let out: it saw the same before. */
static bool
is_own_store(const struct node *e, const struct node *step)
{
	return e->op.kind == OP_DRAIN &&
	       engine.buffer[step->agent] == (int)e->agent;
}

/* ---- One step ----------------------------------------------------------------- */

/* A step that came before on the same word. If nothing else orders the two,
 * both orders are to be tried. */
static void
meet(u32 earlier, struct node *step)
{
	struct node *e = &path[earlier - 1];

	if (!earlier || before(e, &step->clock))
		return;
	if (is_own_store(e, step))
		return;
	if (!recording_conflicts())
		;
	else if (step->op.kind == OP_WAIT)
		try_waiting_earlier(e, step);
	else if (!waited_for(e, step))
		conflict(e, step, initials(e, step) & e->enabled);
	join(&step->clock, &e->clock);
}

/* Under a bound, whoever takes a lock that was just released could have come for
 * it before, to wait. */
static void
meet_release(const struct shared *word, struct node *step)
{
	struct node *e;

	if (!word || !word->release || !engine.bounded ||
	    !recording_conflicts())
		return;
	e = &path[word->release - 1];
	if (e->agent != step->agent && !before(e, &step->clock) &&
	    !waited_for(e, step))
		try_within_bound(e, step);
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

bool
order_after_all(const struct shared *word, unsigned agent)
{
	struct earlier earlier = { .n = 0 };

	find_earlier(&earlier, word, true);
	for (unsigned i = 0; i < earlier.n; i++)
		if (earlier.steps[i] && !before(&path[earlier.steps[i] - 1],
						&engine.clocks[agent]))
			return false;
	return true;
}

/* ---- Steps to come ------------------------------------------------------------------ */

/* Something that @agent may do later, as far as its clock is known now. */
static struct node *
expected_step(unsigned agent)
{
	struct node *step = &path[engine.depth];

	*step = (struct node){ .agent = (u8)agent, .op.kind = OP_READ,
			       .expected = true,
			       .first = engine.began[agent],
			       .index = engine.events[agent] + 1,
			       .clock = engine.clocks[agent] };
	if (engine.busy[engine.host[agent]] != agent)
		step->first = engine.depth; /* it has not begun */
	return step;
}

/* @step will come after the last change of @word. */
static void
join_change(struct node *step, const struct shared *word)
{
	const struct node *change = &path[word->write - 1];

	if (word->write && !is_own_store(change, step))
		join(&step->clock, &change->clock);
}

/* The lock is taken when whoever holds it now has released it. With store buffers
 * he may be further: then his release waits in one. */
static void
join_lock(struct node *step, const struct shared *lock)
{
	join_change(step, lock);
	join(&step->clock, &lock->released);
	if (lock->holder && !engine.options->tso)
		join(&step->clock, &engine.clocks[lock->holder - 1]);
}

static void
join_guards(struct node *step, struct guards guards)
{
	if (guards.lock)
		join_lock(step, shared_nth(guards.lock));
	if (guards.word)
		join_change(step, shared_nth(guards.word));
}

void
order_expect(unsigned agent, struct shared *word, bool write,
	     struct guards guards)
{
	const struct node node = path[engine.depth];
	struct node *step = expected_step(agent);
	struct earlier earlier = { .n = 0 };

	join_guards(step, guards);
	meet_release(word, step);
	find_earlier(&earlier, word, write);
	for (unsigned i = 0; i < earlier.n; i++)
		meet(earlier.steps[i], step);
	path[engine.depth] = node;
}

void
order_expect_agents(agents_t agents)
{
	const struct node node = path[engine.depth];

	for (; agents; agents &= agents - 1)
		meet_host(expected_step((unsigned)__builtin_ctz(agents)));
	path[engine.depth] = node;
}

/*
 * An agent that cannot go on, at an end where nobody can: had it come earlier,
 * it might have gone on.
 */
void
order_blocked(unsigned agent)
{
	const struct op *op = &engine.pending[agent];
	struct node *step;

	if (!recording_conflicts())
		return;
	step = expected_step(agent);
	step->expected = false;
	step->op = *op;
	if (op->address)
		step->word = make_shared(op->address);
	if (op->second)
		step->second = make_shared(op->second);
	meet_host(step);
	meet_buffer(step);
	meet_release(step->word, step);
	meet_all(step);
}

/* Its clock. */
static void
find_place(struct node *step)
{
	step->index = engine.events[step->agent] + 1;
	step->clock = engine.clocks[step->agent];
	step->clock.at[step->agent] = step->index;
	meet_host(step);
	meet_buffer(step);
	meet_release(step->word, step);
	meet_all(step);
	/* The lock's last holder is behind us; only now, since until here its
	 * taking of the lock was a conflict. */
	if (step->op.kind == OP_LOCK)
		join(&step->clock, &step->word->released);
	step->number = step_number(step);
}

void
order_step(struct node *step)
{
	unsigned agent = step->agent;
	u32 number = (u32)(step - path) + 1;

	/* What was done before the last choice is as it was then. */
	if (engine.depth >= engine.fresh)
		find_place(step);
	engine.events[agent] = step->index;
	if (step->op.kind != OP_START) /* that is nobody's choice */
		latest_on[engine.host[agent]] = number;
	latest_of[agent] = number;
	if (step->word)
		leave_mark(step->word, step, changes(&step->op));
	if (step->second)
		leave_mark(step->second, step, true);
	engine.clocks[agent] = step->clock;
	engine.steps_number += step->number;
}
