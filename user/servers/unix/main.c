/*
 * The Unix server. Boot options:
 *
 *	shell=PATH    what runs on the terminal, again and again (/bin/sh)
 *	script=PATH   runs the shell on this script instead, and ends the machine
 *		      with its result; args=A,B,C are the script's arguments
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/include/cpio.h"
#include "user/include/objects.h"
#include "user/include/server.h"
#include "user/servers/unix/exec.h"
#include "user/servers/unix/os_lodger.h"
#include "user/servers/unix/server.h"

static const char *const environment[] = {
	"PATH=/bin:/sbin:/usr/bin:/usr/sbin",
	"HOME=/root",
	"TERM=linux",
	"USER=root",
	"SHELL=/bin/sh",
	NULL,
};

enum { ARGUMENTS_MAX = 16 };

static char shell[128] = "/bin/sh";
static char script[128];
static char arguments[256];

/* The archive, from init, or from the kernel if this is the first program. */
static int
read_archive(void)
{
	unsigned module = server_handle("archive");
	const char *why;
	uint64_t size;
	const void *archive = archive_map(module ? module : LODGER_BOOT_MODULE,
					  &size, &why);

	if (!archive) {
		os_log("unix: no archive: %s", why);
		return -1;
	}
	return server_begin(archive, size);
}

/* Without memory or ids for it, others are served until there is some: the
 * files are here, and must not be lost. */
static int
start_shell(const char *const *argv)
{
	enum { TENTH = 100000000 }; /* of a second, in ns */
	int pid = exec_start(shell, argv, environment);

	while (pid == -ENOMEM || pid == -EAGAIN) {
		server_wait(os_now() + TENTH);
		pid = exec_start(shell, argv, environment);
	}
	return pid;
}

/* Its status, or -1: it did not start. */
static int
run(const char *const *argv)
{
	int pid = start_shell(argv);

	if (pid < 0) {
		os_log("unix: %s does not start: error %d", shell, -pid);
		return -1;
	}
	return server_run(pid);
}

static int
run_script(void)
{
	const char *argv[ARGUMENTS_MAX + 3] = { "sh", script };
	char *rest = arguments;

	for (int i = 0; i < ARGUMENTS_MAX && rest && *rest; i++)
		argv[i + 2] = strsep(&rest, ",");
	return run(argv);
}

/* By the handle from init, or from the kernel. Returns if that is refused. */
static int
end_machine(int status)
{
	unsigned machine = server_handle("machine");
	long err = lodger_verdict(machine ? machine : LODGER_ALL_PORTS, status);

	os_log("unix: the machine does not end: error %ld", -err);
	return 1;
}

int
main(void)
{
	static const char *const login[] = { "-sh", NULL };

	lodger_set_priority(0, SERVER_PRIORITY);
	lodger_boot_option("shell", shell, sizeof(shell));
	lodger_boot_option("script", script, sizeof(script));
	lodger_boot_option("args", arguments, sizeof(arguments));
	if (server_touch_memory() != 0 || os_lodger_init() != 0 ||
	    os_terminal_init() != 0 || read_archive() != 0)
		return 1;
	if (script[0])
		return end_machine(run_script());
	while (run(login) != -1)
		;
	return 1;
}
