/*
 * The first program is no file: the build puts a flat image of it into the
 * kernel's own. Its linker script (user/first/first.ld) says in four words where
 * its pieces lie, and the kernel has no need to know more of any program.
 */
#include "kernel/first.h"

#include "kernel/base/assert.h"
#include "kernel/base/errno.h"
#include "kernel/exec.h"
#include "kernel/objects/resource.h"
#include "mm/mm.h"
#include "mm/remote.h"

/* At the image's first byte: addresses, the first three of whole pages. */
struct flat_header {
	u64 start;	/* of the image: code, and constants */
	u64 data;	/* what can be written; behind the image's end, zeroes */
	u64 end;
	u64 entry;
};

extern const struct flat_header first_image[];
extern const char first_image_end[];

enum { STACK_SIZE = 64 * 1024, STACK_TOP = 64 };

static int
map(struct mm *mm, uaddr_t start, uaddr_t end)
{
	long at = mm_locked(mm, do_mmap(mm, start, end - start,
					PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
					false));

	return (int)MIN(at, 0);
}

static int
load(struct mm *mm)
{
	const struct flat_header *header = first_image;
	size_t size = (size_t)(first_image_end - (const char *)first_image);
	int err = map(mm, header->start, header->end);

	ASSERT(header->start + size <= header->end);
	if (!err)
		err = mm_write(mm, header->start, first_image, size);
	if (!err)
		err = mm_locked(mm, do_mprotect(mm, header->start,
						header->data - header->start,
						PROT_READ | PROT_EXEC));
	mm->brk_start = mm->brk = header->end;
	return err;
}

/* A stack of zeroes: to the C library that is no argument, no environment, no
 * auxiliary vector. */
static int
make_stack(struct mm *mm)
{
	return map(mm, USER_END - STACK_SIZE, USER_END);
}

static int
enter(void)
{
	struct mm *mm = mm_alloc(current);
	int err;

	if (!mm)
		return -ENOMEM;
	err = load(mm);
	if (!err)
		err = make_stack(mm);
	if (!err)
		err = arch_task_make_user(current);
	if (!err)
		return exec_into(mm, "first", first_image->entry,
				 USER_END - STACK_TOP);
	mmput(mm, REF_BUILDING, current);
	return err;
}

int
become_first_program(void)
{
	int err = give_first_handles();

	if (err)
		return err;
	transition_begin();
	err = enter();
	transition_end();
	return err;
}
