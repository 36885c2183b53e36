/* Data races and freed memory. Instrumented. */
#include "tests/explore/known.h"

#define RACES .races = true

static u64 data SHARED, flag SHARED, data_lock SHARED;

#define PROGRAM(...) (&(struct program){ .body = { __VA_ARGS__ } })

static void
expect_race(const struct program *program)
{
	expect(program, WITH(EXHAUSTIVE, REDUCED, RACES), EXPLORE_RACE, "");
	expect(program, WITH(BOUNDED(0), REDUCED, RACES), EXPLORE_RACE, "");
	expect(program, WITH(EXHAUSTIVE, REDUCED), EXPLORE_OK, "");
}

static void
expect_no_race(const struct program *program)
{
	expect(program, WITH(EXHAUSTIVE, REDUCED, RACES), EXPLORE_OK, "");
	expect(program, WITH(BOUNDED(2), REDUCED, RACES), EXPLORE_OK, "");
	expect(program, WITH(EXHAUSTIVE, RACES), EXPLORE_OK, "");
	expect(program, WITH(EXHAUSTIVE, REDUCED, RACES, TSO), EXPLORE_OK, "");
}

/* ---- Races ----------------------------------------------------------------- */

static void
plain_write(void)
{
	data = 1;
}

static void
plain_read(void)
{
	u64 value = data;

	__asm__ volatile("" : : "r"(value));
}

static void
atomic_write(void)
{
	store(&data, 1);
}

static void
atomic_update(void)
{
	__atomic_fetch_add(&data, 1, __ATOMIC_RELAXED);
}

static void
atomic_read(void)
{
	u64 value = load(&data);

	__asm__ volatile("" : : "r"(value));
}

static void
plain_against_plain(void)
{
	expect_race(PROGRAM(plain_write, plain_write));
	expect_race(PROGRAM(plain_write, plain_read));
	expect_race(PROGRAM(plain_read, plain_write));
}

static void
plain_against_atomic(void)
{
	expect_race(PROGRAM(plain_write, atomic_read));
	expect_race(PROGRAM(plain_write, atomic_write));
	expect_race(PROGRAM(plain_read, atomic_write));
	expect_race(PROGRAM(plain_read, atomic_update));
}

static void
no_race(void)
{
	expect_no_race(PROGRAM(plain_read, plain_read));
	expect_no_race(PROGRAM(plain_read, atomic_read));
	expect_no_race(PROGRAM(atomic_write, atomic_read));
	expect_no_race(PROGRAM(atomic_update, atomic_write));
}

/* ---- Order by locks -------------------------------------------------------- */

static void
write_under_lock(void)
{
	lock(&data_lock);
	data++;
	unlock(&data_lock);
}

static void
writes_after_lock(void)
{
	lock(&data_lock);
	unlock(&data_lock);
	data++;
}

static u64 other_lock SHARED;

static void
write_under_other_lock(void)
{
	lock(&other_lock);
	data++;
	unlock(&other_lock);
}

static void
ordered_by_lock(void)
{
	expect_no_race(PROGRAM(write_under_lock, write_under_lock));
	expect_race(PROGRAM(write_under_lock, writes_after_lock));
	expect_race(PROGRAM(write_under_lock, write_under_other_lock));
	expect_race(PROGRAM(write_under_lock, plain_read));
}

/* ---- Order by a flag ------------------------------------------------------- */

static void
publish(void)
{
	data = 1;
	__atomic_store_n(&flag, 1, __ATOMIC_RELEASE);
}

static void
publish_too_early(void)
{
	__atomic_store_n(&flag, 1, __ATOMIC_RELEASE);
	data = 1;
}

static void
read_if_published(void)
{
	if (__atomic_load_n(&flag, __ATOMIC_ACQUIRE))
		plain_read();
}

static void
read_without_looking(void)
{
	u64 value = __atomic_load_n(&flag, __ATOMIC_ACQUIRE);

	__asm__ volatile("" : : "r"(value));
	plain_read();
}

static bool
is_set(const void *word)
{
	return *(const u64 *)word != 0;
}

static void
read_when_published(void)
{
	explore_wait(&flag, is_set, &flag, CALLER);
	plain_read();
}

static void
ordered_by_flag(void)
{
	expect_no_race(PROGRAM(publish, read_if_published));
	expect_no_race(PROGRAM(publish, read_when_published));
	expect(PROGRAM(publish_too_early, read_if_published),
	       WITH(EXHAUSTIVE, REDUCED, RACES), EXPLORE_RACE, "");
	expect_race(PROGRAM(publish, read_without_looking));
}

/* An order through a third: 0 publishes to 1, which publishes to 2. */
static u64 second_flag SHARED;

static void
passes_on(void)
{
	if (__atomic_load_n(&flag, __ATOMIC_ACQUIRE))
		__atomic_store_n(&second_flag, 1, __ATOMIC_RELEASE);
}

static void
read_if_passed_on(void)
{
	if (__atomic_load_n(&second_flag, __ATOMIC_ACQUIRE))
		plain_read();
}

static void
ordered_through_a_third(void)
{
	expect_no_race(PROGRAM(publish, passes_on, read_if_passed_on));
}

/* Two halves of a word are no race, though they are one word. */
static void
writes_low_half(void)
{
	*(u32 *)&data = 1;
}

static void
writes_high_half(void)
{
	*((u32 *)&data + 1) = 1;
}

static void
halves(void)
{
	expect_no_race(PROGRAM(writes_low_half, writes_high_half));
	expect_race(PROGRAM(writes_low_half, plain_read));
}

/* ---- Freed memory ---------------------------------------------------------- */

struct object {
	u64 count, payload;
};

/* The table's reference is the one at the start. */
static struct object object SHARED = { .count = 1 };
static struct object *table SHARED = &object;
static u64 table_lock SHARED;

static void
use(struct object *obj)
{
	store(&obj->payload, 1);
}

static void
get(struct object *obj)
{
	__atomic_fetch_add(&obj->count, 1, __ATOMIC_RELAXED);
}

static void
put(struct object *obj)
{
	if (__atomic_sub_fetch(&obj->count, 1, __ATOMIC_ACQ_REL) == 0)
		shadow_freed(obj, sizeof(*obj), CALLER);
}

static void
remove_object(void)
{
	lock(&table_lock);
	store(&table, NULL);
	unlock(&table_lock);
	put(&object);
}

static struct object *
find_locked(bool and_get)
{
	struct object *obj;

	lock(&table_lock);
	obj = load(&table);
	if (obj && and_get)
		get(obj);
	unlock(&table_lock);
	return obj;
}

static void
finds_and_gets(void)
{
	struct object *obj = find_locked(true);

	if (obj) {
		use(obj);
		put(obj);
	}
}

static void
finds_then_gets(void)
{
	struct object *obj = find_locked(false);

	if (obj) {
		get(obj);
		use(obj);
		put(obj);
	}
}

static void
finds_and_puts_first(void)
{
	struct object *obj = find_locked(true);

	if (obj) {
		put(obj);
		use(obj);
	}
}

static void
freed_in_use(void)
{
	expect_always(PROGRAM(finds_and_gets, remove_object), EXPLORE_OK, "");
	expect_always(PROGRAM(finds_then_gets, remove_object),
		      EXPLORE_VIOLATION, "freed");
	expect_always(PROGRAM(finds_and_puts_first, remove_object),
		      EXPLORE_VIOLATION, "freed");
}

static void
frees_and_allocates(void)
{
	shadow_freed(&object, sizeof(object), CALLER);
	shadow_allocated(&object, sizeof(object), CALLER);
	use(&object);
}

static void
allocated_again(void)
{
	expect_always(PROGRAM(frees_and_allocates), EXPLORE_OK, "");
}

/* Many executions, in each of which the object is freed. */
static void
puts_after_all(void)
{
	use(&object);
	if (__atomic_add_fetch(&flag, 1, __ATOMIC_SEQ_CST) == 2)
		put(&object);
}

static void
freed_for_one_execution(void)
{
	expect_always(PROGRAM(puts_after_all, puts_after_all), EXPLORE_OK, "");
}

void
memory_tests(void)
{
	test("two plain accesses, one a write, are a race",
	     plain_against_plain);
	test("a plain access and an atomic one, one a write, are a race",
	     plain_against_atomic);
	test("two reads, or two atomic accesses, are no race", no_race);
	test("a lock orders what is done under it, and nothing else",
	     ordered_by_lock);
	test("a flag orders what came before it, for who saw it set",
	     ordered_by_flag);
	test("an order through a third agent is one",
	     ordered_through_a_third);
	test("two halves of a word are no race", halves);
	test("an object is freed in use when its reference is taken late",
	     freed_in_use);
	test("memory that was allocated again may be used", allocated_again);
	test("what one execution frees is allocated in the next",
	     freed_for_one_execution);
}
