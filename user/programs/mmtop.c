/*
 * A table that is refreshed: what each CPU runs and what it has loaded, and all
 * address spaces with their two counters. What has changed since the last time
 * is marked: in reverse on a terminal, by a star elsewhere.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "user/include/help.h"
#include "user/include/lodger.h"

enum { MAX_CPUS = 64, MAX_MMS = 256, FALLBACK_ROWS = 24, OTHER_ROWS = 6 };

static const char help[] =
	"mmtop [-d SECONDS] [-n TIMES]\n"
	"Shows CPUs and address spaces, again and again (default: every second, until\n"
	"q is pressed; without a terminal: once).\n"
	"\n"
	"CPU   task       what runs there; idle tasks and kernel threads have no mm\n"
	"      mm         the address space it lives in\n"
	"      loaded     whose root is in CR3\n"
	"      lazy       it borrows that one\n"
	"mm    U/C        who lives there / who holds a key; 0/n is a zombie\n"
	"      pages      of programs, mapped now\n"
	"      borrowers  CPUs that use it lazily\n"
	"What changed since the last table is shown in reverse, or has a star.\n";

struct sample {
	unsigned nr_cpus;
	long nr_mms;
	struct lodger_cpu_stat cpus[MAX_CPUS];
	int64_t cpu_mm[MAX_CPUS]; /* of its current task; -1: none */
	struct lodger_mm_stat mms[MAX_MMS];
	struct lodger_sys_stat sys;
};

static struct sample now, before;
static bool on_terminal, first = true;

/* ---- Looking ----------------------------------------------------------- */

static void
take_cpus(struct sample *s)
{
	s->nr_cpus = s->sys.nr_cpus < MAX_CPUS ? s->sys.nr_cpus : MAX_CPUS;
	for (unsigned i = 0; i < s->nr_cpus; i++) {
		struct lodger_task_stat task;

		lodger_cpu_stat(i, &s->cpus[i]);
		s->cpu_mm[i] = -1;
		if (s->cpus[i].current_tid > 0 &&
		    lodger_task_stat(s->cpus[i].current_tid, &task) == 0)
			s->cpu_mm[i] = task.mm;
	}
}

static void
take(struct sample *s)
{
	static uint64_t ids[MAX_MMS];
	long n = lodger_mm_list(ids, MAX_MMS);

	lodger_sys_stat(&s->sys);
	take_cpus(s);
	s->nr_mms = 0;
	for (long i = 0; i < n && i < MAX_MMS; i++)
		if (lodger_mm_stat(ids[i], &s->mms[s->nr_mms]) == 0)
			s->nr_mms++;
}

static const struct lodger_mm_stat *
find_mm(const struct sample *s, uint64_t id)
{
	for (long i = 0; i < s->nr_mms; i++)
		if (s->mms[i].id == id)
			return &s->mms[i];
	return NULL;
}

/* CPUs whose current task borrows @id, as "0,3". */
static void
borrowers(const struct sample *s, uint64_t id, char *text, size_t size)
{
	int len = 0;

	text[0] = 0;
	for (unsigned i = 0; i < s->nr_cpus && len < (int)size - 4; i++)
		if (s->cpus[i].lazy && s->cpus[i].active_mm == (int64_t)id)
			len += snprintf(text + len, size - len, "%s%u",
					len ? "," : "", i);
	if (len == 0)
		snprintf(text, size, "-");
}

/* ---- Showing ----------------------------------------------------------- */

/* @width columns, to the right (to the left: negative); marked if @changed. */
static void
field(int width, bool changed, const char *format, ...)
{
	char text[40];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	changed = changed && !first;
	if (on_terminal)
		printf("%s%*s%s ", changed ? "\033[7m" : "", width, text,
		       changed ? "\033[m" : "");
	else
		printf("%*s%c", width, text, changed ? '*' : ' ');
}

static void
id_field(int width, bool changed, int64_t id)
{
	if (id < 0)
		field(width, changed, "-");
	else
		field(width, changed, "%lld", (long long)id);
}

/* A row's end: what stood there before goes. */
static void
end_row(void)
{
	fputs(on_terminal ? "\033[K\n" : "\n", stdout);
}

static void
show_cpu(unsigned i)
{
	const struct lodger_cpu_stat *c = &now.cpus[i], *b = &before.cpus[i];

	field(3, false, "%u", i);
	field(-16, strcmp(c->current_name, b->current_name) != 0, "%s",
	      c->current_name);
	id_field(6, now.cpu_mm[i] != before.cpu_mm[i], now.cpu_mm[i]);
	id_field(7, c->loaded_mm != b->loaded_mm, c->loaded_mm);
	field(-5, c->lazy != b->lazy, c->lazy ? "lazy" : "");
	end_row();
}

static void
show_mm(const struct lodger_mm_stat *mm)
{
	static const struct lodger_mm_stat none;
	const struct lodger_mm_stat *b = find_mm(&before, mm->id);
	char who[24], who_before[24];
	bool fresh = !b;

	if (fresh)
		b = &none;
	borrowers(&now, mm->id, who, sizeof(who));
	borrowers(&before, mm->id, who_before, sizeof(who_before));
	field(6, fresh, "%llu", (unsigned long long)mm->id);
	field(-15, fresh, "%s", mm->name);
	field(7, fresh || mm->users != b->users || mm->count != b->count,
	      "%d/%d", mm->users, mm->count);
	field(7, fresh || mm->resident != b->resident, "%llu",
	      (unsigned long long)mm->resident);
	field(-12, strcmp(who, who_before) != 0, "%s", who);
	fputs(mm->torn_down ? "zombie" : "", stdout);
	end_row();
}

static void
show(int rows)
{
	long room = rows - OTHER_ROWS - (int)now.nr_cpus;

	if (on_terminal)
		fputs("\033[H", stdout);
	printf("up %.1f s, %llu tasks, %llu address spaces, %llu zombies, "
	       "%llu of %llu frames free",
	       now.sys.time_ns / 1e9, (unsigned long long)now.sys.nr_tasks,
	       (unsigned long long)now.sys.nr_mms,
	       (unsigned long long)now.sys.nr_zombie_mms,
	       (unsigned long long)now.sys.free_frames,
	       (unsigned long long)now.sys.total_frames);
	end_row();
	end_row();
	fputs("CPU task                 mm  loaded", stdout);
	end_row();
	for (unsigned i = 0; i < now.nr_cpus; i++)
		show_cpu(i);
	fputs("    mm name                U/C   pages borrowers", stdout);
	end_row();
	for (long i = 0; i < now.nr_mms && (!on_terminal || i < room); i++)
		show_mm(&now.mms[i]);
	if (on_terminal && now.nr_mms > room) {
		printf("and %ld more", now.nr_mms - (room > 0 ? room : 0));
		end_row();
	}
	if (on_terminal)
		fputs("\033[J", stdout);
	fflush(stdout);
}

/* ---- The terminal -------------------------------------------------------- */

static struct termios usual;

static void
restore_terminal(void)
{
	tcsetattr(0, TCSANOW, &usual);
	fputs("\033[?25h", stdout);
}

/* Keys come one by one, and are not shown. */
static void
open_terminal(void)
{
	struct termios raw;

	on_terminal = isatty(1) && tcgetattr(0, &usual) == 0;
	if (!on_terminal)
		return;
	raw = usual;
	raw.c_lflag &= ~(ICANON | ECHO);
	tcsetattr(0, TCSANOW, &raw);
	atexit(restore_terminal);
	fputs("\033[?25l\033[H\033[J", stdout);
}

static int
terminal_rows(void)
{
	struct winsize size;

	if (ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_row > 0)
		return size.ws_row;
	return FALLBACK_ROWS;
}

/* Waits; true: q was pressed. */
static bool
quit_pressed(double seconds)
{
	struct pollfd keys = { .fd = 0, .events = POLLIN };
	char key;

	if (!on_terminal) {
		usleep((useconds_t)(seconds * 1e6));
		return false;
	}
	return poll(&keys, 1, (int)(seconds * 1000)) > 0 &&
	       read(0, &key, 1) == 1 && (key == 'q' || key == 3);
}

static double
number_after(char **argv, int i)
{
	char *end;
	double number;

	if (!argv[i + 1])
		usage_error(argv[0], "%s wants a number", argv[i]);
	number = strtod(argv[i + 1], &end);
	if (*end || end == argv[i + 1] || number <= 0)
		usage_error(argv[0], "%s wants a number, not '%s'", argv[i],
			    argv[i + 1]);
	return number;
}

static void
read_options(char **argv, double *seconds, long *times)
{
	for (int i = 1; argv[i]; i += 2) {
		if (strcmp(argv[i], "-d") == 0)
			*seconds = number_after(argv, i);
		else if (strcmp(argv[i], "-n") == 0)
			*times = (long)number_after(argv, i);
		else
			usage_error(argv[0], "there is no '%s'", argv[i]);
	}
}

int
main(int argc, char **argv)
{
	double seconds = 1;
	long times = 0;

	help_option(argc, argv, help);
	read_options(argv, &seconds, &times);
	lodger_or_skip();
	open_terminal();
	if (times <= 0 && !on_terminal)
		times = 1;
	for (long i = 0; times == 0 || i < times; i++) {
		if (i > 0 && quit_pressed(seconds))
			break;
		take(&now);
		show(terminal_rows());
		before = now;
		first = false;
	}
	return 0;
}
