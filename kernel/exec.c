/*
 * Programs. The new address space is built in full while the caller still
 * lives in the old one, so that any failure leaves the caller as it was; then
 * exec_mmap() moves it over. Read Linux: fs/exec.c, fs/binfmt_elf.c.
 */
#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/exec.h"
#include "kernel/exit.h"
#include "kernel/signal.h"
#include "mm/mm.h"
#include "mm/remote.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "sched/reaper.h"
#include "user/include/cpio.h"
#include "user/include/elf_file.h"

enum {
	ARG_MAX = 128 * 1024,	   /* strings of one exec, bytes */
	PATH_MAX = 256,
	STACK_FIRST = 128 * 1024,  /* it grows from here on demand */
	RANDOM_BYTES = 16,
};

/* Where static-PIE programs go. */
#define PIE_BASE 0x0000555555554000ul

static const void *initrd;
static u64 initrd_size;

void
initrd_init(paddr_t start, paddr_t end)
{
	initrd = phys_to_virt(start);
	initrd_size = end - start;
}

const void *
initrd_data(u64 *size)
{
	*size = initrd_size;
	return initrd;
}

/* ---- Argument strings ------------------------------------------------- */

void
exec_args_init(struct exec_args *args)
{
	memset(args, 0, sizeof(*args));
}

void
exec_args_free(struct exec_args *args)
{
	kfree(args->strings);
}

/* Room for @n more bytes. */
static int
reserve(struct exec_args *args, size_t n)
{
	size_t size = args->size ? args->size : 1024;
	char *bigger;

	if (args->used + n > ARG_MAX)
		return -E2BIG;
	while (size < args->used + n)
		size *= 2;
	if (size == args->size)
		return 0;
	bigger = kmalloc(size);
	if (!bigger)
		return -ENOMEM;
	if (args->used)
		memcpy(bigger, args->strings, args->used);
	kfree(args->strings);
	args->strings = bigger;
	args->size = size;
	return 0;
}

int
exec_args_add(struct exec_args *args, const char *string)
{
	size_t n = strlen(string) + 1;
	int err = reserve(args, n);

	if (err)
		return err;
	memcpy(args->strings + args->used, string, n);
	args->used += n;
	return 0;
}

/* One string from user memory, into however much room it takes. */
static int
add_user_string(struct exec_args *args, uaddr_t addr)
{
	for (size_t room = 256;; room *= 2) {
		ssize_t len;
		int err = reserve(args, room);

		if (err)
			return err;
		len = strncpy_from_user(args->strings + args->used, addr,
					args->size - args->used);
		if (len >= 0) {
			args->used += (size_t)len + 1;
			return 0;
		}
		if (len != -ENAMETOOLONG)
			return (int)len;
	}
}

/* A NULL-terminated vector of strings; a NULL vector is an empty one. */
static int
add_user_vector(struct exec_args *args, uaddr_t vector, unsigned *count)
{
	for (*count = 0; vector; ++*count, vector += sizeof(uaddr_t)) {
		uaddr_t string;
		int err;

		if (copy_from_user(&string, vector, sizeof(string)))
			return -EFAULT;
		if (!string)
			break;
		err = add_user_string(args, string);
		if (err)
			return err;
	}
	return 0;
}

/* ---- The image -------------------------------------------------------- */

/* Writable memory for the pages of [start, end) that have none yet: the first
 * one may be the last one of the segment before. */
static long
make_room(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct region *region;
	long err = 0;

	mutex_lock(&mm->lock);
	region = region_find(mm, start);
	if (region && region->start <= start)
		start += PAGE_SIZE;
	if (start < end)
		err = do_mmap(mm, start, end - start, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, false);
	mutex_unlock(&mm->lock);
	return err;
}

static int
load_segment(struct mm *mm, const char *image, u64 bias,
	     const struct elf_segment *segment)
{
	uaddr_t addr = segment->address + bias;
	long err = make_room(mm, ALIGN_DOWN(addr, PAGE_SIZE),
			     ALIGN_UP(addr + segment->mem_size, PAGE_SIZE));

	if (err < 0)
		return (int)err;
	return mm_write(mm, addr, image + segment->offset, segment->file_size);
}

/* Regions are made writable for loading; now they get what they asked for.
 * Later segments win where two share a page. */
static int
protect_segments(struct mm *mm, u64 bias, const struct elf_program *program)
{
	for (unsigned i = 0; i < program->nr_segments; i++) {
		const struct elf_segment *segment = &program->segments[i];
		uaddr_t addr = segment->address + bias;
		uaddr_t start = ALIGN_DOWN(addr, PAGE_SIZE);
		uaddr_t end = ALIGN_UP(addr + segment->mem_size, PAGE_SIZE);
		int err;

		err = mm_locked(mm, do_mprotect(mm, start, end - start,
						segment->prot));
		if (err)
			return err;
	}
	return 0;
}

static int
load_program(struct mm *mm, const char *image, u64 bias,
	     const struct elf_program *program)
{
	for (unsigned i = 0; i < program->nr_segments; i++) {
		int err = load_segment(mm, image, bias, &program->segments[i]);

		if (err)
			return err;
	}
	mm->brk_start = mm->brk = ALIGN_UP(program->high + bias, PAGE_SIZE);
	return protect_segments(mm, bias, program);
}

/* ---- The first stack -------------------------------------------------- */

enum {
	AT_NULL = 0, AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_PAGESZ = 6,
	AT_BASE = 7, AT_FLAGS = 8, AT_ENTRY = 9, AT_UID = 11, AT_EUID = 12,
	AT_GID = 13, AT_EGID = 14, AT_PLATFORM = 15, AT_HWCAP = 16,
	AT_CLKTCK = 17, AT_SECURE = 23, AT_RANDOM = 25, AT_EXECFN = 31,
	MAX_AUXV = 20,
};

struct auxv {
	u64 type, value;
};

/* What goes onto the new stack, being put together in kernel memory. */
struct stack_image {
	u64 *words;	/* argc, argv, 0, envp, 0, auxv */
	unsigned used;	/* of them */
	uaddr_t strings; /* where the argument strings will be */
	uaddr_t path, platform, random; /* and these */
};

static void
push_word(struct stack_image *stack, u64 word)
{
	stack->words[stack->used++] = word;
}

static void
push_aux(struct stack_image *stack, u64 type, u64 value)
{
	push_word(stack, type);
	push_word(stack, value);
}

/* Pointers to @count strings, the first at offset *at, then a NULL. */
static void
push_vector(struct stack_image *stack, const struct exec_args *args,
	    unsigned count, size_t *at)
{
	for (unsigned i = 0; i < count; i++) {
		push_word(stack, stack->strings + *at);
		*at += strlen(args->strings + *at) + 1;
	}
	push_word(stack, 0);
}

static void
push_auxv(struct stack_image *stack, const struct elf_program *program,
	  u64 bias)
{
	if (program->phdr)
		push_aux(stack, AT_PHDR, program->phdr + bias);
	push_aux(stack, AT_PHENT, program->phentsize);
	push_aux(stack, AT_PHNUM, program->phnum);
	push_aux(stack, AT_PAGESZ, PAGE_SIZE);
	push_aux(stack, AT_BASE, 0);
	push_aux(stack, AT_FLAGS, 0);
	push_aux(stack, AT_ENTRY, program->entry + bias);
	push_aux(stack, AT_UID, 0);
	push_aux(stack, AT_EUID, 0);
	push_aux(stack, AT_GID, 0);
	push_aux(stack, AT_EGID, 0);
	push_aux(stack, AT_SECURE, 0);
	push_aux(stack, AT_CLKTCK, 100);
	push_aux(stack, AT_HWCAP, arch_hwcap());
	push_aux(stack, AT_PLATFORM, stack->platform);
	push_aux(stack, AT_RANDOM, stack->random);
	push_aux(stack, AT_EXECFN, stack->path);
	push_aux(stack, AT_NULL, 0);
}

/* From the top down: path, platform, random bytes, the strings. Returns the
 * lowest address used, or a negative errno. */
static long
write_strings(struct mm *mm, struct stack_image *stack, const char *path,
	      const struct exec_args *args)
{
	static const char platform[] = "x86_64";
	u64 random[RANDOM_BYTES / 8] = { arch_random(), arch_random() };
	int err;

	stack->path = USER_END - 8 - (strlen(path) + 1);
	stack->platform = stack->path - sizeof(platform);
	stack->random = ALIGN_DOWN(stack->platform - sizeof(random), 16);
	stack->strings = stack->random - args->used;
	err = mm_write(mm, stack->path, path, strlen(path) + 1);
	if (!err)
		err = mm_write(mm, stack->platform, platform, sizeof(platform));
	if (!err)
		err = mm_write(mm, stack->random, random, sizeof(random));
	if (!err)
		err = mm_write(mm, stack->strings, args->strings, args->used);
	return err ? err : (long)stack->strings;
}

/* Writes strings and words; returns the stack pointer, or an errno. */
static long
write_stack(struct mm *mm, struct stack_image *stack, const char *path,
	    const struct exec_args *args, const struct elf_program *program,
	    u64 bias)
{
	long low = write_strings(mm, stack, path, args);
	size_t at = 0;
	uaddr_t sp;
	int err;

	if (low < 0)
		return low;
	push_word(stack, args->argc);
	push_vector(stack, args, args->argc, &at);
	push_vector(stack, args, args->envc, &at);
	push_auxv(stack, program, bias);
	sp = ALIGN_DOWN((uaddr_t)low - stack->used * 8, 16); /* the ABI's */
	err = mm_write(mm, sp, stack->words, stack->used * 8);
	return err ? err : (long)sp;
}

static long
build_stack(struct mm *mm, const char *path, const struct exec_args *args,
	    const struct elf_program *program, u64 bias)
{
	struct stack_image stack = { 0 };
	long sp;

	sp = mm_locked(mm, do_mmap(mm, USER_END - STACK_FIRST - ARG_MAX,
				   STACK_FIRST + ARG_MAX,
				   PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				   true));
	if (sp < 0)
		return sp;
	stack.words = kmalloc((3 + args->argc + args->envc + 2 * MAX_AUXV) * 8);
	if (!stack.words)
		return -ENOMEM;
	sp = write_stack(mm, &stack, path, args, program, bias);
	kfree(stack.words);
	return sp;
}

/* ---- exec ------------------------------------------------------------- */

static int
find_program(const char *path, struct cpio_entry *file,
	     struct elf_program *program)
{
	const char *why = "";
	int err = initrd ? cpio_find(initrd, initrd_size, path, file, &why)
			 : -ENOENT;

	if (err == -ENOENT)
		return err;
	if (!err)
		err = elf_parse(file->data, file->size, program, &why);
	if (err) {
		pr_warn("exec %s: %s", path, why);
		return -ENOEXEC;
	}
	return 0;
}

/* The last part of @path, for people. */
static const char *
base_name(const char *path)
{
	const char *base = path;

	for (; *path; path++) {
		if (*path == '/' && path[1])
			base = path + 1;
	}
	return base;
}

/* No way back from here: the caller moves over and becomes a program. */
static void
enter_program(struct mm *mm, const char *path, u64 entry, uaddr_t sp)
{
	struct task *me = current;

	if (me->mm)
		mm_release();
	exec_mmap(mm);
	me->is_kthread = false;
	me->process->exit_signal = SIGCHLD;
	me->process->has_execed = true;
	signals_exec(me);
	strscpy(me->name, base_name(path), sizeof(me->name));
	strscpy(me->process->name, me->name, sizeof(me->process->name));
	arch_start_user(task_regs(me), entry, sp);
}

int
exec_into(struct mm *mm, const char *name, uaddr_t entry, uaddr_t sp)
{
	int err = end_other_threads();

	strscpy(mm->name, base_name(name), sizeof(mm->name));
	if (!err)
		enter_program(mm, name, entry, sp);
	else
		mmput(mm, REF_BUILDING, current);
	return err;
}

static int
replace_program(const char *path, const struct exec_args *args)
{
	struct elf_program program;
	struct cpio_entry file;
	struct mm *mm;
	u64 bias;
	long sp;
	int err = find_program(path, &file, &program);

	if (err)
		return err;
	bias = program.pie ? PIE_BASE - program.low : 0;
	mm = mm_alloc(current);
	if (!mm)
		return -ENOMEM;
	err = load_program(mm, (const char *)file.data, bias, &program);
	sp = err ? err : build_stack(mm, path, args, &program, bias);
	if (sp < 0) {
		mmput(mm, REF_BUILDING, current);
		return (int)sp;
	}
	strscpy(mm->name, base_name(path), sizeof(mm->name));
	err = arch_task_make_user(current);
	if (!err)
		err = end_other_threads();
	if (!err)
		enter_program(mm, path, program.entry + bias, (uaddr_t)sp);
	else
		mmput(mm, REF_BUILDING, current);
	return err;
}

int
do_execve(const char *path, const struct exec_args *args)
{
	int err;

	transition_begin();
	err = replace_program(path, args);
	transition_end();
	return err;
}

static int
execve_once(const char *path, uaddr_t argv, uaddr_t envp)
{
	struct exec_args args;
	int err;

	exec_args_init(&args);
	err = add_user_vector(&args, argv, &args.argc);
	if (!err)
		err = add_user_vector(&args, envp, &args.envc);
	if (!err)
		err = do_execve(path, &args);
	exec_args_free(&args);
	return err;
}

long
sys_execve(uaddr_t upath, uaddr_t argv, uaddr_t envp)
{
	char path[PATH_MAX];
	ssize_t len = strncpy_from_user(path, upath, sizeof(path));
	int err;

	if (len < 0)
		return len;
	err = execve_once(path, argv, envp);
	if (err == -ENOMEM && wait_for_reaper())
		err = execve_once(path, argv, envp);
	return err;
}
