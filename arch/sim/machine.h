/*
 * The simulated machine: arch/arch.h on the host, as a world of the explorer.
 *
 * Agents. Of CPU k, with N CPUs:
 *
 *   k        its ordinary course: tasks, on their own stacks
 *   N + k    its inter-processor interrupts: deliverable when one is pending
 *            and interrupts are on; runs on the stack of what it interrupts
 *   2N + k   its timer: the same, as often as sim_allow_ticks() said
 *   3N + k   its store buffer (x86-TSO only)
 *
 * A task's stack is a coroutine; arch_switch_to() is coro_switch(), so the
 * kernel's context_switch() and its finish step run as on the machine.
 *
 * User mode is a place in sim_user_mode(): interrupts on, and after an
 * interrupt the way out looks at need_resched, as arch/x86 does.
 *
 * Time does not pass by itself: arch_time_ns() counts the ticks delivered.
 */
#pragma once

#include "arch/sim/explore.h"
#include "kernel/base/cpu.h"
#include "mm/page.h"
#include "sched/task.h"

enum { SIM_MAX_CPUS = 3 };

/* ---- Start ---------------------------------------------------------------- */

/*
 * Boots @cpus CPUs far enough for mm and sched: sched_init, mm_init,
 * regions_init ..., idle tasks current on init_mm. Then @set_up runs on the
 * boot CPU's stack with nothing explored: it may create address spaces and
 * tasks. Then CPU k's idle task goes on with @script(k), on its own stack, with
 * interrupts on; @script must not return, but may end in sim_cpu_done().
 * Everything is saved here; machine_world()->restore() comes back to it.
 */
void sim_boot(unsigned cpus, void (*set_up)(void), void (*script)(unsigned cpu));
const struct world *machine_world(void);

/* ---- What scripts use ------------------------------------------------------ */

/* Runs what set-up would do before the CPUs come apart: CPU @cpu's script
 * until it is at rest @rests times; still nothing explored. Before the state
 * is saved, that is from a hook of sim_boot(): see sim_prologue. */
extern void (*sim_prologue)(void);
void sim_run_alone(unsigned cpu, unsigned rests);

/* The CPU has nothing more to do of its own: its idle task or current task
 * waits, interrupts on, and lets the scheduler run others that wake up. */
void sim_cpu_done(void) __noreturn;

/*
 * Between two steps of a script: the CPU is in user mode (current has an mm
 * and is no kernel thread) or in the idle loop, or a kernel thread is at a
 * preemption point. Ticks and IPIs may come; need_resched is obeyed. When all
 * CPUs rest, sim_at_rest() is called: the system-wide checks.
 */
void sim_rest(void);
extern void (*sim_at_rest)(void);
/* The same until @ready(@arg): see explore_wait(). No task is looked for that
 * wants the CPU meanwhile. */
void sim_rest_until(const void *word, bool (*ready)(const void *arg),
		    const void *arg);

/* Called by every switch, on the stack of @prev. May be NULL. */
extern void (*sim_on_switch)(struct task *prev, struct task *next);

/* What a user task does that fork or clone made, from its first return to user
 * mode on: must not return. */
extern void (*sim_user_body)(void);

/* Nobody can go on, and every CPU waits for an interrupt: is that the end?
 * NULL, or a sentence that says what is missing. Announces nothing. */
extern const char *(*sim_at_end)(void);
/* Frees the dead tasks, as the reaper would, where none runs. */
void sim_reap(void);

/* At most @n timer interrupts reach CPU @cpu, at any moments it allows. */
void sim_allow_ticks(unsigned cpu, unsigned n);
/* At most @n allocations of an execution fail, whichever the search likes;
 * only those by tasks for which sim_may_fail is set. */
void sim_allow_failures(unsigned n);
extern bool sim_may_fail;

/* The current task uses user memory, from user mode (no fault handling by the
 * kernel's user copies): through the modelled TLB, which an adversary fills.
 * Faults go to mm_fault(). 0, or -EFAULT. */
int sim_user_read(uaddr_t addr, u64 *value);
int sim_user_write(uaddr_t addr, u64 value);

/* Does the CPU's root lead to freed memory? For checks: I1, I4. */
paddr_t sim_cr3(unsigned cpu);
/* Live frames, but for what is cached nowhere: for "everything came back". */
u64 sim_frames_in_use(void);
u64 sim_objects_in_use(void);

/* The kernel's trace records of this execution, if explore_recording. */
struct trace_record;
const struct trace_record *sim_trace(unsigned *n);

/* ---- Between the parts of the machine -------------------------------------- */

/* mmu.c: a modelled CR3, TLB and paging-structure cache for each CPU. */
void mmu_load_root(unsigned cpu, paddr_t root);
void mmu_flush_page(unsigned cpu, uaddr_t addr);
void mmu_flush_all(unsigned cpu);
void mmu_entry_stored(u64 *entry, u64 old, u64 new); /* world->stored */
void mmu_frame_freed(paddr_t frame, enum alloc_class class, u64 caller);
/* The CPU returns to user mode in the root it has loaded. */
void mmu_enter_user(unsigned cpu);
/* Does any CPU that is in user mode hold what it must not? */
void mmu_check_all(void);
void mmu_leave_user(unsigned cpu);
/* Translates for user mode. Negative: a fault, to be handled. *frame: where. */
int mmu_translate(unsigned cpu, uaddr_t addr, bool write, paddr_t *address);

/* memory.c: frames, slabs, kernel stacks; static so that restore() is a copy. */
void memory_boot(void);
enum { SIM_FRAMES = 256 };
extern char sim_memory[];		/* physical address 0 is its first byte */

/* arena.c: what is saved once and restored for each execution. At most 64
 * pieces. */
void arena_add(void *base, size_t size);
void arena_save(void);
void arena_restore(void);
