/*
 * From the first line of portable C to the first program. kmain() is the
 * table of contents.
 */
#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "kernel/base/errno.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/base/yield.h"
#include "kernel/boot_info.h"
#include "kernel/cmdline.h"
#include "kernel/first.h"
#include "kernel/guest.h"
#include "kernel/invariants.h"
#include "kernel/objects/console.h"
#include "kernel/objects/resource.h"
#include "kernel/process.h"
#include "kernel/test.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "kernel/verdict.h"
#include "kernel/workers.h"
#include "mm/boot_mem.h"
#include "mm/kstack.h"
#include "mm/mm.h"
#include "mm/shared.h"
#include "mm/slab.h"
#include "sched/kthread.h"

enum { KEEP_LOOK_NS = 100000000 }; /* between two looks for orphans */

static int init_main(void *unused);

/* ---- Before there are tasks ------------------------------------------- */

static void
banner(const struct boot_info *boot)
{
	pr_info("Lodger, a teaching microkernel that lends address spaces");
	pr_info("booted by %s, options \"%s\"", boot->loader, boot->cmdline);
}

static void
ledger_start(void)
{
	size_t size = ledger_size(boot_mem_total());

	if (size)
		ledger_boot(boot_alloc(size, 64), size);
}

static void
memory_init(const struct boot_info *boot)
{
	boot_mem_init(boot);
	arch_map_kernel(boot);
	boot_mem_open();
	ledger_start();
	frames_init();
	slab_init();
	kstack_init();
	pr_info("memory: %lu MiB, %lu frames free", boot_mem_total() >> 20,
		nr_free_pages());
}

/* What the loader brought is the first program's affair, if it is memory. */
static void
module_check(struct boot_info *boot)
{
	size_t size = boot->initrd_end - boot->initrd;

	if (size == 0 || boot_mem_usable(boot->initrd, size))
		return;
	pr_err("boot module ignored: 0x%lx to 0x%lx is not usable memory",
	       boot->initrd, boot->initrd_end);
	boot->initrd = boot->initrd_end = 0;
}

static void
start_cpus(void)
{
	arch_start_cpus((unsigned)cmdline_u64("cpus", MAX_CPUS),
			(int)cmdline_u64("skipcpu", (u64)-1));
	/* They have answered; now until they can take tasks. */
	while (count_bits(online_cpus()) < nr_cpus)
		arch_cpu_relax();
	pr_info("%u CPU%s online", nr_cpus, nr_cpus == 1 ? "" : "s");
}

void
kmain(struct boot_info *boot)
{
	banner(boot);
	cmdline_parse(boot->cmdline);	/* boot options */
	if (cmdline_flag("trace"))
		trace_enable(true);	/* in release builds too */
	memory_init(boot);		/* frames, slabs, final page tables */
	mm_init();			/* init_mm, the address space cache */
	regions_init();			/* regions and shared pages */
	arch_task_cache_init();		/* FPU areas */
	sched_init();			/* this stack becomes the idle task */
	process_init();			/* processes and ids */
	futex_init();			/* sleeping on user words */
	guest_init();			/* the demonstration's controls */
	trace_init_cpu();		/* what each CPU does, from here on */
	module_check(boot);		/* the programs */
	resources_init(boot);		/* what drivers may be given */
	framebuffer_keep(boot);		/* what the screen's one is told */
	start_cpus();			/* all the others */
	arch_irq_enable();
	if (!kthread_run(init_main, NULL, "init"))
		panic("no memory for the first thread: boot with more memory");
	idle_loop();
}

void
secondary_main(void)
{
	sched_init_secondary();
	trace_init_cpu();
	idle_loop();
}

/* ---- Process 1 -------------------------------------------------------- */

/* Gives @task, and a process of which it is the first thread, an id. */
static struct process *
make_process(struct task *task, const char *name, struct process *parent)
{
	struct process *process = process_alloc(name);
	irq_flags_t flags;

	if (!process)
		panic("no memory for the first processes: boot with more "
		      "memory");
	flags = spin_lock_irqsave(&pid_lock);
	process->pid = task->tid = alloc_tid();
	process_attach(process, parent);
	thread_attach(task, process);
	spin_unlock_irqrestore(&pid_lock, flags);
	return process;
}

/* init is a kernel thread with a process of its own: the parent of the first
 * program and of all orphans. */
static void
become_init(void)
{
	init_process = make_process(current, "init", NULL);
	ASSERT(init_process->pid == 1);
}

/* A kernel thread that becomes a program: returning from here enters it. */
static void
program_main(void *err)
{
	*(int *)err = become_first_program();
	if (*(int *)err)
		do_exit(127 << 8);
}

static struct task *
spawn(int *err)
{
	struct task *task = task_alloc("first");

	if (!task)
		panic("no memory for the first program: boot with more memory");
	task->is_kthread = true;
	arch_task_init(task, program_main, err, NULL);
	make_process(task, "first", init_process);
	return task;
}

/* Runs the first program and collects orphans until it ends. */
static enum verdict
run_first_program(void)
{
	int status, err = 0;
	struct task *task = spawn(&err);
	tid_t pid = task->tid;

	wake_up_new_task(task);
	while (kernel_wait(&status) != pid)
		; /* an orphan's end */
	if (err)
		pr_err("the first program cannot be started: error %d", -err);
	else if (status & 0x7f)
		pr_err("the first program was killed by signal %d",
		       status & 0x7f);
	return status ? VERDICT_FAIL : VERDICT_PASS;
}

void
end_with(enum verdict verdict)
{
	guests_end(); /* they would keep their CPUs from coming to rest */
	quiesce();
	check_invariants();
	log_take_back();
	if (cmdline_flag("trace"))
		trace_dump(TRACE_RING_RECORDS);
	/* At the level that no setting hides: tools wait for it. */
	printk(LOG_ERROR, "lodger: verdict %s",
	       verdict == VERDICT_PASS ? "PASS" : "FAIL");
	arch_exit(verdict);
}

/* Orphans go on ending; with no child left there is nothing to wait for. */
static void __noreturn
collect_for_ever(void)
{
	int status;

	for (;;) {
		if (kernel_wait(&status) > 0)
			continue;
		sleep_ns(KEEP_LOOK_NS);
	}
}

static int
init_main(void *unused)
{
	const char *tests = cmdline_get("test");
	enum verdict verdict;

	(void)unused;
	become_init();
	yield_init(cmdline_u64("seed", 0));
	workers_start();
	invariants_start();
	verdict = tests ? run_tests(tests) : run_first_program();
	if (cmdline_flag("keep")) {
		pr_info("keep: the first program has ended; Ctrl-A X leaves QEMU");
		collect_for_ever();
	}
	end_with(verdict);
}
