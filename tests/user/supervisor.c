// timeout=60
/* The supervisor, with a table of its own: gifts found by name, one object for
 * all who name it, servers killed and started again at once, crashes that are
 * waited for and counted, one that has nothing to do, one that is missing. */
#include "tests/user/outside.h"
#include "user/include/server.h"
#include "user/include/supervisor.h"

#define SELF "/tests/supervisor"

#define SERVES(name) { GIFT_ENDPOINT, name, 0, 0, LODGER_RIGHT_RECV }
#define CALLS(name)  { GIFT_ENDPOINT, name, 0, 0, LODGER_RIGHT_CALL }
#define MEMORY(name) { GIFT_MEMORY, name, 0, PAGE, 0 }

enum { COUNTER, CLIENT, CRASHER, IDLER, MISSING, NR };

static const struct server table[NR] = {
	[COUNTER] = { "counter", SELF, { SERVES("numbers"), MEMORY("memory"),
					 { GIFT_INTERRUPT, "line", 0, 1, 0 },
					 { GIFT_PORTS, "ports", 0x40, 4, 0 },
					 { GIFT_NOTIFICATION, "news", 0, 0,
					   LODGER_RIGHT_WAIT } } },
	[CLIENT] = { "client", SELF, { CALLS("numbers"),
				       { GIFT_NOTIFICATION, "news", 0, 0,
					 LODGER_RIGHT_SIGNAL } } },
	[CRASHER] = { "crasher", SELF, { { GIFT_DEVICE, "screen", 0xb8000,
					   PAGE, 0 } } },
	[IDLER] = { "idler", SELF, { { GIFT_MODULE, "archive", 0, 0, 0 } } },
	[MISSING] = { "missing", "/sbin/nobody", { CALLS("numbers") } },
};

/* ---- The servers: which one, they see by their gifts -------------------------- */

/* Hands out numbers, each once, whoever it is that counts. */
static int
be_counter(void)
{
	unsigned news = lodger_notification_create();
	unsigned endpoint = server_handle("numbers");
	long addr = lodger_memory_map(0, server_handle("memory"), 0, PAGE, 0,
				      PROT_READ | PROT_WRITE);
	volatile uint64_t *next = (void *)addr;

	if (addr < 0 ||
	    lodger_interrupt_bind(server_handle("line"), news, 1) != 0 ||
	    lodger_port_in(server_handle("ports"), 0x40, 1) < 0)
		return 3; /* a crash */
	for (;;) {
		struct ipc ipc = WORDS_ALONE;
		long got = ipc_recv(endpoint, &ipc);

		if (got < 0)
			return 4;
		ipc.words[0] = ++*next;
		ipc_reply(ipc_reply_handle(got), 0, &ipc);
	}
}

static int
be_client(void)
{
	uint64_t last = 0;

	for (;;) {
		struct ipc ipc = WORDS_ALONE;
		long result = ipc_call(server_handle("numbers"), 0, &ipc);

		if (result == -EPIPE)
			continue; /* it was killed with our call */
		if (result != 0 || ipc.words[0] <= last)
			return 5;
		last = ipc.words[0];
		lodger_signal(server_handle("news"), 1);
	}
}

static int
play(void)
{
	struct lodger_memory_info info;

	if (server_handle("ports"))
		return be_counter();
	if (server_handle("numbers"))
		return be_client();
	if (server_handle("screen"))
		return lodger_memory_info(server_handle("screen"), &info) == 0
			       ? 7 : 8;
	return server_handle("archive") == 1 && !server_handle("nothing") ? 0
									  : 9;
}

/* ---- The test -------------------------------------------------------------------- */

static struct supervisor supervisor;

static struct supervised *
server(int which)
{
	return &supervisor.servers[which];
}

static void
step_until(int which, enum server_state state, unsigned starts)
{
	while (server(which)->state != state ||
	       server(which)->starts < starts)
		supervisor_step(&supervisor, ~0ull);
}

/* The client has got a number since the last look. */
static void
await_progress(unsigned news)
{
	struct ipc ipc = WORDS_ALONE;

	ipc_wait(news, &ipc);
	ipc = (struct ipc)WORDS_ALONE;
	ipc_wait(news, &ipc);
}

static unsigned
kept(const char *name)
{
	for (unsigned i = 0; i < supervisor.nr_kept; i++)
		if (strcmp(supervisor.kept[i].name, name) == 0)
			return supervisor.kept[i].handle;
	check(false, "it is kept");
	return 0;
}

static void
starts(void)
{
	check_equal(supervisor_init(&supervisor, table, NR), 0, "init");
	supervisor_step(&supervisor, 0);
	check_equal(server(MISSING)->state, SERVER_OVER,
		    "one that is missing is done without");
	check(server(COUNTER)->state == SERVER_RUNS && server(COUNTER)->pid > 1,
	      "the others run");
	step_until(IDLER, SERVER_OVER, 1);
	check_equal(server(IDLER)->starts, 1,
		    "one that has nothing to do is not started again");
	await_progress(kept("news"));
	check(true, "they know each other");
}

static void
kills(void)
{
	for (unsigned i = 1; i <= 30; i++) {
		int which = i % 3 ? COUNTER : CLIENT;
		unsigned before = server(which)->starts;

		lodger_process_signal(server(which)->process,
				      i % 2 ? SIGKILL : SIGTERM);
		step_until(which, SERVER_RUNS, before + 1);
		await_progress(kept("news"));
	}
	check_equal(server(COUNTER)->starts, 21,
		    "who is killed is started again, each time");
	check_equal(server(CLIENT)->starts, 11, "the client too");
	check(server(COUNTER)->policy.crashes == 0 &&
		      server(CLIENT)->policy.crashes == 0,
	      "that is no crash");
}

static void
crashes(void)
{
	step_until(CRASHER, SERVER_OVER, 0);
	check_equal(server(CRASHER)->starts, POLICY_LIMIT,
		    "who crashes again and again is given up");
	check(server(COUNTER)->state == SERVER_RUNS, "the others go on");
}

static void
ends(void)
{
	uint64_t tasks = tasks_now() - 2;
	struct lodger_task_stat stat;

	for (int which = COUNTER; which <= CLIENT; which++) {
		lodger_process_signal(server(which)->process, SIGKILL);
		while (lodger_task_stat(server(which)->pid, &stat) == 0)
			sched_yield();
	}
	frames_at_rest(tasks);
	lodger_check_invariants();
}

int
main(int argc, char **argv)
{
	lodger_or_skip();
	(void)argv;
	if (argc == 1 && getppid() == 1 && !getenv("HANDLE_numbers") &&
	    !getenv("HANDLE_screen") && !getenv("HANDLE_archive")) {
		begin();
		starts();
		kills();
		crashes();
		ends();
		return end();
	}
	return play();
}
