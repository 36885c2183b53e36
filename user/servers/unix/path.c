/*
 * The walk. What is left of the path stands in walk->path from walk->rest on; a
 * symbolic link's target is put before it.
 */
#include "user/servers/unix/path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "user/servers/unix/file.h"
#include "user/servers/unix/process.h"

int
node_lookup(struct node *dir, const char *name, size_t len, struct node **found)
{
	struct entry *entry;

	if (dir->links == 0)
		return -ENOENT;
	if (len > LINUX_NAME_MAX)
		return -ENAMETOOLONG;
	if (dir->ops->lookup)
		return dir->ops->lookup(dir, name, len, found);
	entry = entry_find(dir, name, len);
	if (!entry)
		return -ENOENT;
	*found = node_get(entry->node);
	return 0;
}

static struct node *
parent_of(struct node *dir)
{
	if (dir->ops->parent)
		return dir->ops->parent(dir);
	return node_get(dir->dir.parent);
}

/* ---- Components ----------------------------------------------------- */

static void
skip_slashes(struct walk *walk)
{
	while (*walk->rest == '/')
		walk->rest++;
}

/* The next name; false: there is none. */
static bool
next_name(struct walk *walk)
{
	skip_slashes(walk);
	walk->name = walk->rest;
	walk->rest = strchrnul(walk->rest, '/');
	walk->len = (size_t)(walk->rest - walk->name);
	return walk->len > 0;
}

static bool
is_last(const struct walk *walk)
{
	return walk->rest[strspn(walk->rest, "/")] == 0;
}

static enum last_name
kind_of_name(const struct walk *walk)
{
	if (walk->len == 1 && walk->name[0] == '.')
		return LAST_DOT;
	if (walk->len == 2 && memcmp(walk->name, "..", 2) == 0)
		return LAST_DOTDOT;
	return LAST_NORMAL;
}

static void
move_to(struct walk *walk, struct node *node)
{
	node_put(walk->node);
	walk->node = node;
}

/* ---- Symbolic links ------------------------------------------------- */

/* The target, then what is left of the path. */
static int
insert_target(struct walk *walk, struct node *link)
{
	char target[LINUX_PATH_MAX];
	long len = link->ops->target(link, walk->call, target, sizeof(target));
	size_t rest = strlen(walk->rest);

	if (len < 0)
		return (int)len;
	if (len == 0)
		return -ENOENT;
	if ((size_t)len + rest >= sizeof(walk->path))
		return -ENAMETOOLONG;
	memmove(walk->path + len, walk->rest, rest + 1);
	memcpy(walk->path, target, (size_t)len);
	walk->rest = walk->path;
	if (walk->path[0] == '/')
		move_to(walk, node_get(root_node));
	return 0;
}

/* Goes on where the link leads to. */
static int
follow_link(struct walk *walk, struct node *link)
{
	struct node *there = NULL;

	if (++walk->links > LINUX_MAX_LINKS)
		return -ELOOP;
	if (!link->ops->follow)
		return insert_target(walk, link);
	there = link->ops->follow(link, walk->call);
	if (!there)
		return -ENOENT;
	move_to(walk, there);
	return 0;
}

static bool
must_follow(const struct walk *walk, const struct node *node)
{
	if (!S_ISLNK(node->mode))
		return false;
	return !is_last(walk) || *walk->rest == '/' ||
	       (walk->flags & WALK_FOLLOW);
}

/* ---- The walk ------------------------------------------------------- */

static int
step(struct walk *walk)
{
	enum last_name kind = kind_of_name(walk);
	struct node *found;
	int err;

	if (!is_directory(walk->node))
		return -ENOTDIR;
	if (kind == LAST_DOT)
		return 0;
	if (kind == LAST_DOTDOT) {
		move_to(walk, parent_of(walk->node));
		return 0;
	}
	err = node_lookup(walk->node, walk->name, walk->len, &found);
	if (err)
		return err;
	if (!must_follow(walk, found)) {
		move_to(walk, found);
		return 0;
	}
	err = follow_link(walk, found);
	node_put(found);
	return err;
}

/* The walk ends in the directory where it is. */
static int
stop_at_name(struct walk *walk, enum last_name kind)
{
	if (!is_directory(walk->node))
		return -ENOTDIR;
	walk->last = kind;
	walk->slash = *walk->rest == '/';
	walk->dir = walk->node;
	walk->node = NULL;
	return 0;
}

/* open() does not make directories. */
static bool
wants_no_slash(const struct walk *walk)
{
	return (walk->flags & WALK_CREATE) && *walk->rest == '/' &&
	       is_last(walk) && kind_of_name(walk) == LAST_NORMAL;
}

static int
walk_all(struct walk *walk)
{
	int err = 0;

	while (!err && next_name(walk)) {
		if ((walk->flags & WALK_PARENT) && is_last(walk))
			return stop_at_name(walk, kind_of_name(walk));
		if (wants_no_slash(walk))
			return is_directory(walk->node) ? -EISDIR : -ENOTDIR;
		err = step(walk);
		if (err == -ENOENT && (walk->flags & WALK_CREATE) &&
		    is_last(walk) && is_directory(walk->node) && walk->len)
			return stop_at_name(walk, LAST_NORMAL);
		walk->slash = *walk->rest == '/';
	}
	if (!err && (walk->flags & WALK_PARENT))
		return stop_at_name(walk, LAST_ROOT);
	if (!err && walk->slash && !is_directory(walk->node))
		return -ENOTDIR;
	return err;
}

static int
set_start(struct walk *walk, int dirfd)
{
	struct process *process = walk->call->process;
	struct file *file;

	if (walk->path[0] == '/') {
		walk->node = node_get(root_node);
		return 0;
	}
	if (dirfd == AT_FDCWD) {
		walk->node = node_get(process->place->cwd);
		return 0;
	}
	file = descriptor_file(process->descriptors, (u64)dirfd);
	if (!file)
		return -EBADF;
	if (walk->path[0] && !is_directory(file->node))
		return -ENOTDIR;
	walk->node = node_get(file->node);
	return 0;
}

static int
walk_from(struct walk *walk, int dirfd)
{
	int err;

	walk->rest = walk->path;
	walk->dir = walk->node = NULL;
	walk->links = 0;
	walk->slash = false;
	if (!walk->path[0] && !(walk->flags & WALK_EMPTY))
		return -ENOENT;
	err = set_start(walk, dirfd);
	if (!err)
		err = walk_all(walk);
	if (err)
		walk_end(walk);
	return err;
}

int
walk_begin(struct walk *walk, struct call *call, int dirfd, u64 path,
	   unsigned flags)
{
	long len = copy_in_string(call, walk->path, path, sizeof(walk->path));

	walk->call = call;
	walk->flags = flags;
	return len < 0 ? (int)len : walk_from(walk, dirfd);
}

int
walk_string(struct walk *walk, struct call *call, const char *path,
	    unsigned flags)
{
	size_t len = strlen(path);

	if (len >= sizeof(walk->path))
		return -ENAMETOOLONG;
	memcpy(walk->path, path, len + 1);
	walk->call = call;
	walk->flags = flags;
	return walk_from(walk, AT_FDCWD);
}

void
walk_end(struct walk *walk)
{
	if (walk->node)
		node_put(walk->node);
	if (walk->dir)
		node_put(walk->dir);
	walk->node = walk->dir = NULL;
}

int
path_node(struct call *call, int dirfd, u64 path, unsigned flags,
	  struct node **found)
{
	struct walk walk;
	int err = walk_begin(&walk, call, dirfd, path, flags);

	if (err)
		return err;
	*found = node_get(walk.node);
	walk_end(&walk);
	return 0;
}
