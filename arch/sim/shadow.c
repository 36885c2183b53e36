/*
 * What is known of each word of memory: whether agents share it, who was there
 * first in this execution, whether it is freed.
 *
 * Sharing is learnt. A word that one agent alone touches needs no order, so
 * its accesses are not announced; when a second agent comes, and one of the
 * two writes, it is shared, in all executions from then on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/sim/engine.h"

enum {
	MAX_REGIONS = 8,
	MAX_HISTORY = 1 << 16,
	MANY = 0xfe,		/* several readers, no writer */
};

struct region {
	u64 base, size;
	u64 first;		/* index of its first word */
};

/* Of one execution, by epoch; but for shared and freed. */
struct word {
	u16 epoch;
	u8 agent;		/* who was here first, or MANY */
	bool written;
	bool freed;
	u16 shared;		/* index into words[]; 0: not shared */
};

/* What happened to memory, for those who ask where it was freed. */
struct event {
	const void *base;
	size_t size;
	u64 caller;
	bool freed;
	bool changed;		/* else undoing it changes nothing */
};

static u16 epoch;

static struct region regions[MAX_REGIONS];
static unsigned nr_regions;
static struct word *shadow;
static u64 nr_words;

static struct shared words[MAX_SHARED];
static unsigned nr_shared = 1;

static struct event history[MAX_HISTORY];
static unsigned nr_history, saved_history;

void
shadow_add_region(const void *base, size_t size)
{
	struct region *region = &regions[nr_regions++];
	u64 n = size / 8;

	if (nr_regions > MAX_REGIONS)
		abort();
	*region = (struct region){ (u64)base, size, nr_words };
	if (!shadow)
		/* Sparse: only what is used takes memory. */
		shadow = mmap(NULL, 1ul << 32, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			      0);
	if (shadow == MAP_FAILED)
		abort();
	nr_words += n;
}

static inline struct word *
find(const void *address)
{
	u64 addr = (u64)address;

	for (unsigned i = 0; i < nr_regions; i++)
		if (addr - regions[i].base < regions[i].size)
			return &shadow[regions[i].first +
				       (addr - regions[i].base) / 8];
	return NULL;
}

/* ---- Allocated and freed -------------------------------------------------- */

static bool
mark(const void *base, size_t size, bool freed)
{
	struct word *word = find(base);
	bool changed = false;

	if (!word)
		return false;
	/* All in one region. */
	for (size_t i = 0; i < size; i += 8, word++) {
		changed |= word->freed != freed;
		word->freed = freed;
	}
	return changed;
}

static void
remember(const void *base, size_t size, u64 caller, bool freed)
{
	bool changed = mark(base, size, freed);

	if (nr_history == MAX_HISTORY)
		explore_fail(EXPLORE_TOOL_ERROR, "more than %d allocations in "
			     "one execution", MAX_HISTORY);
	history[nr_history++] = (struct event){ base, size, caller, freed,
						changed };
}

void
shadow_allocated(const void *base, size_t size, u64 caller)
{
	remember(base, size, caller, false);
}

/* To others that were there, freeing is like a write. To a schedule each word is
 * an operation, whether others were there or not. */
static void
announce_freeing(const void *base, size_t size, u64 caller)
{
	const struct word *word = find(base);

	for (size_t i = 0; word && i < size; i += 8, word++) {
		bool others = word->shared || (word->epoch == epoch &&
					       word->agent != engine.running);

		if (others || engine.following)
			announce_free((const char *)base + i, others, caller);
		else
			engine.accesses[engine.running]++;
	}
}

void
shadow_freed(const void *base, size_t size, u64 caller)
{
	if (engine.running != NOBODY && !explore_quiet)
		announce_freeing(base, size, caller);
	remember(base, size, caller, true);
}

bool
shadow_is_freed(const void *address)
{
	const struct word *word = find(address);

	return word && word->freed;
}

static const struct event *
last_event(const void *address, bool freed)
{
	for (unsigned i = nr_history; i > 0; i--) {
		const struct event *event = &history[i - 1];

		if (event->freed == freed &&
		    (u64)address - (u64)event->base < event->size)
			return event;
	}
	return NULL;
}

const char *
shadow_history(const void *address)
{
	static char text[160];
	const struct event *freed = last_event(address, true);
	const struct event *allocated = last_event(address, false);
	int n;

	if (!freed)
		return "freed during set-up";
	n = snprintf(text, sizeof(text), "byte %lu of %lu, freed at %#lx",
		     (u64)address - (u64)freed->base, freed->size,
		     freed->caller);
	if (allocated)
		snprintf(text + n, sizeof(text) - (size_t)n,
			 ", allocated at %#lx", allocated->caller);
	return text;
}

/* ---- Executions ------------------------------------------------------------ */

void
shadow_save(void)
{
	saved_history = nr_history;
}

void
shadow_reset(void)
{
	while (nr_history > saved_history) {
		const struct event *event = &history[--nr_history];

		if (event->changed)
			mark(event->base, event->size, !event->freed);
	}
	if (++epoch == 0) { /* all 65,535 numbers are used up */
		for (u64 i = 0; i < nr_words; i++)
			shadow[i].epoch = 0;
		epoch = 1;
	}
}

/* ---- Sharing ---------------------------------------------------------------- */

void
shadow_forget(void)
{
	for (u64 i = 0; i < nr_words; i++)
		shadow[i].shared = 0;
	nr_shared = 1;
}

unsigned
nr_shared_words(void)
{
	return nr_shared - 1;
}

unsigned
shared_index(const struct shared *word)
{
	return (unsigned)(word - words);
}

static struct shared *
renew(struct shared *word)
{
	if (word->epoch != engine.epoch) {
		memset(word, 0, sizeof(*word));
		word->epoch = engine.epoch;
	}
	return word;
}

struct shared *
shared_nth(unsigned index)
{
	return renew(&words[index]);
}

struct shared *
shared_word(const void *address)
{
	const struct word *word = find(address);

	return word && word->shared ? renew(&words[word->shared]) : NULL;
}

struct shared *
make_shared(const void *address)
{
	struct word *word = find(address);

	if (!word)
		explore_fail(EXPLORE_TOOL_ERROR, "%p is announced, but in no "
			     "region", address);
	if (!word->shared) {
		if (nr_shared == MAX_SHARED)
			explore_fail(EXPLORE_TOOL_ERROR, "more than %d words "
				     "are shared", MAX_SHARED);
		word->shared = (u16)nr_shared++;
	}
	return renew(&words[word->shared]);
}

/* Has @agent company at a word that is not known to be shared? */
static inline bool
company(struct word *word, u8 agent, bool write)
{
	if (word->epoch != epoch) {
		word->epoch = epoch;
		word->agent = agent;
		word->written = write;
		return false;
	}
	if (word->agent == agent) {
		word->written |= write;
		return false;
	}
	if (write || word->written)
		return true;
	word->agent = MANY;
	return false;
}

enum presence
shadow_look(const void *address, unsigned agent, bool write,
	    struct shared **shared)
{
	struct word *word = find(address);

	if (!word)
		return OUTSIDE;
	if (unlikely(word->freed))
		return FREED;
	if (!word->shared) {
		if (likely(!company(word, (u8)agent, write)))
			return PRIVATE;
		*shared = make_shared(address);
		return NEWLY_SHARED;
	}
	*shared = renew(&words[word->shared]);
	return SHARED;
}
