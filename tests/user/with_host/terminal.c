/*
 * Console server and drivers, with a client that the host talks to
 * (tests/suites/console.py). As the first program it starts them from init's
 * table, with itself in place of the Unix server. The client echoes what it is
 * sent, but for lines that begin with the byte 31 (^_) and end with CR:
 *
 *	kill NAME	kills that server
 *	storm SEED N	kills N servers, one after the other, as the seed says,
 *			while the client goes on; then prints "killed N"
 *	fill N		prints N lines of dots, then "filled"
 *	sleep		does not read until input is full, and three seconds more
 *	take N		the same, then reads N bytes, and prints only their sum
 *	memory		prints what is in use
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/include/objects.h"
#include "user/include/server.h"
#include "user/include/supervisor.h"
#include "user/include/terminal.h"
#include "tests/user/with_host/kill_servers.h"
#include "user/servers/init/table.c"

enum { MAX_LINE = 64, COMMAND = 31 };

/* ---- The first program -------------------------------------------------- */

static int
supervise(void)
{
	static struct supervisor supervisor;
	static struct server servers[MAX_SERVERS];

	memcpy(servers, server_table, sizeof(server_table));
	for (unsigned i = 0; i < server_table_size; i++)
		if (strcmp(servers[i].name, "unix") == 0)
			servers[i].path = "/tests/terminal";
	if (supervisor_init(&supervisor, servers, server_table_size) != 0)
		return 1;
	while (supervisor_step(&supervisor, ~0ull) > 0)
		;
	return 1;
}

/* ---- The client ----------------------------------------------------------- */

static struct lodger_ring *input, *output;
static unsigned own, console;

static void
wait_for_bits(void)
{
	struct ipc ipc = { .timeout = LODGER_FOREVER };

	if (ipc_wait(own, &ipc) != 0)
		exit(2);
}

static void
put(const char *text, size_t n)
{
	while (n > 0) {
		size_t done = ring_write(output, text, n);

		lodger_signal(console, TERMINAL_OUTPUT);
		text += done;
		n -= done;
		if (n > 0)
			wait_for_bits();
	}
}

/* ---- Killing -------------------------------------------------------------- */

static struct {
	unsigned seed;
	int kills;
	bool over; /* told by the thread; the client prints it */
} storm;

static void *
storm_thread(void *unused)
{
	(void)unused;
	kill_servers(storm.seed, storm.kills);
	__atomic_store_n(&storm.over, true, __ATOMIC_RELEASE);
	lodger_signal(own, 1);
	return NULL;
}

static void
start_storm(const char *arguments)
{
	pthread_t thread;

	if (sscanf(arguments, "%u %d", &storm.seed, &storm.kills) != 2 ||
	    pthread_create(&thread, NULL, storm_thread, NULL) != 0)
		exit(3);
	pthread_detach(thread);
	put("\r\nstorm begins\r\n", 16);
}

static void
report_storm(void)
{
	char line[MAX_LINE];

	if (!__atomic_load_n(&storm.over, __ATOMIC_ACQUIRE))
		return;
	storm.over = false;
	put(line, snprintf(line, sizeof(line), "\r\nkilled %d\r\n",
			   storm.kills));
}

/* ---- Commands ------------------------------------------------------------- */

static unsigned char
get(void)
{
	unsigned char c;
	uint32_t before;

	report_storm();
	while (ring_used(input) == 0) {
		wait_for_bits();
		report_storm();
	}
	before = input->tail;
	ring_read(input, &c, 1);
	if (ring_was_tight(input, before))
		lodger_signal(console, TERMINAL_TAKEN);
	return c;
}

static void
print_memory(void)
{
	char line[MEMORY_LINE];

	put(line, describe_memory(line));
}

static void
fill(int lines)
{
	char line[TERMINAL_COLUMNS];

	memset(line, '.', sizeof(line));
	for (int i = 0; i < lines; i++)
		put(line, sizeof(line));
	put("\r\nfilled\r\n", 10);
}

/* By then the driver's ring is full as well. */
static void
let_it_fill(void)
{
	while (ring_room(input) > 0)
		usleep(10000);
	sleep(3);
}

static void
take_silently(int n)
{
	char line[MAX_LINE];
	unsigned sum = 0;

	let_it_fill();
	for (int i = 0; i < n; i++)
		sum = sum * 31 + get();
	put(line, snprintf(line, sizeof(line), "\r\ntaken %u\r\n", sum));
}

static void
command(void)
{
	char line[MAX_LINE];
	unsigned n = 0;

	while (n < sizeof(line) - 1 && (line[n] = get()) != '\r')
		n++;
	line[n] = 0;
	if (strncmp(line, "kill ", 5) == 0)
		kill_server(line + 5);
	else if (strncmp(line, "storm ", 6) == 0)
		start_storm(line + 6);
	else if (strncmp(line, "fill ", 5) == 0)
		fill(atoi(line + 5));
	else if (strncmp(line, "take ", 5) == 0)
		take_silently(atoi(line + 5));
	else if (strcmp(line, "sleep") == 0)
		let_it_fill();
	else if (strcmp(line, "memory") == 0)
		print_memory();
	else
		put(line, n);
}

static void
serve(void)
{
	char c;

	put("ready\r\n", 7);
	for (;;) {
		c = get();
		if (c == COMMAND)
			command();
		else
			put(&c, 1);
	}
}

int
main(void)
{
	void *memory;

	if (server_handle("terminal") == 0)
		return supervise();
	memory = (void *)lodger_memory_map(0, server_handle("terminal"), 0,
					   TERMINAL_MEMORY, 0, 3);
	own = server_handle("terminal-client");
	console = server_handle("console");
	terminal_init(memory);
	input = terminal_input(memory);
	output = terminal_output(memory);
	serve();
	return 0;
}
