/*
 * What the parts of the stage share: cast.c (actors), play.c (whose turn it
 * is), steps.c and pages.c (what they do), check.c (what must be true).
 *
 * None of this is instrumented: what it shares between CPUs it announces to
 * the explorer by hand.
 */
#pragma once

#include "arch/sim/machine.h"
#include "kernel/base/assert.h"
#include "kernel/process.h"
#include "mm/mm.h"
#include "tests/explore/model.h"
#include "tests/explore/scenario.h"

enum {
	MAX_ACTORS = MODEL_TASKS - MODEL_CPUS - 1,
	MAX_STEPS = 16,		/* of one CPU */
	MAX_ACTS = 4,		/* given() */
	NAME_LEN = 8,
	STRANGER = MODEL_TASKS - 1, /* to the model: a task of the kernel's */
};

/* ---- Spaces --------------------------------------------------------------- */

/* Known pages of an address space: those at DATA, and MORE. */
enum { KNOWN_PAGES = PAGES + 1 };

enum presence { HERE, GOING, GONE };

struct known_page {
	u64 presence;	/* GOING: an unmap is under way */
	u64 readonly;	/* the same, for the right to write */
	bool zeroed;	/* zeroes are as good as what was written */
};

/* An address space that was on stage at some time; its number is the model's,
 * and its place in the array. */
struct space {
	struct mm *mm;	/* perhaps freed: look for the id */
	u64 id;
	paddr_t root;
	char name[NAME_LEN];
	u64 forks;	/* how many forks of it have ended */
	const struct space *parent; /* forked from, or NULL ... */
	u64 born;	/* ... when it had seen so many forks */
	struct known_page pages[KNOWN_PAGES];
};

struct space *add_space(struct mm *mm, const char *name);
struct space *space_of(const struct mm *mm);
int number_of_space(const struct space *space);
/* A new mm with regions for the known pages, built by @holder, 1/1. NULL: no
 * memory. */
struct mm *build_space(const void *holder);
bool add_pages(struct mm *mm, uaddr_t addr, unsigned pages);
/* Touches the page of @space at @addr, as its own tasks would. */
void fill_page(struct space *space, uaddr_t addr);
/* Whether the page of @space at @addr may be used: HERE, GOING or GONE. */
void page_becomes(struct space *space, uaddr_t addr, u64 presence);
/* @child, forked from @parent, has its marks up to now. */
void inherit_pages(struct space *child, struct space *parent);
/* What a task of @space writes; may one find @value? */
u64 newest_mark(const struct space *space);
bool is_ours(const struct space *space, u64 value);

/* ---- Actors --------------------------------------------------------------- */

struct actor {
	char name[NAME_LEN];
	struct task *task;	/* NULL: not born yet */
	struct space *home;	/* where it was born; NULL: kernel thread */
	bool works;		/* has a life of its own ... */
	void (*body)(void);	/* ... which is this; NULL: nothing */

	u64 claim;		/* called to, or on, this CPU + 1; 0: free */
	unsigned cpu;		/* where it played last */
	bool unborn;		/* at the start */
	bool gone;		/* has exited, but for its last switch */
	bool left;		/* and that is what comes next */
	struct space *pinned, *adopted;
	struct actor *child;	/* being born of it ... */
	bool vforks;		/* ... by vfork */
};

struct part {
	struct step steps[MAX_STEPS];
	unsigned nr, next;
	unsigned act_ends[MAX_ACTS]; /* given() up to here */
	bool begun;
	struct actor *turn;	/* who plays the next step; NULL: idle */
	bool skips;		/* who should play the next steps is dead */
	const struct step *doing; /* NULL: between two steps */
	u64 over;		/* all steps are played */
	u64 left;		/* and its CPU is as it was at the start */
};

struct stage {
	struct actor actors[MAX_ACTORS];
	struct space spaces[MODEL_MMS];
	struct part parts[SIM_MAX_CPUS];
	struct model model;
	unsigned nr_actors, nr_spaces, nr_acts;
	unsigned cpus;
	bool quit;		/* who wakes up now is to end */
	bool cleared;		/* everybody has left, and all is well */
	bool real_idle;
	bool goes_on;		/* some tasks live by themselves: no end */
	unsigned failures;
	u64 frames, objects;	/* in use before the cast was made */
};

extern struct stage stage;

struct actor *actor_of(const struct task *task); /* NULL: none */
static inline struct actor *
self(void)
{
	return actor_of(current);
}
int number_of_task(const struct task *task); /* the model's */

/* From now on @actor plays on this CPU, and on no other one; false: he is
 * dead. */
bool claim(struct actor *actor);
void dies(struct actor *actor);
void play_to(struct step *step);
void play_send(struct step *step);
void play_receive(struct step *step);

static inline struct part *
my_part(void)
{
	return &stage.parts[this_cpu()->id];
}

/* A task's whole life, from its first switch on: steps as they come. */
void perform(void);
/* Plays this CPU's steps until the one who plays is to leave for good. */
void play_on(void);
/* current, an outsider, ends: it keeps nothing. */
void let_go(void);
/* @child, whom the caller makes, is there. */
void is_born(struct actor *child, struct task *task);

void play_unmap(struct step *step);
void play_map(struct step *step);
void play_discard(struct step *step);
void play_protect(struct step *step);
void play_read(struct step *step);
void play_write(struct step *step);

/* ---- Checks ---------------------------------------------------------------- */

void check_at_rest(void);
/* Everybody has left. */
void check_at_end(void);
/* Which CPU has not ended, and why; NULL: all have. */
const char *what_is_missing(void);
