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
 * what its future touches, and by whom.
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
};

/* The same without what is empty. Many states have the same one. */
struct packed {
	struct packed *next;
	u64 hash;
	agents_t agents;
	u16 n;
	struct packed_word {
		u16 word;
		agents_t readers, writers;
	} words[];
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

/* ---- Futures ----------------------------------------------------------------- */

static void
add_word(struct future *future, unsigned agent, const struct shared *word,
	 bool write)
{
	unsigned i = shared_index(word);

	if (i >= MAX_FUTURE)
		explore_fail(EXPLORE_TOOL_ERROR, "more than %d words are "
			     "shared", MAX_FUTURE);
	if (write)
		future->writers[i] |= bit_of(agent);
	else
		future->readers[i] |= bit_of(agent);
}

static void
add_step(struct future *future, const struct node *step)
{
	future->agents |= bit_of(step->agent);
	if (step->word)
		add_word(future, step->agent, step->word, changes(&step->op));
	if (step->second)
		add_word(future, step->agent, step->second, true);
}

/* Those that cannot go on would like to. */
static void
add_pending(struct future *future)
{
	for (unsigned agent = 0; agent < engine.nr_agents; agent++) {
		const struct op *op = &engine.pending[agent];

		if (!engine.world->runnable(agent))
			continue;
		future->agents |= bit_of(agent);
		if (op->address)
			add_word(future, agent, make_shared(op->address),
				 changes(op));
		if (op->second)
			add_word(future, agent, make_shared(op->second), true);
	}
}

static void
add_packed(struct future *future, const struct packed *more)
{
	future->agents |= more->agents;
	for (unsigned i = 0; i < more->n; i++) {
		const struct packed_word *word = &more->words[i];

		future->readers[word->word] |= word->readers;
		future->writers[word->word] |= word->writers;
	}
}

static unsigned
words_in_use(void)
{
	return MIN(nr_shared_words() + 1, (unsigned)MAX_FUTURE);
}

static void
add_future(struct future *future, const struct future *more)
{
	future->agents |= more->agents;
	for (unsigned i = 0; i < words_in_use(); i++) {
		future->readers[i] |= more->readers[i];
		future->writers[i] |= more->writers[i];
	}
}

static const struct packed *
pack(const struct future *future)
{
	static struct packed_word words[MAX_FUTURE];
	u64 hash = mix(1, future->agents);
	u16 n = 0;
	struct packed *p;

	for (unsigned i = 0; i < words_in_use(); i++) {
		if (!future->readers[i] && !future->writers[i])
			continue;
		words[n++] = (struct packed_word){ (u16)i, future->readers[i],
						   future->writers[i] };
		hash = mix(hash, (u64)i << 32 | (u64)future->readers[i] << 16 |
					 future->writers[i]);
	}
	for (p = packed[hash % ARRAY_SIZE(packed)]; p; p = p->next)
		if (p->hash == hash)
			return p;
	p = malloc(sizeof(*p) + n * sizeof(words[0]));
	if (!p)
		abort();
	p->hash = hash;
	p->agents = future->agents;
	p->n = n;
	memcpy(p->words, words, n * sizeof(words[0]));
	p->next = packed[hash % ARRAY_SIZE(packed)];
	packed[hash % ARRAY_SIZE(packed)] = p;
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

bool
visited_before(const struct node *node)
{
	u64 key = key_of(node);
	const struct state *state = find(key);
	struct open *next = &open[nr_open];

	if (state->key && state->preemptions <= node->preemptions) {
		met = state->future;
		for (unsigned i = 0; i < met->n; i++)
			order_expect_word(shared_nth(met->words[i].word),
					  met->words[i].readers,
					  met->words[i].writers);
		order_expect_agents(met->agents);
		return true;
	}
	if (nr_open == MAX_OPEN)
		return false;
	next->key = key;
	next->depth = engine.depth;
	next->preemptions = node->preemptions;
	memset(&next->future, 0, sizeof(next->future));
	nr_open++;
	return false;
}

/* What its steps touched is the future of the states on its way. */
void
visited_ended(void)
{
	static struct future future;
	unsigned o = nr_open;

	memset(&future, 0, sizeof(future));
	if (met)
		add_packed(&future, met);
	else
		add_pending(&future);
	met = NULL;
	for (unsigned depth = engine.depth + 1; depth-- > 0 && o > 0;) {
		if (depth < engine.depth)
			add_step(&future, &path[depth]);
		if (open[o - 1].depth == depth)
			add_future(&open[--o].future, &future);
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
