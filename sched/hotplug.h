/*
 * CPUs go offline and come back. The tasks of one that leaves go on elsewhere;
 * its idle task stays, keeps only init_mm, and runs nothing else until it is
 * called back. Read Linux: kernel/cpu.c.
 */
#pragma once

#include "sched/mutex.h"

/* Held while a CPU leaves or comes back, and while the world stops. */
extern struct mutex world_lock;

/* Takes a CPU out: its tasks move, its borrow goes back, it sleeps; and back
 * in. -EBUSY: it is so already, it is the boot CPU, or somebody keeps it;
 * -EINVAL: there is none. Waits for what runs there to give it away. */
int cpu_offline(unsigned id);
int cpu_online(unsigned id);
/* Before a task stays on CPU @id for good: until cpu_release() the CPU cannot
 * go offline. -EINVAL: it is offline. */
int cpu_keep_online(unsigned id) __must_check;
void cpu_release(unsigned id);

/* This CPU's idle task, dying and with interrupts off: leaves the system until
 * cpu_online(). */
void cpu_play_dead(void);
