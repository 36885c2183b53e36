/*
 * The explorer: runs a small concurrent program again and again, each time in
 * another order, until every order that can make a difference was tried, or a
 * bound is reached.
 *
 * The program consists of *agents* that take turns on one host thread. Before
 * each operation that another agent could notice, an agent *announces* it and
 * may lose its turn there; what lies between two announcements is one step.
 * Ordinary code announces itself: it is compiled with -fsanitize=thread, and
 * hooks.c is the runtime. What the compiler cannot see (locks, interrupts,
 * CR3) is announced by calls of the functions below.
 *
 * A *world* owns the agents' stacks and memory: arch/sim/machine.c is the
 * kernel's, tests/explore/known.c one for small programs with known answers.
 *
 * Nothing here knows of the kernel.
 */
#pragma once

#include "kernel/base/types.h"

enum {
	MAX_AGENTS = 16,
	MAX_CHOICES = 8,	/* of one explore_choose() */
};

/* ---- What an agent announces ------------------------------------------- */

enum op_kind {
	OP_START,	/* nothing announced yet. Every agent first runs up to
			 * its first announcement; that is nobody's choice */
	OP_READ,
	OP_WRITE,
	OP_UPDATE,	/* atomic read-modify-write: also a full barrier */
	OP_FENCE,	/* full barrier */
	OP_LOCK,	/* can go on when nobody holds it */
	OP_UNLOCK,	/* never waits; a step only where it matters who comes
			 * before it */
	OP_WAIT,	/* can go on when ready(arg) says so */
	OP_RELAX,	/* can go on after another agent changed something */
	OP_CHOOSE,	/* of an outcome; see explore_choose() */
	OP_STORE,	/* x86-TSO: into the own CPU's store buffer */
	OP_DRAIN,	/* x86-TSO: the oldest store of a buffer gets visible */
	OP_PRIVATE,	/* of a word that nobody else uses: a step only where a
			 * given schedule has somebody else come before it */
};

/* Two operations of different agents are dependent when they share a word (of
 * 8 bytes) and one of them changes it. */
struct op {
	u8 kind;		/* enum op_kind */
	bool atomic;		/* may meet others: no race by itself */
	bool walk;		/* of the machine, through a table entry */
	u8 size;		/* bytes, 1 .. 8 */
	const void *address;	/* NULL: none */
	const void *second;	/* another word that it changes, or NULL */
	u64 caller;		/* address of the code responsible */
	bool (*ready)(const void *arg); /* OP_WAIT */
	const void *arg;
};

/*
 * One access by the running agent, about to happen. The hooks call it for
 * instrumented code; others may, for words that stand for something that the
 * compiler cannot see. Returns when the agent may go on; other agents may have
 * run in between. An access to freed memory, or a data race, ends the
 * execution. Costs little while no other agent has touched that word.
 */
void explore_access(const void *address, unsigned size, enum op_kind kind,
		    bool atomic, u64 caller);
/* The machine is about to read an entry of a page table. The same, but whether
 * that table is freed when the agent goes on is for the caller to see. */
void explore_walk(const void *entry, u64 caller);
/* The same for two words at once, both changed, both atomic. */
void explore_update2(const void *address, const void *second, u64 caller);
void explore_fence(u64 caller);

/* A lock that blocks: the agent does not go on while another one holds it.
 * @lock is any word that is used for nothing else. */
void explore_lock(const void *lock, u64 caller);
void explore_unlock(const void *lock, u64 caller);

/* Blocks until @ready(@arg). It counts as an atomic read of @address, but no
 * race is looked for: that of the code that waits is looked at when it reads
 * by itself. It must depend on nothing else that other agents change. */
void explore_wait(const void *address, bool (*ready)(const void *arg),
		  const void *arg, u64 caller);

/* One turn of a loop that waits for others: does not go on unless another
 * agent has changed something since the last turn. When nobody can do anything
 * else, the verdict is STUCK. */
void explore_relax(u64 caller);

/* 0 .. @n - 1 (n <= MAX_CHOICES): the search tries each. 0 first. @what says
 * it for people: "allocation fails?" */
unsigned explore_choose(unsigned n, const char *what, u64 caller);

/* Who runs; what it executes is not part of any agent's order when this is
 * MAX_AGENTS (set-up, checks). */
unsigned explore_agent(void);

/* Between these two nothing is announced and nothing recorded: for checks
 * that look at everything. They nest. */
void explore_quiet_begin(void);
void explore_quiet_end(void);
extern unsigned explore_quiet;

/* ---- Memory: shadow.c ---------------------------------------------------- */

/* Only addresses in these regions are looked at; at most 8, before the first
 * execution. Sizes are multiples of 4096. */
void shadow_add_region(const void *base, size_t size);
/* Inside a region: is now allocated, or no more. An access to what is not is
 * a violation that names both places. Memory that was never mentioned is
 * allocated. @caller: code responsible. */
void shadow_allocated(const void *base, size_t size, u64 caller);
void shadow_freed(const void *base, size_t size, u64 caller);
bool shadow_is_freed(const void *address);

/* ---- Verdicts ------------------------------------------------------------ */

enum verdict_code {	/* also the exit codes of the program */
	EXPLORE_OK = 0,
	EXPLORE_VIOLATION = 10,	/* a rule was broken */
	EXPLORE_RACE = 11,	/* two unordered accesses, one a write */
	EXPLORE_DEADLOCK = 12,	/* nobody can go on, somebody should */
	EXPLORE_STUCK = 13,	/* no progress: loops that wait for nothing */
	EXPLORE_LIMIT = 14,	/* a limit was reached before the end */
	EXPLORE_TOOL_ERROR = 15, /* the explorer itself, or its arguments */
};

/* Ends this execution: from an agent, or from a check. The sentence says which
 * rule was broken, with the values in it. */
void explore_fail(enum verdict_code code, const char *fmt, ...) __noreturn
	__printf(2, 3);
/* A line under the sentence: the ledger, each CPU's state. Kept only for the
 * report of a failure; call it before explore_fail(). */
void explore_note(const char *fmt, ...) __printf(1, 2);

/* ---- The world: who runs ------------------------------------------------- */

struct world {
	unsigned nr_agents;
	/* Puts everything to the start of an execution. Every agent has then
	 * announced OP_START, or what world_announce() says. */
	void (*restore)(void);
	/* May @agent take its next step, apart from what its announced
	 * operation waits for? False: it has ended, is interrupted, or (an
	 * interrupt's agent) there is nothing to deliver, or interrupts are
	 * off. Looks, changes nothing. */
	bool (*runnable)(unsigned agent);
	/* Lets @agent run, from the explorer's stack, until it calls yield()
	 * or ends. */
	void (*run)(unsigned agent);
	/* Called on an agent's stack, by the functions above: back to where
	 * run() was called. Returns when the agent is run again. */
	void (*yield)(void);
	/* An execution was ended in the middle: forget who was where. */
	void (*abandon)(void);
	/* Nobody can run. NULL: that is how it should end (checks that only
	 * the end allows are made here); else what is missing, a sentence. */
	const char *(*ended)(void);
	/* An execution fails, whatever the reason: explore_note() what people
	 * want to know of the state. The explorer is quiet. May be NULL. */
	void (*failing)(void);
	/* For people. */
	const char *(*agent_name)(unsigned agent);  /* "cpu0", "cpu1 irq" */
	/* Text beside each line of a schedule: task, then U/C of the mms;
	 * buffers of 24 and 48 bytes. May be NULL. */
	void (*describe)(unsigned agent, char *who, char *counters);

	/* The agent whose stack @agent interrupts (an interrupt's: its CPU's),
	 * or @agent itself. While the one runs, from its first step until it
	 * says explore_agent_done(), the other cannot. */
	unsigned (*host_of)(unsigned agent);
	/* Has host @agent interrupts off? May be NULL: not known. */
	bool (*masked)(unsigned agent);
	/* x86-TSO: the agent that drains @agent's store buffer, or -1. Agents
	 * with the same host share a buffer. */
	int (*buffer_of)(unsigned agent);
	/* A store by __atomic_store_n of 8 bytes into [watched, watched_end) is
	 * complete. May be NULL. */
	void (*stored)(u64 *address, u64 old, u64 new);
	const void *watched, *watched_end;
};

/* What @agent announces at the start, and again after explore_agent_done():
 * for agents that wait for something to deliver. In or after restore(). */
void explore_announce(unsigned agent, const struct op *op);
/* On an interrupt agent's last step: it may come again later. */
void explore_agent_done(void);

/* ---- Searching ----------------------------------------------------------- */

enum strategy {
	SEARCH_EXHAUSTIVE,	/* dynamic partial-order reduction, sleep sets */
	SEARCH_BOUNDED,		/* at most bound preemptions, from 0 up */
	SEARCH_RANDOM,		/* each step's agent by chance, from a seed */
	SEARCH_PCT,		/* priorities by chance, bound change points */
	SEARCH_REPLAY,		/* the one schedule given */
};

struct explore_options {
	enum strategy strategy;
	bool reduce;		/* false: brute force, to compare with */
	bool tso;		/* store buffers; else sequential consistency */
	unsigned bound;		/* BOUNDED: preemptions; PCT: depth */
	u64 seed;		/* RANDOM, PCT */
	u64 max_executions;	/* 0: no limit */
	u64 max_steps;		/* of one execution; more is STUCK */
	double max_seconds;	/* of processor time; 0: no limit */
	const char *replay;	/* a schedule string */
	bool races;		/* look for data races */
	bool keep_going;	/* after a failure: look for a shorter one */
};

struct explore_stats {
	u64 executions;		/* complete ones */
	u64 cut;		/* given up: what they would do is known */
	u64 steps;		/* announcements that were decisions */
	u64 states;		/* nodes of the search tree */
	u64 accesses;		/* hooked accesses, private ones too */
	u64 restarts;		/* a word turned out to be shared: all over */
	unsigned depth;		/* steps of the longest execution */
	unsigned shared_words;
	unsigned bound_done;	/* BOUNDED: searched completely up to here */
	bool complete;		/* nothing was left out but by the bound */
	bool bound_mattered;	/* the last bound cut something off */
	double seconds;		/* of processor time */
};

struct explore_failure {
	enum verdict_code code;
	char sentence[512];
	char notes[4096];
	char *schedule;		/* for replay; owned by the result */
	unsigned preemptions, steps;
	u64 found_after;	/* executions */
};

struct explore_result {
	enum verdict_code code;
	struct explore_stats stats;
	struct explore_failure failure; /* when code is not OK */
};

void explore_search(const struct world *world,
		    const struct explore_options *options,
		    struct explore_result *result);

/* One line of a schedule as it was executed: for reports. Called during a
 * SEARCH_REPLAY for each step, before it is taken, when set. */
struct explore_step {
	unsigned number;	/* from 1 */
	unsigned agent;
	struct op op;
	bool switched;		/* another agent ran the step before */
	bool preempted;		/* and could have gone on */
};
extern void (*explore_on_step)(const struct explore_step *step);
/* The step just taken was an explore_choose(), and this came of it. */
extern void (*explore_on_choice)(const char *what, unsigned outcome);
/* Is the run a replay for a report? Then worlds record what they otherwise
 * would not (trace records). */
extern bool explore_recording;

/* gdb stops here: before step @number of a replay, and at its failure. */
void explore_breakpoint(unsigned number);
