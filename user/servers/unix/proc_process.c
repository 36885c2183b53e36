/* The files of /proc/PID. Their formats: proc(5). */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "user/servers/unix/proc.h"
#include "user/servers/unix/process.h"
#include "user/servers/unix/tty.h"

enum { CONSOLE_DEVICE = 5 << 8 | 1 };

static const char *
name_of(const struct os_task *task)
{
	struct process *process = process_find(task->pid);

	return process && process->name[0] ? process->name : task->name;
}

static char
state_of(const struct os_task *task)
{
	return task->pid == proc_reader ? 'R' : task->state;
}

/* A process, and its address space: all zero if it has none. -ESRCH. */
static int
look_at(int pid, struct os_task *task, struct os_mm *mm)
{
	if (os_task(pid, task))
		return -ESRCH;
	if (task->mm == OS_NO_MM || os_mm(task->mm, mm))
		*mm = (struct os_mm){ 0 };
	return 0;
}

/* ---- stat, statm, status -------------------------------------------- */

/* Fields 4 to 8: who it belongs to. */
static void
add_family(struct text *text, const struct os_task *task)
{
	bool has_tty = task->sid && task->sid == console_tty.session;

	text_add(text, "%d %d %d %d %d ", task->ppid, task->pgid, task->sid,
		 has_tty ? CONSOLE_DEVICE : 0,
		 has_tty ? console_tty.group : -1);
}

static int
write_process_stat(struct text *text, int pid)
{
	struct process *process = process_find(pid);
	struct os_task task;
	struct os_mm mm;

	if (look_at(pid, &task, &mm))
		return -ESRCH;
	text_add(text, "%d (%s) %c ", task.pid, name_of(&task),
		 state_of(&task));
	add_family(text, &task);
	/* flags, faults, times, priority, nice, threads, itreal, start */
	text_add(text, "%d 0 0 0 0 %lu 0 %lu 0 20 0 %u 0 %lu ",
		 task.is_kthread ? 0x200000 : 0x400000,
		 (unsigned long)(task.cpu_time / NS_PER_TICK),
		 (unsigned long)(process ? process->children_time / NS_PER_TICK
					 : 0),
		 task.nr_threads, (unsigned long)(task.start / NS_PER_TICK));
	/* sizes, rss limit, five addresses, signals, waiting, swap, the rest */
	text_add(text, "%lu %lu 18446744073709551615 0 0 0 0 0 ",
		 (unsigned long)mm.mapped,
		 (unsigned long)(mm.resident / PAGE_SIZE));
	text_add(text, "%lu %lu %lu %lu ",
		 (unsigned long)(task.sig_pending & 0x7fffffff),
		 (unsigned long)(task.sig_blocked & 0x7fffffff),
		 (unsigned long)(task.sig_ignored & 0x7fffffff),
		 (unsigned long)(task.sig_caught & 0x7fffffff));
	text_add(text, "0 0 0 17 %d 0 0 0 0 0 0 0 0 0 0 0 0 0\n", task.cpu);
	return 0;
}

static int
write_statm(struct text *text, int pid)
{
	struct os_task task;
	struct os_mm mm;

	if (look_at(pid, &task, &mm))
		return -ESRCH;
	text_add(text, "%lu %lu 0 0 0 %lu 0\n",
		 (unsigned long)(mm.mapped / PAGE_SIZE),
		 (unsigned long)(mm.resident / PAGE_SIZE),
		 (unsigned long)(mm.mapped / PAGE_SIZE));
	return 0;
}

static const char *
state_name(char state)
{
	switch (state) {
	case 'R':
		return "running";
	case 'T':
		return "stopped";
	case 'Z':
		return "zombie";
	default:
		return "sleeping";
	}
}

static void
add_signals(struct text *text, const struct os_task *task)
{
	text_add(text, "SigPnd:\t%016lx\nSigBlk:\t%016lx\n",
		 (unsigned long)task->sig_pending,
		 (unsigned long)task->sig_blocked);
	text_add(text, "SigIgn:\t%016lx\nSigCgt:\t%016lx\n",
		 (unsigned long)task->sig_ignored,
		 (unsigned long)task->sig_caught);
}

static int
write_status(struct text *text, int pid)
{
	struct process *process = process_find(pid);
	struct os_task task;
	struct os_mm mm;

	if (look_at(pid, &task, &mm))
		return -ESRCH;
	text_add(text, "Name:\t%s\n", name_of(&task));
	if (process)
		text_add(text, "Umask:\t%04o\n", process->place->umask);
	text_add(text, "State:\t%c (%s)\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\n",
		 state_of(&task), state_name(state_of(&task)), task.pid,
		 task.pid, task.ppid);
	text_add(text, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
	if (task.mm != OS_NO_MM)
		text_add(text, "VmSize:\t%8lu kB\nVmRSS:\t%8lu kB\n",
			 (unsigned long)(mm.mapped / 1024),
			 (unsigned long)(mm.resident / 1024));
	text_add(text, "Threads:\t%u\n", task.nr_threads);
	add_signals(text, &task);
	return 0;
}

/* ---- cmdline, comm -------------------------------------------------- */

static int
write_cmdline(struct text *text, int pid)
{
	struct process *process = process_find(pid);

	if (process && process->cmdline)
		text_add_bytes(text, process->cmdline, process->cmdline_len);
	return 0;
}

static int
write_comm(struct text *text, int pid)
{
	struct os_task task;

	if (os_task(pid, &task))
		return -ESRCH;
	text_add(text, "%s\n", name_of(&task));
	return 0;
}

/* ---- maps, mm ------------------------------------------------------- */

enum { REGIONS_MAX = 1024 };

static const char *
region_name(const struct os_region *region)
{
	if (region->what == OS_HEAP)
		return "                          [heap]";
	return region->what == OS_STACK ? "                          [stack]"
					: "";
}

static int
write_maps(struct text *text, int pid)
{
	static struct os_region regions[REGIONS_MAX];
	struct os_task task;
	long n;

	if (os_task(pid, &task))
		return -ESRCH;
	if (task.mm == OS_NO_MM)
		return 0;
	n = os_regions(task.mm, regions, REGIONS_MAX);
	for (long i = 0; i < MIN(n, (long)REGIONS_MAX); i++) {
		const struct os_region *r = &regions[i];

		text_add(text, "%08lx-%08lx %c%c%cp 00000000 00:00 0 %s\n",
			 (unsigned long)r->start, (unsigned long)r->end,
			 r->prot & PROT_READ ? 'r' : '-',
			 r->prot & PROT_WRITE ? 'w' : '-',
			 r->prot & PROT_EXEC ? 'x' : '-', region_name(r));
	}
	return 0;
}

/* Lodger's own: the two counters of the address space. */
static int
write_mm(struct text *text, int pid)
{
	struct os_task task;
	struct os_mm mm;

	if (look_at(pid, &task, &mm))
		return -ESRCH;
	if (!mm.count)
		return 0;
	text_add(text, "id:       %lu\nusers:    %d\ncount:    %d\n",
		 (unsigned long)task.mm, mm.users, mm.count);
	text_add(text, "mapped:   %lu kB\nresident: %lu kB\n",
		 (unsigned long)(mm.mapped / 1024),
		 (unsigned long)(mm.resident / 1024));
	return 0;
}

/* ---- mounts --------------------------------------------------------- */

static int
write_mounts(struct text *text, int pid)
{
	const struct filesystem *all[] = { &root_fs, &dev_fs, &proc_fs };

	(void)pid;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		text_add(text, "%s %s %s rw,relatime 0 0\n", all[i]->name,
			 all[i]->where, all[i]->name);
	return 0;
}

const struct proc_file proc_process_files[] = {
	{ "cmdline", write_cmdline, 0444 },
	{ "comm", write_comm, 0444 },
	{ "maps", write_maps, 0444 },
	{ "mm", write_mm, 0444 },
	{ "mounts", write_mounts, 0444 },
	{ "stat", write_process_stat, 0444 },
	{ "statm", write_statm, 0444 },
	{ "status", write_status, 0444 },
	{ 0 },
};
