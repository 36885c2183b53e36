/*
 * Runs one program, and is its personality: `run=PATH`, `make run PROG=x`. The
 * program and its children can write to the kernel's log, and exec the programs
 * of the archive; there are no other files. It begins with the first program's
 * handles, and when it ends this ends, as it did.
 */
#include "user/servers/alone/alone.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "user/include/address.h"
#include "user/include/objects.h"
#include "user/include/server.h"
#include "user/include/supervisor.h" /* policy_describe() */

static unsigned endpoint, process;

/* ---- The caller's memory ------------------------------------------------ */

bool
is_user_range(uint64_t addr, uint64_t len)
{
	return addr <= USER_END && len <= USER_END - addr;
}

int
fetch(const struct call *call, void *to, uint64_t from, size_t len)
{
	while (len) {
		long done = lodger_mm_read(call->reply, from, to, len);

		if (done < 0)
			return (int)done;
		to = (char *)to + done;
		from += (uint64_t)done;
		len -= (size_t)done;
	}
	return 0;
}

/* ---- Calls -------------------------------------------------------------- */

/* There are three descriptors, and none can be mapped. */
static long
sys_mmap(const struct call *call)
{
	return call->args[4] <= 2 ? -ENODEV : -EBADF;
}

/* 0 of execve: it was answered. */
static long
answer(unsigned label, const struct call *call)
{
	switch (label) {
	case SYS_write:
		return sys_write(call);
	case SYS_writev:
		return sys_writev(call);
	case SYS_ioctl:
		return sys_ioctl(call);
	case SYS_mmap:
		return sys_mmap(call);
	case SYS_execve:
		return sys_execve(call);
	case LODGER_FORK:
		return 0;
	default:
		return -ENOSYS;
	}
}

static bool
has_ended(struct lodger_process_info *info)
{
	return lodger_process_info(process, info) == 0 &&
	       info->state == LODGER_PROCESS_ENDED;
}

/* Until the program has ended. Its children's ends, and signals for them, need
 * no attention: no call here takes long. */
static int
serve(void)
{
	struct lodger_process_info info;
	struct ipc ipc = { .timeout = LODGER_FOREVER };
	struct call call = { 0 };

	for (;;) {
		long got = call.reply ? ipc_reply_recv(call.reply, LODGER_DONE,
						       endpoint, &ipc)
				      : ipc_recv(endpoint, &ipc);
		unsigned label = ipc_label(got);

		call.reply = got < 0 ? 0 : ipc_reply_handle(got);
		if (got >= 0 && !call.reply && has_ended(&info))
			return info.status;
		if (!call.reply)
			continue;
		for (unsigned i = 0; i < 6; i++)
			call.args[i] = ipc.words[i];
		ipc.words[0] = (uint64_t)answer(label, &call);
		if (label == SYS_execve && ipc.words[0] == 0)
			call.reply = 0;
	}
}

/* ---- Beginning and end -------------------------------------------------- */

static void
fail(const char *what, long err)
{
	server_log("alone: %s: error %ld", what, -err);
	exit(1);
}

/* A process that has not begun, with the first handles, in their order: its
 * end will be heard at the endpoint. */
static void
make_process(const struct program *program, const char *name)
{
	unsigned news = (unsigned)lodger_notification_create();
	long err;

	endpoint = (unsigned)lodger_endpoint_create();
	lodger_bind(news, endpoint);
	err = lodger_process_create(program->building, name, endpoint);
	if (err < 0)
		fail("no process for the program", err);
	process = (unsigned)err;
	for (unsigned i = LODGER_ALL_PORTS; i <= LODGER_BOOT_MODULE; i++) {
		err = lodger_process_give(process, i);
		if (err != i)
			fail("no handles for the program", err);
	}
	err = lodger_process_watch(process, news, 1);
	if (err)
		fail("the program cannot be watched", err);
}

int
main(int argc, char **argv)
{
	struct program program;
	char how[64];
	int status;

	if (argc < 2) {
		server_log("alone: which program? run=PATH");
		return 1;
	}
	if (build_first(&program, (const char *const *)argv + 1) != 0)
		return 1;
	make_process(&program, program_name(argv[1]));
	if (server_touch_memory() != 0)
		fail("memory", -ENOMEM);
	lodger_process_start(process, program.entry, program.sp);
	status = serve();
	policy_describe(status, how, sizeof(how));
	server_log("%s %s", argv[1], how);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}
