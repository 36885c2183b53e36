/* Signals as Linux numbers them: for the kernel, and for mm and arch, whose
 * faults become signals. */
#pragma once

#include "kernel/base/sigframe.h"

enum {
	SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGILL = 4, SIGTRAP = 5,
	SIGABRT = 6, SIGBUS = 7, SIGFPE = 8, SIGKILL = 9, SIGUSR1 = 10,
	SIGSEGV = 11, SIGUSR2 = 12, SIGPIPE = 13, SIGALRM = 14, SIGTERM = 15,
	SIGCHLD = 17, SIGCONT = 18, SIGSTOP = 19, SIGTSTP = 20, SIGTTIN = 21,
	SIGTTOU = 22, SIGURG = 23, SIGWINCH = 28, SIGSYS = 31,
	SIGRTMIN = 32,	/* from here on each one sent is kept */
	NR_SIGNALS = 64,
};

#define SIGNAL_BIT(n) (1ul << ((n) - 1))

/* siginfo.code: who, or why. */
enum {
	SI_USER = 0, SI_KERNEL = 0x80, SI_TKILL = -6,
	ILL_ILLOPN = 2,
	FPE_INTDIV = 1, FPE_FLTDIV = 3, FPE_FLTOVF = 4, FPE_FLTUND = 5,
	FPE_FLTRES = 6, FPE_FLTINV = 7,
	SEGV_MAPERR = 1, SEGV_ACCERR = 2,
	BUS_ADRALN = 1,
	TRAP_TRACE = 2,
	CLD_EXITED = 1, CLD_KILLED = 2, CLD_DUMPED = 3, CLD_STOPPED = 5,
	CLD_CONTINUED = 6,
};

enum { SIG_DFL = 0, SIG_IGN = 1 }; /* or a handler's address */

enum {
	SA_NOCLDSTOP = 1 << 0,
	SA_NOCLDWAIT = 1 << 1,
	SA_SIGINFO = 1 << 2,
	SA_RESTORER = 1 << 26,
	SA_ONSTACK = 1 << 27,
	SA_RESTART = 1 << 28,
	SA_NODEFER = 1 << 30,
};
#define SA_RESETHAND (1ul << 31)
