#include "user/servers/unix/directory.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/memfs.h"
#include "user/servers/unix/process.h"

static const struct file_ops directory_ops = { .seekable = true };

void
directory_rewind(struct file *file)
{
	if (!file->node->ops->list)
		file->dir_end = file->node->dir.next_cookie;
}

int
directory_open(struct node *node, int flags, struct file **file)
{
	*file = file_create(node, &directory_ops, flags);
	if (!*file)
		return -ENOMEM;
	directory_rewind(*file);
	return 0;
}

/* ---- getdents64 ----------------------------------------------------- */

struct records {
	struct listing listing;
	struct call *call;
	u64 to;	    /* where the next one goes */
	u64 left;
	u64 next;   /* the position after the last one */
	int err;
};

enum { RECORD_MAX = 24 + LINUX_NAME_MAX + 1 };

static bool
add_record(struct listing *listing, const char *name, size_t len, u64 ino,
	   mode_t mode, u64 next)
{
	struct records *r = container_of(listing, struct records, listing);
	size_t base = offsetof(struct linux_dirent64, name);
	size_t size = ALIGN_UP(base + len + 1, 8);
	union {
		struct linux_dirent64 record;
		char bytes[RECORD_MAX];
	} u = { .record = { .ino = ino, .next = (s64)next,
			    .length = (u16)size,
			    .type = (u8)(mode >> 12) } };

	if (size > r->left) {
		r->err = -EINVAL; /* counts if it was the first */
		return false;
	}
	memcpy(u.bytes + base, name, len);
	r->err = copy_out(r->call, r->to, u.bytes, size);
	if (r->err)
		return false;
	r->to += size;
	r->left -= size;
	r->next = next;
	return true;
}

static bool
add_dots(struct node *dir, u64 from, struct listing *listing)
{
	if (from == 0 && !listing->add(listing, ".", 1, dir->ino, S_IFDIR, 1))
		return false;
	return from > 1 || listing->add(listing, "..", 2, dir->dir.parent->ino,
					S_IFDIR, FIRST_COOKIE);
}

static void
list_entries(struct node *dir, u64 from, struct listing *listing)
{
	u64 end = listing->file->dir_end;
	struct entry *e;

	if (!add_dots(dir, from, listing))
		return;
	list_for_each(e, &dir->dir.entries, in_dir) {
		if (e->cookie < from)
			continue;
		if (e->cookie >= end ||
		    !listing->add(listing, e->name, e->len, e->node->ino,
				  e->node->mode, e->cookie + 1))
			return;
	}
}

long
sys_getdents64(struct call *call)
{
	struct file *file = descriptor_open(call->process->descriptors,
					    (u32)call->args[0]);
	struct records r = {
		.listing = { add_record, file },
		.call = call,
		.to = call->args[1],
		.left = (u32)call->args[2],
	};
	struct node *dir;

	if (!file)
		return -EBADF;
	dir = file->node;
	if (!is_directory(dir))
		return -ENOTDIR;
	if (dir->links == 0)
		return -ENOENT;
	r.next = file->position;
	if (dir->ops->list)
		dir->ops->list(dir, file->position, &r.listing);
	else
		list_entries(dir, file->position, &r.listing);
	if (r.to == call->args[1])
		return r.err;
	file->position = r.next;
	return (long)(r.to - call->args[1]);
}
