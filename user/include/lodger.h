/*
 * Lodger's own system calls, for programs. What each one promises stands in
 * kernel/abi.h. All return 0 or more, or a negative errno; errno is not used.
 * On Linux each returns -ENOSYS.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi.h"

/* For lodger_mm_stat(): the caller's own address space. */
#define LODGER_OWN_MM (~0ull)

long lodger_klog_write(const char *text, size_t len);
long lodger_mm_stat(uint64_t id, struct lodger_mm_stat *buf);
long lodger_mm_list(uint64_t *ids, size_t n);
long lodger_task_stat(int tid, struct lodger_task_stat *buf);
long lodger_task_list(int *tids, size_t n);
long lodger_cpu_stat(unsigned cpu, struct lodger_cpu_stat *buf);
long lodger_sys_stat(struct lodger_sys_stat *buf);
long lodger_trace_control(enum lodger_trace_op op, uint64_t arg);
long lodger_fail(int alloc_class, unsigned nth);
long lodger_fail_happened(void);
long lodger_check_invariants(void);
long lodger_quiesce(void);
long lodger_verdict(unsigned ports, int code);
long lodger_guest(enum lodger_guest_op op, unsigned cpu);
long lodger_hold(unsigned cpu, enum lodger_hold_point point);
long lodger_cpu_online(unsigned cpu, int online);
long lodger_kthread_ping(void);

/* The id of the kernel thread with this name; 0: there is none. */
int lodger_find_kthread(const char *name);

/* Ends the program with a sentence and exit status 77 ("skipped") unless it
 * runs on Lodger. */
void lodger_or_skip(void);
