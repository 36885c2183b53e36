/* Nodes in memory. */
#pragma once

#include "user/servers/unix/node.h"

/* In a directory 0 and 1 are "." and "..". */
enum { FIRST_COOKIE = 2 };

/* A reference in *made, without a name. -ENOSPC, -ENOMEM. */
int memfs_create(struct filesystem *fs, mode_t mode, struct node **made);
int memfs_symlink(struct filesystem *fs, const char *target, size_t len,
		  struct node **made);

/* A directory with the set-group-id bit gives its group to what is made in it,
 * and directories the bit, too. */
void memfs_inherit(struct node *node, const struct node *dir);

/* Makes a node with a name, which has the reference. */
int memfs_add(struct node *dir, const char *name, mode_t mode,
	      struct node **made);
