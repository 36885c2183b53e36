/* The problems of the textbooks, wrong and right. Instrumented. */
#include "tests/explore/known.h"

/* ---- Lost update ----------------------------------------------------------- */

static u64 counter SHARED;
static u64 counter_lock SHARED;

static void
add_in_two_steps(void)
{
	u64 value = load(&counter);

	store(&counter, value + 1);
}

static void
add_at_once(void)
{
	__atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
}

static void
add_by_exchange(void)
{
	u64 value = load(&counter);

	while (!__atomic_compare_exchange_n(&counter, &value, value + 1, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static void
add_under_lock(void)
{
	lock(&counter_lock);
	counter++;
	unlock(&counter_lock);
}

static void
counter_is_2(void)
{
	if (counter != 2)
		explore_fail(EXPLORE_VIOLATION, "counter is %lu, not 2",
			     counter);
}

static const struct program two_steps = {
	.body = { add_in_two_steps, add_in_two_steps }, .check = counter_is_2,
};

static void
lost_update(void)
{
	expect_always(&two_steps, EXPLORE_VIOLATION, "counter is 1, not 2");
}

static void
lost_update_needs_one_preemption(void)
{
	for (unsigned reduce = 0; reduce < 2; reduce++) {
		expect(&two_steps, WITH(BOUNDED(0), .reduce = reduce),
		       EXPLORE_OK, "");
		expect(&two_steps, WITH(BOUNDED(1), .reduce = reduce),
		       EXPLORE_VIOLATION, "counter is 1, not 2");
	}
}

static void
first_failure_has_fewest_preemptions(void)
{
	const struct explore_result *result =
		explore_program(&two_steps, WITH(BOUNDED(5), REDUCED));

	CHECK_EQ(result->code, EXPLORE_VIOLATION);
	CHECK_EQ(result->failure.preemptions, 1);
}

static void
no_update_lost(void)
{
	static void (*const ways[])(void) = {
		add_at_once, add_by_exchange, add_under_lock,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++)
		expect_always(&(struct program){ .body = { ways[i], ways[i] },
						 .check = counter_is_2 },
			      EXPLORE_OK, "");
}

/* ---- Mutual exclusion by loads and stores ---------------------------------- */

static u64 wants[2] SHARED, turn SHARED, inside SHARED;

static void
critical_section(void)
{
	u64 others = __atomic_fetch_add(&inside, 1, __ATOMIC_RELAXED);

	if (others != 0)
		explore_fail(EXPLORE_VIOLATION, "two are inside");
	__atomic_fetch_sub(&inside, 1, __ATOMIC_RELAXED);
}

static void
peterson(bool with_fence)
{
	unsigned me = explore_agent(), other = 1 - me;

	store(&wants[me], 1);
	store(&turn, other);
	if (with_fence)
		fence();
	while (load(&wants[other]) && load(&turn) == other)
		explore_relax(CALLER);
	critical_section();
	store(&wants[me], 0);
}

static void
peterson_as_printed(void)
{
	peterson(false);
}

static void
peterson_with_fence(void)
{
	peterson(true);
}

/* Sets the turn first: both may come in, without any store buffer. */
static void
peterson_reversed(void)
{
	unsigned me = explore_agent(), other = 1 - me;

	store(&turn, other);
	store(&wants[me], 1);
	fence();
	while (load(&wants[other]) && load(&turn) == other)
		explore_relax(CALLER);
	critical_section();
	store(&wants[me], 0);
}

static void
dekker(bool with_fence)
{
	unsigned me = explore_agent(), other = 1 - me;

	store(&wants[me], 1);
	if (with_fence)
		fence();
	while (load(&wants[other])) {
		if (load(&turn) == me) {
			explore_relax(CALLER);
			continue;
		}
		store(&wants[me], 0);
		while (load(&turn) == other)
			explore_relax(CALLER);
		store(&wants[me], 1);
		if (with_fence)
			fence();
	}
	critical_section();
	store(&turn, other);
	store(&wants[me], 0);
}

static void
dekker_as_printed(void)
{
	dekker(false);
}

static void
dekker_with_fence(void)
{
	dekker(true);
}

static void
expect_needs_fence(void (*plain)(void), void (*fenced)(void))
{
	struct program without = { .body = { plain, plain } };
	struct program with = { .body = { fenced, fenced } };

	expect_under(false, &without, EXPLORE_OK, "");
	expect_under(true, &without, EXPLORE_VIOLATION, "two are inside");
	expect_always(&with, EXPLORE_OK, "");
}

static void
peterson_needs_fence(void)
{
	expect_needs_fence(peterson_as_printed, peterson_with_fence);
}

static void
dekker_needs_fence(void)
{
	expect_needs_fence(dekker_as_printed, dekker_with_fence);
}

static void
peterson_in_wrong_order(void)
{
	expect_always(&(struct program){ .body = { peterson_reversed,
						   peterson_reversed } },
		      EXPLORE_VIOLATION, "two are inside");
}

static u64 next_ticket SHARED, now_serving SHARED;

static void
ticket_lock(void)
{
	u64 mine = __atomic_fetch_add(&next_ticket, 1, __ATOMIC_RELAXED);

	while (load(&now_serving) != mine)
		explore_relax(CALLER);
	critical_section();
	store(&now_serving, mine + 1);
}

/* Two may draw the same ticket. */
static void
ticket_lock_in_two_steps(void)
{
	u64 mine = load(&next_ticket);

	store(&next_ticket, mine + 1);
	while (load(&now_serving) < mine)
		explore_relax(CALLER);
	critical_section();
	store(&now_serving, mine + 1);
}

static void
tickets(void)
{
	expect_always(&(struct program){ .body = { ticket_lock, ticket_lock } },
		      EXPLORE_OK, "");
	expect_always(&(struct program){ .body = { ticket_lock_in_two_steps,
						   ticket_lock_in_two_steps } },
		      EXPLORE_VIOLATION, "two are inside");
}

static void
three_tickets(void)
{
	struct program three = { .body = { ticket_lock, ticket_lock,
					   ticket_lock } };

	expect(&three, WITH(EXHAUSTIVE, REDUCED), EXPLORE_OK, "");
}

/* ---- Readers and a writer -------------------------------------------------- */

enum { WRITER = 0x100 };

static u64 readers SHARED, data[2] SHARED; /* or WRITER */

static bool
change_readers(u64 old, u64 new)
{
	return __atomic_compare_exchange_n(&readers, &old, new, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void
read_data(void)
{
	if (load(&data[0]) != load(&data[1]))
		explore_fail(EXPLORE_VIOLATION, "the data are half written");
	__atomic_fetch_sub(&readers, 1, __ATOMIC_SEQ_CST);
}

/* Between the look and the count a writer may come in. */
static void
reader_in_two_steps(void)
{
	while (load(&readers) == WRITER)
		explore_relax(CALLER);
	__atomic_fetch_add(&readers, 1, __ATOMIC_SEQ_CST);
	read_data();
}

static void
reader_at_once(void)
{
	u64 old;

	while ((old = load(&readers)) == WRITER ||
	       !change_readers(old, old + 1))
		explore_relax(CALLER);
	read_data();
}

static void
writer(void)
{
	while (!change_readers(0, WRITER))
		explore_relax(CALLER);
	store(&data[0], 1);
	store(&data[1], 1);
	__atomic_fetch_sub(&readers, WRITER, __ATOMIC_SEQ_CST);
}

static void
readers_and_writer(void)
{
	expect_always(&(struct program){ .body = { reader_in_two_steps,
						   writer } },
		      EXPLORE_VIOLATION, "half written");
	expect_always(&(struct program){ .body = { reader_at_once, writer } },
		      EXPLORE_OK, "");
}

static void
two_readers_and_writer(void)
{
	expect(&(struct program){ .body = { reader_at_once, writer,
					    reader_at_once } },
	       WITH(BOUNDED(2), REDUCED), EXPLORE_OK, "");
	expect(&(struct program){ .body = { reader_at_once, writer,
					    reader_in_two_steps } },
	       WITH(BOUNDED(2), REDUCED), EXPLORE_VIOLATION, "half written");
}

/* ---- Waiting --------------------------------------------------------------- */

static u64 lock_a SHARED, lock_b SHARED;

static void
takes_a_then_b(void)
{
	lock(&lock_a);
	lock(&lock_b);
	unlock(&lock_b);
	unlock(&lock_a);
}

static void
takes_b_then_a(void)
{
	lock(&lock_b);
	lock(&lock_a);
	unlock(&lock_a);
	unlock(&lock_b);
}

static void
lock_order(void)
{
	struct program crossed = { .body = { takes_a_then_b, takes_b_then_a } };
	struct program ordered = { .body = { takes_a_then_b, takes_a_then_b } };

	expect_always(&crossed, EXPLORE_DEADLOCK, "cannot go on");
	expect_always(&ordered, EXPLORE_OK, "");
	expect(&crossed, WITH(BOUNDED(0), REDUCED), EXPLORE_OK, "");
	expect(&crossed, WITH(BOUNDED(1), REDUCED), EXPLORE_DEADLOCK, "");
}

static u64 asleep SHARED, ready SHARED;

static bool
is_awake(const void *word)
{
	return *(const u64 *)word == 0;
}

static void
sleep_now(void)
{
	explore_wait(&asleep, is_awake, &asleep, CALLER);
}

/* Looks, then goes to sleep: what is said in between is not heard. */
static void
sleeper_looks_first(void)
{
	if (load(&ready))
		return;
	store(&asleep, 1);
	sleep_now();
}

static void
sleeper_looks_again(void)
{
	__atomic_store_n(&asleep, 1, __ATOMIC_SEQ_CST);
	if (load(&ready)) {
		store(&asleep, 0);
		return;
	}
	sleep_now();
}

static void
waker(void)
{
	__atomic_store_n(&ready, 1, __ATOMIC_SEQ_CST);
	if (load(&asleep))
		store(&asleep, 0);
}

static void
lost_wake_up(void)
{
	expect_always(&(struct program){ .body = { sleeper_looks_first,
						   waker } },
		      EXPLORE_DEADLOCK, "agent 0 cannot go on");
	expect_always(&(struct program){ .body = { sleeper_looks_again,
						   waker } },
		      EXPLORE_OK, "");
}

static void
spins_until_ready(void)
{
	while (!load(&ready))
		explore_relax(CALLER);
}

static void
makes_ready(void)
{
	store(&ready, 1);
}

static void
does_something_else(void)
{
	store(&turn, 1);
	store(&turn, 2);
}

static void
spins_for_ever(void)
{
	while (!load(&ready))
		;
}

static void
spinning(void)
{
	expect_always(&(struct program){ .body = { spins_until_ready,
						   makes_ready } },
		      EXPLORE_OK, "");
	expect_always(&(struct program){ .body = { spins_until_ready,
						   makes_ready,
						   spins_until_ready } },
		      EXPLORE_OK, "");
}

static void
spinning_for_nothing(void)
{
	expect_always(&(struct program){ .body = { spins_until_ready,
						   does_something_else } },
		      EXPLORE_STUCK, "");
	expect_always(&(struct program){ .body = { spins_until_ready,
						   spins_until_ready } },
		      EXPLORE_STUCK, "");
}

static void
spinning_without_relax(void)
{
	expect(&(struct program){ .body = { spins_for_ever,
					    does_something_else } },
	       WITH(EXHAUSTIVE, REDUCED, .max_steps = 100), EXPLORE_STUCK, "");
}

/* ---- Double-checked initialisation ----------------------------------------- */

static u64 made SHARED, value SHARED, value_lock SHARED;

static void
check_value(void)
{
	if (load(&value) != 42)
		explore_fail(EXPLORE_VIOLATION, "value is %lu, not 42",
			     load(&value));
}

static void
flag_before_value(void)
{
	if (!load(&made)) {
		lock(&value_lock);
		if (!load(&made)) {
			store(&made, 1);
			store(&value, 42);
		}
		unlock(&value_lock);
	}
	check_value();
}

static void
value_before_flag(void)
{
	if (!load(&made)) {
		lock(&value_lock);
		if (!load(&made)) {
			store(&value, 42);
			store(&made, 1);
		}
		unlock(&value_lock);
	}
	check_value();
}

static void
double_checked(void)
{
	expect_always(&(struct program){ .body = { flag_before_value,
						   flag_before_value } },
		      EXPLORE_VIOLATION, "value is 0, not 42");
	expect_always(&(struct program){ .body = { value_before_flag,
						   value_before_flag } },
		      EXPLORE_OK, "");
}

/* ---- A stack without locks -------------------------------------------------- */

/* Items are numbered from 1; the versioned head has a count above. */
static u64 head SHARED = 1;
static u64 below[4] SHARED = { [1] = 2, [2] = 3 };
static u64 owner[4] SHARED;

enum { ITEM = 0xff, VERSION = 0x100 };

static bool
swap_head(u64 old, u64 new)
{
	return __atomic_compare_exchange_n(&head, &old, new, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static u64
pop(u64 version)
{
	u64 top, next;

	do {
		top = load(&head);
		if ((top & ITEM) == 0)
			return 0;
		next = load(&below[top & ITEM]);
	} while (!swap_head(top, (top & ~ITEM) + version + next));
	return top & ITEM;
}

static void
push(u64 item, u64 version)
{
	u64 top;

	do {
		top = load(&head);
		store(&below[item], top & ITEM);
	} while (!swap_head(top, (top & ~ITEM) + version + item));
}

static void
take(u64 version)
{
	u64 item = pop(version);

	if (item && __atomic_fetch_add(&owner[item], 1, __ATOMIC_SEQ_CST))
		explore_fail(EXPLORE_VIOLATION, "item %lu was taken twice",
			     item);
}

/* Takes two, gives the first back: the top is the same, what is below not. */
static void
give_back(u64 version)
{
	u64 first = pop(version);

	take(version);
	push(first, version);
}

static void
takes_once(void)
{
	take(0);
}

static void
gives_back(void)
{
	give_back(0);
	take(0);
	take(0);
}

static void
takes_once_versioned(void)
{
	take(VERSION);
}

static void
gives_back_versioned(void)
{
	give_back(VERSION);
	take(VERSION);
	take(VERSION);
}

static void
aba(void)
{
	expect_always(&(struct program){ .body = { takes_once, gives_back } },
		      EXPLORE_VIOLATION, "was taken twice");
	expect_always(&(struct program){ .body = { takes_once_versioned,
						   gives_back_versioned } },
		      EXPLORE_OK, "");
}

void
classic_tests(void)
{
	test("a lost update is found", lost_update);
	test("a lost update needs one preemption",
	     lost_update_needs_one_preemption);
	test("a bounded search fails with the fewest preemptions",
	     first_failure_has_fewest_preemptions);
	test("no update is lost at once, by exchange or under a lock",
	     no_update_lost);
	test("Peterson's algorithm needs a fence under TSO alone",
	     peterson_needs_fence);
	test("Dekker's algorithm needs a fence under TSO alone",
	     dekker_needs_fence);
	test("Peterson's algorithm with its stores reversed is wrong",
	     peterson_in_wrong_order);
	test("a ticket lock is right, with tickets in two steps wrong",
	     tickets);
	test("a ticket lock is right for three", three_tickets);
	test("a reader that looks, then counts, may meet a writer",
	     readers_and_writer);
	test("one of two readers meets a writer", two_readers_and_writer);
	test("locks in crossed order are a deadlock, with one preemption",
	     lock_order);
	test("a wake-up is lost when the sleeper looks first", lost_wake_up);
	test("a loop that relaxes until another sets a flag ends", spinning);
	test("a loop that relaxes for nothing is stuck", spinning_for_nothing);
	test("a loop that never relaxes is stuck", spinning_without_relax);
	test("double-checked initialisation must set the flag last",
	     double_checked);
	test("ABA on a stack is found, and none with a version", aba);
}
