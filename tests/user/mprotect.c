// linux-oracle
/* Protection of pages: what each setting allows, and that a wrong access ends
 * the process with SIGSEGV, and only that process. */
#include "tests/user/check.h"

static char *area; /* 4 pages, each begins with a `ret` instruction */

static void
read_it(void *arg)
{
	(void)*(volatile char *)arg;
}

static void
write_it(void *arg)
{
	*(volatile char *)arg = (char)0xc3;
}

static void
run_it(void *arg)
{
	((void (*)(void))arg)();
}

static void
protections(void)
{
	static const struct {
		const char *name;
		int prot;
		bool read, write, run;
	} rows[] = {
		{ "none", PROT_NONE, false, false, false },
		{ "read", PROT_READ, true, false, false },
		{ "read write", PROT_READ | PROT_WRITE, true, true, false },
		{ "read exec", PROT_READ | PROT_EXEC, true, false, true },
		{ "all", PROT_READ | PROT_WRITE | PROT_EXEC, true, true, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		printf("protection %s:\n", rows[i].name);
		show_expect("mprotect", mprotect(area, PAGE, rows[i].prot), 0);
		check_child("  read", read_it, area,
			    rows[i].read ? EXITED(0) : KILLED(SIGSEGV));
		check_child("  write", write_it, area,
			    rows[i].write ? EXITED(0) : KILLED(SIGSEGV));
		check_child("  run", run_it, area,
			    rows[i].run ? EXITED(0) : KILLED(SIGSEGV));
	}
	mprotect(area, PAGE, PROT_READ | PROT_WRITE);
}

/* Only the middle one of three changes: the region is split in three. */
static void
splitting(void)
{
	mprotect(area + PAGE, PAGE, PROT_READ);
	check_child("write before the read-only page", write_it,
		    area + PAGE - 1, EXITED(0));
	check_child("write to its first byte", write_it, area + PAGE,
		    KILLED(SIGSEGV));
	check_child("write to its last byte", write_it, area + 2 * PAGE - 1,
		    KILLED(SIGSEGV));
	check_child("write after it", write_it, area + 2 * PAGE, EXITED(0));
	mprotect(area + PAGE, PAGE, PROT_READ | PROT_WRITE);
	check_child("write to it when allowed again", write_it, area + PAGE,
		    EXITED(0));
}

/* Contents survive PROT_NONE. */
static void
contents_stay(void)
{
	area[100] = 42;
	mprotect(area, PAGE, PROT_NONE);
	mprotect(area, PAGE, PROT_READ);
	check(area[100] == 42, "contents survive PROT_NONE");
	mprotect(area, PAGE, PROT_READ | PROT_WRITE);
}

/* A right that is taken away is gone on every CPU at once: a thread that has
 * just written there must fault. */
static void
taken_while_used(void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000; i++) {
		area[0] = i;
		if (mprotect(area, PAGE, PROT_READ) != 0)
			_exit(1);
		if (in_child(write_it, area) != KILLED(SIGSEGV))
			_exit(2);
		if (mprotect(area, PAGE, PROT_READ | PROT_WRITE) != 0)
			_exit(3);
		if (i == 20)
			_exit(0);
	}
}

static void
errors(void)
{
	char *hole = private_memory(3 * PAGE);

	munmap(hole + PAGE, PAGE);
	show_expect("mprotect unaligned",
		    syscall3(SYS_mprotect, (long)area + 1, PAGE, PROT_READ),
		    -EINVAL);
	show_expect("mprotect of length 0",
		    syscall3(SYS_mprotect, (long)area, 0, PROT_READ), 0);
	show_expect("mprotect over a hole",
		    syscall3(SYS_mprotect, (long)hole, 3 * PAGE, PROT_READ),
		    -ENOMEM);
	check_child("the part before the hole has changed", write_it, hole,
		    KILLED(SIGSEGV));
	check_child("the part after the hole has not", write_it,
		    hole + 2 * PAGE, EXITED(0));
	show_expect("mprotect of nothing",
		    syscall3(SYS_mprotect, (long)hole + PAGE, PAGE, PROT_READ),
		    -ENOMEM);
	show_expect("mprotect beyond user space",
		    syscall3(SYS_mprotect, (long)(1ul << 47), PAGE, PROT_READ),
		    -ENOMEM);
	show_expect("mprotect that wraps around",
		    syscall3(SYS_mprotect, (long)area, -PAGE, PROT_READ),
		    -ENOMEM);
	show_expect("mprotect with an unknown bit",
		    syscall3(SYS_mprotect, (long)area, PAGE, 0x100), -EINVAL);
}

static void
null_pointer(void)
{
	check_child("read at 0", read_it, NULL, KILLED(SIGSEGV));
	check_child("write at 0", write_it, NULL, KILLED(SIGSEGV));
	check_child("jump to 0", run_it, NULL, KILLED(SIGSEGV));
	check_child("write to code", write_it, (void *)read_it,
		    KILLED(SIGSEGV));
	check_child("write to a string constant", write_it, (void *)"text",
		    KILLED(SIGSEGV));
}

int
main(void)
{
	begin();
	area = private_memory(4 * PAGE);
	for (int i = 0; i < 4; i++)
		area[i * PAGE] = (char)0xc3;
	protections();
	splitting();
	contents_stay();
	check_child("a right taken away is gone at once", taken_while_used,
		    NULL, EXITED(0));
	errors();
	null_pointer();
	return end();
}
