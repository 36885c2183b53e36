/* User memory: used from user mode, and by the kernel's copies. */
#include <string.h>

#include "arch/sim/sim.h"
#include "kernel/base/errno.h"
#include "mm/mm.h"
#include "sched/sched.h"

bool
in_user_task(void)
{
	return current->mm && !current->is_kthread;
}

/* ---- From user mode ------------------------------------------------------------------- */

/* To the explorer the contents of a page are one word, which stays when the page
 * is freed: whoever gets there too late has an old translation, and that is
 * noticed. */
static SIM_STATE u64 contents[SIM_FRAMES];

/* Others may come between the translation and the access that depends on it; one
 * instruction does both. */
static int
translate_and_touch(uaddr_t addr, bool write, paddr_t *address)
{
	unsigned cpu = sim_cpu_id();
	paddr_t before;
	int err;

	do {
		err = mmu_translate(cpu, addr, write, &before);
		if (err)
			return err;
		explore_access(&contents[before / PAGE_SIZE], sizeof(u64),
			       write ? OP_WRITE : OP_READ, true, CALLER);
		explore_quiet_begin();
		err = mmu_translate(cpu, addr, write, address);
		explore_quiet_end();
	} while (err || *address != before);
	return 0;
}

/* One access in user mode. -EFAULT: it traps. */
static int
try_access(uaddr_t addr, bool write, paddr_t *address)
{
	int err;

	arch_irq_disable();
	exit_to_user(NULL);
	mmu_enter_user(sim_cpu_id());
	arch_irq_enable();
	err = translate_and_touch(addr, write, address);
	mmu_leave_user(sim_cpu_id());
	return err;
}

static int
user_access(uaddr_t addr, bool write, paddr_t *address)
{
	unsigned flags = FAULT_USER | (write ? FAULT_WRITE : 0);
	int err = 0;

	while (!err && try_access(addr, write, address)) {
		this_cpu()->counts[COUNT_FAULTS]++;
		err = mm_fault(current->mm, addr, flags);
	}
	return err;
}

int
sim_user_read(uaddr_t addr, u64 *value)
{
	paddr_t address;
	int err = user_access(addr, false, &address);

	if (!err)
		*value = *(u64 *)phys_to_virt(address);
	return err;
}

int
sim_user_write(uaddr_t addr, u64 value)
{
	paddr_t address;
	int err = user_access(addr, true, &address);

	if (err)
		return err;
	memory_dirty(ALIGN_DOWN(address, PAGE_SIZE));
	*(u64 *)phys_to_virt(address) = value;
	return 0;
}

/* ---- The kernel's copies --------------------------------------------------------------- */

/* Where @addr is, with faults served as page_fault() does; NULL: no such
 * right, or the fault is not to be served. */
static char *
kernel_touch(uaddr_t addr, bool write)
{
	unsigned flags = write ? FAULT_WRITE : 0;
	paddr_t address;

	if (!current->mm)
		sim_violation("kernel thread %s touches user memory at %#lx, "
			      "but it only borrows the address space",
			      current->name, addr);
	while (mmu_translate(sim_cpu_id(), addr, write, &address))
		if (current->no_faults || mm_fault(current->mm, addr, flags))
			return NULL;
	if (write)
		memory_dirty(ALIGN_DOWN(address, PAGE_SIZE));
	return phys_to_virt(address);
}

/* How much of @n bytes at @addr are in its page. */
static size_t
in_page(uaddr_t addr, size_t n)
{
	return MIN(n, PAGE_SIZE - addr % PAGE_SIZE);
}

/* The kernel's side of a copy may be a page of another address space. */
static void
announce_own_side(const void *address, size_t n, enum op_kind kind, u64 caller)
{
	size_t offset = (size_t)((const char *)address - sim_memory);

	explore_access(address, (unsigned)n, kind, false, caller);
	if (kind == OP_WRITE && offset < SIM_FRAMES * PAGE_SIZE)
		memory_dirty(ALIGN_DOWN(offset, PAGE_SIZE));
}

size_t
arch_copy_from_user(void *dst, uaddr_t src, size_t n)
{
	char *to = dst, *from;

	announce_own_side(dst, n, OP_WRITE, CALLER);
	for (size_t part; n && (from = kernel_touch(src, false)); n -= part) {
		part = in_page(src, n);
		memcpy(to, from, part);
		src += part;
		to += part;
	}
	return n;
}

size_t
arch_copy_to_user(uaddr_t dst, const void *src, size_t n)
{
	const char *from = src;
	char *to;

	announce_own_side(src, n, OP_READ, CALLER);
	for (size_t part; n && (to = kernel_touch(dst, true)); n -= part) {
		part = in_page(dst, n);
		memcpy(to, from, part);
		dst += part;
		from += part;
	}
	return n;
}

size_t
arch_clear_user(uaddr_t dst, size_t n)
{
	char *to;

	for (size_t part; n && (to = kernel_touch(dst, true)); n -= part) {
		part = in_page(dst, n);
		memset(to, 0, part);
		dst += part;
	}
	return n;
}

ssize_t
arch_strncpy_from_user(char *dst, uaddr_t src, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char *byte = kernel_touch(src + i, false);

		if (!byte)
			return -EFAULT;
		if (!(dst[i] = *byte))
			return (ssize_t)i;
	}
	return (ssize_t)size;
}

int
arch_cmpxchg_user(uaddr_t addr, u32 *old, u32 new)
{
	u32 *word = (u32 *)kernel_touch(addr, true);
	u32 seen;

	if (!word)
		return -EFAULT;
	seen = *word;
	if (seen == *old)
		*word = new;
	*old = seen;
	return 0;
}

bool
arch_has_fixup(const struct regs *regs)
{
	(void)regs;
	return false;
}

bool
arch_fixup_exception(struct regs *regs)
{
	(void)regs;
	return false;
}
