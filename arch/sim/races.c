/*
 * Data races: two accesses of different agents to the same bytes, one of them
 * a write, not both atomic, and nothing that orders them. What orders: the
 * course of one agent, a lock from its release to its next holder, an atomic
 * store to those who read it later (on x86 every store releases and every load
 * acquires), and an interrupt on the CPU that it interrupts.
 */
#include <string.h>

#include "arch/sim/engine.h"

/* A second set of clocks: here only what a program may rely on counts, while
 * order.c's are about what happened to happen. */
static struct clock clocks[MAX_AGENTS];

void
races_reset(void)
{
	memset(clocks, 0, sizeof(clocks));
	for (unsigned agent = 0; agent < MAX_AGENTS; agent++)
		clocks[agent].at[agent] = 1;
}

void
races_join(unsigned agent, unsigned other)
{
	join(&clocks[agent], &clocks[other]);
	clocks[other].at[other]++;
}

void
races_acquire(struct shared *word, unsigned agent)
{
	join(&clocks[agent], &word->published);
}

void
races_release(struct shared *word, unsigned agent)
{
	join(&word->published, &clocks[agent]);
	clocks[agent].at[agent]++;
}

static void __noreturn
report(const struct op *op, unsigned agent, unsigned other,
       const struct mark *mark, bool wrote)
{
	const struct world *world = engine.world;
	char first[32];

	strncpy(first, world->agent_name(agent), sizeof(first) - 1);
	first[sizeof(first) - 1] = 0;
	explore_fail(EXPLORE_RACE, "data race at %p: %s %s it%s at %#lx, "
		     "%s %s it%s at %#lx, and nothing orders the two",
		     op->address, first, changes(op) ? "writes" : "reads",
		     op->atomic ? " (atomically)" : "", op->caller,
		     world->agent_name(other), wrote ? "wrote" : "read",
		     mark->atomic ? " (atomically)" : "", mark->caller);
}

static bool
unordered(const struct mark *mark, unsigned agent, unsigned other, u8 mask,
	  bool atomic)
{
	return mark->time > clocks[agent].at[other] && (mark->mask & mask) &&
	       !(mark->atomic && atomic);
}

/* Is there a race? And @op is remembered for later ones. */
static void
races_look(struct shared *word, unsigned agent, const struct op *op)
{
	unsigned offset = (u64)op->address % 8;
	u8 mask = (u8)(((1u << op->size) - 1) << offset);
	bool write = changes(op);
	struct mark *mine = write ? &word->writes[agent] : &word->reads[agent];

	for (unsigned other = 0; other < engine.nr_agents; other++) {
		if (other == agent)
			continue;
		if (unordered(&word->writes[other], agent, other, mask,
			      op->atomic))
			report(op, agent, other, &word->writes[other], true);
		if (write && unordered(&word->reads[other], agent, other, mask,
				       op->atomic))
			report(op, agent, other, &word->reads[other], false);
	}
	*mine = (struct mark){ clocks[agent].at[agent], mask, op->atomic,
			       op->caller };
}

/* Until it leaves the buffer, an atomic store orders nothing. */
void
races_buffered(struct shared *word, unsigned agent, const struct op *op,
	       struct clock *published)
{
	races_look(word, agent, op);
	if (!op->atomic)
		return;
	*published = clocks[agent];
	clocks[agent].at[agent]++;
}

void
races_published(struct shared *word, const struct clock *published)
{
	join(&word->published, published);
}

void
races_access(struct shared *word, unsigned agent, const struct op *op)
{
	races_look(word, agent, op);
	if (!op->atomic)
		return;
	if (op->kind != OP_WRITE)
		races_acquire(word, agent);
	if (changes(op))
		races_release(word, agent);
}
