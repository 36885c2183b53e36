/* Processes built from outside: this test's own program, with another role. A
 * test that uses this is the first program, and has its handles. */
#pragma once

#include "tests/user/partners.h"
#include "tests/user/rest.h"
#include "user/include/address.h"
#include "user/include/cpio.h"
#include "user/include/objects.h"
#include "user/include/program.h"

static const void *archive;
static uint64_t archive_size;

/* @name: in the archive. */
static inline void
open_program(const char *name, struct cpio_entry *file)
{
	const char *why;

	if (!archive)
		archive = archive_map(LODGER_BOOT_MODULE, &archive_size, &why);
	if (!archive || cpio_find(archive, archive_size, name, file, &why)) {
		printf("WRONG: no %s in the archive\n", name);
		exit(2);
	}
}

/* The program @name with one argument, in an address space of its own. */
static inline struct program
build_program(const char *name, const char *role)
{
	const char *argv[] = { name, role, NULL }, *envp[] = { NULL };
	struct program_args args = { .path = name, .argv = argv, .envp = envp };
	struct program program = { 0 };
	struct cpio_entry file;
	const char *why = "";

	open_program(name, &file);
	program_args_init(&args);
	if (program_build(&program, file.data, file.size, &args, &why)) {
		printf("WRONG: %s cannot be built: %s\n", name, why);
		exit(2);
	}
	return program;
}

/* The same as a process that has not begun: its handle. */
static inline unsigned
create_process(const char *name, const char *role, struct program *program)
{
	long process;

	*program = build_program(name, role);
	process = lodger_process_create(program->building, role, 0);
	if (process < 0) {
		printf("WRONG: process_create: %ld\n", process);
		exit(2);
	}
	return (unsigned)process;
}

static inline struct lodger_process_info
process_info(unsigned process)
{
	struct lodger_process_info info = { .pid = -1 };

	if (lodger_process_info(process, &info) != 0)
		check(false, "process_info of a good handle");
	return info;
}

/* Waits until it has ended; its status. */
static inline int
process_end(unsigned process)
{
	unsigned news = lodger_notification_create();
	struct ipc ipc = WORDS_ALONE;

	if (lodger_process_watch(process, news, 1) != 0 ||
	    ipc_wait(news, &ipc) != 0)
		check(false, "a process can be watched");
	lodger_process_watch(process, 0, 0);
	lodger_handle_close(news);
	return process_info(process).status;
}
