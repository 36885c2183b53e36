/*
 * Starts servers from a table, and starts those again that die. The first
 * program does this (user/servers/init); it needs the first program's handles.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* ---- The table ---------------------------------------------------------- */

enum gift_kind {
	GIFT_END,	   /* of the list */
	GIFT_PORTS,	   /* first, count */
	GIFT_INTERRUPT,	   /* first: the line */
	GIFT_DEVICE,	   /* first, count: physical memory, bytes */
	GIFT_SCREEN,	   /* the screen's memory: what the loader set up, or
			    * VGA's text */
	GIFT_MODULE,	   /* the boot module */
	GIFT_MEMORY,	   /* count: bytes; the same for all who name it */
	GIFT_ENDPOINT,	   /* rights: CALL, RECV; the same for all */
	GIFT_NOTIFICATION, /* rights: SIGNAL, WAIT; the same for all */
};

struct gift {
	enum gift_kind kind;
	const char *name;
	uint64_t first, count;
	uint32_t rights; /* besides DUPLICATE and TRANSFER */
};

enum { MAX_GIFTS = 16, MAX_SERVERS = 16, MAX_KEPT = 32 };

struct server {
	const char *name;
	const char *path; /* in the archive */
	struct gift gifts[MAX_GIFTS];
};

/* ---- When to start again: user/lib/policy.c ----------------------------- */

/*
 * A server that was told to end (SIGKILL, SIGTERM, SIGHUP, SIGINT) starts again
 * at once, however often. One that crashed waits, twice as long each time, and
 * after POLICY_LIMIT crashes in a row it is given up; one that has run for
 * POLICY_CALM_NS begins anew. One that ended with status 0 has nothing to do.
 */
struct policy {
	unsigned crashes;	/* in a row */
	uint64_t started_ns;
};

enum outcome {
	OUTCOME_AGAIN,	 /* to be started at *when */
	OUTCOME_DONE,
	OUTCOME_GIVE_UP,
};

enum { POLICY_LIMIT = 6 };
#define POLICY_FIRST_NS 50000000ull	/* before the second start */
#define POLICY_CALM_NS	10000000000ull

void policy_started(struct policy *policy, uint64_t now);
/* @status: as wait4() reports it. */
enum outcome policy_ended(struct policy *policy, int status, uint64_t now,
			  uint64_t *when);
/* "was killed by signal 11 (SIGSEGV)", "ended with status 3". */
void policy_describe(int status, char *text, size_t size);

/* ---- Supervising: user/lib/supervisor.c --------------------------------- */

enum server_state {
	SERVER_WAITS,	/* to be started at when */
	SERVER_RUNS,
	SERVER_OVER,	/* missing, done, or given up */
};

struct supervised {
	const struct server *server;
	enum server_state state;
	uint64_t when;
	struct policy policy;
	unsigned process; /* handle */
	int pid;
	unsigned starts;
};

struct kept {
	const char *name;
	unsigned handle;
};

struct supervisor {
	const void *archive;
	uint64_t archive_size;
	unsigned notification; /* bit n: server n has ended */
	unsigned nr_servers, nr_kept;
	struct supervised servers[MAX_SERVERS];
	struct kept kept[MAX_KEPT];
};

/* -1: with the reason in the log. */
int supervisor_init(struct supervisor *supervisor,
		    const struct server *servers, unsigned n);
/* Starts what is due; if nothing was, waits until @deadline (CLOCK_MONOTONIC;
 * ~0: for ever) or until something has happened, and attends to it. Returns how
 * many servers run or will be started. */
unsigned supervisor_step(struct supervisor *supervisor, uint64_t deadline);

uint64_t supervisor_now(void);
