/*
 * Litmus tests: which outcomes the memory model allows. Under sequential
 * consistency none of these; under x86-TSO a load may overtake an older store
 * of another word, and nothing else. Instrumented.
 */
#include "tests/explore/known.h"

static u64 x SHARED, y SHARED;
static u64 seen[4] SHARED;

/* The outcome that a test asks about: seen[i] == wanted[i] for all i. */
static u64 wanted[4];

static void
check_seen(void)
{
	for (unsigned i = 0; i < 4; i++)
		if (seen[i] != wanted[i])
			return;
	explore_fail(EXPLORE_VIOLATION, "seen: %lu %lu %lu %lu", seen[0],
		     seen[1], seen[2], seen[3]);
}

static void
want(u64 a, u64 b, u64 c, u64 d)
{
	wanted[0] = a;
	wanted[1] = b;
	wanted[2] = c;
	wanted[3] = d;
}

#define PROGRAM(...) \
	(&(struct program){ .body = { __VA_ARGS__ }, .check = check_seen })

static void
never_seen(const struct program *program)
{
	expect_always(program, EXPLORE_OK, "");
}

static void
seen_under_tso_alone(const struct program *program)
{
	expect_under(false, program, EXPLORE_OK, "");
	expect_under(true, program, EXPLORE_VIOLATION, "seen: ");
}

/* ---- Store buffering: each stores, then looks at the other's --------------- */

static void
sb_x(void)
{
	store(&x, 1);
	seen[0] = load(&y);
}

static void
sb_y(void)
{
	store(&y, 1);
	seen[1] = load(&x);
}

static void
sb_x_fenced(void)
{
	store(&x, 1);
	fence();
	seen[0] = load(&y);
}

static void
sb_y_fenced(void)
{
	store(&y, 1);
	fence();
	seen[1] = load(&x);
}

static void
sb_y_ordered(void)
{
	__atomic_store_n(&y, 1, __ATOMIC_SEQ_CST);
	seen[1] = load(&x);
}

static void
sb_y_exchanged(void)
{
	__atomic_exchange_n(&y, 1, __ATOMIC_RELAXED);
	seen[1] = load(&x);
}

static void
sb_y_released(void)
{
	__atomic_store_n(&y, 1, __ATOMIC_RELEASE);
	seen[1] = __atomic_load_n(&x, __ATOMIC_ACQUIRE);
}

static void
store_buffering(void)
{
	want(0, 0, 0, 0);
	seen_under_tso_alone(PROGRAM(sb_x, sb_y));
}

static void
store_buffering_half_fenced(void)
{
	want(0, 0, 0, 0);
	seen_under_tso_alone(PROGRAM(sb_x_fenced, sb_y));
	seen_under_tso_alone(PROGRAM(sb_x_fenced, sb_y_released));
}

static void
store_buffering_fenced(void)
{
	want(0, 0, 0, 0);
	never_seen(PROGRAM(sb_x_fenced, sb_y_fenced));
	never_seen(PROGRAM(sb_x_fenced, sb_y_ordered));
	never_seen(PROGRAM(sb_x_fenced, sb_y_exchanged));
}

/* Each looks at its own store first: that is forwarded, and no fence. */
static void
forward_x(void)
{
	store(&x, 1);
	seen[0] = load(&x);
	seen[1] = load(&y);
}

static void
forward_y(void)
{
	store(&y, 1);
	seen[2] = load(&y);
	seen[3] = load(&x);
}

static void
forwarding(void)
{
	want(1, 0, 1, 0);
	seen_under_tso_alone(PROGRAM(forward_x, forward_y));
}

static void
own_store_is_seen(void)
{
	want(0, 0, 1, 0);
	never_seen(PROGRAM(forward_x, forward_y));
	want(1, 0, 0, 0);
	never_seen(PROGRAM(forward_x, forward_y));
}

/* Half a word forwarded, the other half from memory. */
static void
narrow_store(void)
{
	__atomic_store_n((u8 *)&x, 1, __ATOMIC_RELAXED);
	seen[0] = load(&x);
}

static void
other_narrow_store(void)
{
	__atomic_store_n((u8 *)&x + 1, 1, __ATOMIC_RELAXED);
	seen[1] = load(&x);
}

static void
bytes_of_a_word(void)
{
	want(0x101, 0x101, 0, 0);
	expect_always(PROGRAM(narrow_store, other_narrow_store),
		      EXPLORE_VIOLATION, "seen: 257 257 0 0");
	want(0x100, 0x101, 0, 0);
	never_seen(PROGRAM(narrow_store, other_narrow_store));
	want(1, 0x100, 0, 0);
	seen_under_tso_alone(PROGRAM(narrow_store, other_narrow_store));
}

/* ---- Message passing: the data, then the flag ------------------------------ */

static void
mp_send(void)
{
	store(&x, 1);
	store(&y, 1);
}

static void
mp_receive(void)
{
	seen[0] = load(&y);
	seen[1] = load(&x);
}

static void
message_passing(void)
{
	want(1, 0, 0, 0);
	never_seen(PROGRAM(mp_send, mp_receive));
}

static void
mp_receive_reversed(void)
{
	seen[1] = load(&x);
	seen[0] = load(&y);
}

static void
message_passing_reversed(void)
{
	want(1, 0, 0, 0);
	expect_always(PROGRAM(mp_send, mp_receive_reversed),
		      EXPLORE_VIOLATION, "seen: 1 0 0 0");
}

/* ---- Load buffering: a store never overtakes an older load ----------------- */

static void
lb_x(void)
{
	seen[0] = load(&x);
	store(&y, 1);
}

static void
lb_y(void)
{
	seen[1] = load(&y);
	store(&x, 1);
}

static void
load_buffering(void)
{
	want(1, 1, 0, 0);
	never_seen(PROGRAM(lb_x, lb_y));
}

/* ---- Independent readers of independent writes: all see one order ---------- */

static void
store_x(void)
{
	store(&x, 1);
}

static void
store_y(void)
{
	store(&y, 1);
}

static void
read_x_y(void)
{
	seen[0] = load(&x);
	seen[1] = load(&y);
}

static void
read_y_x(void)
{
	seen[2] = load(&y);
	seen[3] = load(&x);
}

static void
independent_reads(void)
{
	want(1, 0, 1, 0);
	never_seen(PROGRAM(store_x, store_y, read_x_y, read_y_x));
}

/* ---- 2+2W: stores leave the buffer in order -------------------------------- */

static void
ww_x_y(void)
{
	store(&x, 1);
	store(&y, 2);
}

static void
ww_y_x(void)
{
	store(&y, 1);
	store(&x, 2);
}

static void
check_2_2w(void)
{
	if (x == 1 && y == 1)
		explore_fail(EXPLORE_VIOLATION, "both first stores came last");
}

static void
stores_in_order(void)
{
	expect_always(&(struct program){ .body = { ww_x_y, ww_y_x },
					 .check = check_2_2w },
		      EXPLORE_OK, "");
}

/* ---- R: a store pair against a store and a load ------------------------------ */

static void
r_load(void)
{
	store(&y, 2);
	seen[0] = load(&x);
	seen[1] = 1;
}

static void
check_r(void)
{
	if (seen[0] == 0 && y == 2)
		explore_fail(EXPLORE_VIOLATION, "seen: 0, and y is 2");
}

static void
store_then_load(void)
{
	seen_under_tso_alone(&(struct program){ .body = { mp_send, r_load },
						.check = check_r });
}

/* ---- Locks order everything ------------------------------------------------- */

static u64 xy_lock SHARED;

static void
locked_sb_x(void)
{
	lock(&xy_lock);
	sb_x();
	unlock(&xy_lock);
}

static void
locked_sb_y(void)
{
	lock(&xy_lock);
	sb_y();
	unlock(&xy_lock);
}

static void
locks_drain(void)
{
	want(0, 0, 0, 0);
	never_seen(PROGRAM(locked_sb_x, locked_sb_y));
}

void
litmus_tests(void)
{
	test("SB: both loads overtake under TSO alone", store_buffering);
	test("SB: one fence does not help", store_buffering_half_fenced);
	test("SB: fences, ordered stores and exchanges forbid it",
	     store_buffering_fenced);
	test("a store is forwarded to its own CPU before others see it",
	     forwarding);
	test("a CPU always sees its own store", own_store_is_seen);
	test("a load takes some bytes from the buffer, others from memory",
	     bytes_of_a_word);
	test("MP: who sees the flag sees the data", message_passing);
	test("MP: not when the data are read first", message_passing_reversed);
	test("LB: loads are not overtaken", load_buffering);
	test("IRIW: all see one order of two stores", independent_reads);
	test("2+2W: stores leave a buffer in order", stores_in_order);
	test("R: a store is overtaken by the load after it", store_then_load);
	test("what is done under a lock is seen under the lock", locks_drain);
}
