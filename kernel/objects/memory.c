/* See kernel/objects/memory.h. */
#include "kernel/objects/memory.h"

#include "kernel/base/assert.h"
#include "kernel/boot_info.h"
#include "kernel/ipc/mm_handle.h"
#include "mm/mm.h"
#include "mm/shared.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "sched/reaper.h"

struct memory {
	struct object object;
	struct shared_object *store;
	enum lodger_memory_kind kind;
	u64 length;	/* bytes, whole pages */
	u64 size;	/* of the module itself, which begins ... */
	u32 offset;	/* ... here */
	paddr_t start;	/* a physical range's */
};

static struct memory *
to_memory(struct object *object)
{
	return container_of(object, struct memory, object);
}

static void
memory_release(struct object *object)
{
	struct memory *memory = to_memory(object);

	shared_object_put(memory->store);
	kfree(memory);
}

const struct object_ops memory_ops = {
	.type = LODGER_MEMORY,
	.release = memory_release,
};

enum {
	READ_AND_MAP = LODGER_RIGHT_READ | LODGER_RIGHT_MAP |
		       LODGER_RIGHT_DUPLICATE | LODGER_RIGHT_TRANSFER,
	ALL_RIGHTS = READ_AND_MAP | LODGER_RIGHT_WRITE,
};

/* ---- What is RAM ------------------------------------------------------- */

struct range {
	paddr_t start, end;
};

static struct range ram[MAX_MEMORY_RANGES];
static unsigned nr_ram;
static paddr_t module, module_end;

/* Whatever the firmware calls memory, whole pages of it; the kernel and the
 * module are inside. */
void
memory_objects_init(const struct boot_info *boot)
{
	for (unsigned i = 0; i < boot->nr_memory; i++) {
		const struct memory_range *range = &boot->memory[i];

		if (range->kind == MEMORY_RESERVED)
			continue;
		ram[nr_ram++] = (struct range){
			ALIGN_DOWN(range->start, PAGE_SIZE),
			ALIGN_UP(range->end, PAGE_SIZE),
		};
	}
	module = boot->initrd;
	module_end = boot->initrd_end;
}

/* May a driver have [start, end)? */
static bool
is_for_drivers(paddr_t start, paddr_t end)
{
	for (unsigned i = 0; i < nr_ram; i++)
		if (start < ram[i].end && ram[i].start < end)
			return false;
	return !arch_owns_device(start, end);
}

/* ---- Making ------------------------------------------------------------ */

/* A handle on a new object like @like, which takes over its store (NULL: there
 * was no memory for that). */
static long
create(struct memory like, u32 rights)
{
	struct memory *memory;

	if (!like.store)
		return -ENOMEM;
	memory = kzalloc(sizeof(*memory));
	if (!memory) {
		shared_object_put(like.store);
		return -ENOMEM;
	}
	*memory = like;
	object_init(&memory->object, &memory_ops);
	return handle_create(&memory->object, rights);
}

long
native_memory_create(u64 len)
{
	struct memory like = { .kind = LODGER_MEMORY_ANONYMOUS };

	if (!len || len > LODGER_MEMORY_MAX)
		return -EINVAL;
	like.length = like.size = ALIGN_UP(len, PAGE_SIZE);
	like.store = shared_object_sized(like.length >> PAGE_SHIFT);
	return create(like, ALL_RIGHTS);
}

static long
create_physical(paddr_t start, u64 length, u32 rights)
{
	struct memory like = {
		.kind = LODGER_MEMORY_PHYSICAL,
		.length = length,
		.size = length,
		.start = start,
		.store = shared_object_fixed(start, length >> PAGE_SHIFT, true),
	};

	return create(like, rights);
}

long
memory_all_devices(void)
{
	u64 length = MIN(arch_phys_end(), SHARED_MAX_PAGES << PAGE_SHIFT);

	return create_physical(0, length, ALL_RIGHTS);
}

long
memory_boot_module(void)
{
	paddr_t start = ALIGN_DOWN(module, PAGE_SIZE);
	struct memory like = {
		.kind = LODGER_MEMORY_MODULE,
		.length = ALIGN_UP(module_end, PAGE_SIZE) - start,
		.size = module_end - module,
		.offset = (u32)(module - start),
	};

	like.store = shared_object_fixed(start, like.length >> PAGE_SHIFT,
					 false);
	return create(like, READ_AND_MAP);
}

static int
check_narrow(const struct memory *memory, u64 first, u64 count)
{
	if (memory->kind != LODGER_MEMORY_PHYSICAL || !count ||
	    !IS_ALIGNED(first | count, PAGE_SIZE))
		return -EINVAL;
	if (first < memory->start || count > memory->length ||
	    first - memory->start > memory->length - count)
		return -EINVAL;
	return 0;
}

long
memory_narrow(u32 number, u64 first, u64 count)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle *handle = get_handle(number, &memory_ops,
					   LODGER_RIGHT_DUPLICATE);
	u32 rights = IS_ERR(handle) ? 0 : handle->rights;
	int err = IS_ERR(handle) ? PTR_ERR(handle)
				 : check_narrow(to_memory(handle->object),
						first, count);

	spin_unlock_irqrestore(&ipc_lock, flags);
	return err ? err : create_physical(first, count, rights);
}

/* ---- Mapping ----------------------------------------------------------- */

/* What the handle does not allow. What is written to a private mapping does not
 * reach the object. */
static unsigned
denied_by(const struct handle *handle, bool shared)
{
	const struct memory *memory = to_memory(handle->object);
	unsigned denied = 0;

	if (shared && !(handle->rights & LODGER_RIGHT_WRITE))
		denied |= PROT_WRITE;
	if (memory->kind == LODGER_MEMORY_PHYSICAL)
		denied |= PROT_EXEC;
	return denied;
}

static int
check_range(const struct memory *memory, u64 offset, u64 len)
{
	paddr_t start = memory->start + offset;

	if (!IS_ALIGNED(offset, PAGE_SIZE) || len > memory->length ||
	    offset > memory->length - len)
		return -EINVAL;
	if (memory->kind == LODGER_MEMORY_PHYSICAL &&
	    !is_for_drivers(start, start + len))
		return -EACCES;
	return 0;
}

/* What the region is to be like; its object with a reference. ipc_lock held. */
static int
prepare(struct region *like, u32 number, u64 offset, u64 len)
{
	struct handle *handle = get_handle(number, &memory_ops,
					   LODGER_RIGHT_MAP |
						   LODGER_RIGHT_READ);
	const struct memory *memory;
	int err;

	if (IS_ERR(handle))
		return PTR_ERR(handle);
	memory = to_memory(handle->object);
	like->denied = denied_by(handle, like->shared);
	if (like->prot & like->denied)
		return -EPERM;
	if (!like->shared && memory->kind != LODGER_MEMORY_ANONYMOUS)
		return -EINVAL;
	err = check_range(memory, offset, len);
	if (err)
		return err;
	like->object = memory->store;
	like->offset = offset >> PAGE_SHIFT;
	shared_object_get(like->object);
	return 0;
}

/* Where memory_map() and its kin do their work: the caller's own address
 * space, or what is behind a handle. */
static struct mm *
enter_target(u32 number)
{
	struct mm *mm = current->mm;

	if (number)
		return mm_enter(number, LODGER_RIGHT_MAP);
	mmget(mm, REF_GET, current);
	return mm;
}

long
native_memory_map(u32 target, u32 number, u64 offset, u64 len, uaddr_t addr,
		  unsigned prot)
{
	struct region like = {
		.prot = prot & PROT_ALL,
		.shared = !(prot & LODGER_PRIVATE),
	};
	irq_flags_t flags;
	struct mm *mm;
	long result;

	if (!len || (prot & ~(unsigned)(PROT_ALL | LODGER_PRIVATE)) ||
	    len > LODGER_MEMORY_MAX)
		return -EINVAL;
	len = ALIGN_UP(len, PAGE_SIZE);
	flags = spin_lock_irqsave(&ipc_lock);
	result = prepare(&like, number, offset, len);
	spin_unlock_irqrestore(&ipc_lock, flags);
	if (result)
		return result;
	mm = enter_target(target);
	result = IS_ERR(mm) ? PTR_ERR(mm) : 0;
	if (!result) {
		result = mm_locked(mm, do_map_object(mm, addr, len, &like));
		mmput_by_reaper(mm, current);
	}
	shared_object_put(like.object);
	return result;
}

/* ---- Looking ----------------------------------------------------------- */

long
native_memory_info(u32 number, uaddr_t buf)
{
	struct lodger_memory_info info = { 0 };
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle *handle = get_handle(number, &memory_ops,
					   LODGER_RIGHT_MAP);
	const struct memory *memory;

	if (!IS_ERR(handle)) {
		memory = to_memory(handle->object);
		info.length = memory->length;
		info.size = memory->size;
		info.offset = memory->offset;
		info.physical = memory->start;
		info.kind = memory->kind;
	}
	spin_unlock_irqrestore(&ipc_lock, flags);
	return IS_ERR(handle) ? PTR_ERR(handle)
			      : copy_to_user(buf, &info, sizeof(info));
}
