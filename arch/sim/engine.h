/*
 * Between the files of the explorer; nobody else includes this.
 *
 *   explore.c   an execution: who takes the next step, and what it announces
 *   search.c    which executions: strategies, reduction, backtracking
 *   order.c     the order that counts: clocks, conflicts, what to try instead
 *   visited.c   orders that lead to the same
 *   shadow.c    what is known of each word: shared, freed, who was there
 *   races.c     the data-race detector
 *   buffers.c   x86-TSO store buffers
 *   schedule.c  schedules as strings
 *   hooks.c     what the compiler calls
 */
#pragma once

#include "arch/sim/explore.h"

enum {
	MAX_STEPS = 20000,	/* of one execution */
	MAX_ACCESSES = 5000000,	/* by one agent in one execution */
	MAX_SHARED = 8192,	/* words that agents share */
	NOBODY = MAX_AGENTS,
};

typedef u16 agents_t;		/* a bit for each agent */

struct clock {
	u32 at[MAX_AGENTS];	/* how many steps of each agent came before */
};

/* One access as the race detector remembers it. */
struct mark {
	u32 time;		/* its agent's clock; 0: none */
	u8 mask;		/* bytes of the word */
	bool atomic;
	u64 caller;
};

/* A word that is shared: what this execution did to it. */
struct shared {
	u32 epoch;		/* of another execution: all below is void */
	u32 write;		/* step that changed it last, + 1; 0: none */
	u32 read[MAX_AGENTS];	/* last reads since then, + 1 */
	u8 holder;		/* a lock's: agent + 1 */
	struct clock released;	/* a lock's: the clock of its last unlock */
	u32 release;		/* the step that made it, + 1 */
	struct clock published;	/* race detector: the last atomic store's */
	struct mark reads[MAX_AGENTS], writes[MAX_AGENTS];
};

/* One step of the current execution, and what else is to be tried there. */
struct node {
	struct op op;
	struct shared *word, *second;
	u8 agent;
	u8 last;		/* who ran before; NOBODY at the start */
	bool expected;		/* it is still to come */
	bool masked;		/* no handler could have begun here */
	bool may_go_on;		/* that one: else nobody is preempted */
	u8 choice, choices;	/* OP_CHOOSE */
	u16 preemptions;	/* before this step */
	agents_t enabled;	/* who could have gone on here */
	agents_t stuck;		/* who waits for a change of a word */
	agents_t sleep;		/* whose next step was tried in a sibling */
	agents_t backtrack;	/* who is to be tried here */
	agents_t done;		/* who has been */
	u32 index;		/* of this step among its agent's, from 1 */
	u32 first;		/* of a handler: the step that began it; of a
				 * drain: the step of the store */
	struct clock clock;
	u64 number;		/* step_number() */
};

enum stop {			/* why an execution ended */
	RUNNING,
	STOP_END,		/* nobody has anything left to do */
	STOP_FAILED,
	STOP_CUT,		/* all that could run is known */
	STOP_LEARNT,		/* a word is shared: begin again */
	STOP_BOUND,		/* max_seconds */
};

struct engine {
	const struct world *world;
	const struct explore_options *options;
	struct explore_result *result;
	unsigned nr_agents;
	u8 host[MAX_AGENTS];
	s8 buffer[MAX_AGENTS];

	/* this execution */
	u32 epoch;
	unsigned depth;		/* steps taken */
	unsigned prefix;	/* steps that are given: path[0 .. prefix) */
	unsigned fresh;		/* from this step on conflicts are new */
	unsigned running;	/* agent, or NOBODY */
	unsigned last;		/* who took the last step, drains not counted */
	bool turn_over;		/* a handler has ended: nobody is preempted */
	unsigned chosen;	/* whom an agent that lost its turn found */
	bool agent_stack;	/* world->run() is on */
	enum stop stop;
	agents_t sleep;		/* for the next node */
	unsigned preemptions;
	u8 busy[MAX_AGENTS];	/* by host: the handler on its stack, or NOBODY */
	u32 began[MAX_AGENTS];	/* of a handler: its first step */
	struct op pending[MAX_AGENTS];
	struct op resting[MAX_AGENTS]; /* explore_announce() */
	u32 changes[MAX_AGENTS]; /* steps that changed something */
	u32 all_changes;
	u64 steps_number;	/* the same for the same steps in any order */
	u32 relaxed[MAX_AGENTS]; /* changes by others at its last turn, + 1 */
	u32 events[MAX_AGENTS];	/* steps so far */
	u32 accesses[MAX_AGENTS]; /* counted operations that happened */
	struct clock clocks[MAX_AGENTS];

	/* which kind of search */
	bool systematic, reduce, sleeps, meets, bounded;
	unsigned bound;
	bool bound_cut;		/* something was not tried because of it */
	bool following;		/* a given schedule */
	bool learnt;		/* in this execution a word became shared */
	u64 random;
};

extern struct engine engine;

/* @to is after all that @from is after. */
static inline void
join(struct clock *to, const struct clock *from)
{
	for (unsigned i = 0; i < engine.nr_agents; i++)
		to->at[i] = MAX(to->at[i], from->at[i]);
}

/* Is the world to be told of stores here? */
static inline bool
is_watched(const volatile void *address)
{
	const struct world *world = engine.world;

	return world && world->stored &&
	       (const void *)address >= world->watched &&
	       (const void *)address < world->watched_end;
}
extern struct node path[MAX_STEPS];

static inline agents_t
bit_of(unsigned agent)
{
	return (agents_t)(1u << agent);
}

/* explore.c */
void run_execution(void);
void stop_execution(enum stop stop) __noreturn;
agents_t enabled_agents(void);
/* Does @agent, which is not enabled, wait for a word's change, or is there no
 * interrupt to handle? */
bool is_stuck(unsigned agent);
/* Whose loop would wait, if it came to that, since nothing has changed. */
agents_t waiting_loops(void);
/* Could @agent go on, were its store buffer empty? */
bool enabled_when_drained(unsigned agent);
/* x86-TSO: @op comes after all stores of its CPU. */
bool needs_empty_buffer(const struct op *op);
bool changes(const struct op *op);
/* The running agent is about to free this word. @others: some were there. */
void announce_free(const void *address, bool others, u64 caller);

/* Its release is there for others to see. */
void release_lock(const void *lock, unsigned agent, u64 caller);

/* search.c: whom @node's step goes to; NOBODY with engine.stop set. */
unsigned decide(struct node *node);
u64 next_random(void);
/* Does it cost a preemption when @agent takes @node's step? */
bool preempts(const struct node *node, unsigned agent);

/* order.c */
void order_reset(void);
void order_step(struct node *node);
void order_blocked(unsigned agent);
/* Does all that was done to @word come before what @agent does next? */
bool order_after_all(const struct shared *word, unsigned agent);
bool independent(const struct op *a, const struct op *b);

/* What an agent does before it comes to a word, as indices of shared words: 0 is
 * none. It takes a lock; it changes another word, or waits for a change of it. */
struct guards {
	u16 lock, word;
};
/* @agent will come to @word, by then later than what its guards order before. */
void order_expect(unsigned agent, struct shared *word, bool write,
		  struct guards guards);
void order_expect_agents(agents_t agents);

/* visited.c */
void visited_clear(void);
/* At a new node: has what follows been tried? If so, what it has conflicts with
 * is to be tried otherwise. */
bool visited_before(const struct node *node);
void visited_ended(void);	/* each execution */
void visited_leave(unsigned depth);
u64 step_number(const struct node *step);

/* shadow.c */
void shadow_reset(void);	/* each execution */
void shadow_save(void);		/* the state to reset to */
void shadow_forget(void);	/* what is shared */
struct shared *shared_word(const void *address); /* NULL: not shared */
struct shared *make_shared(const void *address);
unsigned nr_shared_words(void);
unsigned shared_index(const struct shared *word); /* 1 .. nr_shared_words() */
struct shared *shared_nth(unsigned index);
enum presence { OUTSIDE, PRIVATE, SHARED, NEWLY_SHARED, FREED };
/* @agent is about to touch the word at @address; *@shared when it is. */
enum presence shadow_look(const void *address, unsigned agent, bool write,
			  struct shared **shared);
const char *shadow_history(const void *address);

/* races.c */
void races_reset(void);
void races_access(struct shared *word, unsigned agent, const struct op *op);
/* x86-TSO: at the store; and when it leaves the buffer. */
void races_buffered(struct shared *word, unsigned agent, const struct op *op,
		    struct clock *published);
void races_published(struct shared *word, const struct clock *published);
void races_acquire(struct shared *word, unsigned agent);
void races_release(struct shared *word, unsigned agent);
void races_join(unsigned agent, unsigned other);

/* buffers.c */
void buffers_reset(void);
bool buffer_empty(unsigned agent);
bool buffer_holds(unsigned agent, const void *address);
/* The store that @agent has just announced. Returns what it is to publish when
 * it leaves the buffer, for races.c to fill in; nothing so far. */
struct clock *buffer_store(unsigned agent, const struct op *op);
/* Memory as everybody else sees it; and as @agent does. */
void buffers_hide(unsigned agent);
void buffers_show(unsigned agent);
/* The oldest store of the buffer that agent @drain empties. */
const struct op *buffer_oldest(unsigned drain);
u32 buffer_inserted(unsigned drain); /* the step that stored it */
/* Whose store the @nth oldest is, and which of its operations made it, from 1.
 * False: there are not so many. */
bool buffer_origin(unsigned drain, unsigned nth, unsigned *agent,
		   u32 *operation);
void buffer_drain(unsigned drain);

/* schedule.c */
void schedule_start(void);
void schedule_ran(unsigned agent);  /* is about to run */
void schedule_drains(unsigned drain); /* its oldest store is about to leave */
void schedule_chose(unsigned outcome);
char *schedule_string(void);	    /* malloc()ed */
bool schedule_parse(const char *text);
/* Replay: whose segment it is while that has operations left, else NOBODY; the
 * running agent may do one more; whose segment comes next, NOBODY at the end. */
unsigned schedule_turn(void);
bool schedule_may_go_on(void);
unsigned schedule_next(void);
/* Does the running agent's next operation, a store, wait in the buffer? */
bool schedule_delays(void);
unsigned schedule_outcome(void);
