/*
 * Executions that come together again.
 *
 * Two orders that differ only in independent steps lead to the same state. Sleep
 * sets see to it that only one of them is tried, but under a bound they cannot be
 * used: the one that is tried may cost more preemptions than the bound allows
 * for the rest. So here both are begun; where they meet, the second one is given
 * up, unless it has come there with fewer preemptions than the first.
 *
 * That the two are the same is told by a number: the sum of the numbers of all
 * their steps, each made from the step's agent, its index and its clock. It is
 * looked at wherever a turn has ended by itself.
 *
 * What the second one would do has conflicts with the steps that led it there,
 * and these are not where the first one had them. So with each state is kept
 * what its future touches, and by whom; and what orders that after the past: a
 * word that is only touched with a lock held has no conflict with those who have
 * released the lock.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/sim/engine.h"

enum {
	MAX_FUTURE = 1024,	/* shared words that a future may touch */
	MAX_OPEN = 1024,	/* states on the way that is being tried */
	FIRST_SIZE = 1 << 12,	/* of the table, in states */
	LAST_SIZE = 1 << 23,
};

struct future {
	agents_t agents;	/* who does something */
	agents_t readers[MAX_FUTURE], writers[MAX_FUTURE]; /* by shared word */
	/* What each of these always has done before. */
	struct guards guards[MAX_FUTURE][MAX_AGENTS];
};

/* The same without what is empty. Many states have the same one. */
struct packed {
	struct packed *next;
	u64 hash;
	agents_t agents;
	u16 n;
	struct touch {
		u16 word;
		u8 agent;
		bool writes;
		struct guards guards;
	} touches[];
};

struct state {
	u64 key;		/* 0: none */
	const struct packed *future;
	u16 preemptions;
};

struct open {
	u64 key;
	unsigned depth;
	u16 preemptions;
	struct future future;
};

static struct state *table;
static unsigned table_size, nr_states;
static struct packed *packed[1 << 16];
static struct open open[MAX_OPEN];
static unsigned nr_open;
static const struct packed *met; /* what this execution ran into */

/* ---- Numbers ----------------------------------------------------------------- */

static u64
mix(u64 hash, u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ul;
	return hash ^ hash >> 32;
}

u64
step_number(const struct node *step)
{
	u64 number = mix(step->agent, step->choice);

	for (unsigned i = 0; i < engine.nr_agents; i++)
		number = mix(number, step->clock.at[i]);
	return number;
}

/* What the steps so far have led to, and whose turn it was. */
static u64
key_of(const struct node *node)
{
	u64 key = engine.steps_number;

	key = mix(key, node->last);
	key = mix(key, node->may_go_on);
	key = mix(key, node->enabled);
	key = mix(key, waiting_loops());
	return key | 1;
}

/* ---- Guards ------------------------------------------------------------------ */

/* The last steps of an agent that order what it does next after what others did
 * before: where it took a lock, and where it changed or awaited a word. + 1; 0:
 * there is none. */
struct syncs {
	u32 lock, word;
};

static struct syncs syncs[MAX_STEPS + 1]; /* before each step, its agent's */
static struct syncs last_syncs[MAX_AGENTS];

static void
find_syncs(unsigned first)
{
	memset(last_syncs, 0, sizeof(last_syncs));
	for (unsigned depth = first; depth < engine.depth; depth++) {
		const struct node *step = &path[depth];
		struct syncs *last = &last_syncs[step->agent];

		syncs[depth] = *last;
		if (step->op.kind == OP_LOCK)
			last->lock = depth + 1;
		else if (step->op.kind == OP_UPDATE ||
			 step->op.kind == OP_WAIT)
			last->word = depth + 1;
	}
}

static u16
guard_at(u32 sync)
{
	return sync ? (u16)shared_index(path[sync - 1].word) : 0;
}

static struct guards
common_guards(struct guards a, struct guards b)
{
	return (struct guards){ a.lock == b.lock ? a.lock : 0,
				a.word == b.word ? a.word : 0 };
}

/* ---- Futures ----------------------------------------------------------------- */

/* What the execution that has just ended does from some step on. */
static struct future ahead;
/* When the guards there were passed; later than any step: not on this way. */
static struct syncs passed[MAX_FUTURE][MAX_AGENTS];

/* @agent comes to @word, having passed @guards. */
static void
add_touch(unsigned agent, unsigned word, bool write, struct guards guards,
	  struct syncs when)
{
	if (word >= MAX_FUTURE)
		explore_fail(EXPLORE_TOOL_ERROR, "more than %d words are "
			     "shared", MAX_FUTURE);
	if (write)
		ahead.writers[word] |= bit_of(agent);
	else
		ahead.readers[word] |= bit_of(agent);
	ahead.guards[word][agent] = guards;
	passed[word][agent] = when;
}

static void
add_word(unsigned agent, const struct shared *word, bool write,
	 struct syncs when)
{
	struct guards guards = { guard_at(when.lock), guard_at(when.word) };

	add_touch(agent, shared_index(word), write, guards, when);
}

static void
add_step(unsigned depth)
{
	const struct node *step = &path[depth];

	ahead.agents |= bit_of(step->agent);
	if (step->word)
		add_word(step->agent, step->word, changes(&step->op),
			 syncs[depth]);
	if (step->second)
		add_word(step->agent, step->second, true, syncs[depth]);
}

/* Those that cannot go on would like to. */
static void
add_pending(void)
{
	for (unsigned agent = 0; agent < engine.nr_agents; agent++) {
		const struct op *op = &engine.pending[agent];

		if (!engine.world->runnable(agent))
			continue;
		ahead.agents |= bit_of(agent);
		if (op->address)
			add_word(agent, make_shared(op->address), changes(op),
				 last_syncs[agent]);
		if (op->second)
			add_word(agent, make_shared(op->second), true,
				 last_syncs[agent]);
	}
}

/* A guard that is passed in @more is passed later than any step so far. */
static void
add_packed(const struct packed *more)
{
	ahead.agents |= more->agents;
	for (unsigned i = 0; i < more->n; i++) {
		const struct touch *touch = &more->touches[i];
		struct guards guards = touch->guards;
		struct syncs when = last_syncs[touch->agent];

		if (guards.lock)
			when.lock = engine.depth + 1;
		else
			guards.lock = guard_at(when.lock);
		if (guards.word)
			when.word = engine.depth + 1;
		else
			guards.word = guard_at(when.word);
		add_touch(touch->agent, touch->word, touch->writes, guards,
			  when);
	}
}

static unsigned
words_in_use(void)
{
	return MIN(nr_shared_words() + 1, (unsigned)MAX_FUTURE);
}

/* Of what guards @agent's way to @word @ahead, what comes after @depth steps. */
static struct guards
guards_after(unsigned depth, unsigned word, unsigned agent)
{
	struct guards guards = ahead.guards[word][agent];

	if (passed[word][agent].lock <= depth)
		guards.lock = 0;
	if (passed[word][agent].word <= depth)
		guards.word = 0;
	return guards;
}

/* @future, of what follows @depth steps, can also be what is ahead. */
static void
add_ahead(struct future *future, unsigned depth)
{
	future->agents |= ahead.agents;
	for (unsigned i = 0; i < words_in_use(); i++) {
		agents_t known = future->readers[i] | future->writers[i];
		agents_t rest = ahead.readers[i] | ahead.writers[i];

		future->readers[i] |= ahead.readers[i];
		future->writers[i] |= ahead.writers[i];
		for (; rest; rest &= rest - 1) {
			unsigned agent = (unsigned)__builtin_ctz(rest);
			struct guards *guards = &future->guards[i][agent];
			struct guards more = guards_after(depth, i, agent);

			*guards = known & bit_of(agent)
				? common_guards(*guards, more) : more;
		}
	}
}

static unsigned
find_touches(const struct future *future, struct touch *touches)
{
	unsigned n = 0;

	for (unsigned i = 0; i < words_in_use(); i++) {
		agents_t rest = future->readers[i] | future->writers[i];

		for (; rest; rest &= rest - 1) {
			unsigned agent = (unsigned)__builtin_ctz(rest);

			touches[n++] = (struct touch){
				.word = (u16)i, .agent = (u8)agent,
				.writes = future->writers[i] & bit_of(agent),
				.guards = future->guards[i][agent],
			};
		}
	}
	return n;
}

static u64
hash_of(agents_t agents, const struct touch *touches, unsigned n)
{
	u64 hash = mix(1, agents);

	for (unsigned i = 0; i < n; i++) {
		hash = mix(hash, (u64)touches[i].word << 32 |
					 (u64)touches[i].agent << 16 |
					 touches[i].writes);
		hash = mix(hash, (u64)touches[i].guards.lock << 16 |
					 touches[i].guards.word);
	}
	return hash;
}

static const struct packed *
pack(const struct future *future)
{
	static struct touch touches[MAX_FUTURE * MAX_AGENTS];
	unsigned n = find_touches(future, touches);
	u64 hash = hash_of(future->agents, touches, n);
	struct packed **bucket = &packed[hash % ARRAY_SIZE(packed)];
	struct packed *p;

	for (p = *bucket; p; p = p->next)
		if (p->hash == hash)
			return p;
	p = malloc(sizeof(*p) + n * sizeof(touches[0]));
	if (!p)
		abort();
	*p = (struct packed){ *bucket, hash, future->agents, (u16)n };
	memcpy(p->touches, touches, n * sizeof(touches[0]));
	*bucket = p;
	return p;
}

/* ---- States ------------------------------------------------------------------ */

static void
new_table(unsigned size)
{
	table = calloc(size, sizeof(*table));
	if (!table)
		abort();
	table_size = size;
}

/* Its state, or an empty one. */
static struct state *
find(u64 key)
{
	u64 i = (key >> 8) % table_size;

	while (table[i].key && table[i].key != key)
		i = (i + 1) % table_size;
	return &table[i];
}

static void
grow(void)
{
	struct state *old = table;
	unsigned old_size = table_size;

	new_table(2 * old_size);
	for (unsigned i = 0; i < old_size; i++)
		if (old[i].key)
			*find(old[i].key) = old[i];
	free(old);
}

void
visited_clear(void)
{
	free(table);
	new_table(FIRST_SIZE);
	nr_states = 0;
	nr_open = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(packed); i++) {
		while (packed[i]) {
			struct packed *p = packed[i];

			packed[i] = p->next;
			free(p);
		}
	}
}

/* Nothing; guards mean something only where somebody comes. */
static void
forget(struct future *future)
{
	future->agents = 0;
	memset(future->readers, 0, sizeof(future->readers));
	memset(future->writers, 0, sizeof(future->writers));
}

static void
meet(const struct packed *future)
{
	met = future;
	for (unsigned i = 0; i < met->n; i++)
		order_expect(met->touches[i].agent,
			     shared_nth(met->touches[i].word),
			     met->touches[i].writes, met->touches[i].guards);
	order_expect_agents(met->agents);
}

bool
visited_before(const struct node *node)
{
	u64 key = key_of(node);
	const struct state *state = find(key);
	struct open *next = &open[nr_open];

	if (state->key && state->preemptions <= node->preemptions) {
		meet(state->future);
		return true;
	}
	if (nr_open == MAX_OPEN)
		return false;
	next->key = key;
	next->depth = engine.depth;
	next->preemptions = node->preemptions;
	forget(&next->future);
	nr_open++;
	return false;
}

/* What its steps touched is the future of the states on its way. */
void
visited_ended(void)
{
	unsigned o = nr_open;
	const struct packed *end = met;

	met = NULL;
	if (!o)
		return;
	forget(&ahead);
	find_syncs(open[0].depth);
	if (end)
		add_packed(end);
	else
		add_pending();
	for (unsigned depth = engine.depth + 1; depth-- > 0 && o > 0;) {
		if (depth < engine.depth)
			add_step(depth);
		if (open[o - 1].depth == depth)
			add_ahead(&open[--o].future, depth);
	}
}

/* All that could be tried after @depth steps has been. */
void
visited_leave(unsigned depth)
{
	for (; nr_open && open[nr_open - 1].depth > depth; nr_open--) {
		const struct open *o = &open[nr_open - 1];
		struct state *state;

		if (2 * nr_states == table_size && table_size < LAST_SIZE)
			grow();
		state = find(o->key);
		if (!state->key && 2 * nr_states == table_size)
			continue; /* full: it will be tried again */
		nr_states += !state->key;
		*state = (struct state){ o->key, pack(&o->future),
					 o->preemptions };
	}
}
