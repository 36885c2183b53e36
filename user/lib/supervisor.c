/* See user/include/supervisor.h. */
#include "user/include/supervisor.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "user/include/cpio.h"
#include "user/include/objects.h"
#include "user/include/program.h"
#include "user/include/server.h"

enum { ALWAYS = LODGER_RIGHT_DUPLICATE | LODGER_RIGHT_TRANSFER };

uint64_t
supervisor_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- Gifts ---------------------------------------------------------------- */

static long
make_kept(const struct gift *gift)
{
	switch (gift->kind) {
	case GIFT_MEMORY:
		return lodger_memory_create(gift->count);
	case GIFT_ENDPOINT:
		return lodger_endpoint_create();
	default:
		return lodger_notification_create();
	}
}

/* What outlives the servers that use it: made when it is first asked for. */
static long
find_kept(struct supervisor *supervisor, const struct gift *gift)
{
	struct kept *kept = supervisor->kept;
	long handle;

	for (unsigned i = 0; i < supervisor->nr_kept; i++)
		if (strcmp(kept[i].name, gift->name) == 0)
			return kept[i].handle;
	if (supervisor->nr_kept == MAX_KEPT)
		return -EMFILE;
	handle = make_kept(gift);
	if (handle > 0)
		kept[supervisor->nr_kept++] =
			(struct kept){ gift->name, (unsigned)handle };
	return handle;
}

static uint32_t
rights_of(const struct gift *gift)
{
	return ALWAYS | (gift->kind == GIFT_MEMORY
				 ? LODGER_RIGHT_READ | LODGER_RIGHT_WRITE |
					   LODGER_RIGHT_MAP
				 : gift->rights);
}

/* The physical range of the graphic screen, in whole pages, or of VGA's text. */
static long
screen_memory(void)
{
	enum { VGA_TEXT = 0xb8000, VGA_TEXT_SIZE = 0x8000, PAGE = 4096 };
	struct lodger_framebuffer fb;
	uint64_t first, end;

	if (lodger_framebuffer_info(&fb) != 0)
		return lodger_resource_narrow(LODGER_ALL_DEVICES, VGA_TEXT,
					      VGA_TEXT_SIZE);
	first = fb.address & ~(PAGE - 1ull);
	end = fb.address + (uint64_t)fb.pitch * fb.height;
	end = (end + PAGE - 1) & ~(PAGE - 1ull);
	return lodger_resource_narrow(LODGER_ALL_DEVICES, first, end - first);
}

/* A handle of ours, to be given away. */
static long
make_gift(struct supervisor *supervisor, const struct gift *gift)
{
	long kept;

	switch (gift->kind) {
	case GIFT_PORTS:
		return lodger_resource_narrow(LODGER_ALL_PORTS, gift->first,
					      gift->count);
	case GIFT_INTERRUPT:
		return lodger_resource_narrow(LODGER_ALL_INTERRUPTS,
					      gift->first, 1);
	case GIFT_DEVICE:
		return lodger_resource_narrow(LODGER_ALL_DEVICES, gift->first,
					      gift->count);
	case GIFT_SCREEN:
		return screen_memory();
	case GIFT_MODULE:
		return lodger_handle_duplicate(LODGER_BOOT_MODULE,
					       ALWAYS | LODGER_RIGHT_READ |
						       LODGER_RIGHT_MAP, 0);
	default:
		kept = find_kept(supervisor, gift);
		return kept < 0 ? kept
				: lodger_handle_duplicate((unsigned)kept,
							  rights_of(gift), 0);
	}
}

static long
give(struct supervisor *supervisor, unsigned process, const struct gift *gift)
{
	long handle = make_gift(supervisor, gift);
	long there;

	if (handle < 0)
		return handle;
	there = lodger_process_give(process, (unsigned)handle);
	if (there < 0)
		lodger_handle_close((unsigned)handle);
	return there;
}

/* A new process's handles are 1, 2, 3 and so on: so its environment can be
 * written before it has any. */
static int
give_all(struct supervisor *supervisor, const struct supervised *it)
{
	const struct gift *gift = it->server->gifts;

	for (unsigned i = 0; i < MAX_GIFTS && gift[i].kind; i++) {
		long there = give(supervisor, it->process, &gift[i]);

		if (there < 0)
			return (int)there;
		if (there != i + 1)
			return -EINVAL;
	}
	return 0;
}

struct environment {
	char text[MAX_GIFTS][64];
	const char *vector[MAX_GIFTS + 1];
};

static void
write_environment(const struct server *server, struct environment *env)
{
	unsigned n = 0;

	for (; n < MAX_GIFTS && server->gifts[n].kind; n++) {
		snprintf(env->text[n], sizeof(env->text[n]), "HANDLE_%s=%u",
			 server->gifts[n].name, n + 1);
		env->vector[n] = env->text[n];
	}
	env->vector[n] = NULL;
}

/* ---- Starting --------------------------------------------------------------- */

static void
over(struct supervised *it, const char *why, int error)
{
	it->state = SERVER_OVER;
	if (error)
		server_log("init: %s cannot be started: %s (error %d)",
			   it->server->name, why, -error);
	else
		server_log("init: %s: %s", it->server->name, why);
}

/* The program, built. */
static int
build(struct supervisor *supervisor, const struct server *server,
      struct program *program, const char **why)
{
	const char *argv[] = { server->path, NULL };
	struct environment env;
	struct program_args args = { .path = server->path, .argv = argv,
				     .envp = env.vector };

	write_environment(server, &env);
	program_args_init(&args);
	return program_find(program, supervisor->archive,
			    supervisor->archive_size, &args, why);
}

static unsigned
index_of(const struct supervisor *supervisor, const struct supervised *it)
{
	return (unsigned)(it - supervisor->servers);
}

/* The process, with its handles, watched, begun. */
static int
launch(struct supervisor *supervisor, struct supervised *it,
       const struct program *program)
{
	struct lodger_process_info info;
	long process = lodger_process_create(program->building,
					     it->server->name, 0);
	int err;

	if (process < 0) {
		lodger_handle_close(program->building);
		return (int)process;
	}
	it->process = (unsigned)process;
	err = give_all(supervisor, it);
	if (!err)
		err = (int)lodger_process_watch(it->process,
						supervisor->notification,
						1ull << index_of(supervisor,
								 it));
	if (!err)
		err = (int)lodger_process_info(it->process, &info);
	if (!err)
		err = (int)lodger_process_start(it->process, program->entry,
						program->sp);
	if (err)
		lodger_handle_close(it->process); /* and all of it goes */
	else
		it->pid = info.pid;
	return err;
}

static void
start(struct supervisor *supervisor, struct supervised *it)
{
	const char *why = NULL;
	struct program program;
	int err = build(supervisor, it->server, &program, &why);

	if (err == -ENOENT) {
		over(it, "the archive has no such program; going on without it",
		     0);
		return;
	}
	if (!err)
		err = launch(supervisor, it, &program);
	if (err) {
		over(it, why ? why : strerror(-err), err);
		return;
	}
	it->state = SERVER_RUNS;
	it->starts++;
	policy_started(&it->policy, supervisor_now());
}

/* ---- Ends ------------------------------------------------------------------- */

static void
report(const struct supervised *it, int status, enum outcome outcome,
       uint64_t delay)
{
	char what[64], when[32] = " at once";

	if (delay)
		snprintf(when, sizeof(when), " in %u ms",
			 (unsigned)(delay / 1000000));
	policy_describe(status, what, sizeof(what));
	if (outcome == OUTCOME_DONE)
		server_log("init: %s (pid %d) %s; it is not started again",
			   it->server->name, it->pid, what);
	else if (outcome == OUTCOME_GIVE_UP)
		server_log("init: %s (pid %d) %s; given up after %u crashes",
			   it->server->name, it->pid, what,
			   it->policy.crashes);
	else
		server_log("init: %s (pid %d) %s; starts again%s",
			   it->server->name, it->pid, what, when);
}

static void
attend(struct supervised *it)
{
	struct lodger_process_info info;
	uint64_t now = supervisor_now();
	enum outcome outcome;

	if (it->state != SERVER_RUNS ||
	    lodger_process_info(it->process, &info) != 0 ||
	    info.state != LODGER_PROCESS_ENDED)
		return;
	lodger_handle_close(it->process);
	outcome = policy_ended(&it->policy, info.status, now, &it->when);
	it->state = outcome == OUTCOME_AGAIN ? SERVER_WAITS : SERVER_OVER;
	report(it, info.status, outcome, it->when - now);
}

/* ---- The loop ---------------------------------------------------------------- */

int
supervisor_init(struct supervisor *supervisor, const struct server *servers,
		unsigned n)
{
	long notification = lodger_notification_create();
	const char *why = "there is no room";
	unsigned files;

	memset(supervisor, 0, sizeof(*supervisor));
	if (notification > 0 && n <= MAX_SERVERS)
		supervisor->archive = archive_map(LODGER_BOOT_MODULE,
						  &supervisor->archive_size,
						  &why);
	if (!supervisor->archive ||
	    cpio_check(supervisor->archive, supervisor->archive_size, &files,
		       &why)) {
		server_log("init: no archive of programs: %s", why);
		return -1;
	}
	supervisor->notification = (unsigned)notification;
	supervisor->nr_servers = n;
	for (unsigned i = 0; i < n; i++)
		supervisor->servers[i].server = &servers[i];
	return 0;
}

/* Starts what is due; whether there was anything. *@next: when there will be. */
static bool
start_due(struct supervisor *supervisor, uint64_t *next)
{
	uint64_t now = supervisor_now();
	bool started = false;

	for (unsigned i = 0; i < supervisor->nr_servers; i++) {
		struct supervised *it = &supervisor->servers[i];

		if (it->state != SERVER_WAITS)
			continue;
		if (it->when <= now) {
			start(supervisor, it);
			started = true;
		} else if (it->when < *next) {
			*next = it->when;
		}
	}
	return started;
}

/* Until the deadline, or until a server ends. */
static void
await(struct supervisor *supervisor, uint64_t deadline)
{
	uint64_t now = supervisor_now();
	struct ipc ipc = { .timeout = LODGER_FOREVER };

	if (deadline != ~0ull)
		ipc.timeout = deadline > now ? deadline - now : 0;
	if (ipc_wait(supervisor->notification, &ipc) != 0)
		return;
	for (unsigned i = 0; i < supervisor->nr_servers; i++)
		if (ipc.words[0] >> i & 1)
			attend(&supervisor->servers[i]);
}

static unsigned
nr_alive(const struct supervisor *supervisor)
{
	unsigned alive = 0;

	for (unsigned i = 0; i < supervisor->nr_servers; i++)
		alive += supervisor->servers[i].state != SERVER_OVER;
	return alive;
}

unsigned
supervisor_step(struct supervisor *supervisor, uint64_t deadline)
{
	if (!start_due(supervisor, &deadline) && nr_alive(supervisor))
		await(supervisor, deadline);
	return nr_alive(supervisor);
}
