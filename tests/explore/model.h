/*
 * The reference model: what the counters must be, by the table of transitions
 * alone (lazy-tlb.md, 1.2). It counts, and knows nothing else: no kernel
 * header, no pointer, no order of operations inside a transition.
 *
 * Address spaces, tasks and CPUs are small numbers. init_mm is 0; the idle task
 * of CPU k is task k.
 */
#pragma once

enum {
	MODEL_MMS = 16,
	MODEL_TASKS = 24,
	MODEL_CPUS = 3,
	MODEL_INIT = 0,
	MODEL_NOTHING = -1,
};

struct model {
	int users[MODEL_MMS];
	int others[MODEL_MMS];	    /* count, without the one for all users */
	int home[MODEL_TASKS];	    /* where it lives; NOTHING: kernel thread */
	int borrowed[MODEL_CPUS];   /* by the kernel thread that runs there */
};

/* Booted: every CPU runs its idle task, which borrows init_mm. */
void model_boot(struct model *model, unsigned cpus);

/* A new address space, for @task, which does not run yet. */
void model_new(struct model *model, int mm, int task);
void model_clone(struct model *model, int child, int parent);
/* Made, to be moved into; then @task, which runs on @cpu, does that. */
void model_build(struct model *model, int mm);
void model_exec(struct model *model, int cpu, int task, int mm);
void model_exit(struct model *model, int cpu, int task);

void model_switch(struct model *model, int cpu, int from, int to);
void model_adopt(struct model *model, int cpu, int task, int mm);
void model_abandon(struct model *model, int cpu, int task);
/* The idle task of @cpu goes back to init_mm. */
void model_return(struct model *model, int cpu);
void model_offline(struct model *model, int cpu);
void model_online(struct model *model, int cpu);

void model_get(struct model *model, int mm);
void model_put(struct model *model, int mm);
void model_pin(struct model *model, int mm);
void model_unpin(struct model *model, int mm);

int model_users(const struct model *model, int mm);
int model_count(const struct model *model, int mm); /* 0: freed */
