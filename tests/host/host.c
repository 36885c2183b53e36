/* See host.h. */
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/spinlock.h"
#include "mm/boot_mem.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "sched/mutex.h"
#include "sched/task.h"

enum { TEST_SECONDS = 120 };

static struct task host_task = { .name = "host", .tid = 1 };

__attribute__((weak)) struct cpu cpus[MAX_CPUS] = {
	[0] = { .self = &cpus[0], .curr = &host_task, .online = true },
};
__attribute__((weak)) unsigned nr_cpus = 4;

struct cpu *host_cpu = &cpus[0];
bool host_irqs_on = true;
char *host_memory;

bool host_catch;
jmp_buf host_panic_jump;
char host_panic_text[512];
unsigned host_warnings;
char host_log[512];
u64 host_seed = 1;

static int nr_failed;
static int nr_filters;
static char **filters;
static const char *test_name;

/* ---- Tests ------------------------------------------------------------- */

void
host_start(int argc, char **argv)
{
	nr_filters = argc - 1;
	filters = argv + 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
}

static bool
selected(const char *name)
{
	for (int i = 0; i < nr_filters; i++)
		if (strstr(name, filters[i]))
			return true;
	return nr_filters == 0;
}

static void
run_in_child(void (*fn)(void))
{
	alarm(TEST_SECONDS);
	fn();
	if (!host_irqs_on)
		FAIL("interrupts were left off");
	fflush(stdout);
	_exit(0);
}

void
test(const char *name, void (*fn)(void))
{
	int status;
	pid_t child;

	if (!selected(name))
		return;
	test_name = name;
	child = fork();
	if (child == 0)
		run_in_child(fn);
	if (child < 0 || waitpid(child, &status, 0) != child) {
		printf("FAILED %s: cannot run a child\n", name);
		nr_failed++;
	} else if (status == 0) {
		printf("ok %s\n", name);
	} else {
		if (WIFSIGNALED(status))
			printf("FAILED %s: %s\n", name,
			       WTERMSIG(status) == SIGALRM ?
				       "HANG" : strsignal(WTERMSIG(status)));
		else if (WEXITSTATUS(status) != 99)
			printf("FAILED %s: exit status %d\n", name,
			       WEXITSTATUS(status));
		nr_failed++;
	}
}

int
host_result(void)
{
	return nr_failed != 0;
}

void
fail_test(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	printf("FAILED %s: ", test_name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(" (%s:%d, seed %llu)\n", file, line,
	       (unsigned long long)host_seed);
	fflush(stdout);
	_exit(99);
}

u64
host_random(u64 n)
{
	static u64 state;

	if (state == 0)
		state = host_seed * 0x9e3779b97f4a7c15ul + 1;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

/* ---- The machine ------------------------------------------------------- */

struct task *
host_current(void)
{
	return host_cpu->curr;
}

void
host_use_cpu(unsigned id)
{
	host_cpu = &cpus[id];
	host_cpu->self = host_cpu;
	host_cpu->id = id;
	host_cpu->online = true;
	if (!host_cpu->curr)
		host_cpu->curr = &host_task;
}

void
host_make_memory(u64 bytes)
{
	host_memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (host_memory == MAP_FAILED)
		FAIL("no arena of %llu bytes", (unsigned long long)bytes);
}

static void
add_range(struct boot_info *boot, paddr_t start, paddr_t end,
	  enum memory_kind kind)
{
	boot->memory[boot->nr_memory++] =
		(struct memory_range){ start, end, kind };
}

/* As QEMU's pc: a hole for devices below 4 GiB, the rest above. */
void
host_fill_boot_info(struct boot_info *boot, u64 bytes)
{
	const u64 hole = 3ul << 30, four = 4ul << 30;

	memset(boot, 0, sizeof(*boot));
	boot->loader = "host";
	boot->kernel = 0x100000;
	boot->kernel_end = 0x300123;
	add_range(boot, 0, 0x9fc00, MEMORY_USABLE);
	add_range(boot, 0x9fc00, 0xa0000, MEMORY_RESERVED);
	add_range(boot, 0xf0000, 0x100000, MEMORY_RESERVED);
	add_range(boot, 0x100000, MIN(bytes, hole), MEMORY_USABLE);
	if (bytes > hole)
		add_range(boot, four, four + bytes - hole, MEMORY_USABLE);
}

#pragma weak boot_mem_init
#pragma weak boot_mem_open
#pragma weak boot_alloc
#pragma weak frames_init
#pragma weak slab_init

static paddr_t kernel_root;

__attribute__((weak)) paddr_t
arch_kernel_root(void)
{
	return kernel_root;
}

/* A root whose kernel half is full, as after arch_map_kernel(). */
static void
make_kernel_root(void)
{
	pte_t *root = boot_alloc(PAGE_SIZE, PAGE_SIZE);
	paddr_t other = virt_to_phys(boot_alloc(PAGE_SIZE, PAGE_SIZE));
	paddr_t stacks = virt_to_phys(boot_alloc(PAGE_SIZE, PAGE_SIZE));

	kernel_root = virt_to_phys(root);
	for (unsigned i = USER_ROOT_PTES; i < PTES_PER_TABLE; i++)
		root[i] = pte_make_table(other, false);
	root[pte_index(KSTACK_BASE, TABLE_LEVELS)] =
		pte_make_table(stacks, false);
}

void
host_boot_memory(u64 bytes)
{
	static struct boot_info boot;

	host_make_memory(bytes + (2ul << 30));
	host_fill_boot_info(&boot, bytes);
	boot_mem_init(&boot);
	boot_mem_open();
	make_kernel_root();
	frames_init();
	if (slab_init)
		slab_init();
}

/* ---- What kernel/ would provide ---------------------------------------- */

static void
vpanic(const char *fmt, va_list args)
{
	vsnprintf(host_panic_text, sizeof(host_panic_text), fmt, args);
	if (!host_catch)
		FAIL("panic: %s", host_panic_text);
	/* Locks that the panicking code held stay held: as on the machine,
	 * nothing but inspection follows. */
	host_irqs_on = true;
	longjmp(host_panic_jump, 1);
}

__attribute__((weak)) void
panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vpanic(fmt, args);
	abort();
}

__attribute__((weak)) void
panic_mm(const struct mm *mm, const char *fmt, ...)
{
	va_list args;

	(void)mm;
	va_start(args, fmt);
	vpanic(fmt, args);
	abort();
}

__attribute__((weak)) void
printk(enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(host_log, sizeof(host_log), fmt, args);
	va_end(args);
	if (level <= LOG_WARN)
		host_warnings++;
	if (getenv("HOST_LOG"))
		printf("    [%s]\n", host_log);
}

__attribute__((weak)) void
spin_init(struct spinlock *lock, const char *name, enum lock_rank rank)
{
	memset(lock, 0, sizeof(*lock));
	lock->name = name;
	lock->rank = rank;
}

__attribute__((weak)) void
spin_lock(struct spinlock *lock)
{
	struct cpu *cpu = this_cpu();

	if (host_irqs_on)
		panic("%s taken with interrupts on", lock->name);
	if (atomic_read(&lock->locked))
		panic("%s taken twice", lock->name);
	if (cpu->nr_held && cpu->held[cpu->nr_held - 1]->rank >= lock->rank)
		panic("%s taken under %s", lock->name,
		      cpu->held[cpu->nr_held - 1]->name);
	cpu->held[cpu->nr_held++] = lock;
	lock->holder = cpu;
	atomic_set(&lock->locked, 1);
}

__attribute__((weak)) void
spin_unlock(struct spinlock *lock)
{
	struct cpu *cpu = this_cpu();

	if (cpu->nr_held == 0 || cpu->held[cpu->nr_held - 1] != lock)
		panic("%s released out of turn", lock->name);
	cpu->nr_held--;
	lock->holder = NULL;
	atomic_set(&lock->locked, 0);
}

__attribute__((weak)) irq_flags_t
spin_lock_irqsave(struct spinlock *lock)
{
	irq_flags_t flags = arch_irq_save();

	spin_lock(lock);
	return flags;
}

__attribute__((weak)) void
spin_unlock_irqrestore(struct spinlock *lock, irq_flags_t flags)
{
	spin_unlock(lock);
	arch_irq_restore(flags);
}

__attribute__((weak)) bool
spin_held(const struct spinlock *lock)
{
	return lock->holder == this_cpu();
}

__attribute__((weak)) void
assert_no_spinlocks(void)
{
	if (this_cpu()->nr_held)
		panic("%s is held", this_cpu()->held[0]->name);
}

/* Nobody sets need_resched. */
__attribute__((weak)) void
schedule(void)
{
	panic("schedule() on the host");
}

__attribute__((weak)) void
mutex_init(struct mutex *mutex, const char *name)
{
	(void)name;
	memset(mutex, 0, sizeof(*mutex));
}

__attribute__((weak)) void
mutex_lock(struct mutex *mutex)
{
	if (mutex->owner)
		panic("mutex taken twice");
	mutex->owner = host_current();
}

__attribute__((weak)) bool
mutex_trylock(struct mutex *mutex)
{
	if (mutex->owner)
		return false;
	mutex->owner = host_current();
	return true;
}

__attribute__((weak)) void
mutex_unlock(struct mutex *mutex)
{
	if (mutex->owner != host_current())
		panic("mutex is not ours");
	mutex->owner = NULL;
}

__attribute__((weak)) bool
mutex_held(const struct mutex *mutex)
{
	return mutex->owner == host_current();
}

/* libc has no strscpy(). */
__attribute__((weak)) void
strscpy(char *dst, const char *src, size_t size)
{
	if (size == 0)
		return;
	size = MIN(strlen(src), size - 1);
	memcpy(dst, src, size);
	dst[size] = 0;
}
