/*
 * Handles: a process's small numbers for kernel objects. A table is made of
 * chunks, found by two array accesses; free slots form a list, last freed first
 * used, so the numbers stay dense. 0 is no handle.
 *
 * A process has no table until it needs one. Its threads share it; fork gives
 * the child none, exec keeps it, the last thread's exit closes all of it.
 */
#pragma once

#include "kernel/base/errno.h"
#include "kernel/ipc/object.h"
#include "kernel/process.h"

enum {
	HANDLE_CHUNK_SHIFT = 6,
	HANDLE_CHUNK = 1 << HANDLE_CHUNK_SHIFT,
	HANDLE_CHUNKS = 64,
};

/* A right of one type's own, such as CALL, says of which type the object is;
 * a slot that is no handle has none. */
struct handle {
	struct object *object; /* NULL: free, or reserved */
	u64 badge;
	u32 rights;
	u32 next_free;
	u64 unused; /* a power of two: slots are found by shifting */
};

/* All of it under ipc_lock. */
struct handle_table {
	struct handle *chunks[HANDLE_CHUNKS]; /* the first nr_chunks exist */
	u32 nr_chunks;
	u32 first_free; /* 0: none */
};

/* ---- Under ipc_lock --------------------------------------------------- */

/* The slot of @number, which exists in @table. */
static inline struct handle *
handle_slot(const struct handle_table *table, u32 number)
{
	return &table->chunks[number >> HANDLE_CHUNK_SHIFT]
			     [number & (HANDLE_CHUNK - 1)];
}

/* The handle with that number, or NULL. */
static inline struct handle *
find_handle(const struct handle_table *table, u32 number)
{
	struct handle *handle;

	if (unlikely(!table ||
		     number >> HANDLE_CHUNK_SHIFT >= table->nr_chunks))
		return NULL;
	handle = handle_slot(table, number);
	return likely(handle->object) ? handle : NULL;
}

/* Why handle @number does not serve as an object of that type. */
struct handle *explain_handle(const struct handle_table *table, u32 number,
			      const struct object_ops *ops);

/* The caller's handle @number, of type @ops, with all of @rights; or an error
 * inside the pointer. -EBADF: there is none; -EINVAL: another type; -EPERM. */
static inline struct handle *
get_handle(u32 number, const struct object_ops *ops, u32 rights)
{
	const struct handle_table *table = current->process->handles;
	struct handle *handle = find_handle(table, number);

	if (unlikely(!handle || handle->object->ops != ops ||
		     (handle->rights & rights) != rights))
		return explain_handle(table, number, ops);
	return handle;
}

/* Where a handle is, as long as its table lives: so a task that uses the same
 * number again need not look for it. There may be none, or another one. */
struct handle_place {
	struct handle *handle;
	u32 number;
};

/* No number is looked for so far. */
void handle_place_init(struct handle_place *place);
/* Looks for @number in the caller's table. False: @place is as it was. */
bool handle_locate(struct handle_place *place, u32 number);

/* The same as get_handle() for the fast path, which asks for a right of one
 * type's own; NULL: let get_handle() say why. */
static inline struct handle *
quick_handle(struct handle_place *place, u32 number, u32 right)
{
	if (unlikely(place->number != number) && !handle_locate(place, number))
		return NULL;
	return likely(place->handle->rights & right) ? place->handle : NULL;
}

/* Takes a free slot, for handle_install() or handle_unreserve(); 0: there is
 * none now. It is nobody's handle yet. */
static inline u32
handle_take_slot(struct handle_table *table)
{
	u32 number;

	if (unlikely(!table))
		return 0;
	number = table->first_free;
	if (likely(number))
		table->first_free = handle_slot(table, number)->next_free;
	return number;
}

static inline void
handle_free_slot(struct handle_table *table, u32 number)
{
	struct handle *handle = handle_slot(table, number);

	handle->object = NULL;
	handle->rights = 0;
	handle->next_free = table->first_free;
	table->first_free = number;
}

/* Makes a reserved slot a handle, with a reference of its own. The first is for
 * types that do not care how many handles there are. */
static inline void
handle_fill(struct handle *handle, struct object *object, u32 rights)
{
	object_get(object);
	handle->object = object;
	handle->rights = rights;
	handle->badge = 0;
}

void handle_install(struct handle_table *table, u32 number,
		    struct object *object, u32 rights, u64 badge);

/* A handle changes tables, with its reference: nothing is opened or closed.
 * @slot is reserved. */
void handle_move(struct handle_table *from, u32 number,
		 struct handle_table *to, u32 slot);

/*
 * Gives the caller's handle @number to process @to, which may not have room.
 * It can end, and be collected, at any moment that pid_lock is not held: so what
 * its table may need is allocated before. pid_lock is held, too. The number
 * there; -EBADF, -EPERM, -EMFILE, -ESRCH.
 */
struct handle_spare {
	struct handle_table *table;
	struct handle *chunk;
};
long handle_hand_over(struct process *to, u32 number,
		      struct handle_spare *spare);

/* ---- No lock held ----------------------------------------------------- */

/* -ENOMEM: to be freed all the same. */
int handle_spare_alloc(struct handle_spare *spare) __must_check;
void handle_spare_free(struct handle_spare *spare);

/* A chunk more. -EMFILE: the table has its full size; -ENOMEM; -ESRCH: the
 * process is ending. May sleep. */
int handles_grow(struct process *process);

/* A reserved slot of @process, or a negative errno as above. */
long handle_reserve(struct process *process);
void handle_unreserve(struct process *process, u32 number);

/* A handle of the caller's process on a new @object, whose only reference it
 * becomes; or a negative errno, and the object is released. */
long handle_create(struct object *object, u32 rights);

/* The last thread of @process ends. */
void handles_close_all(struct process *process);

/* System calls: kernel/abi_ipc.h. */
long native_handle_duplicate(u32 number, u32 rights, u64 badge);
long native_handle_close(u32 number);
long native_handle_stat(u32 number, uaddr_t buf);
long native_handle_give(int pid, u32 number);
