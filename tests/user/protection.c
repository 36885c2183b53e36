// linux-oracle
/* What ring 3 must not do: each attempt ends its process by the right signal,
 * and the system goes on. */
#include "tests/user/check.h"

static void
read_at(void *arg)
{
	(void)*(volatile char *)arg;
}

static void
write_at(void *arg)
{
	*(volatile char *)arg = 1;
}

static void
jump_to(void *arg)
{
	((void (*)(void))arg)();
}

static void
memory_of_the_kernel(void)
{
	static const struct {
		const char *name;
		uint64_t address;
	} rows[] = {
		{ "start of the kernel half", 0xffff800000000000 },
		{ "a direct map", 0xffff888000000000 },
		{ "kernel text", 0xffffffff80000000 },
		{ "kernel text, later", 0xffffffff80100000 },
		{ "the last byte", 0xffffffffffffffff },
		{ "the first non-canonical address", 0x0000800000000000 },
		{ "a non-canonical address", 0x1234567800000000 },
		{ "the last non-canonical address", 0xffff7fffffffffff },
		{ "the last user page", 0x00007ffffffff000 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *address = (void *)rows[i].address;

		printf("%s:\n", rows[i].name);
		check_child("  read", read_at, address, KILLED(SIGSEGV));
		check_child("  write", write_at, address, KILLED(SIGSEGV));
		check_child("  jump", jump_to, address, KILLED(SIGSEGV));
	}
}

static char data[64] = { (char)0xc3 };

static void
data_is_not_code(void)
{
	char *heap = private_memory(PAGE);

	heap[0] = (char)0xc3;
	check_child("jump to data", jump_to, data, KILLED(SIGSEGV));
	check_child("jump to the heap", jump_to, heap, KILLED(SIGSEGV));
}

/* A function that is these instructions and nothing else. */
#define INSTRUCTION(name, text)                                     \
	static void __attribute__((naked))                          \
	name(void *arg __attribute__((unused)))                     \
	{                                                           \
		__asm__ volatile(text "\n\tret");                   \
	}

INSTRUCTION(do_cli, "cli")
INSTRUCTION(do_sti, "sti")
INSTRUCTION(do_hlt, "hlt")
INSTRUCTION(do_in, "mov $0x60, %dx; in %dx, %al")
INSTRUCTION(do_out, "mov $0xf4, %dx; mov $0, %al; out %al, %dx")
INSTRUCTION(do_read_cr0, "mov %cr0, %rax")
INSTRUCTION(do_read_cr3, "mov %cr3, %rax")
INSTRUCTION(do_write_cr3, "xor %eax, %eax; mov %rax, %cr3")
INSTRUCTION(do_write_cr4, "xor %eax, %eax; mov %rax, %cr4")
INSTRUCTION(do_write_dr7, "xor %eax, %eax; mov %rax, %db7")
INSTRUCTION(do_lgdt, "lgdt -16(%rsp)")
INSTRUCTION(do_lidt, "lidt -16(%rsp)")
INSTRUCTION(do_ltr, "xor %eax, %eax; ltr %ax")
INSTRUCTION(do_lldt, "xor %eax, %eax; lldt %ax")
INSTRUCTION(do_lmsw, "xor %eax, %eax; lmsw %ax")
INSTRUCTION(do_clts, "clts")
INSTRUCTION(do_invlpg, "invlpg (%rsp)")
INSTRUCTION(do_wbinvd, "wbinvd")
INSTRUCTION(do_rdmsr, "mov $0xc0000080, %ecx; rdmsr")
INSTRUCTION(do_wrmsr, "mov $0xc0000082, %ecx; xor %eax, %eax;"
		      "xor %edx, %edx; wrmsr")
INSTRUCTION(do_swapgs, "swapgs")
INSTRUCTION(do_sysret, "sysretq")
INSTRUCTION(do_int_page_fault, "int $14")
INSTRUCTION(do_int_double_fault, "int $8")
INSTRUCTION(do_int_timer, "int $0x20")
INSTRUCTION(do_int_last, "int $0xff")
INSTRUCTION(do_kernel_ds, "mov $0x10, %eax; mov %eax, %ds")
INSTRUCTION(do_null_ss, "xor %eax, %eax; mov %eax, %ss")
INSTRUCTION(do_kernel_cs, "push $0x8; lea 1f(%rip), %rax; push %rax;"
			  "lretq; 1:")
INSTRUCTION(do_iret_to_kernel, "push $0x10; push %rsp; pushfq; push $0x8;"
			       "lea 1f(%rip), %rax; push %rax; iretq; 1:")
INSTRUCTION(do_fault_without_stack, "xor %esp, %esp; push %rax")
INSTRUCTION(do_fault_on_kernel_stack, "mov $0xffffffff80000000, %rsp;"
				      "push %rax")
INSTRUCTION(do_single_step, "pushfq; orl $0x100, (%rsp); popfq; nop; nop")
INSTRUCTION(do_ud2, "ud2")

static void
instructions(void)
{
	static const struct {
		const char *name;
		void (*fn)(void *);
		int signal;
	} rows[] = {
		{ "cli", do_cli, SIGSEGV },
		{ "sti", do_sti, SIGSEGV },
		{ "hlt", do_hlt, SIGSEGV },
		{ "in", do_in, SIGSEGV },
		{ "out", do_out, SIGSEGV },
		{ "read cr0", do_read_cr0, SIGSEGV },
		{ "read cr3", do_read_cr3, SIGSEGV },
		{ "write cr3", do_write_cr3, SIGSEGV },
		{ "write cr4", do_write_cr4, SIGSEGV },
		{ "write dr7", do_write_dr7, SIGSEGV },
		{ "lgdt", do_lgdt, SIGSEGV },
		{ "lidt", do_lidt, SIGSEGV },
		{ "ltr", do_ltr, SIGSEGV },
		{ "lldt", do_lldt, SIGSEGV },
		{ "lmsw", do_lmsw, SIGSEGV },
		{ "clts", do_clts, SIGSEGV },
		{ "invlpg", do_invlpg, SIGSEGV },
		{ "wbinvd", do_wbinvd, SIGSEGV },
		{ "rdmsr", do_rdmsr, SIGSEGV },
		{ "wrmsr", do_wrmsr, SIGSEGV },
		{ "swapgs", do_swapgs, SIGSEGV },
		{ "sysret", do_sysret, SIGSEGV },
		{ "int 14", do_int_page_fault, SIGSEGV },
		{ "int 8", do_int_double_fault, SIGSEGV },
		{ "int 32", do_int_timer, SIGSEGV },
		{ "int 255", do_int_last, SIGSEGV },
		{ "kernel data segment", do_kernel_ds, SIGSEGV },
		{ "null stack segment", do_null_ss, SIGSEGV },
		{ "far return to kernel code", do_kernel_cs, SIGSEGV },
		{ "iret to kernel code", do_iret_to_kernel, SIGSEGV },
		{ "fault without a stack", do_fault_without_stack, SIGSEGV },
		{ "fault on a kernel stack", do_fault_on_kernel_stack,
		  SIGSEGV },
		{ "single step", do_single_step, SIGTRAP },
		{ "undefined instruction", do_ud2, SIGILL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_child(rows[i].name, rows[i].fn, NULL,
			    KILLED(rows[i].signal));
}

/* Flags that a system call must neither trip over nor lose. */
static long
getpid_with_flags(unsigned long set, unsigned long *after)
{
	long pid;

	__asm__ volatile("pushfq; orq %[set], (%%rsp); popfq;"
			 "syscall;"
			 "pushfq; popq %[after];"
			 "pushfq; andq $~0x44400, (%%rsp); popfq; cld"
			 : "=a"(pid), [after] "=r"(*after)
			 : "a"(SYS_getpid), [set] "r"(set)
			 : "rcx", "r11", "memory", "cc");
	return pid;
}

static void
flags(void)
{
	static const struct {
		const char *name;
		unsigned long bit;
	} rows[] = {
		{ "direction flag", 1 << 10 },
		{ "nested task flag", 1 << 14 },
		{ "alignment check flag", 1 << 18 },
	};
	unsigned long after;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool same = getpid_with_flags(rows[i].bit, &after) == getpid();

		printf("%s: %s, %s\n", rows[i].name,
		       same ? "the call works" : "WRONG pid",
		       after & rows[i].bit ? "kept" : "lost");
	}
}

/* What a system call keeps: every general register but rax, rcx and r11. */
static bool
keeps_registers(uint64_t seed)
{
	static uint64_t in[12], out[12];

	for (size_t i = 0; i < 12; i++)
		in[i] = 0x0123456789abcdeful * (seed + i);
#define LOAD(n, reg)  "mov " #n "*8+%[in], %%" #reg ";"
#define STORE(n, reg) "mov %%" #reg ", " #n "*8+%[out];"
#define EACH(op)                                                             \
	op(0, rbx) op(1, rdx) op(2, rsi) op(3, rdi) op(4, r8) op(5, r9)      \
		op(6, r10) op(7, r12) op(8, r13) op(9, r14) op(10, r15)      \
			op(11, rbp)
	__asm__ volatile("push %%rbp;" EACH(LOAD)
			 "mov $24, %%eax; syscall;" /* sched_yield */
			 EACH(STORE) "pop %%rbp"
			 : [out] "=m"(out)
			 : [in] "m"(in)
			 : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9",
			   "r10", "r11", "r12", "r13", "r14", "r15", "memory");
#undef EACH
#undef STORE
#undef LOAD
	return memcmp(in, out, sizeof(in)) == 0;
}

/* Two processes, so that the yields switch. */
static void
general_registers(void)
{
	pid_t pid = fork_or_die();
	bool good = true;

	for (int round = 0; round < 1000; round++)
		good &= keeps_registers((uint64_t)(pid ? 1 : 100) + round);
	if (pid == 0)
		_exit(good ? 0 : 1);
	good &= status_of(pid) == EXITED(0);
	check(good, "a system call keeps twelve registers");
}

/* The address behind it is where the call returns to: no user address, but
 * one that SYSRET takes. */
static void
call_at_the_end(void *arg)
{
	unsigned char *page = (unsigned char *)0x7fffffffe000;
	void *got = mmap(page, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	(void)arg;
	if (got != page)
		_exit(1);
	page[4094] = 0x0f; /* syscall */
	page[4095] = 0x05;
	if (mprotect(page, 4096, PROT_READ | PROT_EXEC))
		_exit(2);
	__asm__ volatile("jmp *%[target]"
			 :
			 : [target] "r"(page + 4094), "a"(SYS_getpid));
	__builtin_unreachable();
}

static void
stack_pointers(void *arg)
{
	long pid;

	/* A system call needs no user stack at all. */
	__asm__ volatile("mov %%rsp, %%r12; mov %[sp], %%rsp; syscall;"
			 "mov %%r12, %%rsp"
			 : "=a"(pid)
			 : "a"(SYS_getpid), [sp] "r"(arg)
			 : "rcx", "r11", "r12", "memory");
	_exit(pid == getpid() ? 0 : 1);
}

static void
odd_calls(void)
{
	check_child("a call with stack pointer 0", stack_pointers, NULL,
		    EXITED(0));
	check_child("a call with a kernel stack pointer", stack_pointers,
		    (void *)0xffffffff80000000, EXITED(0));
	check_child("a call with a non-canonical stack pointer",
		    stack_pointers, (void *)0x8000000000000000, EXITED(0));
	check_child("a call as the last instruction of user memory",
		    call_at_the_end, NULL, KILLED(SIGSEGV));
	show_expect("system call 500", syscall0(500), -ENOSYS);
	show_expect("system call -1", syscall0(-1), -ENOSYS);
	show_expect("system call 2^31", syscall0(1l << 31), -ENOSYS);
}

int
main(void)
{
	begin();
	memory_of_the_kernel();
	data_is_not_code();
	instructions();
	flags();
	general_registers();
	odd_calls();
	return end();
}
