/* A program alone: its server's parts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/include/program.h"

/* A reflected call: the reply handle is also the way to its caller's memory. */
struct call {
	unsigned reply;
	uint64_t args[6];
};

/* ---- Its memory: main.c ------------------------------------------------- */

/* Could [addr, addr + len) be a program's memory? */
bool is_user_range(uint64_t addr, uint64_t len);
/* 0, or -EFAULT, or -ESRCH: the caller was killed. */
int fetch(const struct call *call, void *to, uint64_t from, size_t len);

/* ---- Output: output.c --------------------------------------------------- */

long sys_write(const struct call *call);
long sys_writev(const struct call *call);
long sys_ioctl(const struct call *call);

/* ---- Programs: exec.c --------------------------------------------------- */

/* Maps the archive and builds argv[0] with these arguments; what goes wrong is
 * said in the log. 0, or -1. */
int build_first(struct program *program, const char *const *argv);
/* Answers the call itself, if all goes well: 0. Else an errno, to be its
 * result. */
long sys_execve(const struct call *call);
