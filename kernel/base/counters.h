/* Shared with programs: kernel/abi.h. */
#pragma once

/* Events that are counted on each CPU; cpu_stat() hands them to user space. */
enum cpu_counter {
	COUNT_SWITCHES,	      /* context switches */
	COUNT_CR3_WRITES,     /* roots loaded, and reloads that flush */
	COUNT_CR3_SPARED,     /* switches that kept the loaded root */
	COUNT_BORROWS,	      /* user -> kernel: mm lent, count +1 */
	COUNT_HANDOVERS,      /* kernel -> kernel: borrow passed on, no atomic */
	COUNT_RETURNS,	      /* kernel -> user: borrow parked, then dropped */
	COUNT_MM_ATOMICS,     /* atomic operations on users and count */
	COUNT_IPIS_TLB,	      /* shootdown interrupts sent */
	COUNT_IPIS_SPARED,    /* not sent, because the CPU was lazy */
	COUNT_IPIS_RESCHED,   /* "look at your run queue" sent */
	COUNT_FLUSH_FULL,     /* whole TLB flushed here */
	COUNT_FLUSH_RANGE,    /* page by page flushes here */
	COUNT_FLUSH_UNLAZY,   /* flushes made when leaving lazy mode */
	COUNT_LEFT_ROOT,      /* lazy CPU moved to init_mm: tables were freed */
	COUNT_FAULTS,	      /* page faults served */
	COUNT_SYSCALLS,
	COUNT_TICKS,
	NR_COUNTERS,
};
