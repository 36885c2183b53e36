/* The programs of the archive, built while their callers wait. */
#include <errno.h>
#include <string.h>

#include "user/include/address.h"
#include "user/include/cpio.h"
#include "user/include/objects.h"
#include "user/include/server.h"
#include "user/servers/alone/alone.h"

enum {
	PATH_LEN = 256,
	STRINGS_LEN = 128 << 10, /* of all arguments and the environment */
	MAX_STRINGS = 4096,
};

static const void *archive;
static uint64_t archive_size;

/* What the program is told: strings, one after another, and who points where. */
struct arguments {
	char text[STRINGS_LEN];
	size_t used;
	const char *vector[MAX_STRINGS + 2]; /* argv, NULL, envp, NULL */
	unsigned nr;
};

/* ---- Arguments ---------------------------------------------------------- */

/* The string at @from, page by page, since there may be none behind its end.
 * Its length, or a negative errno; @too_long if it does not fit. */
static long
fetch_string(const struct call *call, char *to, uint64_t from, size_t room,
	     int too_long)
{
	size_t done = 0;

	while (done < room) {
		size_t part = PAGE_SIZE - (from + done) % PAGE_SIZE;
		const char *end;
		int err;

		part = MIN(part, room - done);
		err = fetch(call, to + done, from + done, part);
		if (err)
			return err;
		end = memchr(to + done, 0, part);
		if (end)
			return end - to;
		done += part;
	}
	return too_long;
}

/* A vector of strings in the caller's memory; 0: an empty one. */
static int
fetch_strings(const struct call *call, uint64_t addr, struct arguments *args)
{
	for (; addr; addr += sizeof(uint64_t)) {
		char *to = args->text + args->used;
		uint64_t string;
		long len = fetch(call, &string, addr, sizeof(string));

		if (!len && !string)
			break;
		if (!len)
			len = args->nr == MAX_STRINGS
				      ? -E2BIG
				      : fetch_string(call, to, string,
						     STRINGS_LEN - args->used,
						     -E2BIG);
		if (len < 0)
			return (int)len;
		args->vector[args->nr++] = to;
		args->used += (size_t)len + 1;
	}
	args->vector[args->nr++] = NULL;
	return 0;
}

/* ---- Building ----------------------------------------------------------- */

/* Where in the archive the file at @path is. The last one is remembered: it is
 * often wanted again, and the way to it leads past all others' headers. */
static int
find(const char *path, const struct cpio_entry **file, const char **why)
{
	static char last_path[PATH_LEN];
	static struct cpio_entry last;
	int err = 0;

	if (!last_path[0] || strcmp(path, last_path) != 0) {
		last_path[0] = 0;
		err = cpio_find(archive, archive_size, path, &last, why);
		if (!err && strlen(path) < sizeof(last_path))
			strcpy(last_path, path);
	}
	*file = &last;
	return err;
}

static int
build(struct program *program, const char *path, const char *const *argv,
      const char *const *envp, const char **why)
{
	struct program_args args = { .path = path, .argv = argv, .envp = envp };
	const struct cpio_entry *file;
	int err = find(path, &file, why);

	if (err)
		return err;
	program_args_init(&args);
	return program_build(program, file->data, file->size, &args, why);
}

int
build_first(struct program *program, const char *const *argv)
{
	const char *why = NULL, *none[] = { NULL };
	int err = -EINVAL;

	archive = archive_map(LODGER_BOOT_MODULE, &archive_size, &why);
	if (archive)
		err = build(program, argv[0], argv, none, &why);
	if (err)
		program_explain(argv[0], err, why);
	return err ? -1 : 0;
}

/* ---- execve ------------------------------------------------------------- */

static int
build_for(const struct call *call, const char *path, struct program *program)
{
	static struct arguments args;
	const char *why = NULL;
	unsigned argc;
	int err;

	args.used = args.nr = 0;
	err = fetch_strings(call, call->args[1], &args);
	argc = args.nr;
	if (!err)
		err = fetch_strings(call, call->args[2], &args);
	if (!err)
		err = build(program, path, args.vector, args.vector + argc,
			    &why);
	if (err == -ENOEXEC)
		server_log("exec %s: %s", path, why);
	return err;
}

/* The caller moves over; if it was killed, there is nobody to tell. */
static void
execute(const struct call *call, const struct program *program,
	const char *name)
{
	struct lodger_message message = {
		.nr_send = 1,
		.send_handles = { program->building },
	};
	struct ipc ipc = { .message = &message, .timeout = LODGER_FOREVER };

	ipc.words[0] = program->entry;
	ipc.words[1] = program->sp;
	strncpy((char *)&ipc.words[2], name, LODGER_NAME_LEN - 1);
	if (ipc_reply(call->reply, LODGER_EXECUTE, &ipc) != 0)
		lodger_handle_close(program->building);
}

long
sys_execve(const struct call *call)
{
	struct program program;
	char path[PATH_LEN];
	long err = fetch_string(call, path, call->args[0], sizeof(path),
				-ENAMETOOLONG);

	if (err >= 0)
		err = build_for(call, path, &program);
	if (err)
		return err;
	execute(call, &program, program_name(path));
	return 0;
}
