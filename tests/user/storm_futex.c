// linux-oracle cpus=1,4,8 timeout=60
/* Waiters with and without timeouts on a few words, while others requeue them
 * from word to word: no wake-up is lost, and nobody sleeps for ever. */
#include "tests/user/check.h"

#include <pthread.h>

#include "tests/user/storm.h"

enum { WORDS = 3, TAKERS = 6, MOVERS = 2, TOKENS = 1500 };

static _Atomic int words[WORDS];   /* raised by each change */
static _Atomic int tokens, taken;
static _Atomic bool over;

static bool
take_token(void)
{
	int seen = tokens;

	while (seen > 0)
		if (atomic_compare_exchange_weak(&tokens, &seen, seen - 1))
			return true;
	return false;
}

static void *
taker(void *arg)
{
	uint64_t state = (uint64_t)arg;

	while (taken < TOKENS) {
		_Atomic int *word = &words[draw(&state, WORDS)];
		struct timespec time = { 0, (long)draw(&state, 2000000) };
		int seen = *word;

		if (take_token()) {
			taken++;
			continue;
		}
		if (taken >= TOKENS)
			break;
		futex6(word, FUTEX_WAIT | FUTEX_PRIVATE, seen,
		       draw(&state, 4) ? NULL : &time, NULL, 0);
	}
	return NULL;
}

/* Moves waiters about. Who is moved waits on without its word changing, so a
 * giver wakes on all words. */
static void *
mover(void *arg)
{
	uint64_t state = (uint64_t)arg;

	while (!over) {
		_Atomic int *from = &words[draw(&state, WORDS)];
		_Atomic int *to = &words[draw(&state, WORDS)];

		futex6(from, FUTEX_REQUEUE | FUTEX_PRIVATE, draw(&state, 2),
		       (void *)draw(&state, 4), to, 0);
		if (draw(&state, 8) == 0)
			sched_yield();
	}
	return NULL;
}

static void
wake_everywhere(void)
{
	for (int i = 0; i < WORDS; i++)
		words[i]++;
	/* One may be on its way from a word not yet woken to one that was:
	 * moved under both locks, it is on one of them; go round twice. */
	for (int i = 0; i < 2 * WORDS; i++)
		futex6(&words[i % WORDS], FUTEX_WAKE | FUTEX_PRIVATE, INT32_MAX,
		       NULL, NULL, 0);
}

static void
give(uint64_t *state)
{
	for (int given = 0; given < TOKENS; given++) {
		tokens++;
		if (draw(state, 3) == 0)
			sched_yield();
		wake_everywhere();
	}
}

int
main(int argc, char **argv)
{
	pthread_t takers[TAKERS], movers[MOVERS];
	uint64_t seed;

	begin();
	seed = storm_seed(argc, argv);
	for (uint64_t i = 0; i < TAKERS; i++)
		pthread_create(&takers[i], NULL, taker, (void *)(seed + 2 * i));
	for (uint64_t i = 0; i < MOVERS; i++)
		pthread_create(&movers[i], NULL, mover, (void *)(seed ^ (99 + i)));
	give(&seed);
	while (taken < TOKENS) { /* movers may carry one past the waker */
		wake_everywhere();
		sched_yield();
	}
	over = true;
	for (int i = 0; i < MOVERS; i++)
		pthread_join(movers[i], NULL);
	wake_everywhere();
	for (int i = 0; i < TAKERS; i++)
		pthread_join(takers[i], NULL);
	check_equal(taken, TOKENS, "every token is taken");
	return end();
}
