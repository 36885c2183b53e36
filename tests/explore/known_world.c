/* The world of the small programs: each body on a stack of its own. */
#include "tests/explore/known_world.h"

#include "arch/sim/coro.h"

enum { STACK_SIZE = 64 * 1024, MAX_SHARED = 64 * 1024 };

static const struct program *program;
static unsigned nr_bodies;
static char stacks[MAX_BODIES][STACK_SIZE] __aligned(16);
static u64 saved_sp[MAX_BODIES], explorer_sp;
static unsigned running;
static bool ended[MAX_BODIES];
static unsigned left[MAX_BODIES]; /* times that the interrupt still comes */

/* All variables of all programs, and what they are at the start. The linker
 * makes the two symbols. This file comes last, and fills the last page. */
extern char __start_shared[], __stop_shared[];
static char initial[MAX_SHARED];

static union {
	u64 irqs_off[MAX_BODIES]; /* a word that stands for a CPU's flag */
	char page[PAGE_SIZE];
} last_page SHARED __aligned(PAGE_SIZE);

static bool
is_interrupt(unsigned body)
{
	return program->interrupt[body].times != 0;
}

static unsigned
host_of(unsigned agent)
{
	if (agent >= nr_bodies)
		return agent;
	return is_interrupt(agent) ? program->interrupt[agent].host : agent;
}

/* ---- Bodies ---------------------------------------------------------------- */

static void
yield(void)
{
	coro_switch(&saved_sp[running], explorer_sp);
}

static void
run_body(void *arg)
{
	unsigned me = (u64)arg;

	while (true) {
		program->body[me]();
		if (is_interrupt(me)) {
			left[me]--;
			explore_agent_done();
		}
		ended[me] = !is_interrupt(me) || left[me] == 0;
		yield();
	}
}

void
lock(u64 *word)
{
	explore_lock(word, CALLER);
}

void
unlock(u64 *word)
{
	explore_unlock(word, CALLER);
}

static void
set_irqs_off(u64 off, u64 caller)
{
	u64 *word = &last_page.irqs_off[host_of(explore_agent())];

	explore_access(word, sizeof(*word), OP_UPDATE, true, caller);
	*word = off;
}

void
interrupts_off(void)
{
	set_irqs_off(1, CALLER);
}

void
interrupts_on(void)
{
	set_irqs_off(0, CALLER);
}

/* ---- The world ------------------------------------------------------------- */

static bool
irqs_are_on(const void *word)
{
	return *(const u64 *)word == 0;
}

static void
announce_interrupt(unsigned agent)
{
	const u64 *word = &last_page.irqs_off[host_of(agent)];

	explore_announce(agent, &(struct op){
		.kind = OP_WAIT, .atomic = true, .size = sizeof(*word),
		.address = word, .ready = irqs_are_on, .arg = word,
	});
}

static void
restore(void)
{
	memcpy(__start_shared, initial, __stop_shared - __start_shared);
	memset(ended, 0, sizeof(ended));
	for (unsigned i = 0; i < nr_bodies; i++) {
		left[i] = program->interrupt[i].times;
		saved_sp[i] = coro_make(stacks[i], STACK_SIZE, run_body,
					(void *)(u64)i);
		if (is_interrupt(i))
			announce_interrupt(i);
	}
}

static bool
runnable(unsigned agent)
{
	return agent < nr_bodies && !ended[agent];
}

static void
run(unsigned agent)
{
	running = agent;
	coro_switch(&explorer_sp, saved_sp[agent]);
}

static void
abandon(void)
{
}

static const char *
at_end(void)
{
	static char sentence[64];

	if (program->collect) {
		program->collect();
		return NULL;
	}
	for (unsigned i = 0; i < nr_bodies; i++) {
		if (!ended[i]) {
			snprintf(sentence, sizeof(sentence),
				 "agent %u cannot go on", i);
			return sentence;
		}
	}
	if (program->check)
		program->check();
	return NULL;
}

static const char *
agent_name(unsigned agent)
{
	static char name[32];

	snprintf(name, sizeof(name), "%s %u",
		 agent < nr_bodies ? "agent" : "buffer", agent % nr_bodies);
	return name;
}

static bool
masked(unsigned agent)
{
	return agent < nr_bodies && !irqs_are_on(&last_page.irqs_off[agent]);
}

static int
buffer_of(unsigned agent)
{
	return agent < nr_bodies ? (int)(nr_bodies + host_of(agent)) : -1;
}

static struct world world = {
	.restore = restore, .runnable = runnable, .run = run, .yield = yield,
	.abandon = abandon, .ended = at_end, .agent_name = agent_name,
	.host_of = host_of, .masked = masked,
	.buffer_of = buffer_of,
};

static void
make_memory(void)
{
	static bool made;
	size_t size = __stop_shared - __start_shared;

	if (made)
		return;
	made = true;
	if (!IS_ALIGNED((u64)__start_shared | size, PAGE_SIZE) ||
	    size > sizeof(initial)) {
		fprintf(stderr, "known_world.o must be linked last\n");
		exit(EXPLORE_TOOL_ERROR);
	}
	memcpy(initial, __start_shared, size);
	shadow_add_region(__start_shared, size);
}

const struct world *
program_world(const struct program *p, bool tso)
{
	make_memory();
	program = p;
	nr_bodies = 0;
	while (nr_bodies < MAX_BODIES && p->body[nr_bodies])
		nr_bodies++;
	world.nr_agents = tso ? 2 * nr_bodies : nr_bodies;
	return &world;
}
