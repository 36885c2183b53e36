#include "os_host.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "user/servers/unix/linux.h"
#include "user/servers/unix/node.h"
#include "user/servers/unix/process.h"
#include "user/servers/unix/server.h"
#include "user/servers/unix/tty.h"

#define IN_USE (-6000l)

/* ---- The programs' memory ------------------------------------------- */

u8 *arena;
static size_t arena_used;

static bool
in_arena(u64 addr, size_t len)
{
	u64 start = (u64)arena;

	return addr >= start && addr <= start + ARENA_SIZE &&
	       len <= start + ARENA_SIZE - addr;
}

void
arena_reset(void)
{
	if (!arena)
		arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(arena, 0, ARENA_SIZE / 16);
	arena_used = 0;
}

u64
arena_put(const void *data, size_t len)
{
	u8 *place = arena + arena_used;

	CHECK(arena_used + len <= ARENA_SIZE);
	arena_used += ALIGN_UP(len, 8);
	if (data)
		memcpy(place, data, len);
	return (u64)place;
}

u64
arena_string(const char *string)
{
	return arena_put(string, strlen(string) + 1);
}

u64
arena_at_end(size_t len)
{
	return (u64)arena + ARENA_SIZE - len;
}

/* ---- Buildings ------------------------------------------------------ */

enum { BUILDING = 1 << 20, REGIONS = 64 };

static struct region_copy {
	u64 start, len;
	u8 *bytes;
	unsigned memory; /* @bytes is its; 0: the region's own */
} regions[REGIONS];
static unsigned nr_regions;
unsigned host_buildings;

static void
forget_regions(void)
{
	for (unsigned i = 0; i < nr_regions; i++) {
		if (!regions[i].memory)
			free(regions[i].bytes);
	}
	nr_regions = 0;
}

static u8 *
find_byte(u64 addr)
{
	for (unsigned i = nr_regions; i-- > 0;) {
		if (addr >= regions[i].start &&
		    addr - regions[i].start < regions[i].len)
			return regions[i].bytes + (addr - regions[i].start);
	}
	return NULL;
}

bool
host_building_read(u64 addr, void *buf, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		u8 *byte = find_byte(addr + i);

		if (!byte)
			return false;
		((u8 *)buf)[i] = *byte;
	}
	return true;
}

long
os_building(void)
{
	forget_regions();
	host_buildings++;
	return BUILDING;
}

void
os_close(unsigned handle)
{
	host_buildings -= handle == BUILDING;
}

long
os_map(unsigned space, u64 addr, u64 len, int prot)
{
	(void)space, (void)prot;
	CHECK(addr % PAGE_SIZE == 0 && len % PAGE_SIZE == 0 && len > 0);
	CHECK(nr_regions < REGIONS);
	if (!addr)
		addr = 0x700000000000 + nr_regions * 0x10000000ull;
	if (len > 1ul << 32)
		return -ENOMEM;
	regions[nr_regions++] = (struct region_copy){ addr, len,
						      calloc(1, len), 0 };
	return (long)addr;
}

/* Memories that programs map. */
enum { MEMORY = 1 << 21, MEMORIES = 24 };

static u8 *views[MEMORIES];
unsigned host_memories, host_memories_made;

long
os_memory(u64 len, void **view)
{
	for (unsigned i = 0; i < MEMORIES; i++) {
		if (views[i])
			continue;
		views[i] = *view = os_pages(len);
		host_memories += views[i] != NULL;
		host_memories_made += views[i] != NULL;
		return views[i] ? MEMORY + i : -ENOMEM;
	}
	return -EMFILE;
}

/* Who maps it keeps its pages. */
static void
keep_regions(unsigned memory)
{
	for (unsigned i = 0; i < nr_regions; i++) {
		struct region_copy *region = &regions[i];

		if (region->memory != memory)
			continue;
		region->memory = 0;
		region->bytes = memcpy(malloc(region->len), region->bytes,
				       region->len);
	}
}

void
os_free_memory(unsigned memory, void *view, u64 len)
{
	CHECK(views[memory - MEMORY] == view);
	keep_regions(memory);
	views[memory - MEMORY] = NULL;
	host_memories--;
	os_free_pages(view, len);
}

int
os_map_memory(unsigned space, u64 addr, u64 len, unsigned memory, u64 offset,
	      int prot)
{
	struct region_copy *region;

	CHECK(views[memory - MEMORY] && offset % PAGE_SIZE == 0);
	os_map(space, addr, len, prot);
	region = &regions[nr_regions - 1];
	free(region->bytes);
	region->bytes = views[memory - MEMORY] + offset;
	region->memory = memory;
	return 0;
}

int
os_unmap(unsigned space, u64 addr, u64 len)
{
	(void)space, (void)addr, (void)len;
	return 0;
}

int
os_protect(unsigned space, u64 addr, u64 len, int prot)
{
	(void)space, (void)addr, (void)len, (void)prot;
	return 0;
}

int
os_heap(unsigned building, u64 start)
{
	(void)building, (void)start;
	return 0;
}

/* ---- Copies --------------------------------------------------------- */

int
os_copy_in(unsigned space, void *to, u64 from, size_t len)
{
	size_t there = len;

	CHECK(space != BUILDING);
	while (there && !in_arena(from, there)) /* as the kernel: in part */
		there--;
	if (there)
		memcpy(to, (void *)from, there);
	return there < len ? -EFAULT : 0;
}

int
os_copy_out(unsigned space, u64 to, const void *from, size_t len)
{
	if (space != BUILDING) {
		if (!in_arena(to, len))
			return -EFAULT;
		memcpy((void *)to, from, len);
		return 0;
	}
	for (size_t i = 0; i < len; i++) {
		u8 *byte = find_byte(to + i);

		if (!byte)
			return -EFAULT;
		*byte = ((const u8 *)from)[i];
	}
	return 0;
}

/* ---- Answers -------------------------------------------------------- */

enum { REPLIES = 1 << 16 };

static long answers[REPLIES];
unsigned last_reply;
u64 host_restart_with;
u64 host_entry, host_sp;
char host_name[16];

void
os_answer(unsigned reply, long result)
{
	CHECK_EQ(answers[reply % REPLIES], IN_USE);
	answers[reply % REPLIES] = result;
}

void
os_answer_restart(unsigned reply, u64 value)
{
	host_restart_with = value;
	os_answer(reply, RESTART);
}

int
os_answer_execute(unsigned reply, unsigned building, u64 entry, u64 sp,
		  const char *name)
{
	CHECK_EQ(building, BUILDING);
	host_buildings--;
	host_entry = entry;
	host_sp = sp;
	memcpy(host_name, name, sizeof(host_name));
	os_answer(reply, 0);
	return 0;
}

long
host_answer(unsigned reply)
{
	return answers[reply % REPLIES] == IN_USE ? PENDING
						  : answers[reply % REPLIES];
}

static void
deliver(const struct os_event *event)
{
	long result;

	if (server_event(event, &result))
		os_answer(event->reply, result);
}

long
host_call(int pid, long number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	struct os_event event = {
		.kind = OS_CALL,
		.pid = pid,
		.tid = pid,
		.number = (unsigned)number,
		.reply = ++last_reply % BUILDING,
		.words = { a, b, c, d, e, f },
	};
	unsigned reply = event.reply;

	answers[reply % REPLIES] = IN_USE;
	deliver(&event);
	return host_answer(reply);
}

void
host_cancel(int pid)
{
	struct os_event event = { .kind = OS_CANCEL, .pid = pid, .tid = pid };

	deliver(&event);
}

/* Tests deliver events; the server never waits for one. */
void
os_receive(struct os_event *event, u64 deadline)
{
	(void)event, (void)deadline;
	FAIL("the server waits for an event");
}

void
os_answer_receive(unsigned reply, long result, struct os_event *event,
		  u64 deadline)
{
	(void)reply, (void)result;
	os_receive(event, deadline);
}

/* ---- Processes ------------------------------------------------------ */

enum { TASKS = 64 };
static struct host_task tasks[TASKS];

struct host_task *
host_task(int pid)
{
	return pid > 0 && pid < TASKS && tasks[pid].lives ? &tasks[pid] : NULL;
}

static void
add_task(int pid, int ppid, int pgid, int sid)
{
	CHECK(pid < TASKS && !tasks[pid].lives);
	tasks[pid] = (struct host_task){
		.lives = true,
		.task = { .pid = pid, .ppid = ppid, .pgid = pgid, .sid = sid,
			  .state = 'S', .nr_threads = 1, .mm = OS_NO_MM,
			  .name = "test" },
	};
}

void
host_fork(int parent, int pid, u64 flags)
{
	struct os_task *from = &tasks[parent].task;
	struct os_event event = {
		.kind = OS_FORK,
		.pid = parent,
		.tid = parent,
		.reply = ++last_reply % BUILDING,
		.words = { (u64)pid, flags },
	};

	add_task(pid, parent, from->pgid, from->sid);
	answers[event.reply % REPLIES] = IN_USE;
	deliver(&event);
	if (host_answer(event.reply) != 0)
		tasks[pid].lives = false;
}

void
host_exit(int pid)
{
	struct os_event event = { .kind = OS_EXIT, .pid = pid,
				  .words = { (u64)pid } };

	tasks[pid].lives = false;
	deliver(&event);
}

int
os_task(int tid, struct os_task *task)
{
	if (!host_task(tid))
		return -ESRCH;
	*task = tasks[tid].task;
	return 0;
}

long
os_tasks(int *tids, size_t n)
{
	long count = 0;

	for (int pid = 1; pid < TASKS; pid++) {
		if (!tasks[pid].lives)
			continue;
		if ((size_t)count < n)
			tids[count] = pid;
		count++;
	}
	return count;
}

static bool
is_meant(const struct host_task *task, enum os_whom whom, int number)
{
	switch (whom) {
	case OS_GROUP:
		return task->task.pgid == number;
	case OS_OTHERS:
		return task->task.pid != number;
	default:
		return task->task.pid == number;
	}
}

int
os_signal(enum os_whom whom, int number, int sig, int from)
{
	int result = -ESRCH;

	for (int pid = 1; pid < TASKS; pid++) {
		if (!tasks[pid].lives || !is_meant(&tasks[pid], whom, number))
			continue;
		result = 0;
		if (sig == 0)
			continue;
		tasks[pid].signals |= 1ull << (sig - 1);
		tasks[pid].count++;
		tasks[pid].from = from;
	}
	return result;
}

long
os_process(unsigned building, const char *name, unsigned *process)
{
	(void)building, (void)name, (void)process;
	host_buildings--;
	*process = 1;
	add_task(SHELL, 1, SHELL, SHELL);
	return SHELL;
}

int
os_start(unsigned process, u64 entry, u64 sp)
{
	(void)process, (void)entry, (void)sp;
	return 0;
}

int
os_mm(u64 mm, struct os_mm *stat)
{
	(void)mm, (void)stat;
	return -ESRCH;
}

long
os_regions(u64 mm, struct os_region *r, size_t n)
{
	(void)mm, (void)r, (void)n;
	return -ESRCH;
}

/* ---- The machine ---------------------------------------------------- */

static u64 now = 1000000000;

u64
os_now(void)
{
	return now;
}

u64
os_realtime(void)
{
	return 1000000000000000000ull + now;
}

void
host_sleep(u64 ns)
{
	struct os_event event = { .kind = OS_TIME };

	now += ns;
	deliver(&event);
}

void
os_machine(struct os_machine *machine)
{
	*machine = (struct os_machine){ .nr_cpus = 2, .nr_tasks = 3,
					.memory = 64 << 20,
					.memory_free = 32 << 20 };
}

void
os_random(void *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((u8 *)buf)[i] = (u8)host_random(256);
}

u64
os_hwcap(void)
{
	return 0x1234;
}

void
os_log(const char *fmt, ...)
{
	(void)fmt;
}

/* ---- The terminal --------------------------------------------------- */

static char screen[1 << 16], typed[1 << 16];
static size_t screen_used, typed_used, typed_taken;
size_t host_screen_room = SIZE_MAX;

void
host_type(const char *bytes, size_t len)
{
	struct os_event event = { .kind = OS_TERMINAL };

	if (typed_taken == typed_used)
		typed_taken = typed_used = 0;
	CHECK(typed_used + len <= sizeof(typed));
	memcpy(typed + typed_used, bytes, len);
	typed_used += len;
	deliver(&event);
}

const char *
host_screen(void)
{
	static char copy[sizeof(screen)];

	memcpy(copy, screen, screen_used);
	copy[screen_used] = 0;
	screen_used = 0;
	return copy;
}

size_t
os_terminal_write(const void *bytes, size_t len)
{
	len = MIN(len, host_screen_room);
	len = MIN(len, sizeof(screen) - 1 - screen_used);
	memcpy(screen + screen_used, bytes, len);
	screen_used += len;
	return len;
}

size_t
os_terminal_read(void *bytes, size_t len)
{
	len = MIN(len, typed_used - typed_taken);
	memcpy(bytes, typed + typed_taken, len);
	typed_taken += len;
	return len;
}

void
os_terminal_size(unsigned *rows, unsigned *columns)
{
	*rows = 24;
	*columns = 80;
}

/* ---- Memory of the server ------------------------------------------- */

unsigned host_fail_nth;
bool host_failed;
u64 host_live;

static bool
fails(void)
{
	if (!host_fail_nth || --host_fail_nth)
		return false;
	host_failed = true;
	return true;
}

/* The size is kept before the piece: whoever frees must know it. */
void *
os_alloc(size_t size)
{
	size_t *piece = fails() ? NULL : calloc(1, sizeof(*piece) * 2 + size);

	if (!piece)
		return NULL;
	piece[1] = size;
	host_live++;
	return piece + 2;
}

void
os_free(void *memory, size_t size)
{
	size_t *piece = (size_t *)memory - 2;

	CHECK_EQ(size, piece[1]);
	host_live--;
	free(piece);
}

void *
os_pages(size_t len)
{
	void *pages = NULL;

	CHECK(len > 0 && len % PAGE_SIZE == 0);
	if (fails() || len > 1u << 30 || posix_memalign(&pages, PAGE_SIZE, len))
		return NULL;
	host_live++;
	return memset(pages, 0, len);
}

void *
os_resize_pages(void *pages, size_t old_len, size_t len)
{
	void *moved = os_pages(len);

	if (!moved)
		return NULL;
	memcpy(moved, pages, MIN(old_len, len));
	os_free_pages(pages, old_len);
	return moved;
}

void
os_free_pages(void *pages, size_t len)
{
	(void)len;
	host_live--;
	free(pages);
}

/* ---- The beginning -------------------------------------------------- */

void
host_begin(const void *archive, u64 size)
{
	static const char nothing[] =
		"070701" "00000000" "00000000" "00000000" "00000000" "00000001"
		"00000000" "00000000" "00000000" "00000000" "00000000" "00000000"
		"0000000b" "00000000" "TRAILER!!!\0\0\0";

	arena_reset();
	CHECK_EQ(server_begin(archive ? archive : nothing,
			      archive ? size : sizeof(nothing) - 1), 0);
	add_task(1, 0, 1, 1);
	add_task(SHELL, 1, SHELL, SHELL);
	CHECK(process_create(SHELL) != NULL);
	CHECK_EQ(CALL2(SYS_open, arena_string("/dev/console"), 2), 0);
	CHECK_EQ(CALL1(SYS_dup, 0), 1);
	CHECK_EQ(CALL1(SYS_dup, 0), 2);
	CHECK_EQ(console_tty.session, SHELL);
	CHECK_EQ(console_tty.group, SHELL);
	arena_reset();
}
