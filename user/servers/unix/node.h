/*
 * Nodes: what names stand for. A node lives as long as somebody refers to it:
 * a directory's entry, an open file, a working directory, a walk.
 */
#pragma once

#include <sys/stat.h>

#include "kernel/base/list.h"
#include "user/servers/unix/os.h"

struct call;
struct file;
struct node;

/* ---- File systems --------------------------------------------------- */

struct filesystem {
	const char *name;   /* as in /proc/mounts */
	const char *where;
	unsigned id;	    /* st_dev */
	u64 magic;	    /* statfs() */
	u64 pages, max_pages;
	u64 nodes, max_nodes;
	u64 last_ino;
	struct node *root, *covered; /* @covered: the parent of its root */
};

extern struct filesystem root_fs, dev_fs, proc_fs;
extern struct node *root_node;

/* ---- Nodes ---------------------------------------------------------- */

struct entry;

/* Called for each entry; false: enough. */
struct listing {
	bool (*add)(struct listing *listing, const char *name, size_t len,
		    u64 ino, mode_t mode, u64 next);
	struct file *file;
};

struct node_ops {
	/* A reference on what a name in a directory stands for. NULL: the name
	 * is looked for among the entries. */
	int (*lookup)(struct node *dir, const char *name, size_t len,
		      struct node **found);
	struct node *(*parent)(struct node *dir);
	/* Entries from @from on: names made on demand; NULL: the entries. */
	void (*list)(struct node *dir, u64 from, struct listing *listing);
	/* The target of a symbolic link: its length. */
	long (*target)(struct node *link, struct call *call, char *target,
		       size_t size);
	/* A link that leads to a node without going by its name (/proc). */
	struct node *(*follow)(struct node *link, struct call *call);
	/* Makes an open file, in *file. */
	int (*open)(struct node *node, struct call *call, int flags,
		    struct file **file);
	void (*release)(struct node *node);
	long (*path)(struct node *node, char *path, size_t size);
};

struct directory {
	struct list entries; /* in the order of their cookies */
	unsigned nr_entries;
	u64 next_cookie;
	struct node *parent; /* a reference; the root is its own */
};

/* A file's bytes: whole pages of its own; or, until somebody writes to it, those
 * of the archive, or those of a memory that programs map. */
struct contents {
	u8 *bytes;
	u64 size;	 /* of the file */
	u64 capacity;	 /* own pages, in bytes; 0: none */
	unsigned memory; /* @bytes is a view of it; 0: none */
	struct list frozen; /* if there is @memory: among all that have one */
};

struct node {
	unsigned refs;
	mode_t mode;
	unsigned uid, gid;
	unsigned links;
	u64 ino;
	u64 atime, mtime, ctime; /* ns since 1970 */
	struct filesystem *fs;
	const struct node_ops *ops;
	struct entry *entry; /* one of its names; NULL: none */
	union {
		struct directory dir;
		struct contents contents;
		char *target;	  /* symbolic link, 0-terminated */
		dev_t device;
		struct pipe *pipe; /* FIFO: NULL until somebody opens it */
		struct {
			int pid;
			unsigned kind;
			u64 number;
		} proc;
	};
	struct list locks;   /* lock.c */
	unsigned nr_locks;
};

/* A reference, in *made. -ENOSPC: the file system has no more; -ENOMEM. */
int node_create(struct filesystem *fs, const struct node_ops *ops, mode_t mode,
		struct node **made);
struct node *node_get(struct node *node);
void node_put(struct node *node);

/* As st_size tells it. What is in /proc has none. */
u64 node_size(const struct node *node);
void node_stat(const struct node *node, struct stat *stat);
/* Absolute; "(deleted)" behind what has no name any more. -ENAMETOOLONG. */
long node_path(struct node *node, char *path, size_t size);
/* As node_path(), of a directory: -ENOENT when it has no name any more. */
long node_directory_path(struct node *dir, char *path, size_t size);

void node_touch(struct node *node, bool modified); /* mtime and ctime, or ctime */

static inline bool
is_directory(const struct node *node)
{
	return S_ISDIR(node->mode);
}

/* ---- Contents (contents.c) ------------------------------------------ */

/* Up to where bytes may be written: -EFBIG, -ENOSPC, -ENOMEM. */
int contents_reserve(struct node *node, u64 size);
int contents_truncate(struct node *node, u64 size);
/* Makes the bytes, unless there are none, a memory that programs can map:
 * -ENOMEM. They stay what they are there when the file is written to. */
int contents_freeze(struct node *node);
void contents_free(struct node *node);
u64 contents_blocks(const struct node *node);

/* ---- Entries (entry.c) ---------------------------------------------- */

struct entry {
	struct entry *next;  /* in its hash chain */
	struct list in_dir;
	struct node *dir;    /* no reference */
	struct node *node;   /* a reference */
	u64 cookie;
	u32 hash;
	u8 len;
	char name[];
};

struct entry *entry_find(struct node *dir, const char *name, size_t len);
/* -ENOMEM. Counts in the node's links; a directory's parent is set. */
int entry_add(struct node *dir, const char *name, size_t len,
	      struct node *node);
void entry_remove(struct entry *entry);
/* The entry stands for another node from now on. */
void entry_change(struct entry *entry, struct node *node);

/* The root, /dev and /proc; what fits into them is a part of @memory bytes. */
int filesystems_init(u64 memory);

extern const struct node_ops memfs_ops;
