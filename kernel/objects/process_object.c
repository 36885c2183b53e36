/*
 * See kernel/objects/process_object.h. A process that was built from outside
 * is known, and has its first thread, from process_create() on; the thread is
 * new until process_start() wakes it. Should the last handle close before that,
 * everything is taken back, as if fork had failed.
 */
#include "kernel/objects/process_object.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/ipc/mm_handle.h"
#include "kernel/ipc/notification.h"
#include "kernel/personality.h"
#include "kernel/signal.h"
#include "kernel/trace.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "sched/reaper.h"

struct process_object {
	struct object object;
	/* under pid_lock */
	struct process *process;   /* NULL: has ended */
	struct task *first;	   /* its thread, until it begins; or NULL */
	struct lodger_process_info info;
	/* under ipc_lock */
	struct signaller watcher;
};

static struct process_object *
to_process(struct object *object)
{
	return container_of(object, struct process_object, object);
}

/* ---- Going -------------------------------------------------------------- */

static void
process_release(struct object *object)
{
	struct process_object *me = to_process(object);
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct process *process = me->process;
	struct task *first = me->first;

	if (process)
		process->object = NULL;
	spin_unlock_irqrestore(&pid_lock, flags);
	transition_begin();
	if (first)
		undo_clone(first); /* it has never begun */
	signaller_free(signaller_unbind(&me->watcher));
	transition_end();
	kfree(me);
}

const struct object_ops process_ops = {
	.type = LODGER_PROCESS,
	.release = process_release,
};

struct notification *
process_watcher(struct object *object)
{
	return to_process(object)->watcher.notification;
}

void
process_object_ended(struct process_object *me, int status)
{
	me->process = NULL;
	me->info.state = LODGER_PROCESS_ENDED;
	me->info.status = status;
	spin_lock(&ipc_lock);
	signaller_raise(&me->watcher);
	spin_unlock(&ipc_lock);
}

/* ---- Coming ------------------------------------------------------------- */

enum {
	PROCESS_RIGHTS = LODGER_RIGHT_CONTROL | LODGER_RIGHT_STAT |
			 LODGER_RIGHT_DUPLICATE | LODGER_RIGHT_TRANSFER,
};

/* All that a new process needs, before anybody knows of it. */
struct birth {
	struct process_object *object;
	struct process *process;
	struct task *task;
	long number;	/* the handle's slot */
	struct object *used_up;
};

static void
abandon(struct birth *birth)
{
	if (birth->number > 0)
		handle_unreserve(current->process, (u32)birth->number);
	if (birth->task)
		task_free(birth->task);
	if (birth->process) {
		personality_forget(birth->process);
		process_free(birth->process);
	}
	kfree(birth->object);
}

static int
prepare(struct birth *birth, const char *name)
{
	int err = -ENOMEM;

	memset(birth, 0, sizeof(*birth));
	birth->object = kzalloc(sizeof(*birth->object));
	birth->process = process_alloc(name);
	birth->task = task_alloc(name);
	if (birth->object && birth->process && birth->task)
		err = arch_task_make_user(birth->task);
	if (!err) {
		birth->number = handle_reserve(current->process);
		err = (int)MIN(birth->number, 0);
	}
	if (err)
		abandon(birth);
	return err;
}

/* The address space moves from the building handle to the task. pid_lock and
 * ipc_lock held; from here on nothing fails. */
static int
take_over(struct birth *birth, u32 building)
{
	struct task *task = birth->task;
	struct mm *mm = mm_take_building(building, &birth->used_up);

	DEBUG_ASSERT(spin_held(&pid_lock));
	DEBUG_ASSERT(spin_held(&ipc_lock));
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	ledger_move(mm, REF_BUILDING, current, REF_TASK, task, CALLER);
	task->mm = task->active_mm = mm;
	strscpy(mm->name, task->name, sizeof(mm->name));
	trace(TRACE_FORK, mm, (u64)task->tid, CALLER);
	return 0;
}

static void
publish(struct birth *birth)
{
	struct process_object *object = birth->object;
	struct process *process = birth->process;

	process->pid = birth->task->tid;
	process_attach(process, init_process);
	process->pgid = process->sid = process->pid; /* nobody's job */
	thread_attach(birth->task, process);
	process->object = object;
	object->process = process;
	object->first = birth->task;
	object->info.pid = process->pid;
	object->info.state = LODGER_PROCESS_BUILT;
	object_init(&object->object, &process_ops);
	handle_install(current->process->handles, (u32)birth->number,
		       &object->object, PROCESS_RIGHTS, 0);
	object->object.refs--; /* the handle's is the only one */
}

static int
bring_forth(struct birth *birth, u32 building)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	tid_t tid = alloc_tid();
	int err = MIN(tid, 0);

	if (!err) {
		birth->task->tid = tid;
		spin_lock(&ipc_lock);
		err = take_over(birth, building);
		if (!err)
			publish(birth);
		spin_unlock(&ipc_lock);
	}
	spin_unlock_irqrestore(&pid_lock, flags);
	return err;
}

static long
create(u32 building, const char *name, u32 personality)
{
	struct birth birth;
	int err = prepare(&birth, name);

	if (err)
		return err;
	if (personality)
		err = personality_give(birth.process, personality);
	if (!err)
		err = bring_forth(&birth, building);
	if (err) {
		abandon(&birth);
		return err;
	}
	object_put(birth.used_up);
	return birth.number;
}

long
native_process_create(u32 building, uaddr_t uname, u32 personality)
{
	char name[TASK_NAME_LEN];
	long result = name_from_user(name, uname);

	if (result)
		return result;
	transition_begin();
	result = create(building, name, personality);
	transition_end();
	return result;
}

/* ---- Finding ------------------------------------------------------------ */

/* The caller's process object @number, or an error in the pointer. pid_lock and
 * ipc_lock held. */
static struct process_object *
find(u32 number, u32 rights)
{
	struct handle *handle = get_handle(number, &process_ops, rights);

	return IS_ERR(handle) ? (void *)handle : to_process(handle->object);
}

/* The same with pid_lock alone, under which it stays. */
static struct process_object *
find_under_pid_lock(u32 number, u32 rights)
{
	struct process_object *me;

	spin_lock(&ipc_lock);
	me = find(number, rights);
	spin_unlock(&ipc_lock);
	return me;
}

/* ---- Starting ----------------------------------------------------------- */

struct start {
	uaddr_t entry, sp;
};

/* The new thread's first and only steps in the kernel. */
static void
enter_user(void *arg)
{
	struct start *start = arg;
	uaddr_t entry = start->entry, sp = start->sp;

	kfree(start);
	arch_start_user(task_regs(current), entry, sp);
}

/* Takes the thread that is to begin, which cannot be taken back then. */
static struct task *
take_first(u32 number)
{
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct process_object *me = find_under_pid_lock(number,
							LODGER_RIGHT_CONTROL);
	struct task *first = (void *)me;

	if (!IS_ERR(me)) {
		first = me->first ? me->first : ERR_PTR(-EBUSY);
		me->first = NULL;
		me->info.state = MAX(me->info.state,
				     (u32)LODGER_PROCESS_RUNS);
	}
	spin_unlock_irqrestore(&pid_lock, flags);
	return first;
}

long
native_process_start(u32 number, uaddr_t entry, uaddr_t sp)
{
	struct start *start;
	struct task *first;

	if (entry >= USER_END || sp > USER_END)
		return -EINVAL;
	start = kmalloc(sizeof(*start));
	if (!start)
		return -ENOMEM;
	*start = (struct start){ entry, sp };
	first = take_first(number);
	if (IS_ERR(first)) {
		kfree(start);
		return PTR_ERR(first);
	}
	arch_task_init(first, enter_user, start, NULL);
	wake_up_new_task(first); /* from here on it may be gone */
	return 0;
}

/* ---- Handles, signals, news --------------------------------------------- */

/* Is it a handle on a process that has not begun? Two such processes that had
 * handles on each other would keep each other for ever. */
static bool
is_unborn(const struct handle *handle)
{
	return handle && handle->object->ops == &process_ops &&
	       to_process(handle->object)->first;
}

/* pid_lock and ipc_lock held. */
static long
give(u32 number, u32 handle, struct handle_spare *spare)
{
	struct process_object *me = find(number, LODGER_RIGHT_CONTROL);

	DEBUG_ASSERT(spin_held(&pid_lock));
	DEBUG_ASSERT(spin_held(&ipc_lock));
	if (IS_ERR(me))
		return PTR_ERR(me);
	if (!me->process)
		return -ESRCH;
	if (me->first &&
	    is_unborn(find_handle(current->process->handles, handle)))
		return -EINVAL;
	return handle_hand_over(me->process, handle, spare);
}

long
native_process_give(u32 number, u32 handle)
{
	struct handle_spare spare;
	irq_flags_t flags;
	long result = handle_spare_alloc(&spare);

	if (!result) {
		flags = spin_lock_irqsave(&pid_lock);
		spin_lock(&ipc_lock);
		result = give(number, handle, &spare);
		spin_unlock(&ipc_lock);
		spin_unlock_irqrestore(&pid_lock, flags);
	}
	handle_spare_free(&spare);
	return result;
}

long
native_process_signal(u32 number, int signal)
{
	irq_flags_t flags;
	struct process_object *me;
	long result = 0;

	if (signal < 0 || signal > NR_SIGNALS)
		return -EINVAL;
	flags = spin_lock_irqsave(&pid_lock);
	me = find_under_pid_lock(number, LODGER_RIGHT_CONTROL);
	if (IS_ERR(me))
		result = PTR_ERR(me);
	else if (me->first)
		result = -EBUSY;
	else if (!me->process)
		result = -ESRCH;
	else if (signal)
		send_signal_to_process(me->process, signal);
	spin_unlock_irqrestore(&pid_lock, flags);
	return result;
}

/* pid_lock and ipc_lock held. */
static int
watch(struct process_object *me, u32 notification, u64 bits)
{
	int err;

	DEBUG_ASSERT(spin_held(&pid_lock));
	DEBUG_ASSERT(spin_held(&ipc_lock));
	if (me->watcher.notification)
		return -EBUSY;
	err = signaller_bind(&me->watcher, notification, bits);
	if (!err && me->info.state == LODGER_PROCESS_ENDED)
		signaller_raise(&me->watcher);
	return err;
}

long
native_process_watch(u32 number, u32 notification, u64 bits)
{
	struct notification *old = NULL;
	struct process_object *me;
	irq_flags_t flags;
	int err;

	transition_begin();
	flags = spin_lock_irqsave(&pid_lock);
	spin_lock(&ipc_lock);
	me = find(number, LODGER_RIGHT_STAT);
	err = IS_ERR(me) ? PTR_ERR(me) : 0;
	if (!err && notification)
		err = watch(me, notification, bits);
	else if (!err)
		old = signaller_unbind(&me->watcher);
	spin_unlock(&ipc_lock);
	spin_unlock_irqrestore(&pid_lock, flags);
	signaller_free(old);
	transition_end();
	return err;
}

long
native_process_info(u32 number, uaddr_t buf)
{
	struct lodger_process_info info = { 0 };
	irq_flags_t flags = spin_lock_irqsave(&pid_lock);
	struct process_object *me = find_under_pid_lock(number,
							LODGER_RIGHT_STAT);

	if (!IS_ERR(me))
		info = me->info;
	spin_unlock_irqrestore(&pid_lock, flags);
	return IS_ERR(me) ? PTR_ERR(me) : copy_to_user(buf, &info, sizeof(info));
}
