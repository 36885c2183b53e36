/*
 * What Linux lays out for programs about signals: for both sides of the frames
 * in arch.h. The numbers are in kernel/base/signal.h, which no file can include
 * together with the host's <signal.h>.
 */
#pragma once

#include "kernel/base/types.h"

/* The part of Linux's siginfo_t that is used; the rest of it is zeros. */
struct kernel_siginfo {
	int signo, error, code, unused;
	union {
		struct {
			int pid;
			u32 uid;
			union {
				s64 value;  /* rt_sigqueueinfo's */
				int status; /* SIGCHLD's */
			};
			s64 utime, stime; /* SIGCHLD's: used, in 1/100 s */
		};
		uaddr_t addr;		/* a fault's */
	};
};

struct k_sigaction {
	uaddr_t handler;
	u64 flags;
	uaddr_t restorer;
	u64 mask;	/* blocked while the handler runs */
};

struct altstack {
	uaddr_t sp;
	u32 flags, unused;
	u64 size;
};

/* What a handler finds on its stack, and sigreturn() takes from it, besides
 * the registers. */
struct signal_frame {
	struct kernel_siginfo info;
	struct k_sigaction action;
	u64 mask;	/* to be restored, and so is the stack: */
	struct altstack altstack;
};
