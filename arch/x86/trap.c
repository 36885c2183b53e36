/*
 * What an exception or interrupt means, once trap_entry.asm has saved the
 * registers. Interrupts are off on arrival.
 *
 * Intel SDM volume 3, chapter 6.
 */
#include "arch/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/fpu.h"
#include "arch/x86/platform.h"
#include "arch/x86/regs.h"
#include "kernel/base/assert.h"
#include "kernel/base/cpu.h"
#include "kernel/base/signal.h"
#include "mm/kstack.h"
#include "sched/task.h"

/* What it is called, and what Linux makes of it. code 0: SI_KERNEL, with no
 * address; else the address is that of the instruction. */
struct exception {
	const char *name;
	int signal, code;
};

static const struct exception exceptions[VECTOR_IRQ_BASE] = {
	[0] = { "divide error", SIGFPE, FPE_INTDIV },
	[1] = { "debug exception", SIGTRAP, TRAP_TRACE },
	[2] = { "non-maskable interrupt", SIGSEGV, 0 },
	[3] = { "breakpoint", SIGTRAP, 0 },
	[4] = { "overflow", SIGSEGV, 0 },
	[5] = { "bound range exceeded", SIGSEGV, 0 },
	[6] = { "invalid opcode", SIGILL, ILL_ILLOPN },
	[7] = { "FPU not available", SIGSEGV, 0 },
	[8] = { "double fault", SIGSEGV, 0 },
	[10] = { "invalid TSS", SIGSEGV, 0 },
	[11] = { "segment not present", SIGBUS, 0 },
	[12] = { "stack segment fault", SIGBUS, 0 },
	[13] = { "general protection fault", SIGSEGV, 0 },
	[14] = { "page fault", SIGSEGV, 0 },
	[16] = { "x87 floating point error", SIGFPE, 0 },
	[17] = { "alignment check", SIGBUS, 0 },
	[18] = { "machine check", SIGBUS, 0 },
	[19] = { "SIMD floating point error", SIGFPE, 0 },
	[20] = { "virtualization exception", SIGSEGV, 0 },
	[21] = { "control protection exception", SIGSEGV, 0 },
};

static const struct exception unknown = { "reserved exception", SIGSEGV, 0 };

static const struct exception *
exception_of(const struct regs *regs)
{
	const struct exception *e = &exceptions[regs->vector];

	return e->name ? e : &unknown;
}

/* ---- Exceptions ------------------------------------------------------- */

static const struct ex_entry *
find_ex_entry(u64 ip)
{
	const struct ex_entry *e;

	for (e = ex_table_start; e < ex_table_end; e++)
		if (e->fault == ip)
			return e;
	return NULL;
}

bool
arch_has_fixup(const struct regs *regs)
{
	return find_ex_entry(regs->rip) != NULL;
}

bool
arch_fixup_exception(struct regs *regs)
{
	const struct ex_entry *e = find_ex_entry(regs->rip);

	if (e)
		regs->rip = e->fixup;
	return e != NULL;
}

STATIC_ASSERT(FAULT_PRESENT == 1 && FAULT_WRITE == 2 && FAULT_USER == 4 &&
		      FAULT_RESERVED == 8 && FAULT_EXEC == 16,
	      "the flags are the bits of the CPU's error code");
enum { FAULT_ALL = 31 };

static void
user_trap(struct regs *regs, const struct exception *e)
{
	struct kernel_siginfo info = { .signo = e->signal, .code = e->code };

	if (regs->vector == VECTOR_X87 || regs->vector == VECTOR_SIMD)
		info.code = fpu_exception_code(regs->vector == VECTOR_SIMD);
	if (info.code)
		info.addr = regs->rip;
	else
		info.code = SI_KERNEL;
	arch_irq_enable();
	user_exception(regs, &info, e->name);
	arch_irq_disable();
}

static void
exception_trap(struct regs *regs)
{
	const struct exception *e = exception_of(regs);

	if (regs_from_user(regs)) {
		user_trap(regs, e);
		return;
	}
	if (!arch_fixup_exception(regs))
		panic_regs(regs, "%s in the kernel (vector %lu, error %lx)",
			   e->name, regs->vector, regs->error);
}

/*
 * A supervisor's access, made by an instruction of user mode: the kernel's
 * tables are always mapped, so this is the emulator. QEMU 7.2 reads the stack
 * of a user's far return and IRET as the kernel would, and SMAP forbids that;
 * to try again would fault for ever.
 */
static bool
is_implicit_access(const struct regs *regs)
{
	return regs_from_user(regs) && !(regs->error & FAULT_USER);
}

static void
page_fault_trap(struct regs *regs)
{
	u64 addr = READ_CR(2);

	if (is_implicit_access(regs))
		exception_trap(regs);
	else
		page_fault(regs, addr, regs->error & FAULT_ALL);
}

/* ---- Interrupts --------------------------------------------------------- */

/* Our own interrupts are events, over when they have arrived; a device's line
 * may stay raised until its handler has run. A spurious one has no end. */
static void
handle_interrupt(unsigned vector)
{
	switch (vector) {
	case VECTOR_TIMER:
		apic_end_of_interrupt();
		timer_expired();
		break;
	case VECTOR_RESCHED:
		apic_end_of_interrupt();
		resched_interrupt();
		break;
	case VECTOR_TLB:
		apic_end_of_interrupt();
		tlb_flush_interrupt();
		break;
	case VECTOR_LOG:
		apic_end_of_interrupt();
		log_interrupt();
		break;
	case VECTOR_SPURIOUS:
		break;
	default:
		device_interrupt(vector - VECTOR_IRQ_BASE);
		apic_end_of_interrupt();
		break;
	}
}

static void
interrupt(unsigned vector)
{
	this_cpu()->irq_depth++;
	handle_interrupt(vector);
	this_cpu()->irq_depth--;
}

void trap_dispatch(struct regs *regs);

void
trap_dispatch(struct regs *regs)
{
	if (regs->vector >= VECTOR_IRQ_BASE)
		interrupt(regs->vector);
	else if (regs->vector == VECTOR_PAGE_FAULT)
		page_fault_trap(regs);
	else
		exception_trap(regs);
}

/* Return to user mode was asked for at an address that is none. */
void trap_bad_return(struct regs *regs);

void
trap_bad_return(struct regs *regs)
{
	struct kernel_siginfo info = { .signo = SIGSEGV, .code = SI_KERNEL };

	if (regs->rip >= DIRECT_MAP_BASE) { /* the kernel's half */
		info.code = SEGV_MAPERR;
		info.addr = regs->rip;
	}
	arch_irq_enable();
	user_exception(regs, &info, "jump out of user space");
	arch_irq_disable();
}

/* ---- What does not return --------------------------------------------- */

static const char *
current_name(void)
{
	return current ? current->name : "(none: still booting)";
}

void trap_fatal(struct regs *regs) __noreturn;

/*
 * A double fault is mostly a page fault that found no room on the stack for
 * its frame: then CR2, and the stack pointer, are in the guard. NMIs are how
 * a panic stops the others; one from outside (QEMU: "nmi") is a way to ask a
 * hanging system where it hangs.
 */
void
trap_fatal(struct regs *regs)
{
	u64 addr = READ_CR(2);

	if (regs->vector == VECTOR_NMI && READ_ONCE(cpus_must_stop))
		arch_cpu_park();
	if (regs->vector == VECTOR_NMI)
		panic_regs(regs, "non-maskable interrupt that no CPU sent");
	if (regs->vector == VECTOR_DOUBLE_FAULT && kstack_is_guard(addr))
		panic_regs(regs, "kernel stack overflow in task %s: %lx is in "
			   "the guard below its stack", current_name(), addr);
	panic_regs(regs, "%s in %s mode (error %lx)", exception_of(regs)->name,
		   regs_from_user(regs) ? "user" : "kernel", regs->error);
}
