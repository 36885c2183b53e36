/* Lodger's own system calls: looking at the kernel, and the remote controls
 * of the demonstration. */
#include "kernel/native.h"

#include "kernel/abi.h"
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/guest.h"
#include "kernel/invariants.h"
#include "kernel/ipc/endpoint.h"
#include "kernel/ipc/handle.h"
#include "kernel/ipc/inherit.h"
#include "kernel/ipc/mm_handle.h"
#include "kernel/ipc/notification.h"
#include "kernel/objects/console.h"
#include "kernel/objects/interrupt.h"
#include "kernel/objects/memory.h"
#include "kernel/objects/process_object.h"
#include "kernel/objects/resource.h"
#include "kernel/objects/space.h"
#include "kernel/personality.h"
#include "kernel/signal.h"
#include "kernel/time.h"
#include "kernel/trace.h"
#include "kernel/verdict.h"
#include "kernel/workers.h"
#include "mm/fail.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "sched/hotplug.h"
#include "sched/reaper.h"

/* ---- Lists ------------------------------------------------------------- */

/* Room for what a walk under a spin lock finds. */
struct collection {
	u64 *items;
	unsigned used, size;
};

static void
collect(struct collection *list, u64 item)
{
	if (list->used < list->size)
		list->items[list->used] = item;
	list->used++;
}

static bool
collect_mm(struct mm *mm, void *list)
{
	collect(list, mm->id);
	return true;
}

/* Walks with @walk until the room suffices: it is made beforehand, since the
 * walk holds a lock. The items are the caller's to free. */
static int
gather(struct collection *list, void (*walk)(struct collection *))
{
	for (unsigned size = 64;; size = list->used + 16) {
		list->items = kmalloc(size * sizeof(u64));
		if (!list->items)
			return -ENOMEM;
		list->size = size;
		list->used = 0;
		walk(list);
		if (list->used <= size)
			return 0;
		kfree(list->items);
	}
}

static void
walk_mms(struct collection *list)
{
	mm_for_each(collect_mm, list);
}

static long
native_mm_list(uaddr_t ids, size_t n)
{
	struct collection list;
	int err = gather(&list, walk_mms);

	if (err)
		return err;
	err = copy_to_user(ids, list.items,
			   MIN(n, list.used) * sizeof(u64));
	kfree(list.items);
	return err ? err : (long)list.used;
}

/* The id of the live mm at @mm; -1: none, or freed meanwhile. */
struct mm_search {
	const struct mm *mm;
	s64 id;
};

static bool
match_mm(struct mm *mm, void *arg)
{
	struct mm_search *search = arg;

	if (mm == search->mm)
		search->id = (s64)mm->id;
	return search->id < 0;
}

static s64
id_of_mm(const struct mm *mm)
{
	struct mm_search search = { mm, -1 };

	if (mm)
		mm_for_each(match_mm, &search);
	return search.id;
}

/* ---- Tasks ------------------------------------------------------------ */

static u8
state_letter(const struct task *task)
{
	static const char letters[] = "NRSD";

	return (u8)(task->stopped ? 'T' : letters[task->state]);
}

static void
fill_process_stat(const struct process *process, struct lodger_task_stat *stat)
{
	stat->pid = process->pid;
	stat->ppid = process->parent ? process->parent->pid : 0;
	stat->pgid = process->pgid;
	stat->sid = process->sid;
	stat->nr_threads = process->nr_threads;
	stat->sig_pending |= process->pending.signals;
	for (int signal = 1; signal <= NR_SIGNALS; signal++) {
		uaddr_t handler = action_of(process, signal)->handler;

		if (handler == SIG_IGN)
			stat->sig_ignored |= SIGNAL_BIT(signal);
		else if (handler != SIG_DFL)
			stat->sig_caught |= SIGNAL_BIT(signal);
	}
}

static void
fill_task_stat(const struct task *task, struct lodger_task_stat *stat)
{
	stat->tid = task->tid;
	stat->cpu = (int)task->cpu;
	stat->prio = task->prio;
	stat->state = state_letter(task);
	stat->is_kthread = task->is_kthread;
	stat->on_cpu = task->on_cpu;
	stat->mm = id_of_mm(task->mm);
	stat->active_mm = id_of_mm(task->active_mm);
	stat->affinity = task->affinity & online_cpus();
	stat->switches = task->switches;
	stat->cpu_time_ns = task->ticks * TICK_NS;
	stat->start_ns = task->start_ns;
	stat->sig_blocked = task->sigmask;
	stat->sig_pending = task->pending.signals;
	strscpy(stat->name, task->name, sizeof(stat->name));
	if (task->process)
		fill_process_stat(task->process, stat);
}

static void
fill_zombie_stat(const struct process *process, struct lodger_task_stat *stat)
{
	stat->tid = process->pid;
	stat->state = 'Z';
	stat->mm = stat->active_mm = -1;
	stat->cpu_time_ns = process->ticks * TICK_NS;
	strscpy(stat->name, process->name, sizeof(stat->name));
	fill_process_stat(process, stat);
}

static int
find_task_stat(tid_t tid, struct lodger_task_stat *stat)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct task *task = tid ? find_task(tid) : current;
	struct process *process = find_process(tid);

	memset(stat, 0, sizeof(*stat));
	if (task)
		fill_task_stat(task, stat);
	else if (process)
		fill_zombie_stat(process, stat);
	spin_unlock_irqrestore(&pid_lock, flags);
	return task || process ? 0 : -ESRCH;
}

static long
native_task_stat(int tid, uaddr_t buf)
{
	struct lodger_task_stat stat;
	int err = find_task_stat(tid, &stat);

	return err ? err : copy_to_user(buf, &stat, sizeof(stat));
}

/* Dead tasks have lost their ids; idle ones never had any. */
static bool
collect_task(struct task *task, void *list)
{
	if (task->tid > 0 && task->state != TASK_DEAD)
		collect(list, (u64)task->tid);
	return true;
}

/* Those that have ended, and those of which other threads go on. */
static void
collect_leaderless(struct collection *list)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct process *process;

	list_for_each(process, &processes, all_link) {
		if (!find_task(process->pid))
			collect(list, (u64)process->pid);
	}
	spin_unlock_irqrestore(&pid_lock, flags);
}

static void
walk_tasks(struct collection *list)
{
	task_for_each(collect_task, list);
	collect_leaderless(list);
}

/* Ids are given out in ascending order, but for the wrap: nearly sorted. */
static void
sort(u64 *items, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		u64 item = items[i];
		unsigned j = i;

		for (; j > 0 && items[j - 1] > item; j--)
			items[j] = items[j - 1];
		items[j] = item;
	}
}

static long
native_task_list(uaddr_t tids, size_t n)
{
	struct collection list;
	int err = gather(&list, walk_tasks);

	if (err)
		return err;
	sort(list.items, list.used);
	for (unsigned i = 0; i < MIN(n, list.used) && !err; i++)
		err = put_user_u32(tids + i * sizeof(u32), (u32)list.items[i]);
	kfree(list.items);
	return err ? err : (long)list.used;
}

static long
native_set_priority(int tid, unsigned prio)
{
	irq_flags_t flags;
	struct task *task;

	if (prio < LODGER_PRIO_FIRST || prio > LODGER_PRIO_LAST)
		return -EINVAL;
	flags = spin_lock_irqsave(&pid_lock);
	task = tid ? find_task(tid) : current;
	if (task && task->process != current->process)
		task = NULL;
	if (task)
		ipc_set_priority(task, (u8)prio);
	spin_unlock_irqrestore(&pid_lock, flags);
	return task ? 0 : -ESRCH;
}

/* ---- CPUs and the whole ----------------------------------------------- */

struct task_search {
	const struct cpu *cpu;
	struct lodger_cpu_stat *stat;
	const struct mm *active_mm;
};

/* The CPU's current task, if it is still that when we come to it; the list's
 * lock keeps it from being freed. */
static bool
match_current(struct task *task, void *arg)
{
	struct task_search *search = arg;

	if (task != READ_ONCE(search->cpu->curr))
		return true;
	search->stat->current_tid = task->tid;
	search->active_mm = task->active_mm;
	strscpy(search->stat->current_name, task->name,
		sizeof(search->stat->current_name));
	return false;
}

static long
native_cpu_stat(unsigned id, uaddr_t buf)
{
	struct lodger_cpu_stat stat;
	struct task_search search;
	struct cpu *cpu;

	if (id >= nr_cpus)
		return -EINVAL;
	cpu = cpu_by_id(id);
	memset(&stat, 0, sizeof(stat));
	search = (struct task_search){ cpu, &stat, NULL };
	task_for_each(match_current, &search);
	stat.online = cpu->online;
	stat.held_at = held_at(id);
	stat.lazy = cpu->lazy;
	stat.loaded_mm = id_of_mm(READ_ONCE(cpu->loaded));
	stat.active_mm = id_of_mm(search.active_mm);
	stat.prev_mm = id_of_mm(READ_ONCE(cpu->prev_mm));
	stat.seen_gen = cpu->seen_gen;
	memcpy(stat.counts, cpu->counts, sizeof(stat.counts));
	return copy_to_user(buf, &stat, sizeof(stat));
}

static bool
count_zombie(struct mm *mm, void *count)
{
	*(u64 *)count += mm_users(mm) == 0;
	return true;
}

static long
native_sys_stat(uaddr_t buf)
{
	struct lodger_sys_stat stat = {
		.nr_cpus = nr_cpus,
#ifdef CONFIG_DEBUG
		.debug = 1,
#endif
		.total_frames = nr_total_pages(),
		.free_frames = nr_free_pages(),
		.nr_mms = nr_mms(),
		.nr_tasks = nr_tasks() - nr_cpus,
		.time_ns = arch_time_ns(),
		.user_frames = nr_class_pages(ALLOC_USER),
		.table_frames = nr_class_pages(ALLOC_TABLE),
	};

	mm_for_each(count_zombie, &stat.nr_zombie_mms);
	return copy_to_user(buf, &stat, sizeof(stat));
}

/* ---- Log, trace, end -------------------------------------------------- */

enum { KLOG_MAX = 4096, KLOG_CHUNK = 256 };

static long
native_klog_write(uaddr_t text, size_t len)
{
	char chunk[KLOG_CHUNK];

	len = MIN(len, (size_t)KLOG_MAX);
	for (size_t done = 0; done < len; done += sizeof(chunk)) {
		size_t part = MIN(len - done, sizeof(chunk));

		if (copy_from_user(chunk, text + done, part))
			return -EFAULT;
		console_write(chunk, part);
	}
	return (long)len;
}

static long
native_trace_control(int op, u64 arg)
{
	switch (op) {
	case LODGER_TRACE_OFF:
	case LODGER_TRACE_ON:
		trace_enable(op == LODGER_TRACE_ON);
		return 0;
	case LODGER_TRACE_DUMP:
		trace_dump((unsigned)MIN(arg, 1ul << 20));
		return 0;
	case LODGER_TRACE_MARK:
		trace(TRACE_USER, current->mm, arg, CALLER);
		return 0;
	default:
		return -EINVAL;
	}
}

static long
native_cpu_online(unsigned cpu, int online)
{
	return online ? cpu_online(cpu) : cpu_offline(cpu);
}

static long
native_verdict(u32 ports, int code)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	int err = may_write_ports(ports, arch_exit_port(), 1);

	spin_unlock_irqrestore(&ipc_lock, flags);
	if (err)
		return err;
	end_with(code == 0 ? VERDICT_PASS : VERDICT_FAIL);
}

static void
report_cache(const char *name, size_t size, u64 in_use, u64 pages)
{
	if (in_use || pages)
		pr_debug("  cache %s: %lu objects of %lu bytes, %lu frames",
			 name, in_use, size, pages);
}

/* With loglevel=debug, where the frames are that are not free. */
static void
report_memory(void)
{
	pr_debug("frames: %lu free, %lu user, %lu table, %lu slab, %lu stack, "
		 "%lu kernel", nr_free_pages(), nr_class_pages(ALLOC_USER),
		 nr_class_pages(ALLOC_TABLE), nr_class_pages(ALLOC_SLAB),
		 nr_class_pages(ALLOC_STACK), nr_class_pages(ALLOC_KERNEL));
	kmem_cache_for_each(report_cache);
}

static long
native_quiesce(void)
{
	u64 free;

	if (guests_about())
		return -EBUSY;
	free = quiesce();
	report_memory();
	return (long)free;
}

/* ---- The table -------------------------------------------------------- */

#define CALL(name) \
	[LODGER_##name - LODGER_klog_write] = \
		(native_t)(void (*)(void))native_##name

#define native_guest	    guest_control
#define native_hold	    hold_control
#define native_kthread_ping kthread_ping

static const native_t native_calls[LODGER_CALL_END - LODGER_klog_write] = {
	CALL(klog_write),   CALL(mm_stat),	 CALL(mm_list),
	CALL(task_stat),    CALL(task_list),	 CALL(cpu_stat),
	CALL(sys_stat),	    CALL(trace_control), CALL(fail),
	CALL(fail_happened), CALL(check_invariants), CALL(quiesce),
	CALL(verdict),	    CALL(guest),	 CALL(hold),
	CALL(kthread_ping), CALL(handle_duplicate), CALL(handle_close),
	CALL(handle_stat),  CALL(handle_give),	 CALL(endpoint_create),
	CALL(notification_create), CALL(signal), CALL(bind), CALL(set_priority),
	CALL(mm_open),	    CALL(mm_create),	 CALL(mm_read),
	CALL(mm_write),	    CALL(mm_map),	 CALL(mm_unmap),
	CALL(mm_protect),   CALL(mm_info),	 CALL(mm_exec),
	CALL(resource_narrow), CALL(memory_create), CALL(memory_map),
	CALL(memory_info),  CALL(port_in),	 CALL(port_out),
	CALL(ring_from_port), CALL(ring_to_port), CALL(interrupt_bind),
	CALL(interrupt_ack), CALL(process_create), CALL(process_give),
	CALL(process_start), CALL(process_signal), CALL(process_watch),
	CALL(process_info), CALL(mm_heap),	 CALL(mm_regions),
	CALL(boot_option),  CALL(console_release), CALL(klog_read),
	CALL(framebuffer_info), CALL(personality_set),
	CALL(personality_signal), CALL(cpu_online),
};

native_t
native_call(u64 number)
{
	if (number < LODGER_klog_write || number >= LODGER_CALL_END)
		return NULL;
	return native_calls[number - LODGER_klog_write];
}
