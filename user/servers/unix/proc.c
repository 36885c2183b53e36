/*
 * The tree of /proc. A node knows its kind, and the process (and descriptor) it
 * is about; whether these still exist is found out when it is used.
 */
#include "user/servers/unix/proc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/servers/unix/directory.h"
#include "user/servers/unix/file.h"
#include "user/servers/unix/memfs.h"
#include "user/servers/unix/process.h"

#define PROC_MAGIC 0x9fa0

enum { NODES_MAX = 65536 };

struct filesystem proc_fs = {
	.name = "proc",
	.where = "/proc",
	.id = 3,
	.magic = PROC_MAGIC,
	.max_nodes = NODES_MAX,
};

int proc_reader;

enum kind {
	ROOT,	      /* /proc */
	SELF,	      /* /proc/self */
	MOUNTS,	      /* /proc/mounts */
	MACHINE_FILE, /* number: place in proc_machine_files */
	PROCESS,      /* /proc/PID */
	PROCESS_FILE, /* number: place in proc_process_files */
	EXE, CWD, ROOT_LINK,
	FDS,	      /* /proc/PID/fd */
	FD,	      /* number: the descriptor */
};

static const struct node_ops root_ops, process_ops, fds_ops, file_ops, link_ops;

/* ---- Making nodes --------------------------------------------------- */

/* The same for the same thing, as programs expect. */
static u64
number_of(enum kind kind, int pid, u64 number)
{
	return 1 + ((u64)pid << 20) + ((u64)kind << 12) + number;
}

static int
make(enum kind kind, int pid, u64 number, const struct node_ops *ops,
     mode_t mode, struct node **made)
{
	int err = node_create(&proc_fs, ops, mode, made);

	if (err)
		return err == -ENOSPC ? -ENOMEM : err;
	(*made)->links = S_ISDIR(mode) ? 2 : 1;
	(*made)->ino = number_of(kind, pid, number);
	(*made)->proc.kind = kind;
	(*made)->proc.pid = pid;
	(*made)->proc.number = number;
	return 0;
}

static struct node *
get_root(struct node *node)
{
	(void)node;
	return node_get(proc_fs.root);
}

static struct node *
get_real_root(struct node *node)
{
	(void)node;
	return node_get(root_node);
}

static bool
same(const char *name, size_t len, const char *other)
{
	return strlen(other) == len && memcmp(name, other, len) == 0;
}

/* A number as it is written: no sign, no zero before it. -1: it is none. */
static long
parse_number(const char *name, size_t len)
{
	long value = 0;

	if (len == 0 || len > 9 || (len > 1 && name[0] == '0'))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -1;
		value = value * 10 + (name[i] - '0');
	}
	return value;
}

/* The place of a name in a list of files; -1. */
static int
find_proc_file(const struct proc_file *files, const char *name, size_t len)
{
	for (int i = 0; files[i].name; i++) {
		if (same(name, len, files[i].name))
			return i;
	}
	return -1;
}

/* ---- /proc ---------------------------------------------------------- */

static int
look_in_root(struct node *dir, const char *name, size_t len,
	     struct node **found)
{
	int file = find_proc_file(proc_machine_files, name, len);
	long pid = parse_number(name, len);
	struct os_task task;

	(void)dir;
	if (same(name, len, "self"))
		return make(SELF, 0, 0, &link_ops, S_IFLNK | 0777, found);
	if (same(name, len, "mounts"))
		return make(MOUNTS, 0, 0, &link_ops, S_IFLNK | 0777, found);
	if (file >= 0)
		return make(MACHINE_FILE, 0, (u64)file, &file_ops,
			    S_IFREG | proc_machine_files[file].mode, found);
	if (pid <= 0 || os_task((int)pid, &task))
		return -ENOENT;
	return make(PROCESS, (int)pid, 0, &process_ops, S_IFDIR | 0555, found);
}

/* Adds the entry at place @at unless the reader has it; false: enough. */
static bool
add(struct listing *listing, u64 from, u64 at, const char *name, mode_t mode,
    u64 ino)
{
	return at < from ||
	       listing->add(listing, name, strlen(name), ino, mode, at + 1);
}

static bool
add_both_dots(struct listing *listing, u64 from, u64 own, u64 parent)
{
	return add(listing, from, 0, ".", S_IFDIR, own) &&
	       add(listing, from, 1, "..", S_IFDIR, parent);
}

static int
compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Places of processes are their pids, behind those of the files: so a reader
 * misses nobody who was there all the time. */
enum { FIRST_PROCESS = 256 };

static void
list_processes(u64 from, struct listing *listing)
{
	static int tids[TASKS_MAX];
	long n = os_tasks(tids, TASKS_MAX);

	n = MIN(n, (long)TASKS_MAX);
	if (n > 0)
		qsort(tids, (size_t)n, sizeof(tids[0]), compare_ints);
	for (long i = 0; i < n; i++) {
		struct os_task task;
		char name[16];

		if (FIRST_PROCESS + (u64)tids[i] < from ||
		    os_task(tids[i], &task) || task.pid != tids[i])
			continue;
		snprintf(name, sizeof(name), "%d", tids[i]);
		if (!add(listing, from, FIRST_PROCESS + (u64)tids[i], name,
			 S_IFDIR, number_of(PROCESS, tids[i], 0)))
			return;
	}
}

static void
list_root(struct node *dir, u64 from, struct listing *listing)
{
	u64 at = 2;

	if (!add_both_dots(listing, from, dir->ino, root_node->ino))
		return;
	if (!add(listing, from, at++, "self", S_IFLNK, number_of(SELF, 0, 0)) ||
	    !add(listing, from, at++, "mounts", S_IFLNK,
		 number_of(MOUNTS, 0, 0)))
		return;
	for (unsigned i = 0; proc_machine_files[i].name; i++) {
		if (!add(listing, from, at++, proc_machine_files[i].name,
			 S_IFREG, number_of(MACHINE_FILE, 0, i)))
			return;
	}
	list_processes(from, listing);
}

static long
root_path(struct node *dir, char *path, size_t size)
{
	(void)dir;
	return snprintf(path, size, "/proc");
}

static int
open_directory(struct node *node, struct call *call, int flags,
	       struct file **file)
{
	(void)call;
	return directory_open(node, flags, file);
}

static const struct node_ops root_ops = {
	.lookup = look_in_root,
	.parent = get_real_root,
	.list = list_root,
	.path = root_path,
	.open = open_directory,
};

int
proc_init(void)
{
	return make(ROOT, 0, 0, &root_ops, S_IFDIR | 0555, &proc_fs.root);
}

/* ---- /proc/PID ------------------------------------------------------ */

static const struct {
	const char *name;
	enum kind kind;
} process_links[] = { { "exe", EXE }, { "cwd", CWD }, { "root", ROOT_LINK } };

static int
look_in_process(struct node *dir, const char *name, size_t len,
		struct node **found)
{
	int pid = dir->proc.pid;
	int file = find_proc_file(proc_process_files, name, len);
	struct os_task task;

	if (os_task(pid, &task))
		return -ENOENT;
	if (file >= 0)
		return make(PROCESS_FILE, pid, (u64)file, &file_ops,
			    S_IFREG | proc_process_files[file].mode, found);
	for (size_t i = 0; i < ARRAY_SIZE(process_links); i++) {
		if (same(name, len, process_links[i].name))
			return make(process_links[i].kind, pid, 0, &link_ops,
				    S_IFLNK | 0777, found);
	}
	if (same(name, len, "fd"))
		return make(FDS, pid, 0, &fds_ops, S_IFDIR | 0500, found);
	return -ENOENT;
}

static void
list_process(struct node *dir, u64 from, struct listing *listing)
{
	int pid = dir->proc.pid;
	u64 at = 2;

	if (!add_both_dots(listing, from, dir->ino, proc_fs.root->ino) ||
	    !add(listing, from, at++, "fd", S_IFDIR, number_of(FDS, pid, 0)))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(process_links); i++) {
		if (!add(listing, from, at++, process_links[i].name, S_IFLNK,
			 number_of(process_links[i].kind, pid, 0)))
			return;
	}
	for (unsigned i = 0; proc_process_files[i].name; i++) {
		if (!add(listing, from, at++, proc_process_files[i].name,
			 S_IFREG, number_of(PROCESS_FILE, pid, i)))
			return;
	}
}

static long
process_path(struct node *dir, char *path, size_t size)
{
	return snprintf(path, size, "/proc/%d", dir->proc.pid);
}

static const struct node_ops process_ops = {
	.lookup = look_in_process,
	.parent = get_root,
	.list = list_process,
	.path = process_path,
	.open = open_directory,
};

/* ---- /proc/PID/fd --------------------------------------------------- */

static struct file *
find_open(int pid, u64 fd)
{
	struct process *process = process_find(pid);

	return process ? descriptor_file(process->descriptors, fd) : NULL;
}

static int
look_in_fds(struct node *dir, const char *name, size_t len, struct node **found)
{
	long fd = parse_number(name, len);

	if (fd < 0 || !find_open(dir->proc.pid, (u64)fd))
		return -ENOENT;
	return make(FD, dir->proc.pid, (u64)fd, &link_ops, S_IFLNK | 0700,
		    found);
}

static struct node *
parent_of_fds(struct node *dir)
{
	struct node *parent;

	if (make(PROCESS, dir->proc.pid, 0, &process_ops, S_IFDIR | 0555,
		 &parent))
		return node_get(proc_fs.root);
	return parent;
}

static void
list_fds(struct node *dir, u64 from, struct listing *listing)
{
	int pid = dir->proc.pid;
	struct process *process = process_find(pid);

	if (!add_both_dots(listing, from, dir->ino, number_of(PROCESS, pid, 0)) ||
	    !process)
		return;
	for (u64 fd = 0; fd < process->descriptors->size; fd++) {
		char name[16];

		if (!find_open(pid, fd))
			continue;
		snprintf(name, sizeof(name), "%u", (unsigned)fd);
		if (!add(listing, from, fd + 2, name, S_IFLNK,
			 number_of(FD, pid, fd)))
			return;
	}
}

static long
fds_path(struct node *dir, char *path, size_t size)
{
	return snprintf(path, size, "/proc/%d/fd", dir->proc.pid);
}

static const struct node_ops fds_ops = {
	.lookup = look_in_fds,
	.parent = parent_of_fds,
	.list = list_fds,
	.path = fds_path,
	.open = open_directory,
};

/* ---- Links ---------------------------------------------------------- */

/* What a link of a process leads to: a reference, or NULL. */
static struct node *
follow_proc_link(struct node *link, struct call *call)
{
	struct process *process = process_find(link->proc.pid);
	struct file *file;

	(void)call;
	if (!process)
		return NULL;
	switch ((enum kind)link->proc.kind) {
	case EXE:
		return process->exe ? node_get(process->exe) : NULL;
	case CWD:
		return node_get(process->place->cwd);
	case ROOT_LINK:
		return node_get(root_node);
	case FD:
		file = find_open(link->proc.pid, link->proc.number);
		return file ? node_get(file->node) : NULL;
	default:
		return NULL;
	}
}

static struct node *
follow(struct node *link, struct call *call)
{
	struct node *there, *process;
	struct os_task task;

	if (link->proc.kind != SELF && link->proc.kind != MOUNTS)
		return follow_proc_link(link, call);
	if (os_task(call->process->pid, &task) ||
	    make(PROCESS, call->process->pid, 0, &process_ops, S_IFDIR | 0555,
		 &process))
		return NULL;
	if (link->proc.kind == SELF)
		return process;
	if (look_in_process(process, "mounts", 6, &there))
		there = NULL;
	node_put(process);
	return there;
}

static long
link_target(struct node *link, struct call *call, char *target, size_t size)
{
	struct node *there;
	long len;

	if (link->proc.kind == SELF)
		return snprintf(target, size, "%d", call->process->pid);
	if (link->proc.kind == MOUNTS)
		return snprintf(target, size, "self/mounts");
	there = follow_proc_link(link, call);
	if (!there)
		return -ENOENT;
	len = node_path(there, target, size);
	node_put(there);
	return len;
}

static const struct node_ops link_ops = {
	.target = link_target,
	.follow = follow,
};

/* ---- Files ---------------------------------------------------------- */

/* A file says what holds when it is read from its beginning, and goes on with
 * that. */
static int
refresh(struct file *file, struct call *call)
{
	struct node *node = file->node;
	bool machine = node->proc.kind == MACHINE_FILE;
	const struct proc_file *files = machine ? proc_machine_files
						: proc_process_files;
	struct text text = { 0 };
	int err;

	proc_reader = call ? call->process->pid : 0;
	err = files[node->proc.number].write(&text, node->proc.pid);

	if (!err && text.failed)
		err = -ENOMEM;
	if (err) {
		text_free(&text);
		return err;
	}
	if (file->data)
		os_free(file->data, file->data_size);
	file->data = text.bytes;
	file->data_size = text.size;
	file->data_used = text.used;
	return 0;
}

static long
read_text(struct file *file, struct io *io, u64 *position)
{
	int err = *position == 0 ? refresh(file, io->call) : 0;
	u64 len;

	if (err || *position >= file->data_used)
		return err;
	len = MIN(io->left, file->data_used - *position);
	err = io_out(io, (char *)file->data + *position, len);
	if (err)
		return err;
	*position += len;
	return (long)len;
}

static const struct file_ops text_ops = {
	.read = read_text,
	.seekable = true,
};

static int
open_file(struct node *node, struct call *call, int flags, struct file **file)
{
	(void)call;
	if ((flags & 3) != 0)
		return -EACCES;
	*file = file_create(node, &text_ops, flags);
	return *file ? 0 : -ENOMEM;
}

static const struct node_ops file_ops = { .open = open_file };
