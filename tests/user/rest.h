/*
 * Counting frames at rest, for tests that must give everything back. The frame
 * of such a main:
 *
 *	begin_counted();
 *	...
 *	leaves_nothing(all);
 *	return end();
 */
#pragma once

#include "tests/user/check.h"
#include "user/include/lodger.h"

static inline bool
on_lodger(void)
{
	struct lodger_sys_stat stat;

	return lodger_sys_stat(&stat) == 0;
}

/* How many tasks there are now. */
static inline uint64_t
tasks_now(void)
{
	struct lodger_sys_stat stat = { 0 };

	lodger_sys_stat(&stat);
	return stat.nr_tasks;
}

/* Waits until no more than @tasks are left (threads and orphans end a little
 * after they were last heard of), then returns the exact number of free
 * frames. */
static inline long
frames_at_rest(uint64_t tasks)
{
	while (tasks_now() > tasks)
		sched_yield();
	return lodger_quiesce();
}

/* ---- The frame --------------------------------------------------------- */

static uint64_t tasks_at_begin;

/* Of a test for Lodger alone; before it makes its first task. */
static inline void
begin_counted(void)
{
	lodger_or_skip();
	begin();
	tasks_at_begin = tasks_now();
}

/* @body twice, each time in a process of its own, with these arguments. The
 * first time may fill caches; after the second as much is free as before. */
static inline void
twice_leaves_nothing(void (*body)(void *), void *first, void *second)
{
	long before;

	check_child("once", body, first, EXITED(0));
	before = frames_at_rest(tasks_at_begin);
	check_child("again", body, second, EXITED(0));
	check_equal(frames_at_rest(tasks_at_begin), before,
		    "all of it leaves nothing behind");
}

static inline void
run_all(void *all)
{
	void (**function)(void) = all;

	(*function)();
	_exit(wrong_results ? 1 : 0);
}

/* @all in a process of its own, which must find nothing wrong. */
static inline void
check_apart(const char *what, void (*all)(void))
{
	check_child(what, run_all, &all, EXITED(0));
}

static inline void
leaves_nothing(void (*all)(void))
{
	twice_leaves_nothing(run_all, &all, &all);
}
