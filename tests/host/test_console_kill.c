// with: user/servers/console/console.c user/servers/console/emulator.c user/servers/console/csi.c user/servers/console/cells.c user/servers/console/charset.c user/servers/console/keymap.c -fno-sanitize=all -DSCREEN_ROWS=5 -DSCREEN_COLUMNS=24
/* The console server's inner part, killed: stepped by ptrace, instruction by
 * instruction. Without the sanitizers, and on a small screen, to have fewer. */
#include "host.h"
#include "console_world.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 65536 };

/* A child that stops after each instruction of serve(w). */
static pid_t
start_stepped(struct world *w)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		serve(w);
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSTOPPED(status));
	return child;
}

/* One instruction; false: it has ended. */
static bool
one_instruction(pid_t child)
{
	int status;

	if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0)
		FAIL("ptrace does not step");
	CHECK_EQ(waitpid(child, &status, 0), child);
	if (WIFEXITED(status)) {
		CHECK_EQ(WEXITSTATUS(status), 0);
		return false;
	}
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	return true;
}

static void
fill(struct world *w)
{
	put(w->serial_in, "typed");
	put(w->keyboard, "\x2a\x1e\xaa");
	put(w->output, "x\033[6n\033[31my\r\nz");
}

struct taken {
	char input[4 * RING], serial_out[4 * RING];
};

/* The partners take what they may. */
static void
take_all(struct world *w, struct taken *taken)
{
	strcat(taken->input, take(w->input));
	strcat(taken->serial_out, take(w->serial_out));
}

static void
compare(const struct taken *seen, const struct taken *want, long instruction)
{
	if (strcmp(seen->input, want->input) != 0)
		FAIL("killed after %ld instructions: input is \"%s\", not \"%s\"",
		     instruction, seen->input, want->input);
	if (strcmp(seen->serial_out, want->serial_out) != 0)
		FAIL("killed after %ld instructions: \"%s\", not \"%s\"",
		     instruction, seen->serial_out, want->serial_out);
}

/* The world as it is after each instruction: the partners take what they find,
 * and another server begins, and serves to the end. */
static void
killed_at_every_instruction(void)
{
	struct world *w = new_world(), *end = new_world();
	struct world *seen = malloc(sizeof(*seen));
	struct taken want = { 0 };
	long instruction = 0;
	pid_t child;

	fill(end);
	serve(end);
	take_all(end, &want);
	fill(w);
	child = start_stepped(w);
	while (one_instruction(child)) {
		struct taken taken = { 0 };

		instruction++;
		memcpy(seen, w, sizeof(*seen));
		take_all(seen, &taken);
		serve(seen);
		take_all(seen, &taken);
		compare(&taken, &want, instruction);
		CHECK(memcmp(&seen->screen, &end->screen,
			     sizeof(seen->screen)) == 0);
	}
	CHECK(instruction > 1000);
	free(seen);
}

/* A long conversation, of which the parent knows both ends. */
static void
random_kills(void)
{
	struct world *w = new_world();
	struct console_rings rings = rings_of(w);
	unsigned char *out = malloc(MOST), *in = malloc(MOST);
	size_t sent = 0, typed = 0, seen_out = 0, seen_in = 0;
	int killed = 0;

	for (int kill_nr = 0; kill_nr < 150; kill_nr++) {
		pid_t child;
		int status;

		for (u64 n = host_random(40); n > 0 && typed < MOST; n--) {
			in[typed] = 'a' + host_random(26);
			typed += ring_write(rings.serial_in, in + typed, 1);
		}
		for (u64 n = host_random(60); n > 0 && sent < MOST; n--) {
			out[sent] = "abc\r\n"[host_random(5)];
			sent += ring_write(rings.output, out + sent, 1);
		}
		child = start_stepped(w);
		for (u64 n = host_random(3000); n > 0; n--)
			if (!one_instruction(child))
				goto ended;
		kill(child, SIGKILL);
		killed++;
		CHECK_EQ(waitpid(child, &status, 0), child);
ended:
		for (unsigned char c; ring_read(rings.input, &c, 1); seen_in++)
			CHECK_EQ(c, in[seen_in]);
		for (unsigned char c; ring_read(rings.serial_out, &c, 1);
		     seen_out++)
			CHECK_EQ(c, out[seen_out]);
	}
	while (seen_in < typed || seen_out < sent) {
		unsigned char c;

		serve(w);
		for (; ring_read(rings.input, &c, 1); seen_in++)
			CHECK_EQ(c, in[seen_in]);
		for (; ring_read(rings.serial_out, &c, 1); seen_out++)
			CHECK_EQ(c, out[seen_out]);
	}
	CHECK(typed > 1000 && sent > 1000);
	CHECK(killed > 100);
	free(in);
	free(out);
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("killed at an instruction, and started again, it loses nothing",
	     killed_at_every_instruction);
	test("killed again and again, it loses nothing", random_kills);
	return host_result();
}
