/*
 * Scenarios: who does what, never when. A scenario is a function that casts
 * the actors and gives each CPU its part, in the words of the tables of the
 * protocol; the explorer finds the orders.
 *
 *	SCENARIO(s4_last_exit, 2, "the last exit: struct and root stay "
 *				  "until the borrower leaves")
 *	{
 *		struct actor *A = user("A"), *B = user("B");
 *
 *		on(0, to(A), exits(), to(IDLE), to(B));
 *	}
 *
 * A part is played by whatever task runs on that CPU: to(X) puts the one that
 * runs to sleep and wakes X there (it waits until X is off every other CPU);
 * after a task exits, the next step is played by the one that comes next. All
 * of it is done by the kernel's own scheduler.
 *
 * After given() comes what the scenario is about; the steps before it are
 * played once, one CPU after the other, and not explored.
 *
 * Whenever all CPUs are between two steps: I1 to I12, and U/C of every mm
 * against the reference model (model.h). Whatever user mode writes says whose
 * it is and how new, and whoever reads it checks that.
 */
#pragma once

#include "mm/mm.h"
#include "sched/task.h"

struct actor;
struct step {
	void (*play)(struct step *step);
	const char *verb;
	struct actor *actor;
	u64 a, b;	/* addresses and numbers, as the verb means them */
};

struct scenario {
	const char *name, *about;
	unsigned cpus;
	void (*set_up)(void);
};

/* Boots the machine for @scenario and casts it: once in a process. Then
 * machine_world() can be explored. */
void scenario_boot(const struct scenario *scenario);

/* Put into a section of their own, and found there. */
#define SCENARIO(id, nr_cpus, text)                                    \
	static void id(void);                                          \
	static const struct scenario scenario_##id                     \
		__attribute__((used, section("scenarios"), aligned(8))) = \
			{ #id, text, nr_cpus, id };                    \
	static void id(void)

/* For variables of scenarios: put back for each execution, like the kernel's
 * own. */
#define RESTORED __attribute__((section("kdata")))

/* ---- The cast --------------------------------------------------------------- */

/* A process of one task in an mm of its own, 1/1, not yet run: PAGES pages at
 * DATA, touched, and one at MORE, under a table of its own. */
struct actor *user(const char *name);
/* Another thread of @of, in its mm: users + 1. Not yet run. */
struct actor *thread(const char *name, struct actor *of);
/* A kernel thread that plays steps. */
struct actor *kthread(const char *name);
/* The same with a process, as the first program has one: may exec. */
struct actor *first(const char *name);
/* A task with a life of its own: runs @body whenever it is woken and the
 * scheduler picks it. @body is called again when it returned and it is woken
 * again. */
struct actor *worker(const char *name, void (*body)(void));
/* The scheduler may pick him on this CPU alone. */
void bound(struct actor *worker, unsigned cpu);
/* A process that does not exist before a step forks it. */
struct actor *unborn(const char *name);
/* The CPU's idle task, in to(). */
#define IDLE NULL

#define DATA 0x10000000ul
#define MORE 0x20000000ul
enum { PAGES = 2 };

/* ---- The parts ---------------------------------------------------------------- */

#define on(cpu, ...)                                                   \
	add_steps(cpu, (const struct step[]){ __VA_ARGS__ },           \
		  sizeof((const struct step[]){ __VA_ARGS__ }) /       \
			  sizeof(struct step))
void add_steps(unsigned cpu, const struct step *steps, size_t n);
/* What was added up to here, and since the last given(), is the beginning: CPU
 * 0 plays its steps first. Not explored. */
void given(void);

/* May be asked for in a set-up. */
void ticks(unsigned cpu, unsigned n);	 /* preemption of user mode */
void failures(unsigned n);		 /* allocations that fail */
void real_idle(void);			 /* the kernel's own idle loop */

struct step to(struct actor *next);	 /* the CPU goes to @next */
/* The same by a message. Who sends one to somebody who waits gives him the CPU at
 * once: switch_to_sleeper(). Who waits for one falls asleep without the scheduler,
 * and @next comes next: switch_to_next(). */
struct step sends_to(struct actor *next); /* he has run before */
struct step receives(struct actor *next);
struct step exits(void);		 /* exit(): stays on as a borrower */
struct step execs(const char *name);	 /* into a new mm, called @name */
struct step forks(struct actor *child);	 /* the child waits for a to() */
struct step clones(struct actor *child);
/* The child, if no other CPU calls it, comes next; the parent sleeps until it
 * execs or exits, and is then called with to(). */
struct step vforks(struct actor *child);

struct step unmaps(uaddr_t addr, unsigned pages);
struct step maps(uaddr_t addr, unsigned pages);	    /* again */
struct step discards(uaddr_t addr, unsigned pages); /* MADV_DONTNEED */
struct step protects(uaddr_t addr, unsigned pages); /* from writing */
struct step reads(uaddr_t addr);	 /* from user mode; may fault */
struct step writes(uaddr_t addr);

struct step pins(struct actor *of);	 /* an outsider's struct pin on the mm
					  * he was born in, if it is there */
struct step unpins(struct actor *of);
struct step gets(struct actor *of);	 /* pinned: mmget_not_zero, and puts */
struct step adopts(struct actor *of);	 /* pinned: if it gets users, then
					  * kthread_use_mm */
struct step abandons(struct actor *of);	 /* kthread_unuse_mm, mmput */

struct step wakes(struct actor *who);
struct step kills(struct actor *who);	 /* SIGKILL to his process */
struct step goes_offline(unsigned cpu);
struct step comes_online(unsigned cpu);
struct step calls(void (*fn)(void), const char *verb); /* anything else */

/*
 * Every scenario ends with all CPUs on init_mm and nobody left: then frames
 * and objects in use must be what they were before the cast was made (I10).
 * This is not explored: what comes after the last step adds nothing but checks.
 * Where tasks go on by themselves (workers, real_idle()) there is no such end.
 */
