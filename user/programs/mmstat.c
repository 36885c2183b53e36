/*
 * All address spaces: their counters as U/C, what is mapped in them, and who
 * borrows them. `0/n` is a zombie: nobody lives there any more, and somebody
 * still stands on its root.
 */
#include <stdio.h>
#include <stdlib.h>

#include "user/include/help.h"
#include "user/include/lodger.h"

enum { MAX_MMS = 1024 };

static const char help[] =
	"mmstat: all address spaces, once (mmtop: again and again)\n"
	"\n"
	"U/C        users, who live there / count, who hold a key; 0/n is a zombie\n"
	"pages      of programs, mapped now; tables: page tables, without the root\n"
	"regions    ranges that are mapped, and how large they are together\n"
	"lazy CPUs  whose task has no address space, and borrows this one\n";

static uint64_t ids[MAX_MMS];

/* The CPUs whose current task borrows @id, as "0,3"; "-" when there is none. */
static void
borrowers(uint64_t id, unsigned nr_cpus, char *text, size_t size)
{
	struct lodger_cpu_stat cpu;
	int len = 0;

	for (unsigned i = 0; i < nr_cpus && len < (int)size - 4; i++)
		if (lodger_cpu_stat(i, &cpu) == 0 && cpu.lazy &&
		    cpu.active_mm == (int64_t)id)
			len += snprintf(text + len, size - len, "%s%u",
					len ? "," : "", i);
	if (len == 0)
		snprintf(text, size, "-");
}

static void
show(const struct lodger_mm_stat *mm, unsigned nr_cpus)
{
	char counters[24], lazy[16];

	snprintf(counters, sizeof(counters), "%d/%d", mm->users, mm->count);
	borrowers(mm->id, nr_cpus, lazy, sizeof(lazy));
	printf("%6llu  %-15s %7s  %7llu %6llu %7llu %9llu  %s%s\n",
	       (unsigned long long)mm->id, mm->name, counters,
	       (unsigned long long)mm->resident, (unsigned long long)mm->tables,
	       (unsigned long long)mm->regions,
	       (unsigned long long)mm->mapped_bytes / 1024, lazy,
	       mm->torn_down ? "  zombie" : "");
}

int
main(int argc, char **argv)
{
	struct lodger_sys_stat sys;
	struct lodger_mm_stat mm;
	long n;

	only_help_option(argc, argv, help);
	lodger_or_skip();
	lodger_sys_stat(&sys);
	n = lodger_mm_list(ids, MAX_MMS);
	puts("    id  name                U/C    pages tables regions"
	     " mapped KB  lazy CPUs");
	for (long i = 0; i < n && i < MAX_MMS; i++)
		if (lodger_mm_stat(ids[i], &mm) == 0)
			show(&mm, sys.nr_cpus);
	if (n > MAX_MMS)
		printf("and %ld more\n", n - MAX_MMS);
	printf("%llu address spaces, %llu zombies; %llu of %llu frames free\n",
	       (unsigned long long)sys.nr_mms,
	       (unsigned long long)sys.nr_zombie_mms,
	       (unsigned long long)sys.free_frames,
	       (unsigned long long)sys.total_frames);
	return 0;
}
