// timeout=180
/* A storm: several processes, with two threads each, make, narrow, map, bind,
 * build, start, signal, watch and close objects in any order, by handles that
 * may be anything by now, while the timer fires and a killer kills and replaces
 * any of them. The invariants hold, and at the end nothing is left. */
#include "tests/user/outside.h"
#include "tests/user/storm.h"

enum {
	WORKERS = 3,
	THREADS = 2,
	KILLS = 15,
	STEPS = 150,   /* between two kills */
	HANDLES = 60,  /* their numbers; 1 to 4 as in the first program */
	VIEWS = 8,     /* places where memory is mapped */
	VIEW = 4 * PAGE,
	AREA = 16 * PAGE,
	READ_WRITE = PROT_READ | PROT_WRITE,
	WHERE = 0x10000000,
	VGA = 0xb8000,
	SCRATCH = 0x3ff,
};

static struct counts {
	_Atomic long steps, good, started, interrupts;
} *counts;

/* ---- What processes that are built here do ------------------------------------ */

/* A page of code that needs nothing but itself: three ways to go on. */
__asm__(".pushsection .text\n"
	".balign 4096\n"
	"small_code:\n"
	"	mov $231, %eax\n" /* exit_group */
	"	xor %edi, %edi\n"
	"	syscall\n"
	".balign 64\n"
	"	mov $200000, %ecx\n"
	"1:	dec %ecx\n"
	"	jnz 1b\n"
	"	ud2\n"
	".balign 64\n"
	"	mov $3000, %ecx\n"
	"2:	movl $1, 0x10000000\n"
	"	dec %ecx\n"
	"	jnz 2b\n"
	"	mov $60, %eax\n" /* exit */
	"	syscall\n"
	".balign 4096\n"
	".popsection\n");
extern const char small_code[];

/* ---- One thread ----------------------------------------------------------------- */

struct worker {
	uint64_t random;
	char *area; /* private memory */
};

static unsigned
pick(struct worker *w)
{
	return draw(&w->random, HANDLES) + 1;
}

/* Low numbers only, so that they are met again. */
static long
keep(long handle)
{
	if (handle > HANDLES)
		lodger_handle_close((unsigned)handle);
	return handle;
}

static uint64_t
view(struct worker *w)
{
	return WHERE + draw(&w->random, VIEWS) * VIEW;
}

static long
duplicate_any(struct worker *w)
{
	struct lodger_handle_stat stat = { 0 };
	unsigned handle = pick(w);

	lodger_handle_stat(handle, &stat);
	return keep(lodger_handle_duplicate(handle, stat.rights, 0));
}

static long
make(struct worker *w)
{
	switch (draw(&w->random, 6)) {
	case 0:
		return keep(lodger_memory_create(draw(&w->random, VIEW) + 1));
	case 1:
		return keep(lodger_notification_create());
	case 2:
		return keep(lodger_resource_narrow(LODGER_ALL_INTERRUPTS, 0,
						   1));
	case 3:
		return keep(lodger_resource_narrow(LODGER_ALL_DEVICES, VGA,
						   VIEW));
	case 4:
		return duplicate_any(w);
	default:
		return keep(lodger_mm_create());
	}
}

static long
use_memory(struct worker *w)
{
	unsigned target = draw(&w->random, 2) ? pick(w) : 0;
	long addr = (long)view(w);

	switch (draw(&w->random, 7)) {
	case 0:
		return lodger_memory_map(target, pick(w), 0, PAGE, addr,
					 PROT_READ);
	case 1:
		return lodger_memory_map(target, pick(w), 0, VIEW, addr,
					 READ_WRITE);
	case 2:
	case 3:
		return lodger_memory_map(target, pick(w), 0, VIEW, addr,
					 READ_WRITE | LODGER_PRIVATE);
	case 4:
		return munmap((void *)addr, VIEW);
	case 5:
		return lodger_mm_write(pick(w), addr, w->area, 3 * PAGE);
	default:
		return lodger_mm_read(pick(w), addr, w->area, 3 * PAGE);
	}
}

/* Text that is lent, data that is written. */
static void
fill(struct worker *w, unsigned building)
{
	unsigned memory = (unsigned)keep(lodger_memory_create(PAGE));
	long text = lodger_memory_map(0, memory, 0, PAGE, 0, READ_WRITE);

	if (text > 0) {
		memcpy((void *)text, small_code, PAGE);
		munmap((void *)text, PAGE);
	}
	lodger_memory_map(building, memory, 0, PAGE, WHERE + 16 * VIEW,
			  PROT_READ | PROT_EXEC | LODGER_PRIVATE);
	lodger_mm_map(building, WHERE, AREA, READ_WRITE);
	lodger_mm_write(building, WHERE, w->area, 3 * PAGE);
	lodger_handle_close(memory);
}

static long
build(struct worker *w)
{
	long building = keep(lodger_mm_create()), process;

	if (building < 0)
		return building;
	fill(w, (unsigned)building);
	process = keep(lodger_process_create((unsigned)building, "small", 0));
	if (process > 0)
		lodger_process_watch((unsigned)process, pick(w), 4);
	return process;
}

static long
use_process(struct worker *w)
{
	struct lodger_process_info info;
	long result;

	switch (draw(&w->random, 6)) {
	case 0:
		return lodger_process_give(pick(w), pick(w));
	case 1:
	case 2:
		result = lodger_process_start(pick(w),
					      WHERE + 16 * VIEW +
						      64 * draw(&w->random, 3),
					      0);
		counts->started += result == 0;
		return result;
	case 3:
		return lodger_process_signal(pick(w), SIGKILL);
	case 4:
		return lodger_process_watch(pick(w), pick(w),
					    draw(&w->random, 4));
	default:
		return lodger_process_info(pick(w), &info);
	}
}

static long
hear_the_timer(struct worker *w)
{
	long line = keep(lodger_resource_narrow(LODGER_ALL_INTERRUPTS, 0, 1));
	long news = keep(lodger_notification_create());
	struct ipc ipc = { .timeout = 1000000 };

	if (lodger_interrupt_bind((unsigned)line, (unsigned)news, 1) != 0)
		return lodger_interrupt_bind(pick(w), pick(w), 1);
	lodger_port_out(LODGER_ALL_PORTS, 0x43, 1, 0x30);
	lodger_port_out(LODGER_ALL_PORTS, 0x40, 1, 50);
	lodger_port_out(LODGER_ALL_PORTS, 0x40, 1, 0);
	if (ipc_wait((unsigned)news, &ipc) == 0)
		counts->interrupts++;
	return draw(&w->random, 2) ? lodger_interrupt_ack((unsigned)line)
				   : lodger_handle_close((unsigned)line);
}

static long
use_interrupt(struct worker *w)
{
	struct ipc ipc = { .timeout = draw(&w->random, 2) * 100000 };
	long result;

	switch (draw(&w->random, 4)) {
	case 0:
		return hear_the_timer(w);
	case 1:
		return lodger_interrupt_ack(pick(w));
	case 2:
		lodger_port_out(LODGER_ALL_PORTS, 0x43, 1, 0x30);
		lodger_port_out(LODGER_ALL_PORTS, 0x40, 1, 200);
		return lodger_port_out(LODGER_ALL_PORTS, 0x40, 1, 0);
	default:
		result = ipc_wait(pick(w), &ipc);
		counts->interrupts += result == 0 && (ipc.words[0] & 1);
		return result;
	}
}

static long
close_one(struct worker *w)
{
	unsigned handle = pick(w);

	return handle > LODGER_BOOT_MODULE ? lodger_handle_close(handle) : 0;
}

static long
look(struct worker *w)
{
	struct lodger_region regions[4];
	struct lodger_memory_info info;

	lodger_memory_info(pick(w), &info);
	lodger_ring_from_port(LODGER_ALL_PORTS, SCRATCH, SCRATCH, 0, 0,
			      (struct lodger_ring *)view(w), 8);
	return lodger_mm_regions(LODGER_OWN_MM, regions, 4);
}

static long
step(struct worker *w)
{
	switch (draw(&w->random, 12)) {
	case 0:
	case 1:
		return make(w);
	case 2:
	case 3:
	case 4:
		return use_memory(w);
	case 5:
		return build(w);
	case 6:
	case 7:
	case 8:
		return use_process(w);
	case 9:
		return use_interrupt(w);
	case 10:
		return close_one(w);
	default:
		return look(w);
	}
}

static void *
work(void *arg)
{
	struct worker *w = arg;

	w->area = private_memory(AREA);
	for (;;) {
		long result = step(w);

		counts->good += result >= 0 || result < -4095;
		counts->steps++;
	}
	return NULL;
}

static void
be_worker(uint64_t seed)
{
	static struct worker workers[THREADS];
	pthread_t thread;

	for (unsigned i = 0; i < THREADS; i++)
		workers[i].random = seed + i * 7919;
	for (unsigned i = 1; i < THREADS; i++)
		pthread_create(&thread, NULL, work, &workers[i]);
	work(&workers[0]);
}

/* ---- The killer -------------------------------------------------------------------- */

static pid_t pids[WORKERS];

static void
start_worker(unsigned which, uint64_t seed)
{
	static const uint32_t all = ~0u >> 19;
	_Atomic int *word = shared_memory(PAGE);
	pid_t pid = fork_or_die();

	if (pid == 0) {
		await_word(word, 1);
		be_worker(seed);
	}
	pids[which] = pid;
	for (unsigned handle = 1; handle <= LODGER_BOOT_MODULE; handle++) {
		struct lodger_handle_stat stat;

		lodger_handle_stat(handle, &stat);
		if (lodger_handle_give(pid, duplicate(handle,
						      stat.rights & all, 0)) !=
		    handle)
			check(false, "a worker's first handles");
	}
	signal_word(word, 1);
	munmap((void *)word, PAGE);
}

static void
stop_worker(unsigned which)
{
	kill(pids[which], SIGKILL);
	if (status_of(pids[which]) != KILLED(SIGKILL))
		check(false, "a worker ends when it is killed");
}

static void
storm(uint64_t seed)
{
	uint64_t random = seed;

	for (unsigned i = 0; i < WORKERS; i++)
		start_worker(i, draw(&random, 1ul << 30) + 1);
	for (int i = 0; i < KILLS; i++) {
		unsigned which = draw(&random, WORKERS);
		long until = counts->steps + STEPS;

		while (counts->steps < until)
			sched_yield();
		stop_worker(which);
		lodger_check_invariants();
		start_worker(which, draw(&random, 1ul << 30) + 1);
	}
	for (unsigned i = 0; i < WORKERS; i++)
		stop_worker(i);
}

int
main(int argc, char **argv)
{
	uint64_t seed = storm_seed(argc, argv), tasks;
	long before;

	lodger_or_skip();
	begin();
	counts = shared_memory(PAGE);
	tasks = tasks_now();
	storm(seed);
	before = frames_at_rest(tasks);
	storm(seed + 1);
	check_equal(frames_at_rest(tasks), before, "nothing is left behind");
	lodger_check_invariants();
	check(counts->good > 100 && counts->started > 10 &&
		      counts->interrupts > 0,
	      "many calls went well, processes ran, interrupts came");
	fprintf(stderr, "%ld steps, %ld good, %ld started, %ld interrupts\n",
		counts->steps, counts->good, counts->started,
		counts->interrupts);
	return end();
}
