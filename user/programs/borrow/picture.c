/* See picture.h. */
#include "picture.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tell.h"

enum { MAX_SPACES = 32 };

unsigned nr_cpus;

/* ---- Names of address spaces ------------------------------------------ */

/* Of two with the same name, or the same id, the newest counts. */
static struct {
	uint64_t id;
	const char *name;
} spaces[MAX_SPACES];
static unsigned nr_spaces, nr_lasting;

void
name_space(uint64_t id, const char *name)
{
	check(nr_spaces < MAX_SPACES, "too many address spaces have names");
	spaces[nr_spaces].id = id;
	spaces[nr_spaces++].name = name;
}

void
forget_spaces(void)
{
	nr_spaces = nr_lasting;
}

static uint64_t
space_called(const char *name)
{
	for (unsigned i = nr_spaces; i-- > 0;)
		if (strcmp(spaces[i].name, name) == 0)
			return spaces[i].id;
	check(false, "no address space has that name");
	return 0;
}

static void
space_name(int64_t id, char *name)
{
	for (unsigned i = nr_spaces; i-- > 0;)
		if ((int64_t)spaces[i].id == id) {
			snprintf(name, NAME_LEN, "%s", spaces[i].name);
			return;
		}
	snprintf(name, NAME_LEN, "mm %lld", (long long)id);
}

uint64_t
space_of(enum who who)
{
	struct lodger_task_stat stat;

	check(lodger_task_stat(tid_of(who), &stat) == 0, "no such task");
	return stat.mm;
}

void
observe(const char *name, enum who who)
{
	name_space(space_of(who), name);
}

void
pictures_init(void)
{
	struct lodger_sys_stat sys = { 0 };
	struct lodger_mm_stat own = { 0 };

	lodger_sys_stat(&sys);
	nr_cpus = sys.nr_cpus < MAX_SHOWN_CPUS ? sys.nr_cpus : MAX_SHOWN_CPUS;
	lodger_mm_stat(LODGER_OWN_MM, &own);
	name_space(0, "init_mm");
	name_space(own.id, "observer");
	nr_lasting = nr_spaces;
}

/* ---- The look --------------------------------------------------------- */

static void
task_name(const struct lodger_cpu_stat *stat, char *name)
{
	const char *known = stat->current_name;

	if (!stat->online)
		known = "offline";
	else if (stat->current_tid == 0)
		known = "idle";
	else if (stat->current_tid == getpid())
		known = "observer";
	else
		for (int i = 0; i < NR_ACTORS; i++)
			if (tid_of((enum who)i) == stat->current_tid)
				known = actor_names[i];
	snprintf(name, NAME_LEN, "%s%s", known,
		 stat->held_at == LODGER_HOLD_DEAD ? ", dead" : "");
}

/* Returns whether it borrows init_mm. */
static bool
look_at_cpu(unsigned i, struct picture *picture)
{
	struct lodger_cpu_stat cpu;

	if (lodger_cpu_stat(i, &cpu) != 0)
		return false;
	task_name(&cpu, picture->cpus[i].runs);
	space_name(cpu.loaded_mm, picture->cpus[i].root);
	picture->cpus[i].cr3_writes = cpu.counts[COUNT_CR3_WRITES];
	if (!cpu.online || !cpu.lazy)
		strcpy(picture->cpus[i].borrows, "-");
	else
		space_name(cpu.active_mm, picture->cpus[i].borrows);
	return cpu.online && cpu.lazy && cpu.active_mm == 0;
}

/* -ESRCH leaves 0/0: that is what a freed one is. */
static void
look_at_space(const char *name, struct picture *picture, unsigned row)
{
	struct lodger_mm_stat stat = { 0 };

	if (lodger_mm_stat(space_called(name), &stat) != 0)
		return;
	picture->spaces[row].users = stat.users;
	picture->spaces[row].count = stat.count;
	picture->spaces[row].torn_down = stat.torn_down;
	picture->spaces[row].resident = stat.resident;
}

/* Of init_mm's count, CPUs that are not on the stage are not counted: they go
 * about their own work. */
void
look(const struct counters *rows, struct picture *picture)
{
	struct lodger_sys_stat sys = { 0 };
	int elsewhere = 0;

	lodger_sys_stat(&sys);
	memset(picture, 0, sizeof(*picture));
	for (unsigned i = 0; i < sys.nr_cpus; i++) {
		struct picture unseen;

		if (look_at_cpu(i, i < nr_cpus ? picture : &unseen))
			elsewhere += i != LEFT && i != RIGHT;
	}
	for (unsigned i = 0; i < MAX_ROWS && rows[i].space; i++) {
		look_at_space(rows[i].space, picture, i);
		if (strcmp(rows[i].space, "init_mm") == 0)
			picture->spaces[i].count -= elsewhere;
	}
}

bool
is(const char *expected, const char *seen)
{
	return !expected || strcmp(expected, seen) == 0;
}

static bool
stands(const struct picture *seen, unsigned cpu, const struct stands *want)
{
	return is(want->runs, seen->cpus[cpu].runs) &&
	       is(want->root, seen->cpus[cpu].root);
}

bool
as_expected(const struct picture *seen, const struct expected *want)
{
	for (unsigned i = 0; i < MAX_ROWS && want->rows[i].space; i++)
		if (seen->spaces[i].users != want->rows[i].users ||
		    seen->spaces[i].count != want->rows[i].count)
			return false;
	return stands(seen, LEFT, &want->left) &&
	       stands(seen, RIGHT, &want->right);
}

/* ---- Figures ---------------------------------------------------------- */

static uint64_t marked[MAX_SHOWN_CPUS][NR_COUNTERS];

static uint64_t
count_on(unsigned cpu, enum cpu_counter which)
{
	struct lodger_cpu_stat stat = { 0 };

	lodger_cpu_stat(cpu, &stat);
	return stat.counts[which];
}

void
mark(void)
{
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		for (int which = 0; which < NR_COUNTERS; which++)
			marked[cpu][which] = count_on(cpu, which);
}

uint64_t
since(unsigned cpu, enum cpu_counter which)
{
	return count_on(cpu, which) - marked[cpu][which];
}

/* A sum over lists that change while it is taken: frames on their way from one
 * to another can be missed. So until two looks agree. */
uint64_t
free_frames(void)
{
	struct lodger_sys_stat stat;
	uint64_t last;

	stat.free_frames = 0;
	do {
		last = stat.free_frames;
		sched_yield();
		lodger_sys_stat(&stat);
	} while (stat.free_frames != last);
	return last;
}

uint64_t
user_frames(void)
{
	struct lodger_sys_stat stat = { 0 };

	lodger_sys_stat(&stat);
	return stat.user_frames;
}

long
nr_spaces_alive(void)
{
	return lodger_mm_list(NULL, 0);
}
