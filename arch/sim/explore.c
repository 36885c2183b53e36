/*
 * An execution: agents take turns, one step each time, until nobody has
 * anything left to do.
 *
 * An agent that announces an operation looks itself who is next, on its own
 * stack. Mostly that is the agent itself, and then it simply returns; else it
 * goes back to the loop in run_execution(), on the explorer's stack.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/sim/engine.h"

struct engine engine = { .running = NOBODY };
struct node path[MAX_STEPS];

unsigned explore_quiet;
bool explore_recording;
void (*explore_on_step)(const struct explore_step *step);
void (*explore_on_choice)(const char *what, unsigned outcome);

static jmp_buf stopped;	/* on the explorer's stack */
static char notes[sizeof(((struct explore_failure *)0)->notes)];
static size_t notes_used;

unsigned
explore_agent(void)
{
	return engine.running;
}

void
explore_quiet_begin(void)
{
	explore_quiet++;
}

void
explore_quiet_end(void)
{
	explore_quiet--;
}

void __attribute__((noinline))
explore_breakpoint(unsigned number)
{
	__asm__ volatile("" ::"r"(number) : "memory");
}

/* ---- The end of an execution ---------------------------------------------------- */

void
stop_execution(enum stop stop)
{
	engine.stop = stop;
	explore_quiet = 0;
	if (engine.agent_stack) {
		engine.world->yield();
		abort(); /* nobody runs it any more */
	}
	longjmp(stopped, 1);
}

void
explore_note(const char *fmt, ...)
{
	va_list args;
	size_t room = sizeof(notes) - notes_used;
	int n;

	if (room < 3)
		return;
	va_start(args, fmt);
	n = vsnprintf(notes + notes_used, room - 2, fmt, args);
	va_end(args);
	notes_used += MIN((size_t)MAX(n, 0), room - 3);
	notes[notes_used++] = '\n';
	notes[notes_used] = 0;
}

void
explore_fail(enum verdict_code code, const char *fmt, ...)
{
	struct explore_failure *failure = &engine.result->failure;
	va_list args;

	if (!engine.result) { /* no search is on */
		va_start(args, fmt);
		vfprintf(stderr, fmt, args);
		va_end(args);
		fprintf(stderr, "\n%s", notes);
		exit(EXPLORE_TOOL_ERROR);
	}
	failure->code = code;
	va_start(args, fmt);
	vsnprintf(failure->sentence, sizeof(failure->sentence), fmt, args);
	va_end(args);
	if (engine.world->failing) {
		explore_quiet_begin();
		engine.world->failing();
	}
	memcpy(failure->notes, notes, sizeof(notes));
	failure->steps = engine.depth;
	failure->preemptions = engine.preemptions;
	failure->found_after = engine.result->stats.executions + 1;
	if (explore_recording)
		explore_breakpoint(engine.depth);
	stop_execution(STOP_FAILED);
}

/* ---- Who can go on ---------------------------------------------------------------- */

static u32
changes_by_others(unsigned agent)
{
	return engine.all_changes - engine.changes[agent];
}

static void
note_change(unsigned agent)
{
	engine.changes[agent]++;
	engine.all_changes++;
}

/* What @agent waits for, as it sees memory. The function may be instrumented,
 * but it is we who ask, not the running agent. */
static bool
is_over(unsigned agent, const struct op *wait)
{
	bool over;

	buffers_hide(engine.running);
	buffers_show(agent);
	explore_quiet++;
	over = wait->ready(wait->arg);
	explore_quiet--;
	buffers_hide(agent);
	buffers_show(engine.running);
	return over;
}

/* Whose store it is that @node's agent lets out of a buffer; or that agent. Else
 * a loop that waits would take its own stores for somebody else's. */
static unsigned
author_of(const struct node *node)
{
	unsigned author = 0;

	if (node->op.kind != OP_DRAIN)
		return node->agent;
	while (engine.host[author] != author ||
	       engine.buffer[author] != node->agent)
		author++;
	return author;
}

/* What its announced operation waits for. */
static bool
ready(unsigned agent)
{
	const struct op *op = &engine.pending[agent];
	const struct shared *word;

	switch (op->kind) {
	case OP_LOCK:
		word = shared_word(op->address);
		return !word || !word->holder;
	case OP_WAIT:
		return is_over(agent, op);
	case OP_RELAX:
		return engine.relaxed[agent] != changes_by_others(agent) + 1;
	default:
		return true;
	}
}

bool
needs_empty_buffer(const struct op *op)
{
	return op->kind == OP_FENCE || op->kind == OP_UPDATE ||
	       op->kind == OP_LOCK;
}

bool
enabled_when_drained(unsigned agent)
{
	unsigned host = engine.host[agent];

	if (engine.busy[host] != NOBODY && engine.busy[host] != agent)
		return false;
	return engine.world->runnable(agent) && ready(agent);
}

static bool
enabled(unsigned agent)
{
	const struct op *op = &engine.pending[agent];

	if (op->kind == OP_DRAIN)
		return buffer_oldest(agent) != NULL;
	return enabled_when_drained(agent) &&
	       (!needs_empty_buffer(op) || buffer_empty(agent));
}

agents_t
waiting_loops(void)
{
	agents_t agents = 0;

	for (unsigned agent = 0; agent < engine.nr_agents; agent++)
		if (engine.relaxed[agent] == changes_by_others(agent) + 1)
			agents |= bit_of(agent);
	return agents;
}

bool
is_stuck(unsigned agent)
{
	const struct world *world = engine.world;
	unsigned host = engine.host[agent];

	if (engine.busy[host] != NOBODY && engine.busy[host] != agent)
		return false;
	if (host == agent || engine.busy[host] == agent)
		return world->runnable(agent) &&
		       (engine.pending[agent].kind == OP_WAIT ||
			engine.pending[agent].kind == OP_LOCK);
	return !world->runnable(agent) && world->masked && !world->masked(host);
}

agents_t
enabled_agents(void)
{
	agents_t agents = 0;

	for (unsigned agent = 0; agent < engine.nr_agents; agent++)
		if (enabled(agent))
			agents |= bit_of(agent);
	return agents;
}

/* ---- One step ---------------------------------------------------------------------- */

static const struct op *
next_of(unsigned agent)
{
	const struct op *op = &engine.pending[agent];

	return op->kind == OP_DRAIN ? buffer_oldest(agent) : op;
}

/* Who stays asleep after @node's step: those whose next one is independent. A
 * handler is more than its first step: whatever its host does may matter. And
 * stores of both go into one buffer. */
static agents_t
still_asleep(const struct node *node)
{
	agents_t sleep = node->sleep | (node->done & ~bit_of(node->agent));
	agents_t still = 0;

	for (agents_t rest = sleep; rest; rest &= rest - 1) {
		unsigned agent = (unsigned)__builtin_ctz(rest);

		if (engine.host[agent] == engine.host[node->agent])
			continue;
		if (independent(next_of(agent), &node->op))
			still |= bit_of(agent);
	}
	return still;
}

static void
begin_handler(unsigned agent)
{
	unsigned host = engine.host[agent];

	if (host == agent || engine.busy[host] == agent)
		return;
	engine.busy[host] = (u8)agent;
	engine.began[agent] = engine.depth;
	races_join(agent, host);
}

void
explore_agent_done(void)
{
	unsigned agent = engine.running;
	unsigned host = engine.host[agent];

	races_join(host, agent);
	engine.busy[host] = NOBODY;
	engine.pending[agent] = engine.resting[agent];
	/* Who goes on is open. Else somebody who comes between two handlers
	 * would cost a preemption, and between two tasks none; and orders that
	 * a bound allows would only be reached through such as it does not. */
	engine.last = host;
	engine.turn_over = true;
	engine.running = host;
}

void
explore_announce(unsigned agent, const struct op *op)
{
	/* From the start: else what its host does there first, alone, would
	 * not be seen as a step. */
	if (op->address)
		make_shared(op->address);
	if (op->second)
		make_shared(op->second);
	engine.resting[agent] = *op;
	engine.pending[agent] = *op;
}

static void
watch_step(const struct node *node)
{
	struct explore_step step = {
		.number = engine.depth + 1,
		.agent = node->agent,
		.op = node->op,
		.switched = engine.depth && node[-1].agent != node->agent,
		.preempted = preempts(node, node->agent),
	};

	explore_breakpoint(step.number);
	if (explore_on_step)
		explore_on_step(&step);
}

/* @node's agent takes its step: everything but the operation itself. */
static void
take(struct node *node)
{
	unsigned agent = node->agent;
	const struct op *op = next_of(agent);

	node->op = *op;
	node->op.kind = engine.pending[agent].kind;
	/* A release that leaves a buffer is no access: who takes the lock next
	 * depends on who had it. */
	node->word = op->address && op->size ? make_shared(op->address) : NULL;
	node->second = op->second ? make_shared(op->second) : NULL;
	if (unlikely(explore_recording))
		watch_step(node);
	if (engine.sleeps)
		engine.sleep = still_asleep(node);
	node->masked = engine.world->masked &&
		       engine.world->masked(engine.host[agent]);
	begin_handler(agent);
	node->first = node->op.kind == OP_DRAIN ? buffer_inserted(agent)
						: engine.began[agent];
	order_step(node);
	if (op->kind == OP_LOCK)
		node->word->holder = (u8)(agent + 1);
	if (preempts(node, agent))
		engine.preemptions++;
	if (node->op.kind != OP_DRAIN && node->op.kind != OP_START) {
		engine.last = agent;
		engine.turn_over = false;
	}
	if (node->op.kind != OP_START)
		engine.accesses[agent]++;
	if (changes(&node->op))
		note_change(author_of(node));
	engine.depth++;
	engine.result->stats.steps++;
}

static struct node *
next_node(void)
{
	if (engine.depth >= engine.options->max_steps ||
	    engine.depth >= MAX_STEPS)
		explore_fail(EXPLORE_STUCK, "no end after %u steps: somebody "
			     "waits in a loop for what never comes",
			     engine.depth);
	return &path[engine.depth];
}

/* Whose step is next, drains made on the way; NOBODY: engine.stop says why. */
static unsigned
next_agent(void)
{
	for (;;) {
		struct node *node = next_node();
		unsigned agent = decide(node);

		if (agent == NOBODY)
			return NOBODY;
		node->agent = (u8)agent;
		if (engine.pending[agent].kind != OP_DRAIN)
			return agent;
		/* All of them: what is drained must not be taken for what a
		 * store that is shown has replaced. */
		for (unsigned i = 0; i < engine.nr_agents; i++)
			buffers_hide(i);
		schedule_drains(agent);
		take(node);
		buffer_drain(agent);
	}
}

/* @agent's turn begins; it may have been its already. */
static void
give_turn(unsigned agent)
{
	if (engine.options->tso)
		buffers_show(agent);
	schedule_ran(agent);
	take(&path[engine.depth]);
	engine.running = agent;
}

/* The running agent has announced an operation: returns when it may do it. */
static void
wait_for_turn(void)
{
	unsigned me = engine.running;
	unsigned next = next_agent();

	if (next == me) {
		give_turn(me);
		return;
	}
	engine.chosen = next;
	if (engine.options->tso)
		buffers_hide(me);
	engine.world->yield();
	/* The loop has done the rest. */
}

/* ---- What agents call ---------------------------------------------------------------- */

static bool
listening(void)
{
	return engine.running != NOBODY && !explore_quiet;
}

/* A schedule has turns change where they did when it was found, whatever is known
 * by now to be shared. */
static bool
schedule_goes_elsewhere(void)
{
	return engine.following && !schedule_may_go_on();
}

static void
announce(const struct op *op)
{
	engine.pending[engine.running] = *op;
	wait_for_turn();
}

/* @word has become shared in the middle of a search. */
static void
learn(void)
{
	engine.learnt = true;
	if (engine.systematic)
		stop_execution(STOP_LEARNT);
}

/* Is @op, of a word that is shared or not, a store that waits in the buffer? That
 * of a word that is not has no need to, nobody sees when it becomes visible. But
 * a schedule says by itself which ones wait: with each of them other stores have
 * to wait, and fences. */
static bool
buffered(const struct op *op, bool shared)
{
	if (!engine.options->tso || op->kind != OP_WRITE ||
	    engine.buffer[engine.running] < 0)
		return false;
	return engine.following ? schedule_delays() : shared;
}

static void __noreturn
report_freed(const struct op *op)
{
	explore_fail(EXPLORE_VIOLATION, "access to freed memory at %p by %s at "
		     "%#lx: %s", op->address,
		     engine.world->agent_name(engine.running), op->caller,
		     shadow_history(op->address));
}

static void
access_shared(struct shared *word, const struct op *op)
{
	struct clock *published;

	if (buffered(op, true)) {
		announce(&(struct op){ .kind = OP_STORE,
				       .caller = op->caller });
		published = buffer_store(engine.running, op);
		if (engine.options->races)
			races_buffered(word, engine.running, op, published);
		return;
	}
	announce(op);
	/* While others ran, it may have been freed. */
	if (shadow_is_freed(op->address)) {
		if (op->walk)
			return;
		report_freed(op);
	}
	if (engine.options->races)
		races_access(word, engine.running, op);
}

/* Others need not see it: a step only if it waits, or a schedule says so. */
static void
access_private(const struct op *op)
{
	if (unlikely(needs_empty_buffer(op)) && !buffer_empty(engine.running))
		announce(&(struct op){ .kind = OP_FENCE, .caller = op->caller });
	else if (unlikely(schedule_goes_elsewhere()))
		announce(&(struct op){ .kind = OP_PRIVATE,
				       .caller = op->caller });
	else if (unlikely(++engine.accesses[engine.running] > MAX_ACCESSES))
		explore_fail(EXPLORE_STUCK, "no end after %d accesses by %s",
			     MAX_ACCESSES,
			     engine.world->agent_name(engine.running));
}

static void
access_word(const struct op *op)
{
	struct shared *word = NULL;

	switch (shadow_look(op->address, engine.running, changes(op), &word)) {
	case OUTSIDE:
		return;
	case FREED:
		report_freed(op);
	case PRIVATE:
		if (likely(!buffered(op, false))) {
			access_private(op);
			return;
		}
		word = make_shared(op->address);
		break;
	case NEWLY_SHARED:
		learn();
		break;
	case SHARED:
		break;
	}
	access_shared(word, op);
}

/* One that all have left, and in an order that they rely on, is nothing to
 * anybody. */
void
announce_free(const void *address, bool others, u64 caller)
{
	const struct op op = { .kind = OP_WRITE, .size = 8,
			       .address = address, .caller = caller };
	struct shared *word = shared_word(address);

	if (others && !word) {
		word = make_shared(address);
		learn();
	}
	if (!others || order_after_all(word, engine.running))
		access_private(&op);
	else
		announce(&op);
}

void
explore_access(const void *address, unsigned size, enum op_kind kind,
	       bool atomic, u64 caller)
{
	struct op op = { .kind = (u8)kind, .atomic = atomic,
			 .address = address, .caller = caller };

	if (!listening())
		return;
	engine.result->stats.accesses++;
	/* Word by word. */
	while (size) {
		unsigned part = 8 - (unsigned)((u64)op.address % 8);

		op.size = (u8)MIN(part, size);
		access_word(&op);
		op.address = (const char *)op.address + op.size;
		size -= op.size;
	}
}

void
explore_walk(const void *entry, u64 caller)
{
	if (!listening())
		return;
	engine.result->stats.accesses++;
	access_word(&(struct op){ .kind = OP_READ, .atomic = true,
				  .walk = true, .size = sizeof(u64),
				  .address = entry, .caller = caller });
}

void
explore_update2(const void *address, const void *second, u64 caller)
{
	if (!listening())
		return;
	make_shared(address);
	make_shared(second);
	announce(&(struct op){ .kind = OP_UPDATE, .atomic = true, .size = 8,
			       .address = address, .second = second,
			       .caller = caller });
}

void
explore_fence(u64 caller)
{
	if (!listening())
		return;
	/* It is nothing to others, unless stores wait for it. */
	if (!buffer_empty(engine.running))
		announce(&(struct op){ .kind = OP_FENCE, .caller = caller });
	else
		engine.accesses[engine.running]++;
}

void
explore_lock(const void *lock, u64 caller)
{
	struct shared *word;

	if (!listening())
		return;
	make_shared(lock);
	announce(&(struct op){ .kind = OP_LOCK, .atomic = true, .size = 4,
			       .address = lock, .caller = caller });
	word = shared_word(lock);
	races_acquire(word, engine.running);
}

void
release_lock(const void *lock, unsigned agent, u64 caller)
{
	struct shared *word = shared_word(lock);

	if (!word || !word->holder)
		explore_fail(EXPLORE_VIOLATION, "a lock that nobody holds is "
			     "released at %#lx", caller);
	word->holder = 0;
	word->released = engine.clocks[agent];
	word->release = engine.depth;
}

/*
 * Does it make a difference who comes before a release? It does to a handler that
 * wants the lock too. And under a bound, to who comes for the lock and has to
 * wait: from there it is free to go on, while later it would be a preemption.
 */
static bool
release_is_a_step(void)
{
	unsigned host = engine.host[engine.running];
	const struct world *world = engine.world;

	if (engine.bounded || schedule_goes_elsewhere())
		return true;
	if (host != engine.running || (world->masked && world->masked(host)))
		return false;
	for (unsigned agent = 0; agent < engine.nr_agents; agent++)
		if (agent != host && engine.host[agent] == host)
			return true;
	return false;
}

/* An ordinary store, as on x86. */
void
explore_unlock(const void *lock, u64 caller)
{
	struct op op = { .kind = OP_WRITE, .address = lock, .caller = caller };

	if (!listening())
		return;
	if (buffered(&op, true)) {
		announce(&(struct op){ .kind = OP_STORE, .caller = caller });
		buffer_store(engine.running, &op);
	} else {
		if (release_is_a_step())
			announce(&(struct op){ .kind = OP_UNLOCK,
					       .address = lock,
					       .caller = caller });
		else
			engine.accesses[engine.running]++;
		release_lock(lock, engine.running, caller);
		note_change(engine.running);
	}
	races_release(make_shared(lock), engine.running);
}

void
explore_wait(const void *address, bool (*is_ready)(const void *arg),
	     const void *arg, u64 caller)
{
	if (!listening())
		return;
	make_shared(address);
	announce(&(struct op){ .kind = OP_WAIT, .atomic = true, .size = 4,
			       .address = address, .caller = caller,
			       .ready = is_ready, .arg = arg });
	if (engine.options->races)
		races_acquire(shared_word(address), engine.running);
}

void
explore_relax(u64 caller)
{
	if (!listening())
		return;
	announce(&(struct op){ .kind = OP_RELAX, .caller = caller });
	engine.relaxed[engine.running] = changes_by_others(engine.running) + 1;
}

unsigned
explore_choose(unsigned n, const char *what, u64 caller)
{
	unsigned outcome;

	if (!listening() || n < 2)
		return 0;
	announce(&(struct op){ .kind = OP_CHOOSE, .caller = caller });
	outcome = path[engine.depth - 1].choice;
	path[engine.depth - 1].choices = (u8)n;
	if (engine.depth > engine.prefix) {
		outcome = 0;
		if (engine.following)
			outcome = schedule_outcome();
		else if (!engine.systematic)
			outcome = (unsigned)(next_random() % n);
		path[engine.depth - 1].choice = (u8)outcome;
	}
	engine.steps_number += step_number(&path[engine.depth - 1]);
	schedule_chose(outcome);
	if (unlikely(explore_recording) && explore_on_choice)
		explore_on_choice(what, outcome);
	return outcome;
}

/* ---- The loop --------------------------------------------------------------------------- */

static void
reset(void)
{
	engine.epoch++;
	engine.depth = 0;
	engine.running = NOBODY;
	engine.last = NOBODY;
	engine.turn_over = false;
	engine.stop = RUNNING;
	engine.learnt = false;
	engine.sleep = 0;
	engine.preemptions = 0;
	explore_quiet = 0;
	notes_used = 0;
	notes[0] = 0;
	memset(engine.busy, NOBODY, sizeof(engine.busy));
	memset(engine.pending, 0, sizeof(engine.pending));
	memset(engine.resting, 0, sizeof(engine.resting));
	memset(engine.accesses, 0, sizeof(engine.accesses));
	memset(engine.changes, 0, sizeof(engine.changes));
	memset(engine.relaxed, 0, sizeof(engine.relaxed));
	engine.all_changes = 0;
	engine.steps_number = 0;
	for (unsigned i = 0; i < engine.nr_agents; i++)
		if (engine.buffer[i] >= 0)
			engine.pending[engine.buffer[i]].kind = OP_DRAIN;
	order_reset();
	shadow_reset();
	races_reset();
	buffers_reset();
	schedule_start();
	engine.world->restore();
}

/* @agent runs until it loses its turn or ends. */
static void
let_run(unsigned agent)
{
	give_turn(agent);
	engine.chosen = NOBODY;
	engine.agent_stack = true;
	engine.world->run(agent);
	engine.agent_stack = false;
	if (engine.options->tso)
		buffers_hide(agent);
	engine.running = NOBODY;
}

/* Nobody can go on. All buffers are empty, or their drains could. */
static void
nobody_left(void)
{
	const char *missing;

	for (unsigned agent = 0; agent < engine.nr_agents; agent++)
		if (engine.world->runnable(agent))
			order_blocked(agent);
	missing = engine.world->ended();
	if (!missing) {
		engine.stop = STOP_END;
		return;
	}
	for (unsigned agent = 0; agent < engine.nr_agents; agent++)
		if (engine.pending[agent].kind == OP_RELAX &&
		    engine.world->runnable(agent))
			explore_fail(EXPLORE_STUCK, "no progress: %s", missing);
	explore_fail(EXPLORE_DEADLOCK, "%s", missing);
}

void
run_execution(void)
{
	if (setjmp(stopped) == 0) {
		reset();
		while (engine.stop == RUNNING) {
			unsigned next = engine.chosen;

			if (next == NOBODY)
				next = next_agent();
			if (engine.stop != RUNNING)
				break;
			if (next == NOBODY)
				nobody_left();
			else
				let_run(next);
		}
	}
	engine.agent_stack = false;
	engine.running = NOBODY;
	engine.chosen = NOBODY;
	if (engine.stop != STOP_END)
		engine.world->abandon();
}
