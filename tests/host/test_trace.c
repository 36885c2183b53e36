// with: kernel/trace.c kernel/symbols.c
#include "host.h"

#include <stdarg.h>

#include "kernel/base/printk.h"
#include "kernel/symbols.h"
#include "kernel/trace.h"
#include "mm/mm.h"
#include "sched/task.h"

const struct symbol kernel_symbols[] = { { 0x1000, "mmgrab" } };
const u64 kernel_symbols_count = 1;

static struct mm mm = { .users = ATOMIC_INIT(3), .count = ATOMIC_INIT(2),
			.id = 7 };
static u64 now;
static bool no_memory;

u64
arch_time_ns(void)
{
	return now;
}

/* Ring n is made of junk, in frames from n * 64 on. */
static struct page page_array[MAX_CPUS * 64];
struct page *frames = page_array;
static unsigned nr_rings;

struct page *
alloc_pages(unsigned order, enum alloc_class class)
{
	struct page *page = &frames[nr_rings++ * 64];

	CHECK(order <= 6);
	CHECK((PAGE_SIZE << order) >= sizeof(struct trace_ring));
	CHECK_EQ(class, ALLOC_KERNEL);
	if (no_memory)
		return NULL;
	memset(page_address(page), 0x5a, PAGE_SIZE << order);
	return page;
}

static char printed[300000];
static unsigned lines;

void
printk(enum log_level level, const char *fmt, ...)
{
	size_t len = strlen(printed);
	va_list args;

	(void)level;
	va_start(args, fmt);
	len += (size_t)vsnprintf(printed + len, sizeof(printed) - len, fmt,
				 args);
	va_end(args);
	CHECK(len + 2 < sizeof(printed));
	strcpy(printed + len, "\n");
	lines++;
}

static void
start(unsigned nr)
{
	host_make_memory(sizeof(page_array) / sizeof(page_array[0]) *
			 PAGE_SIZE);
	while (nr-- > 0) {
		host_use_cpu(nr);
		trace_init_cpu();
	}
}

static void
one_record(void)
{
	const struct trace_record *record;

	start(2);
	host_use_cpu(1);
	now = 5000000123;
	trace(TRACE_MMGRAB, &mm, REF_BORROW, 0x1010);
	record = &cpus[1].trace->records[0];
	CHECK_EQ(sizeof(*record), 48);
	CHECK_EQ(record->seq, 1);
	CHECK_EQ(record->time_ns, 5000000123);
	CHECK_EQ(record->caller, 0x1010);
	CHECK_EQ(record->extra, REF_BORROW);
	CHECK_EQ(record->mm_id, 7);
	CHECK_EQ(record->users, 3);
	CHECK_EQ(record->count, 2);
	CHECK_EQ(record->tid, 1);
	CHECK_EQ(record->cpu, 1);
	CHECK_EQ(record->op, TRACE_MMGRAB);
	CHECK_EQ(cpus[0].trace->next, 0);

	trace_dump(10);
	if (!strstr(printed, "       1     5.000000   1     1 mmgrab      7   "
			     "3/2 borrow             mmgrab+0x10\n"))
		FAIL("printed:\n%s", printed);
}

static void
without_mm(void)
{
	start(1);
	trace(TRACE_EXIT, NULL, -9l, 0x10);
	trace_counts(TRACE_MMDROP, 7, 0, 1, REF_PARKED, 0x1000);
	trace_dump(10);
	CHECK(strstr(printed, "exit        0   0/0 -9 "));
	CHECK(strstr(printed, "mmdrop      7   0/1 parked "));
}

/* The sequence numbers printed, in their order. */
static unsigned
printed_seqs(u64 *seqs)
{
	char *line = strchr(printed, '\n') + 1;
	unsigned n = 0;

	for (; *line; line = strchr(line, '\n') + 1)
		seqs[n++] = strtoul(line, NULL, 10);
	return n;
}

static void
merged(void)
{
	u64 seqs[200];

	start(4);
	for (int i = 0; i < 100; i++) {
		host_use_cpu(host_random(4));
		trace(TRACE_USER, NULL, i, 0);
	}
	trace_dump(1000);
	CHECK_EQ(printed_seqs(seqs), 100);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(seqs[i], i + 1);
}

static void
newest(void)
{
	u64 seqs[200];

	start(3);
	for (int i = 0; i < 50; i++) {
		host_use_cpu(host_random(3));
		trace(TRACE_USER, NULL, i, 0);
	}
	trace_dump(16);
	CHECK_EQ(printed_seqs(seqs), 16);
	CHECK_EQ(seqs[0], 35);
	CHECK_EQ(seqs[15], 50);
	printed[0] = 0;
	trace_dump(0);
	CHECK_EQ(printed_seqs(seqs), 0);
}

static void
wraps(void)
{
	static u64 seqs[TRACE_RING_RECORDS + 10];
	unsigned n;

	start(2);
	trace(TRACE_USER, NULL, 0, 0); /* kept: another ring */
	host_use_cpu(1);
	for (int i = 0; i < TRACE_RING_RECORDS + 5; i++)
		trace(TRACE_USER, NULL, i, 0);
	trace_dump(~0u);
	n = printed_seqs(seqs);
	CHECK_EQ(n, TRACE_RING_RECORDS + 1);
	CHECK_EQ(seqs[0], 1);
	CHECK_EQ(seqs[1], 7);
	CHECK_EQ(seqs[n - 1], TRACE_RING_RECORDS + 6);
}

static void
half_written(void)
{
	u64 seqs[10];

	start(1);
	for (int i = 0; i < 5; i++)
		trace(TRACE_USER, NULL, i, 0);
	cpus[0].trace->records[2].seq = 0;
	trace_dump(10);
	CHECK_EQ(printed_seqs(seqs), 4);
	CHECK_EQ(seqs[2], 4);
}

static void
switched_off(void)
{
	start(1);
	trace_enable(false);
	trace(TRACE_USER, NULL, 1, 0);
	CHECK_EQ(cpus[0].trace->next, 0);
	trace_enable(true);
	trace(TRACE_USER, NULL, 1, 0);
	CHECK_EQ(cpus[0].trace->next, 1);
}

static void
no_ring(void)
{
	trace(TRACE_USER, NULL, 1, 0);
	no_memory = true;
	trace_init_cpu();
	CHECK(strstr(printed, "no memory"));
	trace(TRACE_USER, NULL, 1, 0);
	trace_dump(10);
	CHECK_EQ(lines, 2); /* the warning, the heading */
}

static void
names(void)
{
	for (int op = 0; op < NR_TRACE_OPS; op++)
		CHECK(trace_op_name(op) && strlen(trace_op_name(op)) <= 8);
	CHECK(strcmp(trace_op_name(NR_TRACE_OPS), "?") == 0);
	for (int why = 0; why < NR_MM_REFS; why++)
		CHECK(mm_ref_name(why));
	CHECK(strcmp(mm_ref_name(REF_PARKED), "parked") == 0);
	CHECK(strcmp(mm_ref_name(NR_MM_REFS), "?") == 0);
}

int
main(int argc, char **argv)
{
	host_start(argc, argv);
	test("a record holds who, where, what and both counters", one_record);
	test("records without an mm, or with given counters, are kept",
	     without_mm);
	test("records of all CPUs are printed in one order", merged);
	test("a dump prints the newest", newest);
	test("a full ring forgets its oldest records", wraps);
	test("a record that is being written is left out", half_written);
	test("nothing is recorded while tracing is off", switched_off);
	test("a CPU without a ring records nothing", no_ring);
	test("every operation and reference has a name", names);
	return host_result();
}
