// with: user/lib/policy.c
#include "host.h"

#include "user/include/supervisor.h"

enum { SEGV = 11, KILL = 9, TERM = 15, EXIT_3 = 3 << 8 };

#define SECOND 1000000000ul

static struct policy policy;
static u64 now = 1000 * SECOND, when;

static enum outcome
ended(int status, u64 after)
{
	policy_started(&policy, now);
	now += after;
	return policy_ended(&policy, status, now, &when);
}

static void
kills_are_not_counted(void)
{
	for (int i = 0; i < 1000; i++) {
		CHECK_EQ(ended(i % 2 ? KILL : TERM, i), OUTCOME_AGAIN);
		CHECK_EQ(when, now);
	}
	CHECK_EQ(policy.crashes, 0);
}

static void
crashes_wait_longer_and_longer(void)
{
	u64 delay = POLICY_FIRST_NS;

	for (int i = 1; i < POLICY_LIMIT; i++, delay *= 2) {
		CHECK_EQ(ended(i % 2 ? SEGV : EXIT_3, SECOND), OUTCOME_AGAIN);
		CHECK_EQ(when - now, delay);
		/* A kill in between changes nothing. */
		CHECK_EQ(ended(KILL, 0), OUTCOME_AGAIN);
		CHECK_EQ(when, now);
	}
	CHECK_EQ(ended(SEGV, SECOND), OUTCOME_GIVE_UP);
}

static void
calm_begins_anew(void)
{
	ended(SEGV, 0);
	ended(SEGV, 0);
	CHECK_EQ(policy.crashes, 2);
	CHECK_EQ(ended(SEGV, POLICY_CALM_NS), OUTCOME_AGAIN);
	CHECK_EQ(policy.crashes, 1);
	CHECK_EQ(when - now, POLICY_FIRST_NS);
}

static void
done_is_done(void)
{
	CHECK_EQ(ended(0, 0), OUTCOME_DONE);
}

static void
in_words(void)
{
	char text[64], small[8];

	policy_describe(SEGV, text, sizeof(text));
	CHECK_EQ(strcmp(text, "was killed by signal 11 (SIGSEGV)"), 0);
	policy_describe(SEGV | 0x80, text, sizeof(text));
	CHECK_EQ(strcmp(text, "was killed by signal 11 (SIGSEGV)"), 0);
	policy_describe(40, text, sizeof(text));
	CHECK_EQ(strcmp(text, "was killed by signal 40 (?)"), 0);
	policy_describe(EXIT_3, text, sizeof(text));
	CHECK_EQ(strcmp(text, "ended with status 3"), 0);
	policy_describe(EXIT_3, small, sizeof(small));
	CHECK_EQ(strlen(small), 7);
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("who is killed starts again at once", kills_are_not_counted);
	test("who crashes waits twice as long each time",
	     crashes_wait_longer_and_longer);
	test("who has run for a while begins anew", calm_begins_anew);
	test("who ends by itself is left alone", done_is_done);
	test("what has happened is said in words", in_words);
	return host_result();
}
