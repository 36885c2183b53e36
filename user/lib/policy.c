/* See user/include/supervisor.h. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "user/include/supervisor.h"

static const struct {
	int signal;
	const char *name;
	bool requested;
} signals[] = {
	{ SIGHUP, "SIGHUP", true },   { SIGINT, "SIGINT", true },
	{ SIGKILL, "SIGKILL", true }, { SIGTERM, "SIGTERM", true },
	{ SIGILL, "SIGILL", false },  { SIGABRT, "SIGABRT", false },
	{ SIGBUS, "SIGBUS", false },  { SIGFPE, "SIGFPE", false },
	{ SIGSEGV, "SIGSEGV", false },
};

enum { NR_SIGNALS = sizeof(signals) / sizeof(signals[0]) };

static int
signal_of(int status)
{
	return status & 0x7f;
}

static bool
was_requested(int status)
{
	for (int i = 0; i < NR_SIGNALS; i++)
		if (signals[i].signal == signal_of(status))
			return signals[i].requested;
	return false;
}

void
policy_started(struct policy *policy, uint64_t now)
{
	policy->started_ns = now;
}

enum outcome
policy_ended(struct policy *policy, int status, uint64_t now, uint64_t *when)
{
	*when = now;
	if (status == 0)
		return OUTCOME_DONE;
	if (was_requested(status))
		return OUTCOME_AGAIN;
	if (now - policy->started_ns >= POLICY_CALM_NS)
		policy->crashes = 0;
	if (++policy->crashes >= POLICY_LIMIT)
		return OUTCOME_GIVE_UP;
	*when = now + (POLICY_FIRST_NS << (policy->crashes - 1));
	return OUTCOME_AGAIN;
}

static const char *
name_of(int signal)
{
	for (int i = 0; i < NR_SIGNALS; i++)
		if (signals[i].signal == signal)
			return signals[i].name;
	return "?";
}

void
policy_describe(int status, char *text, size_t size)
{
	if (signal_of(status))
		snprintf(text, size, "was killed by signal %d (%s)",
			 signal_of(status), name_of(signal_of(status)));
	else
		snprintf(text, size, "ended with status %d",
			 status >> 8 & 0xff);
}
