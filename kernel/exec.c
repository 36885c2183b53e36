/*
 * exec: a task moves into an address space that was built for it, by a server
 * or by itself, while it still lived in its old one; so any failure leaves it as
 * it was. Read Linux: fs/exec.c, begin_new_exec.
 */
#include "kernel/exec.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/exit.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "mm/mm.h"

/* No way back from here: the caller moves over and becomes a program. */
static void
enter_program(struct mm *mm, const char *name, uaddr_t entry, uaddr_t sp)
{
	struct task *me = current;

	if (me->mm)
		mm_release();
	exec_mmap(mm);
	me->is_kthread = false;
	me->process->exit_signal = SIGCHLD;
	me->process->has_execed = true;
	signals_exec(me);
	strscpy(me->name, name, sizeof(me->name));
	strscpy(me->process->name, me->name, sizeof(me->process->name));
	arch_start_user(task_regs(me), entry, sp);
}

int
exec_into(struct mm *mm, const char *name, uaddr_t entry, uaddr_t sp)
{
	int err = end_other_threads();

	strscpy(mm->name, name, sizeof(mm->name));
	if (!err)
		enter_program(mm, name, entry, sp);
	else
		mmput(mm, REF_BUILDING, current);
	return err;
}
