/* See tell.h. */
#include "tell.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PATIENCE_SECONDS = 30, /* then a step counts as failed */
	TITLE_WIDTH = 52,
	FIGURES_WIDTH = 21,
};

static const char *bold = "", *plain = "";
static unsigned step_nr, nr_steps;
static struct picture last_picture;

void
tell_init(void)
{
	static const struct counters none[MAX_ROWS];

	if (isatty(1)) {
		bold = "\033[1m";
		plain = "\033[0m";
	}
	look(none, &last_picture);
}

unsigned
steps_told(void)
{
	return nr_steps;
}

void
count_steps_again(void)
{
	step_nr = 0;
}

void
print_bold(const char *text)
{
	printf("%s%s%s\n", bold, text, plain);
}

static void
dash_line(void)
{
	puts("-----------------------------------------------------------"
	     "-----------------");
}

void
chapter(const char *title)
{
	putchar('\n');
	dash_line();
	print_bold(title);
	dash_line();
}

/* ---- When it is not as expected --------------------------------------- */

static _Noreturn void
fail(void)
{
	puts("borrow: FAIL");
	exit(1);
}

void
check(bool ok, const char *sentence)
{
	if (ok)
		return;
	printf("borrow: step %u: %s\n", step_nr, sentence);
	fail();
}

void
check_figure(const char *what, long seen, long expected)
{
	if (seen == expected) {
		printf("     %s: %ld.\n", what, seen);
		return;
	}
	printf("borrow: step %u, %s: expected %ld, seen %ld\n", step_nr, what,
	       expected, seen);
	fail();
}

time_t
seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void
wait_on(time_t since, const char *sentence)
{
	check(seconds_now() - since < PATIENCE_SECONDS, sentence);
	sched_yield();
}

static void
differs(unsigned cpu, const char *what, const char *expected, const char *seen)
{
	if (!is(expected, seen))
		printf("borrow: step %u, CPU %u %s: expected %s, seen %s\n",
		       step_nr, cpu, what, expected, seen);
}

static void
stands_differ(unsigned cpu, const struct picture *seen,
	      const struct stands *want)
{
	differs(cpu, "runs", want->runs, seen->cpus[cpu].runs);
	differs(cpu, "has the root of", want->root, seen->cpus[cpu].root);
}

static void
fail_step(const struct picture *seen, const struct expected *want)
{
	for (unsigned i = 0; i < MAX_ROWS && want->rows[i].space; i++) {
		const struct counters *row = &want->rows[i];

		if (seen->spaces[i].users != row->users ||
		    seen->spaces[i].count != row->count)
			printf("borrow: step %u, %s: expected %d/%d, seen "
			       "%d/%d\n", step_nr, row->space, row->users,
			       row->count, seen->spaces[i].users,
			       seen->spaces[i].count);
	}
	stands_differ(LEFT, seen, &want->left);
	stands_differ(RIGHT, seen, &want->right);
	fail();
}

/* ---- A step ----------------------------------------------------------- */

/* Looks until the picture is the expected one; the last look otherwise. */
static void
settle(const struct expected *want, struct picture *picture)
{
	time_t start = seconds_now();

	do {
		look(want->rows, picture);
		if (as_expected(picture, want))
			return;
		sched_yield();
	} while (seconds_now() - start < PATIENCE_SECONDS);
}

static void
print_title(const char *title, const struct picture *picture,
	    const struct counters *rows)
{
	char figures[80];
	int len = 0, room;

	for (unsigned i = 0; i < MAX_ROWS && rows[i].space; i++)
		len += snprintf(figures + len, sizeof(figures) - len,
				i ? ", %s %d/%d" : "%s is %d/%d",
				rows[i].space, picture->spaces[i].users,
				picture->spaces[i].count);
	room = TITLE_WIDTH - (len > FIGURES_WIDTH ? len - FIGURES_WIDTH : 0);
	printf("\n%3u. %-*s %s%s%s\n", step_nr, room, title, bold, figures,
	       plain);
}

static void
print_picture(const struct picture *picture)
{
	puts("\n     CPU  runs              root in CR3   borrows       "
	     "CR3 written");
	for (unsigned i = 0; i < nr_cpus; i++)
		printf("      %u   %-16s  %-12s  %-12s  %5llu\n", i,
		       picture->cpus[i].runs, picture->cpus[i].root,
		       picture->cpus[i].borrows,
		       (unsigned long long)picture->cpus[i].cr3_new);
	putchar('\n');
}

struct picture
step(const char *title, const struct expected *want, const char *why)
{
	struct picture picture;

	step_nr++;
	nr_steps++;
	settle(want, &picture);
	for (unsigned i = 0; i < nr_cpus; i++)
		picture.cpus[i].cr3_new = picture.cpus[i].cr3_writes -
					  last_picture.cpus[i].cr3_writes;
	last_picture = picture;
	print_title(title, &picture, want->rows);
	print_picture(&picture);
	if (!as_expected(&picture, want))
		fail_step(&picture, want);
	lodger_check_invariants(); /* a debug build's panic is loud enough */
	puts(why);
	fflush(stdout);
	return picture;
}

/* ---- Kernel threads and held tasks ------------------------------------ */

void
lodger_in(unsigned cpu)
{
	long error = lodger_guest(LODGER_GUEST_RUN, cpu);

	if (error != 0)
		printf("borrow: no guest on CPU %u: %s\n", cpu,
		       strerror(-error));
	check(error == 0, "the kernel thread did not come");
}

void
lodger_out(unsigned cpu)
{
	check(lodger_guest(LODGER_GUEST_LEAVE, cpu) == 0,
	      "the kernel thread did not leave");
}

void
hold_at(unsigned cpu, enum lodger_hold_point point)
{
	check(lodger_hold(cpu, point) == 0, "the kernel cannot hold a task");
}

void
let_go(unsigned cpu)
{
	lodger_hold(cpu, LODGER_HOLD_NONE);
}
