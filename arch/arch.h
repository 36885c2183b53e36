/*
 * The whole machine boundary.
 *
 * Portable code (kernel, sched, mm) includes this and nothing below it. It is
 * implemented twice: arch/x86 on the machine, arch/sim on a host, where
 * simulated CPUs run the same mm and sched code under the explorer.
 *
 * The second half names the entry points through which arch code calls up.
 */
#pragma once

#include "kernel/base/atomic.h"
#include "kernel/base/types.h"

struct boot_info;
struct cpu;
struct kernel_siginfo;
struct regs;
struct signal_frame;
struct task;

/* ---- This CPU --------------------------------------------------------- */

/*
 * struct cpu *this_cpu(void)           the block of the CPU we run on
 * struct task *arch_current(void)      this_cpu()->curr, in one access
 * void arch_cpu_relax(void)            one turn of a wait loop
 *
 * irq_flags_t arch_irq_save(void)      interrupts off; returns what they were
 * void arch_irq_restore(irq_flags_t)
 * void arch_irq_enable(void)
 * void arch_irq_disable(void)
 * bool arch_irqs_on(void)
 *
 * are inline, in arch_inline.h.
 */

/*
 * Waits while *@word == @busy may still hold; called in the loop of a spin
 * lock. The machine pauses; the simulator blocks the CPU until @word changes.
 */
void arch_spin_wait(const atomic_t *word, int busy);

/* Interrupts on and halt as one step; returns after an interrupt, with
 * interrupts on. Called with interrupts off. */
void arch_idle_wait(void);

/* Stops this CPU for good: interrupts off, halted. */
void arch_cpu_park(void) __noreturn;

/* ---- Other CPUs ------------------------------------------------------- */

enum ipi {
	IPI_RESCHED,  /* look at need_resched */
	IPI_TLB,      /* tlb_flush_interrupt() */
	IPI_LOG,      /* log_interrupt() */
	IPI_STOP,     /* panic elsewhere: stop for good (not maskable) */
	NR_IPIS,
};

void arch_send_ipi(unsigned cpu_id, enum ipi kind);

/*
 * Finds the other CPUs and starts them one by one; each calls
 * secondary_main(). Fills cpus[].apic_id, sets nr_cpus and online. @max: leave
 * CPUs from this id on asleep. @skip: pretend that this CPU does not answer
 * (for tests), or -1.
 */
void arch_start_cpus(unsigned max, int skip);

/* ---- Time ------------------------------------------------------------- */

/* Nanoseconds since boot; the same on all CPUs, never backwards. */
u64 arch_time_ns(void);

/* Seconds since 1970 at boot, from the real-time clock. */
u64 arch_boot_epoch(void);

/* One interrupt on this CPU at or after @deadline_ns, replacing the last one
 * asked for; ~0 means none. Calls timer_interrupt(). */
void arch_timer_set(u64 deadline_ns);

/* ---- The memory management unit --------------------------------------- */

/*
 * pte_t and its inline accessors (arch_inline.h): pte_make, pte_none,
 * pte_present, pte_writable, pte_executable, pte_user, pte_fixed,
 * pte_uncached, pte_paddr, pte_wrprotect and so on. phys_to_virt, virt_to_phys.
 * PTES_PER_TABLE, TABLE_LEVELS, pte_index(address, level).
 */

/* What a mapping allows; everything present can be read. */
enum {
	PAGE_WRITE = 1 << 0,
	PAGE_EXEC = 1 << 1,
	PAGE_USER = 1 << 2,
	PAGE_UNCACHED = 1 << 3,
	PAGE_FIXED = 1 << 4, /* no frame of the allocator's: not counted */
};

/* Loads CR3. Drops this CPU's cached translations, paging-structure caches
 * included. Interrupts must be off. */
void arch_load_root(paddr_t root);
paddr_t arch_loaded_root(void);

/* Drops this CPU's translations of one user page (and cached upper levels). */
void arch_flush_page(uaddr_t addr);

/* Drops everything cached for the loaded root on this CPU. */
void arch_flush_all(void);

/* The same for kernel mappings, global ones included. */
void arch_flush_kernel(void);

/* The root that maps the kernel half and nothing else: init_mm's. Built
 * once by arch_map_kernel(); all 256 kernel entries never change after. */
paddr_t arch_kernel_root(void);

/* Builds the final kernel page tables: W^X image, direct map of all memory in
 * @boot (NX; the image's text and rodata read-only there too), areas for
 * kernel stacks and devices. Loads them. Uses boot_alloc(). */
void arch_map_kernel(const struct boot_info *boot);

/* ---- User memory: only mm/usercopy.c calls these ---------------------- */

/* Copies with faults answered by stopping: returns the bytes *not* copied.
 * The addresses have been checked to be user addresses. */
size_t arch_copy_from_user(void *dst, uaddr_t src, size_t n);
size_t arch_copy_to_user(uaddr_t dst, const void *src, size_t n);
size_t arch_clear_user(uaddr_t dst, size_t n);
/* Length of the string without the 0, copied with it; @size when there is
 * no 0 in the first @size bytes; negative: fault. */
ssize_t arch_strncpy_from_user(char *dst, uaddr_t src, size_t size);
/* *addr == *old ? *addr = new : *old = *addr, atomically. Negative: fault. */
int arch_cmpxchg_user(uaddr_t addr, u32 *old, u32 new);

/* Is the instruction at regs in the exception table, so that it may fault on
 * a user address? */
bool arch_has_fixup(const struct regs *regs);
/* If the instruction at regs is in the exception table, moves regs to its
 * fix-up and returns true. */
bool arch_fixup_exception(struct regs *regs);

/* ---- Tasks ------------------------------------------------------------ */

/* struct arch_task (in arch_inline.h) is embedded in struct task as .arch. */

/* At boot, after slab_init(): memory for the tasks' FPU state. */
void arch_task_cache_init(void);

/*
 * Prepares @task to run on its kernel stack [stack, stack + KSTACK_SIZE): its
 * first switch-in calls task_first_run(prev), then @fn(@arg) unless @fn is
 * NULL, then returns to user mode with task_regs(task).
 * @from: registers to copy into task_regs (fork), or NULL for zeroes.
 */
void arch_task_init(struct task *task, void (*fn)(void *), void *arg,
		    const struct regs *from);

/* Copies FPU state and FS/GS bases of current (fork). -ENOMEM. */
int arch_task_copy(struct task *child);
/* A kernel thread becomes a user task (exec): fresh FPU state. -ENOMEM. */
int arch_task_make_user(struct task *task);
/* Frees what arch_task_copy and arch_task_make_user took. */
void arch_task_free(struct task *task);

/*
 * struct task *arch_switch_to(struct task *prev, struct task *next)
 *
 * Switches stacks, FPU state, FS/GS bases, TSS.rsp0 and this_cpu()->curr.
 * Interrupts off. Returns, on @prev's stack and perhaps another CPU and much
 * later, the task that ran just before. It is in arch_switch.h, which the
 * include path finds beside arch_inline.h; for sched/switch.c alone.
 */

struct regs *task_regs(struct task *task);

/* Puts current's user registers to a program's start: everything zero but
 * @ip and @sp, FPU fresh, FS/GS bases 0. */
void arch_start_user(struct regs *regs, uaddr_t ip, uaddr_t sp);

/* struct regs, seen from portable code. */
u64 regs_syscall(const struct regs *regs);
u64 regs_arg(const struct regs *regs, unsigned i); /* 0 .. 5 */
void regs_set_result(struct regs *regs, s64 result);
void regs_set_sp(struct regs *regs, uaddr_t sp);
u64 regs_ip(const struct regs *regs);
u64 regs_sp(const struct regs *regs);
u64 regs_fp(const struct regs *regs);
bool regs_from_user(const struct regs *regs);
/* A message (kernel/abi_ipc.h): six words in the registers of the arguments,
 * and four more registers that only its own calls use; the badge comes back
 * in the first of these. */
void regs_copy_words(struct regs *to, const struct regs *from);
void regs_set_word(struct regs *regs, unsigned i, u64 word); /* 0 .. 5 */
u64 regs_more(const struct regs *regs, unsigned i);	     /* 0 .. 3 */
void regs_set_badge(struct regs *regs, u64 badge);

/* Thread-local storage base of @task (arch_prctl, CLONE_SETTLS). -EPERM when
 * it is not a user address. */
int arch_set_fs_base(struct task *task, u64 base);
int arch_set_gs_base(struct task *task, u64 base);
u64 arch_get_fs_base(struct task *task);
u64 arch_get_gs_base(struct task *task);

/* ---- Signals ---------------------------------------------------------- */

/* Are @regs on their way back from a system call, with its result? */
bool regs_in_syscall(const struct regs *regs);
s64 regs_result(const struct regs *regs);
/* Back to the instruction that made the call, as call @number. */
void regs_restart(struct regs *regs, u64 number);

/* Where a handler's frame would begin: below @top; 0: below what the program
 * uses of its stack. Any value: nothing is looked at. */
uaddr_t arch_signal_frame_at(const struct regs *regs, uaddr_t top);
/*
 * Writes the frame there, and lets @regs, current's, enter the handler, with a
 * fresh FPU. -EFAULT: it cannot be written, or lacks a way to return; @regs and
 * FPU are unchanged.
 */
int arch_enter_handler(struct regs *regs, uaddr_t at,
		       const struct signal_frame *frame) __must_check;
/* The way back: registers and FPU from the frame that @regs point to. Fills
 * mask and altstack of *frame, unchecked. -EFAULT: it is not readable, or not
 * one that user mode can go on with; nothing has changed. */
int arch_leave_handler(struct regs *regs, struct signal_frame *frame)
	__must_check;

/* ---- Interrupt lines, console, the end -------------------------------- */

/* Lines of devices have numbers below this. Those below 16 are the ISA bus's,
 * wherever they are wired; the others are global system interrupts. */
unsigned arch_nr_irqs(void);
/* Opens a line, on the boot CPU; it may fire at once. -EINVAL: there is no such
 * line. Spin locks may be held for this and the following. */
int arch_irq_open(unsigned line) __must_check;
void arch_irq_mask(unsigned line);
void arch_irq_unmask(unsigned line);
/* Does it stay raised until the device is served? */
bool arch_irq_is_level(unsigned line);

/* Ports: @width is 1, 2 or 4 bytes. */
u32 arch_port_in(u16 port, unsigned width);
void arch_port_out(u16 port, unsigned width, u32 value);

/* The first physical address that there cannot be. */
paddr_t arch_phys_end(void);
/* Are there interrupt controllers in [start, end), which are the kernel's? */
bool arch_owns_device(paddr_t start, paddr_t end);

/* Early log device(s): serial and, where there is one, VGA text. */
void arch_console_write(const char *text, size_t len);
/* Somebody else has used the devices: into a known state again. */
void arch_console_reset(void);
/* The ports of the serial one. */
void arch_console_ports(u16 *first, u16 *count);

enum verdict { VERDICT_PASS = 0x10, VERDICT_FAIL = 0x11, VERDICT_PANIC = 0x12 };

/* Leaves QEMU through the debug-exit device; without one, powers off or
 * halts. */
void arch_exit(enum verdict verdict) __noreturn;
/* The port that does it. */
u16 arch_exit_port(void);

/* Random bits: RDRAND when there, else mixed from the time. Not for keys. */
u64 arch_random(void);

/* Prints registers; @regs may be NULL (then: those of the caller). */
void arch_dump_regs(const struct regs *regs);
/* Calls @fn for each return address from frame pointer @fp up (0: caller's),
 * at most 32; stops at anything that is not a mapped kernel stack. */
void arch_backtrace(u64 fp, void (*fn)(u64 address));

/* HWCAP for AT_HWCAP. */
u64 arch_hwcap(void);

/* ---- What arch code calls --------------------------------------------- */

/* Portable start, on the boot stack, boot CPU's block set up, log usable. */
void kmain(struct boot_info *boot) __noreturn;
/* The same for each other CPU; interrupts off. */
void secondary_main(void) __noreturn;

/* First thing on a new task's stack: the finish step. kernel code follows
 * with interrupts on. */
void task_first_run(struct task *prev);

/* A system call; sets the result in @regs. Interrupts on. */
void syscall_dispatch(struct regs *regs);

/* Before each return to user mode, interrupts off: reschedule, die, stop, enter
 * a signal's handler, meet the invariant checker. Called only when need_resched
 * or signal_work is set. */
void exit_to_user(struct regs *regs);

/* A page fault at @addr. Called, and returns, with interrupts off. */
enum {
	FAULT_PRESENT = 1 << 0, /* protection, not absence */
	FAULT_WRITE = 1 << 1,
	FAULT_USER = 1 << 2,	/* from user mode */
	FAULT_RESERVED = 1 << 3,
	FAULT_EXEC = 1 << 4,
};
void page_fault(struct regs *regs, u64 addr, unsigned flags);

/* What an instruction in user mode has caused: a signal, which kills if it is
 * not handled. @what, for people: "divide error" and so on. */
void user_exception(struct regs *regs, const struct kernel_siginfo *info,
		    const char *what);

/* Interrupts (interrupts off, irq_depth raised, EOI done by arch). */
void timer_interrupt(void);
void tlb_flush_interrupt(void);
void resched_interrupt(void);
void log_interrupt(void);
/* A device's line, before its EOI. It may have been masked meanwhile. */
void device_interrupt(unsigned line);

#include "arch_inline.h"
