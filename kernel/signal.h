/* Signals: system calls. See kernel/process.h for how others send them. */
#pragma once

#include "kernel/base/types.h"

long sys_kill(int pid, int signal);
long sys_tkill(int tid, int signal);
long sys_tgkill(int tgid, int tid, int signal);
long sys_rt_sigprocmask(int how, uaddr_t set, uaddr_t old, size_t size);
