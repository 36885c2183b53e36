/* A file has a list of its locks, and only so many: who locks or closes a file
 * pays for those that others have there. Read Linux: fs/locks.c. */
#include "user/servers/unix/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/file.h"
#include "user/servers/unix/node.h"
#include "user/servers/unix/process.h"

struct lock {
	struct list link;
	struct node *node;
	const struct file *file; /* flock's owner, or NULL */
	const struct descriptors *table; /* fcntl's owner, or NULL */
	int pid;		 /* who asked for fcntl's; it may have ended */
	bool exclusive;
	s64 start, end;		 /* the last byte */
};

enum { LOCKS_MAX = 1024 }; /* of a file */

static struct list queue = LIST_INIT(queue); /* who waits for any */

static bool
same_owner(const struct lock *a, const struct lock *b)
{
	return a->file == b->file && a->table == b->table;
}

/* Locks of the two kinds do not know each other. */
static bool
same_kind(const struct lock *a, const struct lock *b)
{
	return !a->file == !b->file;
}

static bool
overlap(const struct lock *a, const struct lock *b)
{
	return a->node == b->node && a->start <= b->end && b->start <= a->end;
}

static struct lock *
find_conflict(const struct lock *wanted)
{
	struct lock *lock;

	list_for_each(lock, &wanted->node->locks, link) {
		if (overlap(lock, wanted) && same_kind(lock, wanted) &&
		    !same_owner(lock, wanted) &&
		    (lock->exclusive || wanted->exclusive))
			return lock;
	}
	return NULL;
}

static void
add_lock(struct lock *lock)
{
	list_add_tail(&lock->node->locks, &lock->link);
	lock->node->nr_locks++;
}

static void
remove_lock(struct lock *lock)
{
	lock->node->nr_locks--;
	list_unlink(&lock->link);
	os_free(lock, sizeof(*lock));
}

/* Takes the owner's locks off the range. *spare is used up if a lock has to be
 * split in two. */
static void
carve(const struct lock *range, struct lock **spare)
{
	struct lock *lock, *next;

	list_for_each_safe(lock, next, &range->node->locks, link) {
		if (!overlap(lock, range) || !same_owner(lock, range))
			continue;
		if (lock->start < range->start && lock->end > range->end) {
			**spare = *lock;
			(*spare)->start = range->end + 1;
			add_lock(*spare);
			*spare = NULL;
			lock->end = range->start - 1;
		} else if (lock->start < range->start) {
			lock->end = range->start - 1;
		} else if (lock->end > range->end) {
			lock->start = range->end + 1;
		} else {
			remove_lock(lock);
		}
	}
}

/* Does the range lie inside one of the owner's locks, which becomes two? */
static bool
splits(const struct lock *range)
{
	struct lock *lock;

	list_for_each(lock, &range->node->locks, link) {
		if (same_owner(lock, range) && lock->start < range->start &&
		    lock->end > range->end)
			return true;
	}
	return false;
}

/* The range is the owner's from now on (@set), or free. */
static int
apply(const struct lock *range, bool set)
{
	unsigned more = (unsigned)set + splits(range);
	struct lock *made, *spare;
	int err;

	if (more && range->node->nr_locks + more > LOCKS_MAX)
		return -ENOLCK;
	made = os_alloc(sizeof(*made));
	spare = os_alloc(sizeof(*spare));
	err = made && spare ? 0 : -ENOMEM;
	if (!err) {
		carve(range, &spare);
		if (set) {
			*made = *range;
			add_lock(made);
			made = NULL;
		}
		wake(&queue);
	}
	if (made)
		os_free(made, sizeof(*made));
	if (spare)
		os_free(spare, sizeof(*spare));
	return err;
}

static long
acquire(struct call *call, struct file *file, const struct lock *range,
	bool wait)
{
	long result;

	if (!find_conflict(range))
		return apply(range, true);
	if (!wait)
		return -EAGAIN;
	result = call_wait(call, &queue);
	if (result == WAITING && !call->file)
		call->file = file_get(file);
	return result;
}

/* ---- fcntl ---------------------------------------------------------- */

static int
range_of(const struct linux_flock *f, const struct file *file,
	 struct lock *range)
{
	s64 base = 0;

	if (f->whence == SEEK_CUR)
		base = (s64)file->position;
	else if (f->whence == SEEK_END)
		base = (s64)node_size(file->node);
	else if (f->whence != SEEK_SET)
		return -EINVAL;
	if (__builtin_add_overflow(base, f->start, &range->start))
		return -EOVERFLOW;
	range->end = INT64_MAX;
	if (f->len > 0 && __builtin_add_overflow(range->start, f->len - 1,
						 &range->end))
		return -EOVERFLOW;
	if (f->len < 0) {
		range->end = range->start - 1;
		range->start += f->len;
	}
	return range->start < 0 ? -EINVAL : 0;
}

static void
describe_lock(const struct lock *lock, struct linux_flock *f)
{
	f->type = F_UNLCK;
	if (!lock)
		return;
	f->type = lock->exclusive ? F_WRLCK : F_RDLCK;
	f->whence = SEEK_SET;
	f->start = lock->start;
	f->len = lock->end == INT64_MAX ? 0 : lock->end - lock->start + 1;
	f->pid = lock->pid;
}

static long
test_lock(struct call *call, const struct lock *range, struct linux_flock *f)
{
	if (f->type != F_RDLCK && f->type != F_WRLCK)
		return -EINVAL;
	describe_lock(find_conflict(range), f);
	return copy_out(call, call->args[2], f, sizeof(*f));
}

long
lock_fcntl(struct call *call, struct file *file)
{
	struct lock range = {
		.node = file->node,
		.table = call->process->descriptors,
		.pid = call->process->pid,
	};
	struct linux_flock f;
	int err = copy_in(call, &f, call->args[2], sizeof(f));

	/* Nobody could end a lock on what was closed while the call waited. */
	if (call->file && call->file != file)
		return -EBADF;
	if (!err)
		err = range_of(&f, file, &range);
	if (err)
		return err;
	range.exclusive = f.type == F_WRLCK;
	if (arg32(call, 1) == F_GETLK)
		return test_lock(call, &range, &f);
	switch (f.type) {
	case F_UNLCK:
		return apply(&range, false);
	case F_RDLCK:
		if (!file_readable(file))
			return -EBADF;
		break;
	case F_WRLCK:
		if (!file_writable(file))
			return -EBADF;
		break;
	default:
		return -EINVAL;
	}
	return acquire(call, file, &range, arg32(call, 1) == F_SETLKW);
}

/* ---- flock ---------------------------------------------------------- */

/* Shared becomes exclusive, or the other way round: as in Linux the old one ends
 * first, even if the new one cannot be had. Is there the same one already? */
static bool
give_up_other_kind(const struct lock *wanted)
{
	struct lock *lock, *next;

	list_for_each_safe(lock, next, &wanted->node->locks, link) {
		if (lock->file != wanted->file)
			continue;
		if (lock->exclusive == wanted->exclusive)
			return true;
		remove_lock(lock);
		wake(&queue);
	}
	return false;
}

long
sys_flock(struct call *call)
{
	struct file *file = call->file
				    ? call->file
				    : descriptor_open(call->process->descriptors,
						      (u32)call->args[0]);
	struct lock range = { .file = file, .end = INT64_MAX };
	u32 what = arg32(call, 1) & ~(u32)LOCK_NB;

	if (!file)
		return -EBADF;
	range.node = file->node;
	range.exclusive = what == LOCK_EX;
	if (what == LOCK_UN)
		return apply(&range, false);
	if (what != LOCK_SH && what != LOCK_EX)
		return -EINVAL;
	if (give_up_other_kind(&range))
		return 0;
	return acquire(call, file, &range, !(arg32(call, 1) & LOCK_NB));
}

/* ---- The end of owners ---------------------------------------------- */

void
lock_release_table(const struct node *node, const struct descriptors *table)
{
	struct lock *lock, *next;

	list_for_each_safe(lock, next, &node->locks, link) {
		if (lock->table == table) {
			remove_lock(lock);
			wake(&queue);
		}
	}
}

void
lock_release_file(const struct file *file)
{
	struct lock *lock, *next;

	list_for_each_safe(lock, next, &file->node->locks, link) {
		if (lock->file == file) {
			remove_lock(lock);
			wake(&queue);
		}
	}
}
