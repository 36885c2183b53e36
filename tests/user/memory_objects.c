// timeout=120
/* Memory objects: the same pages in several address spaces, rights that
 * mprotect cannot widen, sizes that mremap cannot exceed; device memory, which
 * is never RAM; the boot module; private mappings, which show an object until
 * they are written to; mm_regions. Nothing is left, and what fails has changed
 * nothing. */
#include "tests/user/outside.h"

enum {
	VGA = 0xb8000,
	APIC = 0xfee00000,
	READ_WRITE = PROT_READ | PROT_WRITE,
	WHERE = 0x10000000,
};

static _Atomic int stop; /* for threads */

/* The result of a call that answers with an address: 0, or the error. */
static long
error_of(long result)
{
	return result < 0 && result > -4096 ? result : 0;
}

static char *
map(unsigned memory, uint64_t offset, uint64_t len, int prot)
{
	long addr = lodger_memory_map(0, memory, offset, len, 0, prot);

	if (error_of(addr)) {
		printf("WRONG: memory_map: %ld\n", addr);
		exit(2);
	}
	return (char *)addr;
}

/* ---- Anonymous memory -------------------------------------------------------- */

static void
one_object_many_views(void)
{
	unsigned memory = lodger_memory_create(3 * PAGE - 5);
	struct lodger_memory_info info;
	char *a, *b, *part;
	_Atomic int *word;
	int status;

	check_equal(lodger_memory_info(memory, &info), 0, "memory_info");
	check(info.length == 3 * PAGE && info.size == info.length &&
		      info.kind == LODGER_MEMORY_ANONYMOUS && !info.physical,
	      "whole pages");
	a = map(memory, 0, 3 * PAGE, READ_WRITE);
	b = map(memory, 0, 3 * PAGE, PROT_READ);
	part = map(memory, PAGE, PAGE, READ_WRITE);
	check(a[0] == 0 && a[3 * PAGE - 1] == 0, "it is zero");
	a[PAGE] = 1;
	part[1] = 2;
	check(b[PAGE] == 1 && b[PAGE + 1] == 2, "all see the same");
	lodger_handle_close(memory);
	word = (_Atomic int *)a;
	if (fork_or_die() == 0) {
		await_word(word, 1);
		a[PAGE] = 3;
		signal_word(word, 2);
		_exit(0);
	}
	signal_word(word, 1);
	await_word(word, 2);
	wait(&status);
	check(b[PAGE] == 3, "a child of fork shares it, without the handle");
	munmap(a, 3 * PAGE);
	munmap(b, 3 * PAGE);
	munmap(part, PAGE);
}

/* Into an address space that is being built, and by another process's handle. */
static void
given_away(void)
{
	unsigned memory = lodger_memory_create(PAGE);
	unsigned building = lodger_mm_create();
	char *mine = map(memory, 0, PAGE, READ_WRITE), there[4];

	check_equal(lodger_memory_map(building, memory, 0, PAGE, WHERE,
				      PROT_READ),
		    WHERE, "mapped at an address, somewhere else");
	strcpy(mine, "abc");
	check_equal(lodger_mm_read(building, WHERE, there, 4), 4, "mm_read");
	check(strcmp(there, "abc") == 0, "finds what was written here");
	show_expect("mm_write to what is only readable",
		    lodger_mm_write(building, WHERE, there, 4), -EFAULT);
	munmap(mine, PAGE);
	lodger_handle_close(memory);
	lodger_handle_close(building);
}

static void
rights(void)
{
	unsigned memory = lodger_memory_create(2 * PAGE);
	unsigned readable = duplicate(memory, LODGER_RIGHT_READ |
					      LODGER_RIGHT_MAP, 0);
	unsigned hidden = duplicate(memory, LODGER_RIGHT_WRITE |
					    LODGER_RIGHT_MAP, 0);
	char *view = map(readable, 0, 2 * PAGE, PROT_NONE);
	struct lodger_memory_info info;

	show_expect("map for writing without the right",
		    lodger_memory_map(0, readable, 0, PAGE, 0, READ_WRITE),
		    -EPERM);
	show_expect("map without READ",
		    lodger_memory_map(0, hidden, 0, PAGE, 0, PROT_WRITE),
		    -EPERM);
	show_expect("mprotect to write",
		    syscall3(SYS_mprotect, (long)view, PAGE, READ_WRITE),
		    -EACCES);
	check_equal(mprotect(view, PAGE, PROT_READ), 0, "mprotect to read");
	check(*(volatile char *)view == 0, "it can be read");
	check_equal(mprotect(view, PAGE, PROT_READ | PROT_EXEC), 0,
		    "and executed");
	munmap(view, 2 * PAGE);
	lodger_handle_close(hidden);
	hidden = duplicate(memory, LODGER_RIGHT_READ, 0);
	show_expect("map without MAP",
		    lodger_memory_map(0, hidden, 0, PAGE, 0, PROT_READ),
		    -EPERM);
	show_expect("info without MAP", lodger_memory_info(hidden, &info),
		    -EPERM);
	lodger_handle_close(hidden);
	lodger_handle_close(readable);
	lodger_handle_close(memory);
}

static void
limits(void)
{
	unsigned memory = lodger_memory_create(2 * PAGE);
	char *view = map(memory, PAGE, PAGE, READ_WRITE);

	show_expect("mremap beyond the end",
		    error_of(syscall6(SYS_mremap, (long)view, PAGE, 2 * PAGE,
				      MREMAP_MAYMOVE, 0, 0)), -EINVAL);
	show_expect("of no length", lodger_memory_create(0), -EINVAL);
	show_expect("too large", lodger_memory_create(LODGER_MEMORY_MAX + 1),
		    -EINVAL);
	show_expect("map past the end",
		    lodger_memory_map(0, memory, PAGE, 2 * PAGE, 0, PROT_READ),
		    -EINVAL);
	show_expect("map at no page's start",
		    lodger_memory_map(0, memory, 1, PAGE, 0, PROT_READ),
		    -EINVAL);
	show_expect("a sum that is too great",
		    lodger_memory_map(0, memory, -PAGE, 2 * PAGE, 0,
				      PROT_READ), -EINVAL);
	show_expect("map nothing",
		    lodger_memory_map(0, memory, 0, 0, 0, PROT_READ), -EINVAL);
	show_expect("map with unknown rights",
		    lodger_memory_map(0, memory, 0, PAGE, 0, 64), -EINVAL);
	show_expect("map at a crooked address",
		    lodger_memory_map(0, memory, 0, PAGE, WHERE + 1,
				      PROT_READ), -EINVAL);
	show_expect("map into the kernel",
		    lodger_memory_map(0, memory, 0, PAGE, 1ul << 47,
				      PROT_READ), -ENOMEM);
	show_expect("map into no handle",
		    lodger_memory_map(99, memory, 0, PAGE, 0, PROT_READ),
		    -EBADF);
	show_expect("map into itself",
		    lodger_memory_map(memory, memory, 0, PAGE, 0, PROT_READ),
		    -EINVAL);
	show_expect("map no handle",
		    lodger_memory_map(0, 99, 0, PAGE, 0, PROT_READ), -EBADF);
	show_expect("info to nowhere", lodger_memory_info(memory, (void *)8),
		    -EFAULT);
	show_expect("narrow anonymous memory",
		    lodger_resource_narrow(memory, 0, PAGE), -EINVAL);
	munmap(view, PAGE);
	lodger_handle_close(memory);
}

/* ---- Device memory ------------------------------------------------------------ */

static long
map_device(uint64_t addr, uint64_t len, int prot)
{
	return error_of(lodger_memory_map(0, LODGER_ALL_DEVICES, addr, len, 0,
					  prot));
}

static void
never_ram(void)
{
	struct lodger_sys_stat sys;
	bool refused = true;
	uint64_t end;

	lodger_sys_stat(&sys);
	end = sys.total_frames * PAGE; /* a machine with less than 2 GiB */
	for (uint64_t addr = 1 << 20; addr < end; addr += 7 * PAGE)
		refused &= map_device(addr, PAGE, PROT_READ) == -EACCES;
	check(refused, "no page of RAM is a device's");
	show_expect("one that begins before RAM",
		    map_device((1 << 20) - PAGE, 2 * PAGE, PROT_READ),
		    -EACCES);
	show_expect("all there is", map_device(0, 1ul << 36, PROT_READ),
		    -EACCES);
	show_expect("the interrupt controller", map_device(APIC, PAGE,
							   PROT_READ), -EACCES);
	show_expect("code in a device", map_device(VGA, PAGE, PROT_READ |
						   PROT_EXEC), -EPERM);
	show_expect("beyond what a CPU can address",
		    map_device(1ul << 52, PAGE, PROT_READ), -EINVAL);
}

static void
device_memory(void)
{
	unsigned range = lodger_resource_narrow(LODGER_ALL_DEVICES, VGA,
						8 * PAGE);
	unsigned part = lodger_resource_narrow(range, VGA + PAGE, PAGE);
	unsigned pin = lodger_mm_open();
	volatile uint16_t *screen;
	char *second, byte;
	struct lodger_mm_stat stat;

	screen = (void *)map(range, 0, 8 * PAGE, READ_WRITE);
	second = map(part, 0, PAGE, READ_WRITE);
	screen[0] = screen[2048] = 0x0741;
	check(second[0] == 0x41, "a part of a range is that part");
	second[0] = 0x42;
	check(screen[2048] == 0x0742, "both are the same memory");
	mprotect((void *)screen, PAGE, PROT_NONE);
	mprotect((void *)screen, PAGE, READ_WRITE);
	screen[0] = 0x0743;
	check(screen[0] == 0x0743, "after it was hidden");
	second = (char *)syscall6(SYS_mremap, (long)second, PAGE, PAGE,
				  MREMAP_MAYMOVE | MREMAP_FIXED, WHERE, 0);
	check(second == (char *)WHERE && second[0] == 0x42, "it can be moved");
	if (fork_or_die() == 0)
		_exit(screen[2048] == 0x0742 ? 0 : 1);
	wait(NULL);
	show_expect("mm_read of a device",
		    lodger_mm_read(pin, (uint64_t)screen, &byte, 1), -EFAULT);
	lodger_mm_info(pin, &stat);
	check(stat.resident > 0, "its pages are counted as mapped");
	show_expect("narrow to half a page",
		    lodger_resource_narrow(range, VGA, 100), -EINVAL);
	show_expect("narrow to nothing", lodger_resource_narrow(range, VGA, 0),
		    -EINVAL);
	show_expect("narrow to more",
		    lodger_resource_narrow(part, VGA + PAGE, 2 * PAGE),
		    -EINVAL);
	show_expect("narrow to what is before",
		    lodger_resource_narrow(part, VGA, PAGE), -EINVAL);
	munmap((void *)screen, 8 * PAGE);
	munmap(second, PAGE);
	lodger_handle_close(pin);
	lodger_handle_close(range);
	lodger_handle_close(part);
}

static void
boot_module(void)
{
	struct lodger_memory_info info;
	unsigned pin = lodger_mm_open();
	char *view, head[7] = "";

	lodger_memory_info(LODGER_BOOT_MODULE, &info);
	check(info.kind == LODGER_MEMORY_MODULE && info.size <= info.length &&
		      info.size > info.length - 2 * PAGE,
	      "the boot module has a size");
	view = map(LODGER_BOOT_MODULE, 0, info.length, PROT_READ);
	check(memcmp(view + info.offset, "070701", 6) == 0,
	      "and is the archive");
	check_equal(lodger_mm_read(pin, (uint64_t)view + info.offset, head, 6),
		    6, "mm_read reaches it");
	check(strcmp(head, "070701") == 0, "and finds the same");
	show_expect("write to it",
		    lodger_mm_write(pin, (uint64_t)view, head, 6), -EFAULT);
	show_expect("map it for writing",
		    lodger_memory_map(0, LODGER_BOOT_MODULE, 0, PAGE, 0,
				      READ_WRITE), -EPERM);
	munmap(view, info.length);
	lodger_handle_close(pin);
}

/* ---- Private mappings ------------------------------------------------------------- */

static void
private_until_written(void)
{
	unsigned memory = lodger_memory_create(4 * PAGE);
	unsigned readable = duplicate(memory, LODGER_RIGHT_READ |
					      LODGER_RIGHT_MAP, 0);
	volatile char *object = map(memory, 0, 4 * PAGE, READ_WRITE);
	volatile char *view, *other;

	object[0] = 'a';
	object[PAGE] = 'b';
	object[2 * PAGE] = 'c';
	view = map(readable, 0, 4 * PAGE, READ_WRITE | LODGER_PRIVATE);
	other = map(readable, PAGE, 2 * PAGE, PROT_READ | LODGER_PRIVATE);
	check(view[0] == 'a' && other[0] == 'b', "what the object has");
	object[0] = 'A';
	check(view[0] == 'A', "and what is written there, so far");
	view[0] = '1';	  /* was read before */
	view[PAGE] = '2'; /* was not */
	object[0] = 'x';
	object[PAGE] = 'y';
	check(view[0] == '1' && view[PAGE] == '2', "written is one's own");
	check(object[PAGE] == 'y' && other[0] == 'y', "nobody else's");
	check(view[2 * PAGE] == 'c' && view[3 * PAGE] == 0 &&
		      view[PAGE + 1] == 0, "the rest is still the object's");
	check_equal(mprotect((char *)other, PAGE, READ_WRITE), 0,
		    "may become writable");
	other[0] = '3';
	check(object[PAGE] == 'y', "without reaching the object");
	check_equal(madvise((char *)view, PAGE, MADV_DONTNEED), 0, "dropped");
	check(view[0] == 'x', "the object's again");
	check(madvise((char *)view, PAGE, MADV_FREE) != 0,
	      "MADV_FREE is for what has no object");
	munmap((char *)object, 4 * PAGE);
	munmap((char *)other, 2 * PAGE);
	lodger_handle_close(memory);
	lodger_handle_close(readable);
	check(view[2 * PAGE] == 'c', "it outlives handle and object's views");
	view[2 * PAGE] = '4'; /* nobody else has it now */
	check(view[2 * PAGE] == '4' && view[3 * PAGE] == 0, "all its own");
	munmap((char *)view, 4 * PAGE);
}

/* Two views that follow each other, as the object's pages do. */
static void
private_beside_shared(void)
{
	unsigned memory = lodger_memory_create(2 * PAGE);
	volatile char *object = map(memory, 0, 2 * PAGE, PROT_READ);
	volatile char *view = (char *)WHERE;

	lodger_memory_map(0, memory, 0, PAGE, WHERE, READ_WRITE);
	lodger_memory_map(0, memory, PAGE, PAGE, WHERE + PAGE,
			  READ_WRITE | LODGER_PRIVATE);
	view[0] = 's';
	view[PAGE] = 'p';
	check(object[0] == 's' && object[PAGE] == 0,
	      "of two neighbours one is private");
	munmap((char *)view, 2 * PAGE);
	munmap((char *)object, 2 * PAGE);
	lodger_handle_close(memory);
}

/* What the child finds and what it writes; the parent's stays. */
static void
private_and_forked(void)
{
	unsigned memory = lodger_memory_create(3 * PAGE);
	volatile char *object = map(memory, 0, 3 * PAGE, READ_WRITE);
	volatile char *view = map(memory, 0, 3 * PAGE,
				  READ_WRITE | LODGER_PRIVATE);
	bool right;
	pid_t pid;

	object[0] = object[PAGE] = object[2 * PAGE] = 'o';
	view[0] = 'v';
	(void)view[PAGE];
	pid = fork_or_die();
	if (pid == 0) {
		right = view[0] == 'v' && view[PAGE] == 'o' &&
			view[2 * PAGE] == 'o';
		view[0] = view[PAGE] = view[2 * PAGE] = 'k';
		_exit(right ? 0 : 1);
	}
	check_equal(status_of(pid), 0, "a child sees what its parent saw");
	check(view[0] == 'v' && view[PAGE] == 'o' && view[2 * PAGE] == 'o',
	      "what it writes is its own");
	check(object[0] == 'o' && object[PAGE] == 'o', "the object stays");
	munmap((char *)object, 3 * PAGE);
	munmap((char *)view, 3 * PAGE);
	lodger_handle_close(memory);
}

/* As a server runs a program: nothing is there until somebody looks. */
static void
private_elsewhere(void)
{
	unsigned memory = lodger_memory_create(4 * PAGE);
	unsigned building = lodger_mm_create();
	char *object = map(memory, 0, 4 * PAGE, READ_WRITE), byte;
	struct lodger_mm_stat stat;

	object[0] = object[PAGE] = 'p';
	check_equal(lodger_memory_map(building, memory, 0, 4 * PAGE, WHERE,
				      READ_WRITE | LODGER_PRIVATE),
		    WHERE, "mapped");
	check_equal(lodger_mm_protect(building, WHERE, PAGE, PROT_READ), 0,
		    "the text");
	lodger_mm_info(building, &stat);
	check_equal(stat.resident, 0, "no page is there");
	check_equal(lodger_mm_read(building, WHERE, &byte, 1), 1, "mm_read");
	check(byte == 'p', "shows the object's");
	check_equal(lodger_mm_write(building, WHERE + PAGE, "q", 1), 1,
		    "mm_write");
	check(object[PAGE] == 'p', "gets a copy");
	lodger_mm_info(building, &stat);
	check_equal(stat.resident, 2, "the two that were touched are there");
	show_expect("mm_write to what is only readable",
		    lodger_mm_write(building, WHERE, "q", 1), -EFAULT);
	munmap(object, 4 * PAGE);
	object = map(memory, 0, 2 * PAGE, READ_WRITE | LODGER_PRIVATE);
	check(mremap(object, 2 * PAGE, 5 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED,
	      "no larger than the object");
	munmap(object, 2 * PAGE);
	show_expect("a private view of the module",
		    lodger_memory_map(0, LODGER_BOOT_MODULE, 0, PAGE, 0,
				      PROT_READ | LODGER_PRIVATE), -EINVAL);
	show_expect("of a device",
		    lodger_memory_map(0, LODGER_ALL_DEVICES, VGA, PAGE, 0,
				      PROT_READ | LODGER_PRIVATE), -EINVAL);
	lodger_handle_close(memory);
	lodger_handle_close(building);
}

/* Two threads, one page: the one reads, while the other gets its copy. */
static void *
reader(void *page)
{
	volatile long *word = page;
	long last = 0;

	while (!stop) {
		long now = *word;

		if (now < last)
			return page;
		last = now;
	}
	return NULL;
}

static void
private_between_threads(void)
{
	unsigned memory = lodger_memory_create(PAGE);
	bool backwards = false;

	for (int i = 0; i < 60; i++) {
		volatile long *view = (long *)map(memory, 0, PAGE, READ_WRITE |
						  LODGER_PRIVATE);
		pthread_t thread;
		void *saw;

		stop = 0;
		pthread_create(&thread, NULL, reader, (void *)view);
		sched_yield();
		for (long n = 1; n < 100; n++)
			*view = n;
		stop = 1;
		pthread_join(thread, &saw);
		backwards |= saw != NULL;
		munmap((void *)view, PAGE);
	}
	stop = 0;
	check(!backwards, "a reader never sees the old page again");
	lodger_handle_close(memory);
}

/* ---- mm_regions ------------------------------------------------------------------- */

static void
regions(void)
{
	struct lodger_region list[64];
	unsigned memory = lodger_memory_create(PAGE);
	char *shared = map(memory, 0, PAGE, PROT_READ);
	long heap = syscall3(SYS_brk, 0, 0, 0), n, few;
	unsigned found = 0;
	bool ordered = true;

	syscall3(SYS_brk, heap + PAGE, 0, 0);
	n = lodger_mm_regions(LODGER_OWN_MM, list, 64);
	check(n > 4 && n < 64, "mm_regions");
	for (long i = 0; i < n; i++) {
		ordered &= list[i].start < list[i].end &&
			   (i == 0 || list[i - 1].end <= list[i].start);
		if (list[i].start == (uint64_t)shared)
			found += list[i].flags == LODGER_REGION_SHARED &&
				 list[i].prot == PROT_READ;
		if (list[i].flags & LODGER_REGION_STACK)
			found += (uint64_t)&list < list[i].end &&
				 (uint64_t)&list >= list[i].start;
		if (list[i].flags & LODGER_REGION_HEAP)
			found += (uint64_t)heap < list[i].end &&
				 (uint64_t)heap >= list[i].start;
		if (list[i].start <= (uint64_t)&regions &&
		    (uint64_t)&regions < list[i].end)
			found += list[i].prot == (PROT_READ | PROT_EXEC);
	}
	check(ordered, "by address");
	check_equal(found, 4, "shared memory, the stack, the heap, the code");
	for (int i = 0; i < 50; i++) /* more than fit into one look */
		mprotect(private_memory(3 * PAGE) + PAGE, PAGE, PROT_READ);
	few = lodger_mm_regions(LODGER_OWN_MM, list, 3);
	check(few > n + 50, "how many there are, though three were wanted");
	check_equal(lodger_mm_regions(LODGER_OWN_MM, NULL, 0), few,
		    "and none wanted");
	show_expect("to nowhere", lodger_mm_regions(LODGER_OWN_MM, (void *)8,
						    4), -EFAULT);
	show_expect("of nobody", lodger_mm_regions(1ull << 40, list, 4),
		    -ESRCH);
	show_expect("of the kernel", lodger_mm_regions(0, list, 4), -ESRCH);
	munmap(shared, PAGE);
	lodger_handle_close(memory);
}

/* ---- Nothing is left ------------------------------------------------------------- */

static void
no_memory_to_narrow(unsigned all)
{
	uint64_t first = all == LODGER_ALL_DEVICES ? VGA : 0;
	long part = -ENOMEM;

	for (unsigned n = 1; part == -ENOMEM; n++) {
		lodger_fail(LODGER_FAIL_ANY, n);
		part = lodger_resource_narrow(all, first, first ? PAGE : 1);
	}
	check(part > 0, "resource_narrow, with memory at last");
	lodger_handle_close(part);
}

static char
byte_at(unsigned mm, uint64_t addr)
{
	char byte = 'X';

	lodger_mm_read(mm, addr, &byte, 1);
	return byte;
}

/* The page of the object, its place in a table, the copy: any may fail. */
static void
no_memory_for_a_copy(unsigned building, unsigned memory)
{
	const uint64_t there = WHERE + (1ul << 40);
	long result = -ENOMEM;

	lodger_memory_map(building, memory, 0, PAGE, there,
			  READ_WRITE | LODGER_PRIVATE);
	for (unsigned n = 1; result != 1 && n < 50; n++) {
		lodger_fail(LODGER_FAIL_ANY, n);
		result = lodger_mm_write(building, there, "m", 1);
	}
	check_equal(result, 1, "a copy, with memory at last");
	check(byte_at(building, there) == 'm', "it was written");
	lodger_mm_unmap(building, there, PAGE);
}

/* Over two pages that are there: they stay until the new mapping is sure. */
static void
no_memory_to_map(unsigned building, unsigned memory)
{
	bool untouched = true;
	long result = -ENOMEM;

	lodger_mm_map(building, WHERE, 2 * PAGE, READ_WRITE);
	lodger_mm_write(building, WHERE + PAGE, "m", 1);
	for (unsigned n = 1; result == -ENOMEM; n++) {
		lodger_fail(LODGER_FAIL_ANY, n);
		result = lodger_memory_map(building, memory, 0, PAGE,
					   WHERE + PAGE, PROT_READ);
		untouched &= result != -ENOMEM ||
			     byte_at(building, WHERE + PAGE) == 'm';
	}
	check_equal(result, WHERE + PAGE, "memory_map, with memory at last");
	check(untouched, "what failed has changed nothing");
	check_equal(byte_at(building, WHERE + PAGE), 0, "it is there");
}

static void
no_memory(void)
{
	unsigned building = lodger_mm_create();
	long memory = -ENOMEM;

	for (unsigned all = LODGER_ALL_PORTS; all <= LODGER_ALL_DEVICES; all++)
		no_memory_to_narrow(all);
	for (unsigned n = 1; memory == -ENOMEM; n++) {
		lodger_fail(LODGER_FAIL_ANY, n);
		memory = lodger_memory_create(PAGE);
	}
	no_memory_to_map(building, memory);
	no_memory_for_a_copy(building, memory);
	lodger_handle_close(building);
	lodger_handle_close(memory);
}

static void
all(bool debug)
{
	one_object_many_views();
	given_away();
	rights();
	limits();
	device_memory();
	boot_module();
	private_until_written();
	private_beside_shared();
	private_and_forked();
	private_elsewhere();
	private_between_threads();
	if (debug)
		no_memory();
}

int
main(void)
{
	struct lodger_sys_stat sys;
	uint64_t tasks;
	long before;

	lodger_or_skip();
	lodger_sys_stat(&sys);
	begin();
	never_ram();
	tasks = tasks_now();
	all(sys.debug);
	before = frames_at_rest(tasks);
	all(sys.debug);
	check_equal(frames_at_rest(tasks), before, "nothing is left");
	lodger_check_invariants();
	regions();
	return end();
}
