/* The files of /proc that are about the machine. Their formats: proc(5). */
#include <cpuid.h>
#include <string.h>

#include "user/servers/unix/load.h"
#include "user/servers/unix/proc.h"
#include "user/servers/unix/process.h"
#include "user/servers/unix/release.h"

enum { NS_PER_HUNDREDTH = 10000000 };

static int
write_machine_stat(struct text *text, int pid)
{
	u64 boot = (os_realtime() - os_now()) / 1000000000;
	struct os_machine m;
	u64 loads[3];
	unsigned running;

	(void)pid;
	os_machine(&m);
	load_averages(loads, &running);
	text_add(text, "cpu  %lu 0 0 %lu 0 0 0 0 0 0\n",
		 (unsigned long)(m.busy / NS_PER_TICK),
		 (unsigned long)(m.idle / NS_PER_TICK));
	for (unsigned cpu = 0; cpu < m.nr_cpus; cpu++)
		text_add(text, "cpu%u %lu 0 0 %lu 0 0 0 0 0 0\n", cpu,
			 (unsigned long)(m.busy / m.nr_cpus / NS_PER_TICK),
			 (unsigned long)(m.idle / m.nr_cpus / NS_PER_TICK));
	text_add(text, "intr 0\nctxt %lu\nbtime %lu\nprocesses %u\n",
		 (unsigned long)m.switches, (unsigned long)boot, m.nr_tasks);
	text_add(text, "procs_running %u\nprocs_blocked 0\n", running + 1);
	return 0;
}

static int
write_loadavg(struct text *text, int pid)
{
	u64 loads[3];
	unsigned running;
	struct os_machine m;
	int last = 0;
	struct process *process;

	(void)pid;
	os_machine(&m);
	load_averages(loads, &running);
	for_each_process(process)
		last = MAX(last, process->pid);
	for (int i = 0; i < 3; i++)
		text_add(text, "%lu.%02lu ", (unsigned long)loads[i] / LOAD_UNIT,
			 (unsigned long)(loads[i] % LOAD_UNIT * 100 /
					 LOAD_UNIT));
	text_add(text, "%u/%u %d\n", running + 1, m.nr_tasks, last);
	return 0;
}

static void
add_kilobytes(struct text *text, const char *name, u64 bytes)
{
	text_add(text, "%-15s %8lu kB\n", name, (unsigned long)(bytes / 1024));
}

static int
write_meminfo(struct text *text, int pid)
{
	struct os_machine m;
	u64 files = (root_fs.pages + dev_fs.pages) * PAGE_SIZE;

	(void)pid;
	os_machine(&m);
	add_kilobytes(text, "MemTotal:", m.memory);
	add_kilobytes(text, "MemFree:", m.memory_free);
	add_kilobytes(text, "MemAvailable:", m.memory_free);
	add_kilobytes(text, "Buffers:", 0);
	add_kilobytes(text, "Cached:", files);
	add_kilobytes(text, "SwapCached:", 0);
	add_kilobytes(text, "Active:", files);
	add_kilobytes(text, "Inactive:", 0);
	add_kilobytes(text, "SwapTotal:", 0);
	add_kilobytes(text, "SwapFree:", 0);
	add_kilobytes(text, "Dirty:", 0);
	add_kilobytes(text, "Writeback:", 0);
	add_kilobytes(text, "Shmem:", files);
	return 0;
}

static int
write_uptime(struct text *text, int pid)
{
	struct os_machine m;
	u64 up = os_now() / NS_PER_HUNDREDTH, idle;

	(void)pid;
	os_machine(&m);
	idle = m.idle / NS_PER_HUNDREDTH;
	text_add(text, "%lu.%02lu %lu.%02lu\n", (unsigned long)up / 100,
		 (unsigned long)up % 100, (unsigned long)idle / 100,
		 (unsigned long)idle % 100);
	return 0;
}

/* ---- cpuinfo -------------------------------------------------------- */

static void
read_cpu_names(char vendor[13], char brand[49])
{
	unsigned a, b, c, d;

	memset(vendor, 0, 13);
	memset(brand, 0, 49);
	if (__get_cpuid(0, &a, &b, &c, &d)) {
		memcpy(vendor, &b, 4);
		memcpy(vendor + 4, &d, 4);
		memcpy(vendor + 8, &c, 4);
	}
	for (unsigned i = 0; i < 3; i++) {
		unsigned words[4];

		if (!__get_cpuid(0x80000002 + i, &words[0], &words[1],
				 &words[2], &words[3]))
			return;
		memcpy(brand + i * 16, words, 16);
	}
}

static int
write_cpuinfo(struct text *text, int pid)
{
	struct os_machine m;
	char vendor[13], brand[49];

	(void)pid;
	os_machine(&m);
	read_cpu_names(vendor, brand);
	for (unsigned cpu = 0; cpu < m.nr_cpus; cpu++)
		text_add(text, "processor\t: %u\nvendor_id\t: %s\n"
			       "model name\t: %s\n\n", cpu, vendor, brand);
	return 0;
}

/* ---- The rest ------------------------------------------------------- */

static int
write_version(struct text *text, int pid)
{
	(void)pid;
	text_add(text, "Linux version %s (Lodger) %s\n", RELEASE, VERSION);
	return 0;
}

static int
write_filesystems(struct text *text, int pid)
{
	(void)pid;
	text_add(text, "nodev\ttmpfs\nnodev\tdevtmpfs\nnodev\tproc\n");
	return 0;
}

const struct proc_file proc_machine_files[] = {
	{ "cpuinfo", write_cpuinfo, 0444 },
	{ "filesystems", write_filesystems, 0444 },
	{ "loadavg", write_loadavg, 0444 },
	{ "meminfo", write_meminfo, 0444 },
	{ "stat", write_machine_stat, 0444 },
	{ "uptime", write_uptime, 0444 },
	{ "version", write_version, 0444 },
	{ 0 },
};
