/* See kernel/ipc/handle.h. */
#include "kernel/ipc/handle.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

/* ---- Slots ------------------------------------------------------------ */

struct handle *
explain_handle(const struct handle_table *table, u32 number,
	       const struct object_ops *ops)
{
	struct handle *handle = find_handle(table, number);

	if (!handle)
		return ERR_PTR(-EBADF);
	return ERR_PTR(handle->object->ops == ops ? -EPERM : -EINVAL);
}

void
handle_place_init(struct handle_place *place)
{
	static struct handle none;

	place->handle = &none;
	place->number = 0;
}

__noinline bool
handle_locate(struct handle_place *place, u32 number)
{
	const struct handle_table *table = current->process->handles;

	if (!table || number >> HANDLE_CHUNK_SHIFT >= table->nr_chunks)
		return false;
	place->handle = handle_slot(table, number);
	place->number = number;
	return true;
}

void
handle_install(struct handle_table *table, u32 number, struct object *object,
	       u32 rights, u64 badge)
{
	struct handle *handle = handle_slot(table, number);

	DEBUG_ASSERT(spin_held(&ipc_lock));
	DEBUG_ASSERT(!handle->object);
	object_get(object);
	handle->object = object;
	handle->rights = rights;
	handle->badge = badge;
	if (object->ops->opened)
		object->ops->opened(object, rights);
}

void
handle_move(struct handle_table *from, u32 number, struct handle_table *to,
	    u32 slot)
{
	struct handle *old = handle_slot(from, number);
	struct handle *new = handle_slot(to, slot);

	DEBUG_ASSERT(spin_held(&ipc_lock));
	new->object = old->object;
	new->rights = old->rights;
	new->badge = old->badge;
	handle_free_slot(from, number);
}

/* The lowest number first; number 0 is no handle. */
static void
add_chunk(struct handle_table *table, struct handle *chunk)
{
	u32 first = table->nr_chunks << HANDLE_CHUNK_SHIFT;

	table->chunks[table->nr_chunks++] = chunk;
	for (u32 i = HANDLE_CHUNK; i-- > (first ? 0 : 1);)
		handle_free_slot(table, first + i);
}

/* Gives @process what was allocated for it, unless it has enough by now. */
static int
grow_with(struct process *process, struct handle_spare *spare)
{
	DEBUG_ASSERT(spin_held(&ipc_lock));
	if (process->handles_closed)
		return -ESRCH;
	if (!process->handles) {
		process->handles = spare->table;
		spare->table = NULL;
	}
	if (process->handles->first_free)
		return 0; /* another thread was faster */
	if (process->handles->nr_chunks == HANDLE_CHUNKS)
		return -EMFILE;
	add_chunk(process->handles, spare->chunk);
	spare->chunk = NULL;
	return 0;
}

int
handle_spare_alloc(struct handle_spare *spare)
{
	spare->table = kzalloc(sizeof(*spare->table));
	spare->chunk = kzalloc(HANDLE_CHUNK * sizeof(*spare->chunk));
	return spare->table && spare->chunk ? 0 : -ENOMEM;
}

void
handle_spare_free(struct handle_spare *spare)
{
	kfree(spare->table);
	kfree(spare->chunk);
}

int
handles_grow(struct process *process)
{
	struct handle_spare spare;
	irq_flags_t flags;
	int err = handle_spare_alloc(&spare);

	if (!err) {
		flags = spin_lock_irqsave(&ipc_lock);
		err = grow_with(process, &spare);
		spin_unlock_irqrestore(&ipc_lock, flags);
	}
	handle_spare_free(&spare);
	return err;
}

long
handle_hand_over(struct process *to, u32 number, struct handle_spare *spare)
{
	struct handle_table *mine = current->process->handles;
	struct handle *handle = find_handle(mine, number);
	u32 slot;
	int err;

	DEBUG_ASSERT(spin_held(&pid_lock));
	DEBUG_ASSERT(spin_held(&ipc_lock));
	if (!handle)
		return -EBADF;
	if (!(handle->rights & LODGER_RIGHT_TRANSFER))
		return -EPERM;
	err = grow_with(to, spare);
	if (err)
		return err;
	slot = handle_take_slot(to->handles);
	handle_move(mine, number, to->handles, slot);
	return slot;
}

long
handle_reserve(struct process *process)
{
	for (;;) {
		irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
		u32 number = handle_take_slot(process->handles);
		int err;

		spin_unlock_irqrestore(&ipc_lock, flags);
		if (number)
			return number;
		err = handles_grow(process);
		if (err)
			return err;
	}
}

void
handle_unreserve(struct process *process, u32 number)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);

	handle_free_slot(process->handles, number);
	spin_unlock_irqrestore(&ipc_lock, flags);
}

/* ---- Making and closing ----------------------------------------------- */

long
handle_create(struct object *object, u32 rights)
{
	struct process *process = current->process;
	long number = handle_reserve(process);
	irq_flags_t flags;

	if (number > 0) {
		flags = spin_lock_irqsave(&ipc_lock);
		handle_install(process->handles, (u32)number, object, rights, 0);
		spin_unlock_irqrestore(&ipc_lock, flags);
	}
	object_put(object); /* the one it was made with */
	return number;
}

/* Its handle is gone from the table; the reference is still there. In a marked
 * transition, in which sums need not add up. */
static void
dispose(struct object *object, u32 rights)
{
	if (object->ops->closed)
		object->ops->closed(object, rights);
	object_put(object);
}

/* @table is looked at under the lock: somebody may just be giving the process
 * its first one. */
static int
close_handle(struct handle_table *const *table, u32 number)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle *handle = find_handle(*table, number);
	struct object *object = NULL;
	u32 rights = 0;

	if (handle) {
		object = handle->object;
		rights = handle->rights;
		handle_free_slot(*table, number);
	}
	spin_unlock_irqrestore(&ipc_lock, flags);
	if (!object)
		return -EBADF;
	transition_begin();
	dispose(object, rights);
	transition_end();
	return 0;
}

/* Nobody finds the table any more once handles_closed is set. */
void
handles_close_all(struct process *process)
{
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle_table *table = process->handles;

	process->handles = NULL;
	process->handles_closed = true;
	spin_unlock_irqrestore(&ipc_lock, flags);
	if (!table)
		return;
	transition_begin();
	for (u32 i = 0; i < table->nr_chunks << HANDLE_CHUNK_SHIFT; i++) {
		close_handle(&table, i);
		cond_resched();
	}
	for (u32 i = 0; i < table->nr_chunks; i++)
		kfree(table->chunks[i]);
	kfree(table);
	transition_end();
}

/* ---- System calls ----------------------------------------------------- */

long
native_handle_close(u32 number)
{
	return close_handle(&current->process->handles, number);
}

/* May handle @from be copied with no more than @rights, and with @badge? */
static int
may_duplicate(const struct handle *from, u32 rights, u64 badge)
{
	if (!from)
		return -EBADF;
	if (!(from->rights & LODGER_RIGHT_DUPLICATE))
		return -EPERM;
	if (rights & ~from->rights)
		return -EPERM;
	/* Who got a badge cannot take another one's. */
	return badge && from->badge && badge != from->badge ? -EPERM : 0;
}

long
native_handle_duplicate(u32 number, u32 rights, u64 badge)
{
	struct process *process = current->process;
	long copy = handle_reserve(process);
	irq_flags_t flags;
	struct handle *from;
	int err;

	if (copy < 0)
		return copy;
	flags = spin_lock_irqsave(&ipc_lock);
	from = find_handle(process->handles, number);
	err = may_duplicate(from, rights, badge);
	if (!err)
		handle_install(process->handles, (u32)copy, from->object,
			       rights, badge ? badge : from->badge);
	else
		handle_free_slot(process->handles, (u32)copy);
	spin_unlock_irqrestore(&ipc_lock, flags);
	return err ? err : copy;
}

long
native_handle_stat(u32 number, uaddr_t buf)
{
	struct lodger_handle_stat stat = { 0 };
	irq_flags_t flags = spin_lock_irqsave(&ipc_lock);
	struct handle *handle = find_handle(current->process->handles, number);

	if (handle) {
		stat.type = handle->object->ops->type;
		stat.rights = handle->rights;
		stat.badge = handle->badge;
	}
	spin_unlock_irqrestore(&ipc_lock, flags);
	return handle ? copy_to_user(buf, &stat, sizeof(stat)) : -EBADF;
}

long
native_handle_give(int pid, u32 number)
{
	struct handle_spare spare;
	irq_flags_t flags;
	struct process *child;
	long result = handle_spare_alloc(&spare);

	if (!result) {
		flags = spin_lock_irqsave(&pid_lock);
		child = find_process(pid);
		result = -ESRCH;
		if (child && child->parent == current->process) {
			spin_lock(&ipc_lock);
			result = handle_hand_over(child, number, &spare);
			spin_unlock(&ipc_lock);
		}
		spin_unlock_irqrestore(&pid_lock, flags);
	}
	handle_spare_free(&spare);
	return result;
}
