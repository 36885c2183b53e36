/* Interrupts of a CPU: they come between any two of its steps, and it goes on
 * when they have returned. Instrumented. */
#include "tests/explore/known_code.h"

/* ---- Where they come ------------------------------------------------------- */

/* Agent 0 reads twice and writes; the handler writes and writes. */
static const struct code read_twice = {
	.agents = 2, .interrupt = true, .length = { 3, 3 },
	.instr = { { { READ, 0, 0 }, { READ, 1, 0 }, { WRITE_MORE, 0, 1 } },
		   { { DELIVER, 0, 0 }, { WRITE, 0, 5 }, { WRITE, 1, 5 } } },
};

/* Off while the first two steps are taken. */
static const struct code partly_off = {
	.agents = 2, .interrupt = true, .length = { 5, 2 },
	.instr = { { { IRQS_OFF, 0, 0 }, { READ, 0, 0 }, { WRITE_MORE, 0, 1 },
		     { IRQS_ON, 0, 0 }, { READ, 0, 0 } },
		   { { DELIVER, 0, 0 }, { ADD, 0, 5 } } },
};

static void
places(void)
{
	CHECK_COUNT(&read_twice, WITH(EXHAUSTIVE), 4);
	CHECK_COUNT(&read_twice, WITH(EXHAUSTIVE, REDUCED), 4);
}

static void
places_while_on(void)
{
	CHECK_COUNT(&partly_off, WITH(EXHAUSTIVE), 3);
	CHECK_COUNT(&partly_off, WITH(EXHAUSTIVE, REDUCED), 3);
}

static void
places_with_another_cpu(void)
{
	struct code code = {
		.agents = 3, .interrupt = true, .length = { 2, 3, 2 },
		.instr = {
			{ { READ, 0, 0 }, { WRITE_MORE, 0, 1 } },
			{ { DELIVER, 0, 0 }, { READ, 1, 0 }, { WRITE, 0, 5 } },
			{ { ADD, 0, 1 }, { WRITE, 1, 1 } },
		},
	};

	CHECK_COUNT(&code, WITH(EXHAUSTIVE),
		    oracle_counts(&code, ANY_PREEMPTIONS).interleavings);
}

/* ---- What they break ------------------------------------------------------- */

static u64 counter SHARED;

static void
host_adds(void)
{
	u64 value = load(&counter);

	store(&counter, value + 1);
}

static void
host_adds_with_irqs_off(void)
{
	interrupts_off();
	host_adds();
	interrupts_on();
}

static void
host_adds_at_once(void)
{
	__atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
}

static void
host_adds_after_irqs_off(void)
{
	interrupts_off();
	interrupts_on();
	host_adds();
}

static void
handler_adds(void)
{
	store(&counter, load(&counter) + 1);
}

static void
counter_is_2(void)
{
	if (counter != 2)
		explore_fail(EXPLORE_VIOLATION, "counter is %lu, not 2",
			     counter);
}

static void
counter_is_3(void)
{
	if (counter != 3)
		explore_fail(EXPLORE_VIOLATION, "counter is %lu, not 3",
			     counter);
}

static struct program
host_and_handler(void (*host)(void), void (*handler)(void))
{
	return (struct program){
		.body = { host, handler },
		.interrupt = { [1] = { .host = 0, .times = 1 } },
		.check = counter_is_2,
	};
}

static void
update_lost_to_handler(void)
{
	struct program wrong = host_and_handler(host_adds, handler_adds);
	struct program late = host_and_handler(host_adds_after_irqs_off,
					       handler_adds);

	expect_always(&wrong, EXPLORE_VIOLATION, "counter is 1, not 2");
	expect_always(&late, EXPLORE_VIOLATION, "counter is 1, not 2");
}

static void
update_with_irqs_off(void)
{
	struct program off = host_and_handler(host_adds_with_irqs_off,
					      handler_adds);
	struct program once = host_and_handler(host_adds_at_once,
					       handler_adds);

	expect_always(&off, EXPLORE_OK, "");
	expect_always(&once, EXPLORE_OK, "");
}

static void
handler_comes_twice(void)
{
	struct program off = host_and_handler(host_adds_with_irqs_off,
					      handler_adds);
	struct program on = host_and_handler(host_adds, handler_adds);

	off.interrupt[1].times = on.interrupt[1].times = 2;
	off.check = on.check = counter_is_3;
	expect_always(&off, EXPLORE_OK, "");
	expect_always(&on, EXPLORE_VIOLATION, ", not 3");
}

/* Interrupts off on one CPU keep another out of nothing. */
static void
irqs_off_are_no_lock(void)
{
	struct program program = {
		.body = { host_adds_with_irqs_off, host_adds_with_irqs_off },
		.check = counter_is_2,
	};

	expect_always(&program, EXPLORE_VIOLATION, "counter is 1, not 2");
}

/* ---- A lock that a handler takes too --------------------------------------- */

static u64 counter_lock SHARED;

static void
adds_under_lock(void)
{
	lock(&counter_lock);
	host_adds();
	unlock(&counter_lock);
}

static void
adds_under_lock_irqs_off(void)
{
	interrupts_off();
	adds_under_lock();
	interrupts_on();
}

static void
lock_in_handler(void)
{
	struct program on = host_and_handler(adds_under_lock, adds_under_lock);
	struct program off = host_and_handler(adds_under_lock_irqs_off,
					      adds_under_lock);

	expect_always(&on, EXPLORE_DEADLOCK, "cannot go on");
	expect_always(&off, EXPLORE_OK, "");
}

static void
lock_in_handler_and_elsewhere(void)
{
	struct program program = host_and_handler(adds_under_lock_irqs_off,
						  adds_under_lock);

	program.body[2] = adds_under_lock;
	program.check = counter_is_3;
	expect_always(&program, EXPLORE_OK, "");
	program.body[0] = adds_under_lock;
	expect_always(&program, EXPLORE_DEADLOCK, "cannot go on");
}

/* A handler waits for another CPU, which waits for the handler's host. */
static u64 answered SHARED, asked SHARED;

static bool
is_set(const void *word)
{
	return *(const u64 *)word != 0;
}

static void
handler_waits_for_answer(void)
{
	store(&asked, 1);
	fence();
	explore_wait(&answered, is_set, &answered, CALLER);
}

static void
answers(void)
{
	explore_wait(&asked, is_set, &asked, CALLER);
	store(&answered, 1);
}

static void
answers_under_lock(void)
{
	lock(&counter_lock);
	answers();
	unlock(&counter_lock);
}

static void
looks_under_lock(void)
{
	lock(&counter_lock);
	load(&asked);
	unlock(&counter_lock);
}

static void
handler_waits_for_other_cpu(void)
{
	struct program fine = host_and_handler(adds_under_lock,
					       handler_waits_for_answer);
	struct program crossed = fine;

	fine.check = crossed.check = NULL;
	fine.body[2] = answers;
	crossed.body[0] = looks_under_lock;
	crossed.body[2] = answers_under_lock;
	expect_always(&fine, EXPLORE_OK, "");
	expect_always(&crossed, EXPLORE_DEADLOCK, "cannot go on");
}

/* ---- Races with a handler -------------------------------------------------- */

static void
plain_add(void)
{
	counter++;
}

static void
plain_add_irqs_off(void)
{
	interrupts_off();
	counter++;
	interrupts_on();
}

/* The compiler may load and store in two instructions. */
static void
plain_adds(void)
{
	struct program on = host_and_handler(plain_add, plain_add);
	struct program off = host_and_handler(plain_add_irqs_off, plain_add);

	expect_always(&on, EXPLORE_VIOLATION, "counter is 1, not 2");
	expect_always(&off, EXPLORE_OK, "");
	expect(&off, WITH(EXHAUSTIVE, REDUCED, .races = true), EXPLORE_OK, "");
}

void
interrupt_tests(void)
{
	test("an interrupt comes at each place, and the host waits", places);
	test("an interrupt comes only while they are on", places_while_on);
	test("an interrupt's steps mix with those of another CPU",
	     places_with_another_cpu);
	test("an update is lost to a handler", update_lost_to_handler);
	test("no update is lost with interrupts off", update_with_irqs_off);
	test("a handler may come twice", handler_comes_twice);
	test("interrupts off are no lock", irqs_off_are_no_lock);
	test("a lock that a handler takes needs interrupts off",
	     lock_in_handler);
	test("a lock of a handler and two CPUs needs interrupts off",
	     lock_in_handler_and_elsewhere);
	test("a handler that waits for a CPU that waits for its host",
	     handler_waits_for_other_cpu);
	test("interrupts off order plain accesses, no race", plain_adds);
}
