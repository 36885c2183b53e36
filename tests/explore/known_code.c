/* See known_code.h. Compiled with -fsanitize=thread: it announces itself. */
#include "tests/explore/known_code.h"

static u64 words[CODE_WORDS] SHARED;
static u64 locks[CODE_LOCKS] SHARED;
static struct view views[CODE_AGENTS] SHARED;

static const struct code *code;
static struct set *found;
static u64 forbidden;

/* Both words in one step; the compiler announces one only. */
__attribute__((no_sanitize("thread"))) static u64
add_both(u64 *word, u64 *next, u64 value)
{
	u64 old;

	explore_update2(word, next, CALLER);
	old = *word;
	*word += value;
	*next += value;
	return old;
}

static void
execute(const struct instr *instr, struct view *view)
{
	u64 *word = &words[instr->word % CODE_WORDS];
	u64 *next = &words[(instr->word + 1) % CODE_WORDS];

	switch (instr->kind) {
	case READ:
		view_add(view, load(word));
		break;
	case WRITE:
		store(word, instr->value);
		break;
	case WRITE_MORE:
		store(word, view->last + instr->value);
		break;
	case ADD:
		view_add(view, __atomic_fetch_add(word, instr->value,
						  __ATOMIC_SEQ_CST));
		break;
	case ADD_BOTH:
		view_add(view, add_both(word, next, instr->value));
		break;
	case LOCK:
		lock(&locks[instr->word]);
		break;
	case UNLOCK:
		unlock(&locks[instr->word]);
		break;
	case CHOOSE:
		view_add(view, explore_choose(instr->value, "which?", CALLER));
		break;
	case FENCE:
		fence();
		break;
	case IRQS_OFF:
		interrupts_off();
		break;
	case IRQS_ON:
		interrupts_on();
		break;
	case DELIVER:
		break;
	}
}

static void
run_agent(void)
{
	unsigned me = explore_agent();
	struct view *view = &views[me];

	while (view->at < code->length[me]) {
		execute(&code->instr[me][view->at], view);
		view->at++;
		if (forbidden && view_number(me, view) == forbidden)
			explore_fail(EXPLORE_VIOLATION,
				     "view %#lx is forbidden; all: %#lx",
				     forbidden, outcome_of(words, views));
	}
}

static void
collect(void)
{
	u64 outcome = outcome_of(words, views);

	if (found)
		set_add(found, outcome);
	if (outcome == forbidden)
		explore_fail(EXPLORE_VIOLATION, "outcome %#lx is forbidden",
			     outcome);
}

struct program
code_program(const struct code *c, struct set *outcomes, u64 f)
{
	struct program program = { .collect = collect };

	for (unsigned i = 0; i < c->agents; i++)
		program.body[i] = run_agent;
	if (c->interrupt)
		program.interrupt[1].times = 1;
	code = c;
	found = outcomes;
	forbidden = f;
	return program;
}
