/* /proc: nodes that are made when they are looked for. */
#pragma once

#include "user/servers/unix/node.h"
#include "user/servers/unix/text.h"

/* -ENOMEM. */
int proc_init(void);

/* What a file says; 0, or an error for whoever reads it. @pid: whose file it
 * is (proc_process.c); 0: the machine's (proc_machine.c). */
typedef int (*proc_text)(struct text *text, int pid);

struct proc_file {
	const char *name;
	proc_text write;
	mode_t mode;
};

/* Who reads: waiting for the answer, it counts as running. */
extern int proc_reader;

/* Both lists end with an empty name. */
extern const struct proc_file proc_process_files[], proc_machine_files[];
