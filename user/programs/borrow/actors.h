/*
 * The actors: processes and threads on the stage, which are CPUs 1 and 2. Each
 * does what its command word says. The observer, on CPU 0, changes the word and
 * then looks at the kernel's figures; it never waits for a time.
 */
#pragma once

enum {
	OBSERVER_CPU = 0,
	LEFT = 1,
	RIGHT = 2,
	MIN_CPUS = 3,
};

enum who { A, A1, A2, A3, B, C, D, E, F, G, H, O, V, W, NR_ACTORS };
extern const char *const actor_names[NR_ACTORS];

enum command {
	SLEEP,	    /* wait in futex(): the CPU goes to somebody else */
	SPIN,	    /* run in user mode */
	EXIT,	    /* only this thread */
	PASS,	    /* SPIN for actor @arg, SLEEP for oneself */
	CLONE,	    /* a thread: actor @arg, which obeys its own commands */
	FORK,	    /* a process: the same */
	VFORK,	    /* the same; comes back when it has called exec or exit */
	FAIL_FORK,  /* fork, its @arg-th allocation failing: the errno, or 1 if it
		     * makes fewer; -ENOSYS in a release build */
	EXEC,	    /* become a fresh copy of this program that spins */
	REAP,	    /* wait for a child, and say that it is gone */
	TOUCH_OWN,  /* OWN_PAGES fresh pages, written one by one */
	POPULATE,   /* OWN_PAGES fresh pages by madvise(MADV_POPULATE_WRITE) */
	MAP,	    /* AREA_PAGES at address @arg, written */
	UNMAP,	    /* all of them, or what is left */
	UNMAP_PAGE, /* the page at @arg */
	WRITE,	    /* into the page at @arg, by a system call: 0, -EFAULT */
	GIVE_MM,    /* a handle on one's own address space, to child @arg */
	READ_MM,    /* through handle @arg: the length, or an errno */
	CLOSE,	    /* handle @arg */
};

enum { OWN_PAGES = 256, AREA_PAGES = 4, PAGE_BYTES = 4096 };

/* Two areas that have a page table each to themselves. */
#define DATA 0x10000000l
#define MORE 0x20000000l

/* Memory for all of them; once, before the first. */
void actors_init(void);

/* Starts a process of one thread on @cpu. It ends with exit status 0. */
void start_process(enum who who, unsigned cpu, enum command command);
/* The new actor's first command, for CLONE, FORK and VFORK. */
void begins_with(enum who who, enum command command);

void tell(enum who who, enum command command);
/* Tells, and waits for the result; afterwards the actor spins. */
long does(enum who who, enum command command, long arg);
/* The same in two halves, for an actor that is stopped on the way. */
void begins(enum who who, enum command command, long arg);
long ends(enum who who);

/* Several of these at once. */
void clone_to(enum who parent, enum who child, unsigned cpu,
	      enum command command);
/* The parent sleeps until the child has called exec or exit. */
void vforks(enum who parent, enum who child, enum command command);
/* Its new address space is called @name from now on. */
void execs(enum who who, const char *name);

int tid_of(enum who who); /* 0: does not live, as far as is known */
void wait_alive(enum who who);
void wait_reaped(enum who who);
void move_actor(enum who who, unsigned cpu);
void move_to_cpu(int tid, unsigned cpu); /* 0: the caller */
void kill_actor(enum who who);
void kill_actors(void);
/* The same, and waits until the observer's own children are gone. */
void dismiss_actors(void);

/* True: this is what EXEC makes of an actor. */
int is_spinner(char **argv);
