/* From a path to what it names. */
#pragma once

#include "user/servers/unix/call.h"
#include "user/servers/unix/node.h"

enum walk_flags {
	WALK_FOLLOW = 1 << 0, /* a symbolic link at the end, too */
	WALK_PARENT = 1 << 1, /* stop before the last name */
	WALK_CREATE = 1 << 2, /* the last name may be missing; -EISDIR: a slash
			       * follows it */
	WALK_EMPTY = 1 << 3,  /* "" is what the descriptor stands for */
};

/* What is last in a path, for those who want the directory before it. */
enum last_name { LAST_NORMAL, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

struct walk {
	/* Results: references, to be given back by walk_end(). */
	struct node *node;   /* what the path names; NULL: the name is free */
	struct node *dir;    /* the directory of the last name, */
	const char *name;    /* which points into @path; not 0-terminated */
	size_t len;
	enum last_name last;
	bool slash;	     /* a slash follows: only a directory will do */

	struct call *call;
	unsigned flags, links;
	const char *rest;
	char path[LINUX_PATH_MAX];
};

/*
 * Walks from @dirfd (AT_FDCWD: the working directory). With WALK_PARENT dir
 * and name are results, with WALK_CREATE these too if node is NULL, else node
 * alone. -ENOENT, -ENOTDIR, -ELOOP, -ENAMETOOLONG, -EBADF, -EFAULT. After an
 * error there is nothing to end.
 */
int walk_begin(struct walk *walk, struct call *call, int dirfd, u64 path,
	       unsigned flags);
/* The same for a path in the server. */
int walk_string(struct walk *walk, struct call *call, const char *path,
		unsigned flags);
void walk_end(struct walk *walk);

/* Looks up one name in a directory: a reference in *found. -ENOENT,
 * -ENAMETOOLONG. */
int node_lookup(struct node *dir, const char *name, size_t len,
		struct node **found);

/* For the many calls that need the node alone: a reference. */
int path_node(struct call *call, int dirfd, u64 path, unsigned flags,
	      struct node **found);
