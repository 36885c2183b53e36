/*
 * Which executions: all that differ (depth first, with the backtracking points
 * that order.c finds), those with few preemptions, some by chance, or one.
 *
 * A search goes through the tree of schedules by running the program again
 * from its start: path[0 .. prefix) is given, then everybody goes on as long
 * as he can. After that the last step with something left to try is changed.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arch/sim/engine.h"

enum {
	WARM_UP = 40,		/* executions by chance, to learn what is shared */
	LONG_TURNS = 200,	/* and such with few changes of turns */
	WARM_UP_SEED = 12345,
	MAX_REPLAYS = 32,	/* until nothing is learnt any more */
	SHORTER_TRIES = 500,	/* executions spent on a shorter failure */
};

/* ---- Chance ---------------------------------------------------------------------- */

static u64 priorities[MAX_AGENTS];
static unsigned changes_at[64]; /* PCT: steps where the runner falls back */
static unsigned longest;	/* execution so far, in steps */
static bool long_turns;		/* change turns seldom */

/* Marsaglia's xorshift; never 0. */
u64
next_random(void)
{
	engine.random ^= engine.random << 13;
	engine.random ^= engine.random >> 7;
	engine.random ^= engine.random << 17;
	return engine.random;
}

static void
seed_random(u64 seed)
{
	engine.random = (seed + 1) * 0x9e3779b97f4a7c15ul;
	if (!engine.random)
		engine.random = 1;
}

static unsigned
any_of(agents_t agents)
{
	unsigned skip = (unsigned)(next_random() %
				   (u64)__builtin_popcount(agents));

	while (skip--)
		agents &= agents - 1;
	return (unsigned)__builtin_ctz(agents);
}

/* Burckhardt, Kothari, Musuvathi, Nagarakatte: "A randomized scheduler with
 * probabilistic guarantees of finding bugs", ASPLOS 2010. */
static void
pct_start(void)
{
	for (unsigned i = 0; i < MAX_AGENTS; i++)
		priorities[i] = next_random() | 1ul << 63;
	for (unsigned i = 0; i < ARRAY_SIZE(changes_at); i++)
		changes_at[i] = (unsigned)(next_random() % MAX(longest, 1u));
}

static unsigned
highest(agents_t agents)
{
	unsigned best = (unsigned)__builtin_ctz(agents);

	for (agents_t rest = agents; rest; rest &= rest - 1) {
		unsigned agent = (unsigned)__builtin_ctz(rest);

		if (priorities[agent] > priorities[best])
			best = agent;
	}
	return best;
}

static unsigned
pct_pick(agents_t agents)
{
	unsigned n = MIN(engine.options->bound,
			 (unsigned)ARRAY_SIZE(changes_at));

	for (unsigned i = 0; i < n; i++)
		if (changes_at[i] == engine.depth)
			priorities[highest(agents)] = n - i;
	return highest(agents);
}

/* ---- Whose step ------------------------------------------------------------------- */

bool
preempts(const struct node *node, unsigned agent)
{
	return node->may_go_on && agent != node->last &&
	       engine.pending[agent].kind != OP_DRAIN &&
	       engine.pending[agent].kind != OP_START;
}

/* Could the one that ran last go on? It could if it only waits for its own
 * store buffer: whether that is empty by now must not change what an order
 * costs, since the order is the same for all others. */
static bool
last_may_go_on(void)
{
	return engine.last != NOBODY && !engine.turn_over &&
	       enabled_when_drained(engine.last);
}

static agents_t
beginners(const struct node *node)
{
	agents_t agents = 0;

	for (agents_t rest = node->enabled; rest; rest &= rest - 1) {
		unsigned agent = (unsigned)__builtin_ctz(rest);

		if (engine.pending[agent].kind == OP_START)
			agents |= bit_of(agent);
	}
	return agents;
}

/* The one that runs, as long as it can; then interrupts, which somebody may
 * wait for; store buffers last. */
static unsigned
preferred(const struct node *node, agents_t agents)
{
	unsigned best = NOBODY;

	if (node->last != NOBODY && agents & bit_of(node->last))
		return node->last;
	if (node->may_go_on && engine.buffer[node->last] >= 0 &&
	    agents & bit_of((unsigned)engine.buffer[node->last]))
		return (unsigned)engine.buffer[node->last];
	for (agents_t rest = agents; rest; rest &= rest - 1) {
		unsigned agent = (unsigned)__builtin_ctz(rest);

		if (engine.pending[agent].kind == OP_DRAIN)
			continue;
		if (engine.host[agent] != agent)
			return agent;
		if (best == NOBODY)
			best = agent;
	}
	return best != NOBODY ? best : (unsigned)__builtin_ctz(agents);
}

static unsigned
by_chance(const struct node *node)
{
	if (long_turns && next_random() % 16)
		return preferred(node, node->enabled);
	return any_of(node->enabled);
}

static unsigned
follow(const struct node *node)
{
	unsigned agent = schedule_turn();

	if (agent != NOBODY && node->enabled & bit_of(agent))
		return agent;
	agent = schedule_next();
	if (agent == NOBODY)
		return preferred(node, node->enabled);
	if (!(node->enabled & bit_of(agent)))
		explore_fail(EXPLORE_TOOL_ERROR, "the schedule cannot be "
			     "followed: at step %u it is the turn of %s, which "
			     "cannot run", engine.depth + 1,
			     engine.world->agent_name(agent));
	return agent;
}

/* Is what came before without influence on what an order costs from here on? */
static bool
begins_turn(const struct node *node)
{
	return !node->may_go_on && node->agent != node->last &&
	       engine.pending[node->agent].kind != OP_DRAIN;
}

static unsigned
decide_new(struct node *node)
{
	agents_t awake = node->enabled & ~node->sleep;
	agents_t begin = beginners(node);

	if (begin && !engine.following) {
		node->agent = (u8)__builtin_ctz(begin);
		node->backtrack = bit_of(node->agent);
		return node->agent;
	}
	if (!engine.systematic) {
		if (engine.following)
			return follow(node);
		if (engine.options->strategy == SEARCH_PCT)
			return pct_pick(node->enabled);
		return by_chance(node);
	}
	if (!awake) {
		engine.stop = STOP_CUT;
		return NOBODY;
	}
	node->agent = (u8)preferred(node, awake);
	if (engine.meets && begins_turn(node) && visited_before(node)) {
		engine.stop = STOP_CUT;
		return NOBODY;
	}
	engine.result->stats.states++;
	node->backtrack = engine.reduce ? bit_of(node->agent) : node->enabled;
	return node->agent;
}

static agents_t
stuck_agents(agents_t enabled)
{
	agents_t stuck = 0;

	for (unsigned agent = 0; agent < engine.nr_agents; agent++)
		if (!(enabled & bit_of(agent)) && is_stuck(agent))
			stuck |= bit_of(agent);
	return stuck;
}

unsigned
decide(struct node *node)
{
	if (engine.depth < engine.prefix)
		return node->agent;
	node->last = (u8)engine.last;
	node->may_go_on = last_may_go_on();
	node->preemptions = (u16)engine.preemptions;
	node->enabled = enabled_agents();
	node->stuck = stuck_agents(node->enabled);
	node->sleep = engine.sleep;
	node->done = 0;
	node->choice = node->choices = 0;
	return node->enabled ? decide_new(node) : NOBODY;
}

/* ---- What is left to try ------------------------------------------------------------ */

/* Those of @node's candidates that the bound allows. */
static agents_t
affordable(const struct node *node, agents_t agents)
{
	agents_t able = 0;

	if (!engine.bounded)
		return agents;
	for (agents_t rest = agents; rest; rest &= rest - 1) {
		unsigned agent = (unsigned)__builtin_ctz(rest);
		unsigned cost = node->preemptions + preempts(node, agent);

		if (cost <= engine.bound)
			able |= bit_of(agent);
		else
			engine.bound_cut = true;
	}
	return able;
}

/* Changes the last step that has something left; false: there is none. */
static bool
backtrack(void)
{
	for (unsigned depth = engine.depth; depth > 0; depth--) {
		struct node *node = &path[depth - 1];
		agents_t left;

		engine.prefix = depth;
		engine.fresh = depth - 1;
		if (node->choice + 1 < node->choices) {
			node->choice++;
			visited_leave(depth - 1);
			return true;
		}
		node->done |= bit_of(node->agent);
		left = affordable(node, node->backtrack & ~node->done &
						~node->sleep);
		if (left) {
			node->agent = (u8)__builtin_ctz(left);
			node->choice = node->choices = 0;
			visited_leave(depth - 1);
			return true;
		}
	}
	return false;
}

/* ---- Limits and failures -------------------------------------------------------------- */

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static double started;
static u64 tried;	/* executions of all bounds together */

static bool
out_of_limits(void)
{
	const struct explore_options *options = engine.options;

	if (options->max_executions && tried >= options->max_executions)
		return true;
	return options->max_seconds && tried % 64 == 0 &&
	       now() - started > options->max_seconds;
}

static void
count_execution(void)
{
	struct explore_stats *stats = &engine.result->stats;

	tried++;
	if (engine.stop == STOP_CUT)
		stats->cut++;
	else
		stats->executions++;
	stats->depth = MAX(stats->depth, engine.depth);
	longest = MAX(longest, engine.depth);
}

/* Keeps the first failure, or a shorter one of the same kind. */
static void
keep_failure(struct explore_failure *best)
{
	struct explore_failure *failure = &engine.result->failure;

	if (best->schedule && (failure->code != best->code ||
			       failure->steps >= best->steps))
		return;
	free(best->schedule);
	failure->found_after = best->schedule ? best->found_after : tried;
	*best = *failure;
	best->schedule = schedule_string();
}

/* ---- Searches ------------------------------------------------------------------------- */

enum outcome { FINISHED, FAILED, LEARNT, LIMITED };

static void
new_tree(void)
{
	struct explore_stats *stats = &engine.result->stats;

	stats->executions = stats->cut = stats->states = 0;
	engine.depth = 0;
	engine.prefix = 0;
	engine.fresh = 0;
	engine.bound_cut = false;
	visited_clear();
}

/* Depth first through all that the present bound allows. */
static enum outcome
search_tree(struct explore_failure *best)
{
	unsigned tries = 0;

	new_tree();
	do {
		run_execution();
		if (engine.stop == STOP_LEARNT)
			return LEARNT;
		count_execution();
		if (engine.meets)
			visited_ended();
		if (engine.stop == STOP_FAILED) {
			keep_failure(best);
			if (best->code == EXPLORE_TOOL_ERROR ||
			    !engine.options->keep_going)
				return FAILED;
		}
		if (best->schedule && ++tries > SHORTER_TRIES)
			return FAILED;
		if (out_of_limits())
			return best->schedule ? FAILED : LIMITED;
	} while (backtrack());
	return best->schedule ? FAILED : FINISHED;
}

static enum outcome
search_bounds(struct explore_failure *best)
{
	struct explore_stats *stats = &engine.result->stats;

	stats->bound_done = 0;
	stats->bound_mattered = false;
	for (engine.bound = 0;; engine.bound++) {
		enum outcome outcome = search_tree(best);

		if (outcome != FINISHED)
			return outcome;
		stats->bound_done = engine.bound;
		stats->bound_mattered = engine.bound_cut;
		if (!engine.bound_cut || engine.bound == engine.options->bound)
			return FINISHED;
	}
}

/* Before every search, and always the same: what a replay learns here the search
 * knew too, so that a replay has no steps that the search had not. */
static void
warm_up(void)
{
	const bool recording = explore_recording;

	explore_recording = false;
	engine.systematic = false;
	engine.prefix = engine.fresh = 0;
	seed_random(WARM_UP_SEED);
	for (unsigned i = 0; i < WARM_UP + LONG_TURNS; i++) {
		long_turns = i >= WARM_UP;
		run_execution();
		/* It takes long, and would again. */
		if (engine.result->failure.code == EXPLORE_STUCK)
			break;
	}
	long_turns = false;
	explore_recording = recording;
	engine.result->failure.code = EXPLORE_OK;
}

static enum outcome
search_systematic(struct explore_failure *best)
{
	enum outcome outcome;

	engine.systematic = true;
	engine.reduce = engine.options->reduce;
	engine.bounded = engine.options->strategy == SEARCH_BOUNDED;
	engine.sleeps = engine.reduce && !engine.bounded;
	engine.meets = engine.reduce && engine.bounded;
	for (;;) {
		if (engine.bounded)
			outcome = search_bounds(best);
		else
			outcome = search_tree(best);
		if (outcome != LEARNT)
			break;
		engine.result->stats.restarts++;
	}
	engine.result->stats.complete = outcome == FINISHED;
	return outcome;
}

/* Where a word became shared, others have been at it unseen: once more then, from
 * the same number. */
static void
execute_by_chance(void)
{
	const u64 random = engine.random;

	do {
		engine.random = random;
		if (engine.options->strategy == SEARCH_PCT)
			pct_start();
		run_execution();
	} while (engine.learnt);
}

static enum outcome
search_by_chance(struct explore_failure *best)
{
	new_tree();
	/* What an execution costs is measured here, without the warming up. */
	engine.result->stats = (struct explore_stats){ 0 };
	started = now();
	seed_random(engine.options->seed);
	while (!out_of_limits()) {
		execute_by_chance();
		count_execution();
		if (engine.stop == STOP_FAILED) {
			keep_failure(best);
			return FAILED;
		}
	}
	return FINISHED;
}

/* What happens is given by the schedule, whatever is known; but what is a step,
 * and what a race, is not. So it is repeated until it has nothing new to tell, and
 * then watched. */
static void
play_schedule(void)
{
	const bool recording = explore_recording;
	unsigned known, tries = 0;

	explore_recording = false;
	new_tree();
	engine.following = true;
	do {
		known = nr_shared_words();
		run_execution();
	} while (nr_shared_words() > known && ++tries < MAX_REPLAYS);
	explore_recording = recording;
	run_execution();
	count_execution();
}

static enum outcome
search_replay(struct explore_failure *best)
{
	if (!schedule_parse(engine.options->replay)) {
		best->code = EXPLORE_TOOL_ERROR;
		strcpy(best->sentence, "the schedule is not one: AGENTxCOUNT, "
				       "with store buffers AGENT@NUMBER too, "
				       "joined by dots");
		return FAILED;
	}
	play_schedule();
	if (engine.stop != STOP_FAILED)
		return FINISHED;
	keep_failure(best);
	return FAILED;
}

static void
set_up(const struct world *world, const struct explore_options *options,
       struct explore_result *result)
{
	memset(result, 0, sizeof(*result));
	engine.world = world;
	engine.options = options;
	engine.result = result;
	engine.nr_agents = world->nr_agents;
	engine.systematic = engine.bounded = engine.sleeps = false;
	engine.reduce = engine.meets = engine.following = false;
	engine.chosen = NOBODY;
	for (unsigned i = 0; i < world->nr_agents; i++) {
		engine.host[i] = (u8)(world->host_of ? world->host_of(i) : i);
		engine.buffer[i] = -1;
		if (options->tso && world->buffer_of)
			engine.buffer[i] = (s8)world->buffer_of(i);
	}
	tried = 0;
	longest = 0;
	shadow_save();
	shadow_forget();
}

void
explore_search(const struct world *world, const struct explore_options *options,
	       struct explore_result *result)
{
	struct explore_failure best = { 0 };
	enum outcome outcome;

	set_up(world, options, result);
	started = now();
	warm_up();
	if (options->strategy == SEARCH_REPLAY)
		outcome = search_replay(&best);
	else if (options->strategy == SEARCH_RANDOM ||
		 options->strategy == SEARCH_PCT)
		outcome = search_by_chance(&best);
	else
		outcome = search_systematic(&best);
	result->stats.seconds = now() - started;
	result->stats.shared_words = nr_shared_words();
	result->failure = best;
	result->code = outcome == FAILED    ? best.code
		       : outcome == LIMITED ? EXPLORE_LIMIT
					    : EXPLORE_OK;
	shadow_reset(); /* what the last execution freed; another search may come */
	engine.result = NULL;
}
