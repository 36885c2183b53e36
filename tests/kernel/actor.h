/* What the parts of the stage share: stage.c, actor.c and orders.c. */
#pragma once

#include "tests/kernel/stage.h"

enum {
	MAX_ACTORS = 16,
	MAX_SPACES = 32,
	MAX_WORKERS = 32,
	NAME_LEN = 8,
	/* Actors come before all other threads. A child that has not run yet
	 * waits behind those that were called, and behind a parent that forks
	 * once more, which has a newborn's priority meanwhile: a preemption
	 * point in that fork must not lead to the child. But a vfork child is
	 * to run at once. */
	PRIO_VFORK_CHILD = 1,
	PRIO_ACTOR = 2,
	PRIO_NEWBORN = 3,
	PRIO_SET_ASIDE = 4,
};

struct actor {
	char name[NAME_LEN];
	struct task *task;	/* NULL: not born yet */
	bool leaves;		/* a kernel actor that ends with its switch */
	bool gone;		/* dead: the task may be freed at any moment */
	bool quit;		/* the stage closes */

	/* The mailbox. The actor is ready, or works on an order, or does not
	 * run. */
	bool ready;
	order_t order;
	void *arg;
	long result;
};

struct stage {
	unsigned cpus;
	struct actor actors[MAX_ACTORS];
	unsigned nr_actors;
	struct actor *unborn;		/* who is the next unknown task */
	struct actor *dead[MAX_CPUS];	/* held after its exit */
	struct {
		u64 id;
		char name[NAME_LEN];
	} spaces[MAX_SPACES];
	unsigned nr_spaces;
	struct {
		struct task *task;
		u64 affinity;
	} workers[MAX_WORKERS];
	unsigned nr_workers;
	u64 marks[MAX_CPUS][NR_COUNTERS];
	u64 frames;
	unsigned tasks;
};

extern struct stage stage;

/* An actor with no task yet. */
struct actor *new_actor(const char *name);
/* The actor whose task is @task and still alive, or NULL. */
struct actor *actor_of(const struct task *task);
/* What the mm with @id is called in the steps' output. */
void name_space(u64 id, const char *name);
