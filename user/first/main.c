/*
 * The first program. The kernel knows neither files nor ELF: it begins this
 * one, which the build has put into its image, on a stack of zeroes, with the
 * first handles. This finds the program that the boot options name in the
 * archive that the loader brought, builds it, and becomes it.
 *
 *	init=PATH args=A,B	PATH A B, without a personality; /sbin/init if
 *				neither this nor the next is given
 *	run=PATH args=A,B	/sbin/alone PATH A B, which runs that program
 *				and answers its calls
 *
 * Whatever goes wrong is said in the log, and ends the boot.
 */
#include <stdio.h>
#include <string.h>

#include "user/include/cpio.h"
#include "user/include/objects.h"
#include "user/include/program.h"
#include "user/include/server.h"

enum { OPTION_LEN = 1024, MAX_ARGS = 64 };

struct archive {
	const void *start;
	uint64_t size;
};

/* ---- What is to be run -------------------------------------------------- */

static const char *
option(const char *name, char value[OPTION_LEN])
{
	return lodger_boot_option(name, value, OPTION_LEN) < 0 ? NULL : value;
}

/* "A,B,C" becomes three arguments, from argv[n] on. */
static void
add_list(const char **argv, unsigned n, char *list)
{
	char *next = list;

	for (; next && *next && n < MAX_ARGS; n++) {
		argv[n] = next;
		next = strchr(next, ',');
		if (next)
			*next++ = 0;
	}
	argv[n] = NULL;
}

static void
read_options(const char **argv)
{
	static char init[OPTION_LEN], run[OPTION_LEN], args[OPTION_LEN];
	unsigned n = 0;

	if (option("run", run)) {
		argv[n++] = "/sbin/alone";
		argv[n++] = run;
	} else {
		argv[n++] = option("init", init) ? init : "/sbin/init";
	}
	option("args", args);
	add_list(argv, n, args);
}

/* ---- Running it --------------------------------------------------------- */

/* Is there an archive of programs, and is it whole? Looked at once, here, so
 * that damage is reported now and not in the middle of an exec. */
static int
open_archive(struct archive *archive)
{
	const char *why;
	unsigned files;

	archive->start = archive_map(LODGER_BOOT_MODULE, &archive->size, &why);
	if (!archive->start) {
		server_log("no initrd: give QEMU -initrd, or GRUB a module2 "
			   "line (%s)", why);
		return -1;
	}
	if (cpio_check(archive->start, archive->size, &files, &why)) {
		server_log("the initrd is damaged: %s. Build it again: make",
			   why);
		return -1;
	}
	server_log("initrd: %u files, %u KiB", files,
		   (unsigned)(archive->size >> 10));
	return 0;
}

/* Returns only an error. */
static int
become(const struct archive *archive, const char *const *argv,
       const char **why)
{
	const char *envp[] = { NULL };
	struct program_args args = { .path = argv[0], .argv = argv,
				     .envp = envp };
	struct program program;
	int err;

	program_args_init(&args);
	err = program_find(&program, archive->start, archive->size, &args, why);
	if (err)
		return err;
	return (int)lodger_mm_exec(program.building, program.entry, program.sp,
				   program_name(argv[0]));
}

int
main(void)
{
	const char *argv[MAX_ARGS + 1], *why = NULL;
	struct archive archive;
	int err;

	read_options(argv);
	if (open_archive(&archive) != 0)
		return 1;
	err = become(&archive, argv, &why);
	program_explain(argv[0], err, why);
	return 1;
}
