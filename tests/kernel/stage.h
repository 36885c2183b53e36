/*
 * The stage on which the scenarios are played: some CPUs, and tasks that do
 * what they are told.
 *
 * An actor is a real task. A user actor has a process and an address space,
 * enters ring 3 and comes back by a system call; from then on it waits in that
 * call for orders. A kernel actor is a kernel thread. Orders are carried out
 * by the actor itself, with the functions that programs reach through system
 * calls; a switch is made by the scheduler, since the actor that leaves falls
 * asleep and nothing but the next one can run on that CPU.
 *
 * The test itself, the director, is on a CPU that is not on the stage; so is
 * every other kernel thread. Nothing sleeps for a time: each call returns when
 * what it asked for has happened, or ends the run after a while.
 */
#pragma once

#include "kernel/clone.h"
#include "kernel/process.h"
#include "kernel/test.h"
#include "mm/mm.h"

struct actor;

/* CPUs 0 .. @nr_stage_cpus - 1 are the stage; each is idle and borrows
 * init_mm. */
void stage_open(unsigned nr_stage_cpus);
/* Everybody leaves; then all must be as it was before: I10, frames included. */
void stage_close(void);

/* ---- Actors ----------------------------------------------------------- */

/* A process of one task in an address space of its own, 1/1; it has not run
 * yet. Code at CODE, and STAGE_PAGES pages of memory at DATA. */
struct actor *user_actor(const char *name);
/* A kernel thread; it has not run yet. */
struct actor *kernel_actor(const char *name);
/* A kernel thread with a process, as the first program has one: may exec. */
struct actor *first_actor(const char *name);

#define CODE 0x400000ul
#define DATA 0x10000000ul
/* DATA's pages have a page table to themselves; so have MORE's. */
#define MORE 0x20000000ul
enum { STAGE_PAGES = 4 };

/* ---- What they do ----------------------------------------------------- */

/* CPU @cpu goes from what it runs to @next; NULL: to its idle task. */
void to(unsigned cpu, struct actor *next);
/* The same in two halves, for a CPU that is held on its way. */
void sets_out(unsigned cpu, struct actor *next);
void arrives(unsigned cpu, struct actor *next);
/* What runs on @cpu; NULL: idle, or a dead actor. */
struct actor *on_stage(unsigned cpu);

/* clone() by @parent, which runs; the child waits for its first to(). */
struct actor *clones(struct actor *parent, const char *name, u64 flags);
enum { FORK = 0, THREAD = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD };
/* vfork() by @parent, which falls asleep; its CPU goes to the child. */
struct actor *vforks(struct actor *parent, const char *name);
/* fork() by @parent whose @nth allocation fails, if it makes so many: *@failed
 * says. The result, as of fork(); a child waits, nameless. */
long forks_without_memory(struct actor *parent, unsigned nth, bool *failed);
/* fork() by @parent while it is being killed: the last step fails. */
long forks_while_killed(struct actor *parent);
/* execve(); returns the new address space's id, called @name from now on. */
u64 execs(struct actor *actor, const char *name);
/* exit(). A user actor is held when it is dead, before its last switch; a
 * kernel actor ends with the next to(). */
void exits(struct actor *actor);
/* The same in two halves; a user actor. */
void begins_exit(struct actor *actor);
void is_dead(struct actor *actor);

/* munmap(), of whole pages; and without waiting for its end: ends(). */
void unmaps(struct actor *actor, uaddr_t addr, u64 pages);
void begins_unmap(struct actor *actor, uaddr_t addr, u64 pages);
/* Writes the low half of its address into each page: 0 or -EFAULT. */
long touches(struct actor *actor, uaddr_t addr, u64 pages);
/* What is there: the word, or -EFAULT. */
long reads(struct actor *actor, uaddr_t addr);

/* Any other function, called by the actor, which runs. */
typedef long (*order_t)(void *arg);
long does(struct actor *actor, order_t order, void *arg);
/* The same in two halves: the director goes on while the actor works. */
void begins(struct actor *actor, order_t order, void *arg);
long ends(struct actor *actor);
bool has_ended(struct actor *actor);

struct task *task_of(const struct actor *actor);
/* The id of the address space in which @actor lives. */
u64 mm_of(const struct actor *actor);

/* ---- What must be true then ------------------------------------------- */

struct expected {
	u64 mm_id;
	int users, count;
};

/* In a row of a step: init_mm, of whose count the CPUs off the stage are not
 * counted; and what a freed address space has for counters. */
enum { INIT = 0 };
#define GONE -1, 0

/* Stops the world, checks all invariants and compares the counters:
 * STEP("A->K", { a, 1, 2 }, { b, GONE }); */
#define STEP(text, ...)                      \
	stage_step(__FILE__, __LINE__, text, \
		   (const struct expected[]){ __VA_ARGS__, { 0, 0, 0 } })
void stage_step(const char *file, int line, const char *text,
		const struct expected *expected);

/* What happened on @cpu since the last call of stage_mark(). */
void stage_mark(void);
u64 counted(unsigned cpu, enum cpu_counter which);
/* The same for all CPUs together. */
u64 counted_all(enum cpu_counter which);

/* Like EXPECT_EQ, but ends the run: the stage cannot be cleared from here. */
#define MUST_EQ(seen, expected)                                            \
	stage_must(__FILE__, __LINE__, #seen, (long)(seen), (long)(expected))
#define MUST(cond) MUST_EQ(!!(cond), true)
void stage_must(const char *file, int line, const char *what, long seen,
		long expected);

/* Waits, on the director's CPU, for what others do. */
#define UNTIL(cond)                                            \
	do {                                                   \
		u64 start_ = arch_time_ns();                   \
		while (!(cond))                                \
			stage_wait(__FILE__, __LINE__, #cond, start_); \
	} while (0)
void stage_wait(const char *file, int line, const char *what, u64 since);
