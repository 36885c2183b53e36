/*
 * Address spaces behind handles: where the two counters meet the microkernel.
 *
 *	mm handle	a pin on count. Its holder can outlive all who live there:
 *			the struct stays, the contents do not.
 *	building	the one user of a new mm, which nobody has entered yet. No
 *			second one can be made of it; closing it is mmput().
 *	reply		its caller waits, so somebody lives there; nothing is held.
 *
 * Each operation takes users for itself alone, with mmget_not_zero(), and is
 * told -ESRCH when nobody is left. Should it turn out to have been the last,
 * the reaper does the teardown.
 */
#include "kernel/ipc/mm_handle.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "kernel/exec.h"
#include "kernel/hold.h"
#include "kernel/ipc/ipc.h"
#include "kernel/native.h"
#include "mm/mm.h"
#include "mm/remote.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "sched/reaper.h"

struct mm_object {
	struct object object;
	struct mm *mm; /* NULL: a building handle that was used up */
};

static struct mm_object *
to_mm_object(struct object *object)
{
	return container_of(object, struct mm_object, object);
}

/* ---- Objects ---------------------------------------------------------- */

static void
pin_release(struct object *object)
{
	struct mm_object *pin = to_mm_object(object);

	mmdrop(pin->mm, REF_PIN, pin);
	kfree(pin);
}

static void
building_release(struct object *object)
{
	struct mm_object *building = to_mm_object(object);

	if (building->mm)
		mmput(building->mm, REF_BUILDING, building);
	kfree(building);
}

static const struct object_ops pin_ops = {
	.type = LODGER_MM,
	.release = pin_release,
};

static const struct object_ops building_ops = {
	.type = LODGER_BUILDING,
	.release = building_release,
};

enum {
	MM_RIGHTS = LODGER_RIGHT_READ | LODGER_RIGHT_WRITE | LODGER_RIGHT_MAP |
		    LODGER_RIGHT_STAT | LODGER_RIGHT_TRANSFER,
};

long
native_mm_open(void)
{
	struct mm_object *pin = kzalloc(sizeof(*pin));

	if (!pin)
		return -ENOMEM;
	pin->mm = current->mm;
	mmgrab(pin->mm, REF_PIN, pin);
	object_init(&pin->object, &pin_ops);
	return handle_create(&pin->object, MM_RIGHTS | LODGER_RIGHT_DUPLICATE);
}

static struct mm_object *
make_building(void)
{
	struct mm_object *building = kzalloc(sizeof(*building));

	if (!building)
		return NULL;
	building->mm = mm_alloc(building);
	if (!building->mm) {
		kfree(building);
		return NULL;
	}
	return building;
}

long
native_mm_create(void)
{
	struct mm_object *building = make_building();

	if (!building && wait_for_reaper())
		building = make_building();
	if (!building)
		return -ENOMEM;
	strscpy(building->mm->name, current->name, sizeof(building->mm->name));
	object_init(&building->object, &building_ops);
	return handle_create(&building->object, MM_RIGHTS);
}

/* ---- One operation ----------------------------------------------------- */

/* Most are: servers that look at their callers' memory. */
static inline bool
is_reply(const struct handle *handle)
{
	return likely(handle->rights & LODGER_RIGHT_REPLY);
}

/* The address space behind a handle; NULL: nobody waits for this reply. */
static inline struct mm *
mm_behind(const struct handle *handle)
{
	struct object *object = handle->object;
	struct ipc_task *caller;

	if (!is_reply(handle))
		return to_mm_object(object)->mm;
	caller = container_of(object, struct reply, object)->caller;
	return caller ? caller->task->mm : NULL;
}

/* A reply handle serves for READ and WRITE; and for MAP, since who answers a
 * process's system calls decides what is where. */
static inline u32
rights_by_reply(struct object *object)
{
	const struct ipc_task *caller =
		container_of(object, struct reply, object)->caller;
	u32 rights = LODGER_RIGHT_READ | LODGER_RIGHT_WRITE;

	return !caller || caller->reflected ? rights | LODGER_RIGHT_MAP
					    : rights;
}

static inline bool
has_mm(const struct handle *handle)
{
	const struct object_ops *ops = handle->object->ops;

	return is_reply(handle) || ops == &pin_ops || ops == &building_ops;
}

/* The caller's handle for @right on an address space; or an error. ipc_lock
 * held. */
static inline struct handle *
get_mm_handle(u32 number, u32 right)
{
	struct handle *handle = find_handle(current->process->handles, number);
	u32 rights;

	if (unlikely(!handle))
		return ERR_PTR(-EBADF);
	if (unlikely(!has_mm(handle)))
		return ERR_PTR(-EINVAL);
	rights = is_reply(handle) ? rights_by_reply(handle->object)
				  : handle->rights;
	return likely(rights & right) ? handle : ERR_PTR(-EPERM);
}

/* What keeps count until the end is the handle, or the caller that waits. */
static inline struct mm *
enter(u32 number, u32 right)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle *handle = get_mm_handle(number, right);
	struct mm *mm = IS_ERR(handle) ? (void *)handle : mm_behind(handle);

	if (!IS_ERR(mm) && (!mm || !mmget_not_zero(mm, current)))
		mm = ERR_PTR(-ESRCH);
	spin_unlock_irqrestore(&ipc_lock, flags);
	return mm;
}

struct mm *
mm_enter(u32 number, u32 right)
{
	return enter(number, right);
}

static __always_inline long
copy(u32 number, uaddr_t addr, uaddr_t buf, size_t len, bool write)
{
	struct mm *mm = enter(number, write ? LODGER_RIGHT_WRITE
					    : LODGER_RIGHT_READ);
	bool theirs;
	int err;

	if (unlikely(IS_ERR(mm)))
		return PTR_ERR(mm);
	hold_point(LODGER_HOLD_ENTERED);
	len = MIN(len, (size_t)LODGER_BUFFER_MAX);
	do {
		err = write ? mm_copy_out(mm, addr, buf, len, &theirs)
			    : mm_copy_in(mm, addr, buf, len, &theirs);
	} while (err == -ENOMEM && wait_for_reaper());
	mmput_by_reaper(mm, current);
	return err ? err : (long)len;
}

long
native_mm_read(u32 number, uaddr_t addr, uaddr_t buf, size_t len)
{
	return copy(number, addr, buf, len, false);
}

long
native_mm_write(u32 number, uaddr_t addr, uaddr_t buf, size_t len)
{
	return copy(number, addr, buf, len, true);
}

/* The value of @call, a change of @mm, the one behind handle @number, with its
 * lock held; or why there can be none. */
#define change_mm(number, mm, call)                                     \
	({                                                              \
		struct mm *mm = mm_enter(number, LODGER_RIGHT_MAP);     \
		long changed_ = IS_ERR(mm) ? PTR_ERR(mm)                \
					   : (long)mm_locked(mm, call); \
		if (!IS_ERR(mm))                                        \
			mmput_by_reaper(mm, current);                   \
		changed_;                                               \
	})

long
native_mm_map(u32 number, uaddr_t addr, u64 len, unsigned prot)
{
	unsigned flags = MAP_PRIVATE | MAP_ANONYMOUS | (addr ? MAP_FIXED : 0);
	bool stack = prot & PROT_GROWSDOWN;

	return change_mm(number, mm, do_mmap(mm, addr, len, prot, flags, stack));
}

long
native_mm_unmap(u32 number, uaddr_t addr, u64 len)
{
	return change_mm(number, mm, do_munmap(mm, addr, len));
}

long
native_mm_protect(u32 number, uaddr_t addr, u64 len, unsigned prot)
{
	return change_mm(number, mm, do_mprotect(mm, addr, len, prot));
}

/* The heap begins once, where the program that is loaded ends. */
static int
begin_heap(struct mm *mm, uaddr_t start)
{
	if (start < USER_START || start >= USER_END)
		return -EINVAL;
	if (mm->brk_start)
		return -EBUSY;
	mm->brk_start = mm->brk = start;
	return 0;
}

long
native_mm_heap(u32 number, uaddr_t start)
{
	return change_mm(number, mm, begin_heap(mm, start));
}

/* A look needs no users: of a zombie there is still something to tell. */
long
native_mm_info(u32 number, uaddr_t buf)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle *handle = get_mm_handle(number, LODGER_RIGHT_STAT);
	struct mm *mm = IS_ERR(handle) ? (void *)handle : mm_behind(handle);
	long result;

	if (!IS_ERR(mm))
		mmgrab(mm, REF_PIN, current);
	spin_unlock_irqrestore(&ipc_lock, flags);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	result = stat_pinned_mm(mm, buf);
	mmdrop(mm, REF_PIN, current);
	return result;
}

/* ---- The end of building ----------------------------------------------- */

/* Closes the caller's building handle, whose reference is the caller's then;
 * or an error. Nobody finds the mm any more. ipc_lock held. */
static struct object *
take_building(u32 number, u32 rights)
{
	struct handle *handle = get_handle(number, &building_ops, rights);
	struct object *building;

	if (IS_ERR(handle))
		return (void *)handle;
	building = handle->object;
	handle_free_slot(current->process->handles, number);
	return building;
}

struct mm *
mm_take_building(u32 number, struct object **used_up)
{
	struct object *object = take_building(number, LODGER_RIGHT_MAP);
	struct mm_object *building;
	struct mm *mm;

	if (IS_ERR(object))
		return (void *)object;
	building = to_mm_object(object);
	mm = building->mm;
	building->mm = NULL;
	ledger_move(mm, REF_BUILDING, building, REF_BUILDING, current, CALLER);
	*used_up = object;
	return mm;
}

int
send_building(u32 number, struct ipc_task *to)
{
	struct object *building = take_building(
		number, LODGER_RIGHT_MAP | LODGER_RIGHT_TRANSFER);

	if (IS_ERR(building))
		return PTR_ERR(building);
	to->building = building;
	return 0;
}

/* exec_mmap() makes the building reference the task's own. */
int
exec_building(struct object *object, const char *name, uaddr_t entry,
	      uaddr_t sp)
{
	struct mm_object *building = to_mm_object(object);
	struct mm *mm = building->mm;
	int err;

	transition_begin();
	building->mm = NULL;
	ledger_move(mm, REF_BUILDING, building, REF_BUILDING, current, CALLER);
	object_put(object);
	err = exec_into(mm, name, entry, sp);
	transition_end();
	return err;
}

int
name_from_user(char *name, uaddr_t uname)
{
	ssize_t len = strncpy_from_user(name, uname, TASK_NAME_LEN);

	if (len == -ENAMETOOLONG)
		name[TASK_NAME_LEN - 1] = 0;
	else if (len < 0)
		return (int)len;
	return 0;
}

long
native_mm_exec(u32 number, uaddr_t entry, uaddr_t sp, uaddr_t uname)
{
	char name[TASK_NAME_LEN];
	struct object *building;
	irq_flags_t flags;
	int err;

	if (!is_start(entry, sp))
		return -EINVAL;
	strscpy(name, current->name, sizeof(name));
	err = uname ? name_from_user(name, uname) : 0;
	if (err)
		return err;
	flags = spin_lock_irqsave(&ipc_lock);
	building = take_building(number, LODGER_RIGHT_MAP);
	spin_unlock_irqrestore(&ipc_lock, flags);
	if (IS_ERR(building))
		return PTR_ERR(building);
	return exec_building(building, name, entry, sp);
}
