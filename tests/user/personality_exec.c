// timeout=60
/* execve by a server: it builds the new address space, and its answer is what
 * the caller moves into; the kernel knows no path. With other threads about,
 * with failures of each kind, and with kills at each moment. */
#include "tests/user/personality.h"

enum { WHERE = 0x10000000 }; /* in what is built */

static struct {
	_Atomic int gate, threads, tid, calls_late;
} *shared;

/* One reflected call, then exit_group(42). */
static const unsigned char program[] = {
	0xbf, 7, 0, 0, 0,	/* mov edi, 7 */
	0xb8, 0xe8, 3, 0, 0,	/* mov eax, NUMBER */
	0x0f, 0x05,		/* syscall */
	0xbf, 42, 0, 0, 0,	/* mov edi, 42 */
	0xb8, 231, 0, 0, 0,	/* mov eax, SYS_exit_group */
	0x0f, 0x05,		/* syscall */
};

static unsigned
build(void)
{
	unsigned handle = lodger_mm_create();

	if (lodger_mm_map(handle, WHERE, 2 * PAGE, PROT_READ | PROT_WRITE) !=
	    WHERE)
		check(false, "mm_map");
	lodger_mm_write(handle, WHERE, program, sizeof(program));
	lodger_mm_protect(handle, WHERE, PAGE, PROT_READ | PROT_EXEC);
	return handle;
}

static uint64_t
id_of(unsigned handle)
{
	struct lodger_mm_stat stat = { 0 };

	lodger_mm_info(handle, &stat);
	return stat.id;
}

static bool
is_freed(uint64_t id)
{
	struct lodger_mm_stat stat;

	lodger_quiesce();
	return lodger_mm_stat(id, &stat) == -ESRCH;
}

static long
execute_at(const struct request *request, unsigned handle, uint64_t entry)
{
	struct lodger_message message = { .nr_send = 1,
					  .send_handles = { handle } };
	struct ipc ipc = { .words = { entry, WHERE + 2 * PAGE },
			   .message = &message };

	memcpy(&ipc.words[2], "program\0overlong", 16);
	return ipc_reply(request->reply, LODGER_EXECUTE, &ipc);
}

static long
execute(const struct request *request, unsigned handle)
{
	return execute_at(request, handle, WHERE);
}

/* The program runs in process @pid, and ends. */
static void
program_runs(int pid, const char *sentence)
{
	struct request request = receive();
	struct lodger_task_stat stat = { 0 };

	if (request.label != NUMBER || request.words[0] != 7 ||
	    request.pid != pid || request.tid != pid)
		check(false, "the program calls");
	lodger_task_stat(pid, &stat);
	check(strcmp(stat.name, "program") == 0, "it has its name");
	answer(&request, LODGER_DONE, 0);
	client_ends(pid, EXITED(42), sentence);
}

/* A sibling that was in the queue may be received before it has ended. */
static void
receive_until_it_calls(struct request *request, int pid)
{
	do
		*request = receive();
	while (request->tid != pid || request->words[0] != 7);
}

static struct request
expect_execve(int pid)
{
	struct request request = receive();

	if (request.label != SYS_execve || request.pid != pid)
		check(false, "execve is reflected");
	return request;
}

/* ---- One thread --------------------------------------------------------- */

static const char path[] = "/no/such/path";

static long
do_execve(void)
{
	return syscall3(SYS_execve, (long)path, 0, 0);
}

static int
exec_once(void)
{
	return (int)-do_execve();
}

static void
by_reply(void)
{
	unsigned handle = build();
	pid_t pid = start_client(exec_once);
	struct request request = expect_execve(pid);
	struct lodger_handle_stat stat;
	char seen[sizeof(path)];

	check(lodger_mm_read(request.reply, request.words[0], seen,
			     sizeof(seen)) == sizeof(seen) &&
	      strcmp(seen, path) == 0, "the server reads the path");
	check_equal(execute(&request, handle), 0, "and answers with a building");
	show_expect("which it has no more", lodger_handle_stat(handle, &stat),
		    -EBADF);
	program_runs(pid, "its caller has moved in, and keeps its personality");
}

static int
execveat_once(void)
{
	return (int)-syscall6(322, -100, (long)path, 0, 0, 0, 0);
}

static void
by_execveat(void)
{
	pid_t pid = start_client(execveat_once);
	struct request request = receive();

	check_equal(request.label, 322, "execveat");
	check_equal(execute(&request, build()), 0, "can be answered so, too");
	program_runs(pid, "and runs");
}

static int
exec_with_a_full_table(void)
{
	while (lodger_endpoint_create() > 0)
		;
	return exec_once();
}

static void
no_slot_is_needed(void)
{
	pid_t pid = start_client(exec_with_a_full_table);
	struct request request = expect_execve(pid);

	check_equal(execute(&request, build()), 0,
		    "a caller whose table of handles is full");
	program_runs(pid, "execs");
}

static int
exec_fails(void)
{
	return do_execve() == -ENOENT && do_execve() == -EACCES ? 8 : 9;
}

static void
the_server_says_no(void)
{
	pid_t pid = start_client(exec_fails);

	serve_one(SYS_execve, -ENOENT);
	serve_one(SYS_execve, -EACCES);
	client_ends(pid, EXITED(8), "a refused exec returns, with the errno");
}

static void
bad_answers(void)
{
	pid_t pid = start_client(exec_once);
	struct request request = expect_execve(pid);
	struct lodger_message message = { 0 };
	struct ipc ipc = { .words = { WHERE, WHERE } };
	unsigned handle = build();

	show_expect("EXECUTE without a struct",
		    ipc_reply(request.reply, LODGER_EXECUTE, &ipc), -EINVAL);
	ipc.message = &message;
	show_expect("without a handle",
		    ipc_reply(request.reply, LODGER_EXECUTE, &ipc), -EINVAL);
	message.nr_send = 2;
	message.send_handles[0] = message.send_handles[1] = handle;
	show_expect("with two",
		    ipc_reply(request.reply, LODGER_EXECUTE, &ipc), -EINVAL);
	show_expect("with none that there is", execute(&request, 999), -EBADF);
	show_expect("with another type", execute(&request, endpoint), -EINVAL);
	show_expect("with no address", execute_at(&request, handle, ~0ul),
		    -EINVAL);
	message.nr_send = 1;
	message.send_len = 1;
	show_expect("with a buffer",
		    ipc_reply(request.reply, LODGER_EXECUTE, &ipc), -EMSGSIZE);
	check(sleeps(pid), "the caller waits on");
	check_equal(execute(&request, handle), 0, "for a good one");
	program_runs(pid, "and runs");
}

static int
vfork_and_exec(void)
{
	long pid = syscall0(SYS_vfork);
	int status;

	if (pid == 0) {
		do_execve();
		_exit(1);
	}
	if (reflected(1) != 2 || waitpid(pid, &status, 0) != pid)
		return 1;
	return status == EXITED(42) ? 0 : 2;
}

static void
a_vfork_parent_goes_on(void)
{
	pid_t pid = start_client(vfork_and_exec);
	struct request fork = receive(), request, other;
	int child = (int)fork.words[0];

	answer(&fork, LODGER_DONE, 0);
	request = expect_execve(child);
	check(sleeps(pid), "the parent waits");
	execute(&request, build());
	request = receive();
	other = receive();
	if (request.pid == pid) {
		struct request swap = request;

		request = other;
		other = swap;
	}
	check(other.pid == pid && request.pid == child,
	      "until the child has its own address space");
	answer(&other, LODGER_DONE, 2);
	answer(&request, LODGER_DONE, 0);
	expect_exit(child, EXITED(42));
	client_ends(pid, 0, "vfork and exec");
}

/* ---- Several threads ----------------------------------------------------- */

static void *
call_for_ever(void *number)
{
	shared->threads++;
	for (;;)
		syscall0((long)number);
	return NULL;
}

static void *
spin(void *unused)
{
	(void)unused;
	shared->threads++;
	for (;;)
		;
	return NULL;
}

static void *
wait_for_ever(void *unused)
{
	(void)unused;
	shared->threads++;
	await_word(&shared->gate, 1000);
	return NULL;
}

static void *
exec_in_thread(void *unused)
{
	(void)unused;
	await_word(&shared->gate, 1);
	do_execve();
	return NULL;
}

static void *
call_late(void *unused)
{
	(void)unused;
	shared->tid = (int)syscall0(SYS_gettid);
	await_word(&shared->gate, 2);
	shared->calls_late = 1;
	return call_for_ever((void *)NUMBER);
}

static int
exec_among_many(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, spin, NULL);
	pthread_create(&thread, NULL, wait_for_ever, NULL);
	pthread_create(&thread, NULL, call_late, NULL);
	pthread_create(&thread, NULL, call_for_ever, (void *)NUMBER);
	pthread_create(&thread, NULL, exec_in_thread, NULL);
	call_for_ever((void *)(NUMBER + 1l));
	return 0;
}

/* Not the first thread, while others run, sleep, have been received, and wait
 * in the queue. */
static void
among_siblings(void)
{
	struct request taken[2], request;
	pid_t pid;

	shared->gate = shared->threads = shared->tid = shared->calls_late = 0;
	pid = start_client(exec_among_many);
	taken[0] = receive();
	taken[1] = receive();
	signal_word(&shared->gate, 1);
	request = expect_execve(pid);
	check(request.tid != pid, "one of many threads execs");
	signal_word(&shared->gate, 2);
	while (!shared->calls_late || !sleeps(shared->tid))
		sched_yield();
	check_equal(execute(&request, build()), 0, "and is answered");
	receive_until_it_calls(&request, pid);
	for (int i = 0; i < 2; i++)
		show_expect("an answer to one that has ended",
			    answer(&taken[i], LODGER_DONE, 0), -ESRCH);
	answer(&request, LODGER_DONE, 0);
	client_ends(pid, EXITED(42), "the others have ended, it runs");
}

static int
exec_fails_among_many(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, call_for_ever, (void *)NUMBER);
	return do_execve() == -ENOENT && reflected(0) == 0 ? 5 : 6;
}

static void
no_among_siblings(void)
{
	pid_t pid = start_client(exec_fails_among_many);
	struct request first = receive(), second = receive();

	if (first.label == SYS_execve) {
		struct request swap = first;

		first = second;
		second = swap;
	}
	check_equal(second.label, SYS_execve, "one execs, one calls");
	answer(&second, LODGER_DONE, -ENOENT);
	second = receive();
	check(second.tid == pid, "a refused exec ends nobody");
	check_equal(answer(&first, LODGER_DONE, 0), 0, "the other still waits");
	first = receive();
	answer(&second, LODGER_DONE, 0);
	client_ends(pid, EXITED(5), "nothing has changed");
	show_expect("until the end", answer(&first, LODGER_DONE, 0), -ESRCH);
}

static int
exec_twice(void)
{
	pthread_t thread;

	shared->gate = 1;
	pthread_create(&thread, NULL, exec_in_thread, NULL);
	do_execve();
	return 1;
}

/* Both are answered before either has moved; only one can. */
static void
two_at_once(void)
{
	uint64_t ids[2];
	pid_t pid = start_client(exec_twice);
	struct request first = receive(), second = receive();
	unsigned one = build(), two = build();
	long result;

	ids[0] = id_of(one);
	ids[1] = id_of(two);
	execute(&first, one);
	result = execute(&second, two);
	check(result == 0 || result == -ESRCH, "two threads exec at once");
	if (result)
		lodger_handle_close(two);
	program_runs(pid, "one of them runs");
	check(is_freed(ids[0]) && is_freed(ids[1]),
	      "both buildings are gone at the end");
}

/* ---- Kills ---------------------------------------------------------------- */

static void
killed_before(void)
{
	unsigned handle = build();
	uint64_t id = id_of(handle);
	pid_t pid = start_client(exec_once);
	struct request request = expect_execve(pid);

	kill(pid, SIGKILL);
	client_ends(pid, SIGKILL, "killed before the answer");
	show_expect("which comes too late", execute(&request, handle), -ESRCH);
	check_equal(id_of(handle), id, "the building is still the server's");
	lodger_handle_close(handle);
	check(is_freed(id), "to close");
}

/* The kill may come before it has moved, or after. */
static void
killed_after(void)
{
	for (int i = 0; i < 20; i++) {
		unsigned handle = build();
		uint64_t id = id_of(handle);
		pid_t pid = start_client(exec_once);
		struct request request = expect_execve(pid);

		if (execute(&request, handle) != 0)
			check(false, "reply");
		for (int turns = 0; turns < i; turns++)
			sched_yield();
		kill(pid, SIGKILL);
		while (request.label != LODGER_EXIT)
			request = receive();
		if (status_of(pid) != SIGKILL || !is_freed(id))
			check(false, "killed after the answer: nothing is left");
	}
	check(true, "killed after the answer");
}

/* ---- The whole ------------------------------------------------------------ */

static void
all(void)
{
	endpoint = lodger_endpoint_create();
	by_reply();
	by_execveat();
	no_slot_is_needed();
	the_server_says_no();
	bad_answers();
	a_vfork_parent_goes_on();
	among_siblings();
	no_among_siblings();
	two_at_once();
	killed_before();
	killed_after();
	lodger_handle_close(endpoint);
}

int
main(void)
{
	begin_counted();
	shared = shared_memory(PAGE);
	leaves_nothing(all);
	return end();
}
