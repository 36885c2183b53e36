/*
 * Open files (what POSIX calls open file descriptions), and the tables of
 * numbers that stand for them.
 */
#pragma once

#include "kernel/base/list.h"
#include "user/servers/unix/io.h"

struct file;
struct node;

/*
 * What can be done with an open file. A NULL is what Linux answers when there
 * is no such operation. read and write do not wait: they answer -EAGAIN, and
 * sys_read() decides. *position moves on by what was done.
 */
struct file_ops {
	long (*read)(struct file *file, struct io *io, u64 *position);
	long (*write)(struct file *file, struct io *io, u64 *position);
	/* POLLIN and so on, that hold now; NULL: always ready. */
	unsigned (*poll)(struct file *file);
	long (*ioctl)(struct file *file, struct call *call);
	/* The last number is closed. */
	void (*release)(struct file *file);
	/* Bytes have places: lseek, pread. */
	bool seekable;
};

struct file {
	unsigned refs;
	int flags;	    /* O_*: access mode and status */
	const struct file_ops *ops;
	struct node *node;  /* a reference */
	struct list *queue; /* woken when what poll() says may have changed */
	u64 position;
	u64 dir_end;	    /* directories: later entries are not shown */
	void *data;	    /* the ops' own */
	size_t data_size, data_used;
};

/* One reference, and one on the node. NULL: no memory. */
struct file *file_create(struct node *node, const struct file_ops *ops,
			 int flags);
struct file *file_get(struct file *file);
void file_put(struct file *file);

static inline bool
file_readable(const struct file *file)
{
	return !(file->flags & LINUX_O_PATH) && (file->flags & 1) == 0;
}

static inline bool
file_writable(const struct file *file)
{
	return (file->flags & 3) == 1 || (file->flags & 3) == 2;
}

/* ---- Numbers -------------------------------------------------------- */

struct descriptor {
	struct file *file; /* NULL: free */
	bool close_on_exec;
};

/* Shared by threads, and by who asks for CLONE_FILES. */
struct descriptors {
	unsigned refs;
	unsigned size;
	struct descriptor *table;
};

struct descriptors *descriptors_create(void);
struct descriptors *descriptors_copy(const struct descriptors *from);
struct descriptors *descriptors_get(struct descriptors *descriptors);
void descriptors_put(struct descriptors *descriptors);
bool descriptors_shared(const struct descriptors *descriptors);
void descriptors_exec(struct descriptors *descriptors);

/* What the number stands for; NULL: nothing. No reference. */
struct file *descriptor_file(const struct descriptors *descriptors, u32 fd);
/* The same, but for one that was opened with O_PATH, which is for few calls. */
struct file *descriptor_open(const struct descriptors *descriptors, u32 fd);

/*
 * The lowest free number >= @from becomes the file's. Takes over the reference
 * if it succeeds. -EMFILE: none below @limit; -ENOMEM.
 */
long descriptor_add(struct descriptors *descriptors, struct file *file,
		    u64 from, u64 limit, bool close_on_exec);
/* Is there such a number? 0, or -EMFILE. */
int descriptor_room(const struct descriptors *descriptors, u64 limit);
/* A given number, which is closed before. -EBADF: not below @limit. */
long descriptor_replace(struct descriptors *descriptors, u64 fd,
			struct file *file, u64 limit, bool close_on_exec);
int descriptor_close(struct descriptors *descriptors, u32 fd);
