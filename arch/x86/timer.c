/*
 * Three clocks: the time-stamp counter tells the time, the local APIC's timer
 * interrupts, and the PIT, whose frequency is known, tells how fast both are.
 * The real-time clock is read once, for the date.
 */
#include "arch/arch.h"
#include "arch/x86/platform.h"
#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"
#include "kernel/base/printk.h"

#define NS_PER_SECOND 1000000000ul
#define NS_PER_US     1000ul

/* ---- The time-stamp counter ----------------------------------------- */

static u64 tsc_start;
static u64 ns_per_tsc; /* 32.32 fixed point */
static bool synchronous = true;

static u64
scale(u64 value, u64 factor)
{
	return (unsigned __int128)value * factor >> 32;
}

/* Slow and safe: remembers the latest time that any CPU was told. */
static u64
never_backwards(u64 ns)
{
	static u64 latest;
	u64 seen = READ_ONCE(latest);

	while (seen < ns)
		if (__atomic_compare_exchange_n(&latest, &seen, ns, false,
						__ATOMIC_SEQ_CST,
						__ATOMIC_RELAXED))
			return ns;
	return seen;
}

u64
arch_time_ns(void)
{
	u64 ns = scale(read_tsc() - tsc_start, ns_per_tsc);

	return likely(READ_ONCE(synchronous)) ? ns : never_backwards(ns);
}

void
clock_not_synchronous(void)
{
	if (READ_ONCE(synchronous))
		pr_warn("the CPUs' time-stamp counters differ: "
			"reading the time is slower");
	WRITE_ONCE(synchronous, false);
}

void
delay_us(u64 us)
{
	u64 end = arch_time_ns() + us * NS_PER_US;

	while (arch_time_ns() < end)
		arch_cpu_relax();
}

/* ---- How fast is it? ---------------------------------------------------
 * The PIT's channel 2 counts down once; bit 5 of port 0x61 shows that it got to
 * 0. Intel 8254 data sheet, mode 0. */

enum {
	PIT_HZ = 1193182,
	PIT_COUNT = 1193, /* 1 ms */
	PIT_CHANNEL2 = 0x42,
	PIT_COMMAND = 0x43,
	PIT_CHANNEL2_MODE0 = 0xb0, /* both bytes, low first */
	PIT_GATE = 0x61,
	GATE_CHANNEL2 = 1 << 0,
	GATE_SPEAKER = 1 << 1,
	GATE_OUTPUT2 = 1 << 5,

	PIT_POLLS = 1 << 22, /* a PIT that does not count */
	MEASUREMENTS = 8,    /* the host may take the CPU away in the midst */
	GOOD_ENOUGH = 1000,  /* uncertain by less than 1 part in so many */
};

#define PIT_NS (PIT_COUNT * NS_PER_SECOND / PIT_HZ)

struct measurement {
	u64 ticks;
	u64 uncertain; /* by so many ticks at most */
};

/* The count begins between the first two readings of the TSC, and ends
 * between the last two. False: the PIT does not count. */
static bool
measure(struct measurement *m)
{
	u64 before, after, earlier, now;
	int polls = 0;
	u8 gate = inb(PIT_GATE) & ~GATE_SPEAKER;

	outb(PIT_GATE, gate | GATE_CHANNEL2);
	outb(PIT_COMMAND, PIT_CHANNEL2_MODE0);
	outb(PIT_CHANNEL2, PIT_COUNT & 0xff);
	before = read_tsc();
	outb(PIT_CHANNEL2, PIT_COUNT >> 8);
	after = now = read_tsc();
	do {
		if (++polls == PIT_POLLS)
			return false;
		earlier = now;
		now = read_tsc();
	} while (!(inb(PIT_GATE) & GATE_OUTPUT2));
	now = read_tsc();

	m->ticks = (now - before + earlier - after) / 2;
	m->uncertain = (now - earlier + after - before) / 2;
	return m->ticks != 0;
}

/* The best of a few measurements; one, where nothing disturbs. */
static struct measurement
measure_well(void)
{
	struct measurement best = { 0, ~0ul }, m;

	for (int i = 0; i < MEASUREMENTS && measure(&m); i++) {
		if (m.uncertain < best.uncertain)
			best = m;
		if (best.uncertain < best.ticks / GOOD_ENOUGH)
			break;
	}
	return best;
}

void
clock_init(u64 tsc)
{
	struct measurement m;

	tsc_start = tsc;
	m = measure_well();
	if (m.ticks == 0) {
		m.ticks = PIT_NS; /* as if at 1 GHz */
		pr_warn("the timer chip (PIT) does not count: "
			"all times are a guess");
	}
	ns_per_tsc = (PIT_NS << 32) / m.ticks;
}

/* ---- Interrupts at a time ------------------------------------------- */

enum { APIC_MEASURE_US = 200 };

#define NEVER (~0ul)

static u64 apic_per_ns;		      /* 32.32 fixed point */
static u64 deadlines[MAX_CPUS];	      /* each CPU's own; NEVER: none */

/* Counts the APIC's timer against the clock. */
void
timer_init(void)
{
	u64 start, ns, counted;

	apic_timer_start(~0u);
	start = arch_time_ns();
	delay_us(APIC_MEASURE_US);
	counted = ~0u - apic_timer_left();
	ns = arch_time_ns() - start;
	apic_timer_start(0);

	apic_per_ns = (counted << 32) / ns;
	if (counted == 0)
		panic("The local APIC's timer does not count: this machine "
		      "cannot run Lodger.");
	for (unsigned i = 0; i < MAX_CPUS; i++)
		deadlines[i] = NEVER;
}

/* One tick more than asked, so as not to come too early; a time beyond the
 * counter's reach is armed again when the counter is through. */
static void
arm(u64 deadline)
{
	u64 now = arch_time_ns();
	u64 ticks = 1;

	if (deadline > now)
		ticks += scale(MIN(deadline - now, NS_PER_SECOND), apic_per_ns);
	apic_timer_start(MIN(ticks, ~0u));
}

void
arch_timer_set(u64 deadline_ns)
{
	u64 flags = arch_irq_save();

	deadlines[this_cpu()->id] = deadline_ns;
	if (deadline_ns == NEVER)
		apic_timer_start(0);
	else
		arm(deadline_ns);
	arch_irq_restore(flags);
}

/* It may be an old interrupt, on its way while the deadline was moved, or a
 * little early, because the two clocks never agree quite. */
void
timer_expired(void)
{
	u64 *deadline = &deadlines[this_cpu()->id];

	if (*deadline == NEVER)
		return;
	if (arch_time_ns() < *deadline) {
		arm(*deadline);
		return;
	}
	*deadline = NEVER;
	timer_interrupt();
}

/* ---- The date ------------------------------------------------------- */

enum {
	CMOS_INDEX = 0x70,
	CMOS_DATA = 0x71,
	CMOS_NMI_OFF = 0x80,

	RTC_SECOND = 0x00,
	RTC_MINUTE = 0x02,
	RTC_HOUR = 0x04,
	RTC_DAY = 0x07,
	RTC_MONTH = 0x08,
	RTC_YEAR = 0x09,
	RTC_STATUS_A = 0x0a,
	RTC_STATUS_B = 0x0b,

	STATUS_A_UPDATING = 0x80,
	STATUS_B_24_HOURS = 0x02,
	STATUS_B_BINARY = 0x04,
	HOUR_PM = 0x80,

	RTC_TRIES = 100000, /* an update takes 2 ms at most */
};

struct date {
	unsigned second, minute, hour, day, month, year;
};

static u8
cmos_read(u8 index)
{
	outb(CMOS_INDEX, CMOS_NMI_OFF | index);
	return inb(CMOS_DATA);
}

/* A value as the clock has it, decimal digit by digit or in binary. */
static unsigned
number_of(u8 value, u8 status)
{
	if (status & STATUS_B_BINARY)
		return value;
	return (value >> 4) * 10 + (value & 0x0f);
}

static unsigned
hour_of(u8 value, u8 status)
{
	unsigned hour = number_of(value & ~HOUR_PM, status);

	if (status & STATUS_B_24_HOURS)
		return hour;
	return hour % 12 + (value & HOUR_PM ? 12 : 0);
}

static struct date
rtc_read_date(void)
{
	u8 status = cmos_read(RTC_STATUS_B);

	return (struct date){
		.second = number_of(cmos_read(RTC_SECOND), status),
		.minute = number_of(cmos_read(RTC_MINUTE), status),
		.hour = hour_of(cmos_read(RTC_HOUR), status),
		.day = number_of(cmos_read(RTC_DAY), status),
		.month = number_of(cmos_read(RTC_MONTH), status),
		.year = 2000 + number_of(cmos_read(RTC_YEAR), status),
	};
}

/* Days since 1970-01-01. Years are counted from March, so that the leap day
 * is a year's last. */
static u64
days_since_1970(const struct date *d)
{
	unsigned year = d->month > 2 ? d->year : d->year - 1;
	unsigned month = d->month > 2 ? d->month - 3 : d->month + 9;
	u64 leap_days = year / 4 - year / 100 + year / 400;

	return 365ul * year + leap_days + (153 * month + 2) / 5 + d->day - 1 -
	       719468;
}

static u64
epoch_of(const struct date *d)
{
	return ((days_since_1970(d) * 24 + d->hour) * 60 + d->minute) * 60 +
	       d->second;
}

/* The clock is read twice, so as not to see half of an update. */
u64
arch_boot_epoch(void)
{
	static u64 epoch;
	u64 first, second;
	int tries = RTC_TRIES;

	if (epoch)
		return epoch;
	do {
		while (cmos_read(RTC_STATUS_A) & STATUS_A_UPDATING &&
		       --tries > 0)
			arch_cpu_relax();
		struct date a = rtc_read_date();
		struct date b = rtc_read_date();

		first = epoch_of(&a);
		second = epoch_of(&b);
	} while (first != second && --tries > 0);
	epoch = second - arch_time_ns() / NS_PER_SECOND;
	return epoch;
}
