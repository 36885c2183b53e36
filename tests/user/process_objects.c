// timeout=120
/* Processes built from outside: with handles alone, given handles, started,
 * signalled, watched; killed before they begin; every right and bad argument;
 * and nothing is left behind. */
#include "tests/user/outside.h"

#define SELF "/tests/process_objects"

enum {
	CONTROLS = LODGER_RIGHT_CONTROL | LODGER_RIGHT_STAT |
		   LODGER_RIGHT_DUPLICATE | LODGER_RIGHT_TRANSFER,
	CLASS_ALL = LODGER_FAIL_ANY,
};

/* ---- What the others do ---------------------------------------------------- */

/* Handle 1 is an endpoint: it adds the caller's words, once. */
static int
be_adder(void)
{
	struct ipc ipc = WORDS_ALONE;
	long got = ipc_recv(1, &ipc);

	if (got < 0)
		return 9;
	ipc.words[0] += ipc.words[1];
	return ipc_reply(ipc_reply_handle(got), 0, &ipc) == 0 ? 5 : 9;
}

/* Handle 1 is a notification that nobody signals. */
static int
be_waiter(void)
{
	struct ipc ipc = WORDS_ALONE;

	return ipc_wait(1, &ipc) == 0 ? 0 : 9;
}

static int
be_heap(void)
{
	long start = syscall3(SYS_brk, 0, 0, 0);
	long end = syscall3(SYS_brk, start + 3 * PAGE, 0, 0);
	char *block = malloc(1 << 20);

	if (start == 0 || end != start + (long)(3 * PAGE) || !block)
		return 9;
	memset((char *)start, 1, 3 * PAGE);
	memset(block, 1, 1 << 20);
	return 0;
}

/* Deeper than the first stack's 128 KiB. */
static int
be_deep(int depth)
{
	volatile char room[8192];

	room[0] = (char)depth;
	return depth == 0 ? 0 : be_deep(depth - 1) + (room[0] != (char)depth);
}

/* What read() says, which is the personality's to answer. */
static int
be_linux(void)
{
	return (int)syscall3(SYS_read, 7, 8, 9);
}

static int
play(const char *role)
{
	struct lodger_handle_stat stat;

	if (strcmp(role, "adder") == 0)
		return be_adder();
	if (strcmp(role, "waiter") == 0)
		return be_waiter();
	if (strcmp(role, "heap") == 0)
		return be_heap();
	if (strcmp(role, "deep") == 0)
		return be_deep(100);
	if (strcmp(role, "linux") == 0)
		return be_linux();
	if (strcmp(role, "bare") == 0)
		return lodger_handle_stat(1, &stat) == -EBADF &&
		       getppid() == 1 ? 0 : 9;
	if (strcmp(role, "crash") == 0)
		__builtin_trap();
	return 77;
}

/* ---- Life ------------------------------------------------------------------- */

static void
from_birth_to_end(void)
{
	struct program program;
	unsigned process = create_process(SELF, "adder", &program);
	struct lodger_process_info info = process_info(process);
	struct lodger_task_stat task = { 0 };
	struct lodger_handle_stat stat;
	struct ipc ipc = WORDS_ALONE;
	unsigned endpoint;

	show_expect("its building handle", lodger_handle_close(program.building),
		    -EBADF);
	endpoint = lodger_endpoint_create();
	check_equal(info.state, LODGER_PROCESS_BUILT, "it is built");
	check(info.pid > 1 && lodger_task_stat(info.pid, &task) == 0,
	      "it has an id, and can be found");
	check(task.state == 'N' && task.ppid == 1 &&
		      strcmp(task.name, "adder") == 0,
	      "it is new, a child of process 1, with the name it was given");
	check_equal(lodger_handle_stat(process, &stat), 0, "handle_stat");
	check(stat.type == LODGER_PROCESS && stat.rights == CONTROLS,
	      "type and rights of its handle");
	check_equal(lodger_process_give(process,
					duplicate(endpoint,
						  LODGER_RIGHT_RECV |
							  LODGER_RIGHT_TRANSFER,
						  0)),
		    1, "a handle given is its first");
	check_equal(lodger_process_start(process, program.entry, program.sp), 0,
		    "start");
	show_expect("start again",
		    lodger_process_start(process, program.entry, program.sp),
		    -EBUSY);
	ipc.words[0] = 20;
	ipc.words[1] = 22;
	check_equal(ipc_call(endpoint, 0, &ipc), 0, "it answers");
	check_equal(ipc.words[0], 42, "what was asked");
	check_equal(process_end(process), EXITED(5), "its status");
	info = process_info(process);
	check_equal(info.state, LODGER_PROCESS_ENDED, "it has ended");
	show_expect("a handle for it", lodger_process_give(process, endpoint),
		    -ESRCH);
	show_expect("a signal for it", lodger_process_signal(process, 0),
		    -ESRCH);
	show_expect("start it", lodger_process_start(process, 65536, 65536),
		    -EBUSY);
	check_equal(process_end(process), EXITED(5),
		    "one watched after its end is told of at once");
	lodger_handle_close(endpoint);
	lodger_handle_close(process);
}

static void
run(const char *role, int status)
{
	struct program program;
	unsigned process = create_process(SELF, role, &program);

	lodger_process_start(process, program.entry, program.sp);
	printf("%s: ", role);
	check_equal(process_end(process), status, "as it should end");
	lodger_handle_close(process);
}

static void
other_programs(void)
{
	run("bare", EXITED(0));	/* no handles; its parent is process 1 */
	run("heap", EXITED(0));	/* brk and mmap */
	run("deep", EXITED(0));	/* a stack that grows */
	run("crash", KILLED(SIGILL));
}

/* It lives on when its last handle closes. */
static void
without_a_handle(void)
{
	struct program program;
	unsigned process = create_process(SELF, "waiter", &program);
	unsigned news = lodger_notification_create();
	struct lodger_task_stat task;
	int pid = process_info(process).pid;

	lodger_process_give(process, duplicate(news, LODGER_RIGHT_WAIT |
					       LODGER_RIGHT_TRANSFER, 0));
	lodger_process_start(process, program.entry, program.sp);
	lodger_handle_close(process);
	check(lodger_task_stat(pid, &task) == 0 && task.state != 'Z',
	      "a process lives without handles");
	lodger_signal(news, 1);
	while (lodger_task_stat(pid, &task) == 0)
		sched_yield(); /* process 1 collects it */
	check(true, "and ends, and is collected");
	lodger_handle_close(news);
}

/* ---- Before it begins ------------------------------------------------------- */

static void
half_built(void *unused)
{
	struct program program = build_program(SELF, "bare");
	unsigned process;

	(void)unused;
	lodger_handle_close(program.building);
	process = create_process(SELF, "bare", &program);
	lodger_process_give(process, lodger_endpoint_create());
	lodger_process_give(process, lodger_mm_create());
	kill(process_info(process).pid, SIGKILL);
	lodger_handle_close(process);
	process = create_process(SELF, "bare", &program);
	lodger_process_give(process, lodger_endpoint_create());
	/* and the table of a process that ends does the rest */
}

static void
killed_before_the_start(void)
{
	struct program program;
	unsigned process = create_process(SELF, "bare", &program);

	show_expect("signal before the start",
		    lodger_process_signal(process, SIGKILL), -EBUSY);
	check_equal(kill(process_info(process).pid, SIGKILL), 0, "kill");
	check_equal(lodger_process_start(process, program.entry, program.sp), 0,
		    "start");
	check_equal(process_end(process), KILLED(SIGKILL),
		    "it dies before its first instruction");
	lodger_handle_close(process);
}

static void
handles_on_each_other(void)
{
	struct program program;
	unsigned a = create_process(SELF, "bare", &program);
	unsigned b = create_process(SELF, "bare", &program);
	unsigned again = duplicate(a, CONTROLS, 0);

	show_expect("itself", lodger_process_give(a, again), -EINVAL);
	show_expect("another that has not begun", lodger_process_give(b, a),
		    -EINVAL);
	lodger_process_start(a, program.entry, program.sp);
	check_equal(lodger_process_give(b, again), 1, "one that has begun");
	process_end(a);
	lodger_handle_close(a);
	lodger_handle_close(b);
}

/* ---- Personalities -------------------------------------------------------------- */

/* The next event there is an end, of @pid, with @status. */
static void
expect_end(unsigned endpoint, int pid, int status)
{
	struct ipc ipc = WORDS_ALONE;
	long got = ipc_recv(endpoint, &ipc);

	check(got == LODGER_EXIT && ipc.words[0] == (uint64_t)pid &&
		      ipc.words[1] == (uint64_t)status,
	      "the server hears of the end");
}

static void
with_a_personality(void)
{
	struct program program = build_program(SELF, "linux");
	unsigned endpoint = lodger_endpoint_create();
	unsigned ears = duplicate(endpoint, LODGER_RIGHT_RECV, 0);
	struct ipc ipc = WORDS_ALONE;
	long process, got;
	int pid;

	show_expect("a personality that is no handle",
		    lodger_process_create(program.building, "x", 99), -EBADF);
	show_expect("that cannot be called",
		    lodger_process_create(program.building, "x", ears), -EPERM);
	show_expect("that is no endpoint",
		    lodger_process_create(program.building, "x",
					  LODGER_BOOT_MODULE), -EINVAL);
	process = lodger_process_create(program.building, "x", endpoint);
	check(process > 0, "with an endpoint");
	lodger_handle_close(endpoint);
	pid = process_info(process).pid;
	lodger_process_start(process, program.entry, program.sp);
	do {
		/* The C library may ask for this and that before. */
		got = ipc_recv(ears, &ipc);
		if (ipc_label(got) == SYS_read)
			break;
		ipc.words[0] = -ENOSYS;
		ipc_reply(ipc_reply_handle(got), LODGER_DONE, &ipc);
	} while (got > 0);
	check(ipc.words[0] == 7 && ipc.words[1] == 8 && ipc.words[2] == 9 &&
		      ipc.badge == ((uint64_t)pid << 32 | pid),
	      "its calls come there, with its ids");
	ipc.words[0] = 42;
	ipc_reply(ipc_reply_handle(got), LODGER_DONE, &ipc);
	expect_end(ears, pid, EXITED(42));
	check_equal(process_end(process), EXITED(42), "and are answered");
	lodger_handle_close(process);
	endpoint = lodger_endpoint_create();
	lodger_handle_close(ears);
	ears = duplicate(endpoint, LODGER_RIGHT_RECV, 0);
	program = build_program(SELF, "linux");
	process = lodger_process_create(program.building, "x", endpoint);
	pid = process_info(process).pid;
	lodger_handle_close(process);
	lodger_handle_close(endpoint);
	expect_end(ears, pid, 0);
	ipc = (struct ipc)WORDS_ALONE;
	show_expect("one that has not begun leaves no sender behind",
		    ipc_recv(ears, &ipc), -EPIPE);
	lodger_handle_close(ears);
}

/* ---- Signals and watching ---------------------------------------------------- */

static void
signals(void)
{
	struct program program;
	unsigned process = create_process(SELF, "waiter", &program);
	unsigned silent = lodger_notification_create();

	lodger_process_give(process, duplicate(silent, LODGER_RIGHT_WAIT |
					       LODGER_RIGHT_TRANSFER, 0));
	lodger_process_start(process, program.entry, program.sp);
	show_expect("signal 65", lodger_process_signal(process, 65), -EINVAL);
	show_expect("signal -1", lodger_process_signal(process, -1), -EINVAL);
	check_equal(lodger_process_signal(process, 0), 0, "signal 0");
	check_equal(lodger_process_signal(process, SIGTERM), 0, "SIGTERM");
	check_equal(process_end(process), KILLED(SIGTERM), "kills it");
	lodger_handle_close(process);
	lodger_handle_close(silent);
}

static void
watching(void)
{
	struct program program;
	unsigned process = create_process(SELF, "bare", &program);
	unsigned news = lodger_notification_create();
	unsigned badged = duplicate(news, LODGER_RIGHT_SIGNAL, 4);
	unsigned ears = duplicate(news, LODGER_RIGHT_WAIT, 0);
	struct ipc ipc = { .timeout = 0 };

	show_expect("no bits", lodger_process_watch(process, news, 0), -EINVAL);
	show_expect("bits of another badge",
		    lodger_process_watch(process, badged, 6), -EPERM);
	show_expect("no right to signal",
		    lodger_process_watch(process, ears, 1), -EPERM);
	check_equal(lodger_process_watch(process, badged, 4), 0, "watch");
	show_expect("a second watcher", lodger_process_watch(process, news, 1),
		    -EBUSY);
	show_expect("nothing yet", ipc_wait(ears, &ipc), -ETIMEDOUT);
	lodger_handle_close(news);
	lodger_handle_close(badged);
	ipc.timeout = 0;
	show_expect("a watch counts as a signaller", ipc_wait(ears, &ipc),
		    -ETIMEDOUT);
	lodger_process_start(process, program.entry, program.sp);
	ipc.timeout = LODGER_FOREVER;
	check_equal(ipc_wait(ears, &ipc), 0, "news");
	check_equal(ipc.words[0], 4, "the bits asked for");
	check_equal(process_info(process).state, LODGER_PROCESS_ENDED,
		    "it has ended when they come");
	check_equal(lodger_process_watch(process, 0, 0), 0, "no more");
	show_expect("then nobody can signal", ipc_wait(ears, &ipc), -EPIPE);
	lodger_handle_close(process);
	lodger_handle_close(ears);
}

/* ---- Wrong ------------------------------------------------------------------- */

static void
wrong_arguments(void)
{
	struct program program = build_program(SELF, "bare");
	unsigned endpoint = lodger_endpoint_create();
	struct lodger_process_info info;
	unsigned process, weak, mm = lodger_mm_open();

	show_expect("create from no handle",
		    lodger_process_create(99, "x", 0), -EBADF);
	show_expect("from an endpoint",
		    lodger_process_create(endpoint, "x", 0), -EINVAL);
	show_expect("from a pin", lodger_process_create(mm, "x", 0), -EINVAL);
	show_expect("a name that is not there",
		    lodger_process_create(program.building, (char *)8, 0),
		    -EFAULT);
	process = lodger_process_create(program.building,
					"a name that is much too long", 0);
	check(process > 0, "a long name is cut");
	weak = duplicate(process, LODGER_RIGHT_DUPLICATE, 0);
	show_expect("give without the right",
		    lodger_process_give(weak, endpoint), -EPERM);
	show_expect("start without the right",
		    lodger_process_start(weak, program.entry, program.sp),
		    -EPERM);
	show_expect("signal without the right",
		    lodger_process_signal(weak, 9), -EPERM);
	show_expect("watch without the right",
		    lodger_process_watch(weak, 1, 1), -EPERM);
	show_expect("info without the right",
		    lodger_process_info(weak, &info), -EPERM);
	show_expect("give no handle", lodger_process_give(process, 99), -EBADF);
	show_expect("give what may not travel",
		    lodger_process_give(process, duplicate(endpoint,
							   LODGER_RIGHT_CALL,
							   0)),
		    -EPERM);
	show_expect("start in the kernel",
		    lodger_process_start(process, 1ul << 47, 0), -EINVAL);
	show_expect("a stack in the kernel",
		    lodger_process_start(process, program.entry, 1ul << 63),
		    -EINVAL);
	show_expect("info to nowhere",
		    lodger_process_info(process, (void *)8), -EFAULT);
	show_expect("an endpoint is no process",
		    lodger_process_info(endpoint, &info), -EINVAL);
	lodger_handle_close(weak);
	lodger_handle_close(process);
	for (unsigned handle = 90; handle > LODGER_BOOT_MODULE; handle--)
		lodger_handle_close(handle);
}

/* ---- Hostile files -------------------------------------------------------------- */

/* Where a program's headers are: <elf.h>, which is not the C library's job to
 * misread here. */
struct headers {
	unsigned char ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct segment_header {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

static char *image;
static size_t image_size;

static int
build_image(const char **why)
{
	const char *argv[] = { "hostile", NULL }, *envp[] = { NULL };
	struct program_args args = { .path = "hostile", .argv = argv,
				     .envp = envp };
	struct program program;
	int err = program_build(&program, image, image_size, &args, why);

	if (!err)
		lodger_handle_close(program.building);
	return err;
}

static struct segment_header *
last_segment(void)
{
	struct headers *headers = (void *)image;
	struct segment_header *at = (void *)(image + headers->phoff), *last;

	for (last = at; at < (struct segment_header *)(image + headers->phoff) +
				     headers->phnum; at++)
		if (at->type == 1)
			last = at;
	return last;
}

static void
hostile_files(void *unused)
{
	unsigned long seed = 12345;
	struct cpio_entry file;
	const char *why;
	unsigned next = lodger_endpoint_create();
	char *good;
	int refused = 0;

	(void)unused;
	open_program(SELF, &file);
	image_size = file.size;
	image = private_memory(2 * image_size);
	good = image + image_size;
	memcpy(good, file.data, image_size);
	memcpy(image, good, image_size);
	last_segment()->memsz = USER_END - last_segment()->vaddr;
	check_equal(build_image(&why), -ENOMEM, "no room for the stack");
	memcpy(image, good, image_size);
	image_size /= 2;
	check_equal(build_image(&why), -ENOEXEC, "half a program");
	image_size *= 2;
	for (int i = 0; i < 300; i++) {
		memcpy(image, good, image_size);
		for (int n = 0; n < 2; n++) {
			seed = seed * 6364136223846793005 + 1442695040888963407;
			image[(seed >> 33) % 500] ^= 1 << (seed >> 60) % 8;
		}
		refused += build_image(&why) != 0;
	}
	check(refused > 50, "many damaged files are refused");
	lodger_handle_close(next);
	check_equal(lodger_endpoint_create(), next, "and none leaves a handle");
	lodger_handle_close(next);
	munmap(image, 2 * file.size);
}

/* ---- Nothing is left ---------------------------------------------------------- */

/* Whichever allocation fails, nothing has changed. */
static void
no_memory(void *unused)
{
	struct program program = build_program(SELF, "bare");
	long process = -ENOMEM, started = -ENOMEM;

	(void)unused;
	for (unsigned n = 1; process == -ENOMEM; n++) {
		lodger_fail(CLASS_ALL, n);
		process = lodger_process_create(program.building, "x", 0);
		if (lodger_fail_happened() != (process < 0))
			_exit(2);
	}
	for (unsigned n = 1; started == -ENOMEM; n++) {
		lodger_fail(CLASS_ALL, n);
		started = lodger_process_start(process, program.entry,
					       program.sp);
		if (lodger_fail_happened() != (started < 0))
			_exit(3);
	}
	if (process < 0 || started != 0 || process_end(process) != EXITED(0))
		_exit(4);
}

static void
nothing_is_left(void (*fn)(void *), const char *what)
{
	uint64_t tasks = tasks_now();
	long before, after;

	fn(NULL);
	for (unsigned handle = 90; handle > LODGER_BOOT_MODULE; handle--)
		lodger_handle_close(handle);
	before = frames_at_rest(tasks);
	fn(NULL);
	for (unsigned handle = 90; handle > LODGER_BOOT_MODULE; handle--)
		lodger_handle_close(handle);
	after = frames_at_rest(tasks);
	check_equal(after, before, what);
	lodger_check_invariants();
}

int
main(int argc, char **argv)
{
	struct lodger_sys_stat sys;

	if (argc > 1)
		return play(argv[1]);
	lodger_or_skip();
	begin();
	from_birth_to_end();
	other_programs();
	without_a_handle();
	killed_before_the_start();
	handles_on_each_other();
	with_a_personality();
	signals();
	watching();
	wrong_arguments();
	nothing_is_left(half_built, "what was half built is gone");
	nothing_is_left(hostile_files, "hostile files leave nothing");
	lodger_sys_stat(&sys);
	if (sys.debug)
		nothing_is_left(no_memory, "failures leave nothing");
	return end();
}
