/*
 * execve. The new address space is built while the caller waits; the answer
 * moves it over. Until then nothing has changed. Read Linux: fs/exec.c,
 * fs/binfmt_script.c.
 */
#include "user/servers/unix/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "user/servers/unix/calls.h"
#include "user/servers/unix/device.h"
#include "user/servers/unix/file.h"
#include "user/servers/unix/load_program.h"
#include "user/servers/unix/path.h"
#include "user/servers/unix/process.h"
#include "user/servers/unix/strings.h"
#include "user/servers/unix/tty.h"

enum {
	SCRIPTS_MAX = 5,   /* that are each other's interpreters */
	SCRIPT_LINE = 256, /* the first line, as far as it is looked at */
};

struct exec {
	struct call *call;
	char path[LINUX_PATH_MAX]; /* what the program is told it was */
	struct node *node;	   /* a reference: what is loaded */
	struct strings argv, envp;
	struct program program;
	char name[16];
};

/* ---- Scripts -------------------------------------------------------- */

static int
check_file(const struct node *node)
{
	if (!S_ISREG(node->mode) || node->fs == &proc_fs)
		return -EACCES;
	return node->mode & 0111 ? 0 : -EACCES;
}

static int
find_file(struct exec *exec, const char *path)
{
	struct walk walk;
	int err = walk_string(&walk, exec->call, path, WALK_FOLLOW);

	if (err)
		return err;
	if (exec->node)
		node_put(exec->node);
	exec->node = node_get(walk.node);
	walk_end(&walk);
	return check_file(exec->node);
}

static bool
is_script(const struct node *node)
{
	return node->contents.size >= 2 &&
	       memcmp(node->contents.bytes, "#!", 2) == 0;
}

/* The end of the text that begins at @from, without blanks behind it. */
static char *
trim(char *from)
{
	char *end = from + strlen(from);

	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = 0;
	return from;
}

/* "#! interpreter argument": the argument is all the rest, or NULL. */
static int
parse_line(const struct node *node, char line[SCRIPT_LINE], char **interpreter,
	   char **argument)
{
	size_t len = MIN(node->contents.size - 2, (u64)SCRIPT_LINE - 1);
	char *blank;

	memcpy(line, node->contents.bytes + 2, len);
	line[len] = 0;
	line[strcspn(line, "\n")] = 0;
	*interpreter = trim(line + strspn(line, " \t"));
	if (!**interpreter)
		return -ENOEXEC;
	*argument = NULL;
	blank = *interpreter + strcspn(*interpreter, " \t");
	if (*blank) {
		*blank = 0;
		*argument = blank + 1 + strspn(blank + 1, " \t");
	}
	return 0;
}

/* The script's path takes the place of its name, behind the interpreter. */
static int
rewrite_argv(struct exec *exec, const char *interpreter, const char *argument)
{
	struct strings argv = { 0 };
	const char *rest = exec->argv.text.bytes;
	int err = strings_add(&argv, interpreter);

	if (!err && argument)
		err = strings_add(&argv, argument);
	if (!err)
		err = strings_add(&argv, exec->path);
	for (unsigned i = 0; i < exec->argv.count && !err; i++) {
		if (i > 0)
			err = strings_add(&argv, rest);
		rest += strlen(rest) + 1;
	}
	strings_free(&exec->argv);
	exec->argv = argv;
	return err;
}

static int
resolve_scripts(struct exec *exec)
{
	char line[SCRIPT_LINE], *interpreter, *argument;
	int err = find_file(exec, exec->path);

	for (int depth = 0; !err && is_script(exec->node); depth++) {
		if (depth == SCRIPTS_MAX)
			return -ELOOP;
		err = parse_line(exec->node, line, &interpreter, &argument);
		if (!err)
			err = rewrite_argv(exec, interpreter, argument);
		if (err)
			return err;
		strcpy(exec->path, interpreter);
		err = find_file(exec, interpreter);
	}
	return err;
}

/* ---- Building ------------------------------------------------------- */

static void
set_name(struct exec *exec)
{
	const char *slash = strrchr(exec->path, '/');

	snprintf(exec->name, sizeof(exec->name), "%.15s",
		 slash ? slash + 1 : exec->path);
}

static int
build(struct exec *exec)
{
	struct program_args args = { .path = exec->path, .hwcap = os_hwcap() };
	int err;

	os_random(args.random, sizeof(args.random));
	args.argv = strings_vector(&exec->argv);
	args.envp = strings_vector(&exec->envp);
	err = args.argv && args.envp
		      ? load_program(&exec->program, exec->node, &args)
		      : -ENOMEM;
	strings_free_vector(&exec->argv, (const char **)args.argv);
	strings_free_vector(&exec->envp, (const char **)args.envp);
	return err;
}

/* Nobody is without a first argument, as Linux since 5.18. */
static int
prepare(struct exec *exec)
{
	int err = exec->argv.count ? 0 : strings_add(&exec->argv, "");

	set_name(exec); /* a script's, not its interpreter's */
	if (!err)
		err = resolve_scripts(exec);
	return err ? err : build(exec);
}

static void
exec_end(struct exec *exec)
{
	strings_free(&exec->argv);
	strings_free(&exec->envp);
	if (exec->node)
		node_put(exec->node);
	os_free(exec, sizeof(*exec));
}

/* What /proc says of the process from now on. */
static void
describe(struct process *process, struct exec *exec)
{
	size_t len = MIN(exec->argv.text.used, (size_t)CMDLINE_MAX);
	char *cmdline = os_alloc(len);

	if (process->cmdline)
		os_free(process->cmdline, process->cmdline_len);
	if (cmdline)
		memcpy(cmdline, exec->argv.text.bytes, len);
	process->cmdline = cmdline;
	process->cmdline_len = cmdline ? (unsigned)len : 0;
	process->name[0] = 0;
	if (process->exe)
		node_put(process->exe);
	process->exe = node_get(exec->node);
}

/* ---- The call ------------------------------------------------------- */

static int
fetch(struct exec *exec, struct call *call, u64 path, u64 argv, u64 envp)
{
	long len = copy_in_string(call, exec->path, path, sizeof(exec->path));
	int err = len < 0 ? (int)len : 0;

	if (!err && len == 0)
		err = -ENOENT;
	if (!err)
		err = strings_fetch(&exec->argv, call, argv);
	return err ? err : strings_fetch(&exec->envp, call, envp);
}

/* Everything that can fail has not: the caller moves. */
static long
commit(struct exec *exec)
{
	struct process *process = exec->call->process;
	int err = process_unshare_descriptors(process);

	if (!err)
		err = os_answer_execute(exec->call->reply,
					exec->program.building,
					exec->program.entry, exec->program.sp,
					exec->name);
	if (err) {
		os_close(exec->program.building);
		return err;
	}
	descriptors_exec(process->descriptors);
	describe(process, exec);
	process_interrupt_others(process, exec->call);
	return ANSWERED;
}

static long
do_execve(struct call *call, u64 path, u64 argv, u64 envp)
{
	struct exec *exec = os_alloc(sizeof(*exec));
	long result;

	if (!exec)
		return -ENOMEM;
	exec->call = call;
	result = fetch(exec, call, path, argv, envp);
	if (!result)
		result = prepare(exec);
	if (!result)
		result = commit(exec);
	exec_end(exec);
	return result;
}

long
sys_execve(struct call *call)
{
	return do_execve(call, call->args[0], call->args[1], call->args[2]);
}

/* ---- The first program ---------------------------------------------- */

/* The console, three times. */
static int
open_console(struct process *process)
{
	struct call call = { .process = process };
	struct walk walk;
	struct file *file;
	int err = walk_string(&walk, &call, "/dev/console", WALK_FOLLOW);

	if (err)
		return err;
	err = console_open(walk.node, NULL, O_RDWR | LINUX_O_LARGEFILE, &file);
	walk_end(&walk);
	if (err)
		return err;
	for (int fd = 0; fd < 3; fd++)
		descriptor_add(process->descriptors, file_get(file), 0, 3,
			       false);
	file_put(file);
	console_tty.session = console_tty.group = process->pid;
	return 0;
}

/* The process, once its address space is there. */
static int
start(struct exec *exec)
{
	unsigned handle;
	long pid = os_process(exec->program.building, exec->name, &handle);
	struct process *process;
	int err;

	if (pid < 0) {
		os_close(exec->program.building);
		return (int)pid;
	}
	process = process_create((int)pid);
	err = process ? open_console(process) : -ENOMEM;
	if (!err) {
		describe(process, exec);
		err = os_start(handle, exec->program.entry, exec->program.sp);
	}
	if (!err)
		return (int)pid;
	if (process)
		process_exit(process);
	os_close(handle);
	return err;
}

static int
add_all(struct strings *strings, const char *const *vector)
{
	int err = 0;

	for (; *vector && !err; vector++)
		err = strings_add(strings, *vector);
	return err;
}

int
exec_start(const char *path, const char *const *argv, const char *const *envp)
{
	struct place place = { .refs = 1, .cwd = root_node };
	struct process nobody = { .place = &place };
	struct call call = { .process = &nobody };
	struct exec *exec = os_alloc(sizeof(*exec));
	int err;

	if (!exec)
		return -ENOMEM;
	exec->call = &call;
	snprintf(exec->path, sizeof(exec->path), "%s", path);
	err = add_all(&exec->argv, argv);
	if (!err)
		err = add_all(&exec->envp, envp);
	if (!err)
		err = prepare(exec);
	if (!err)
		err = start(exec);
	exec_end(exec);
	return err;
}
