/* Two CPUs on which nobody runs but the actors. */
#pragma once

/* Keeps every other task off, until the program ends; ends it with status 77
 * if the machine has too few CPUs, or is not Lodger. */
void set_the_stage(void);
/* Both CPUs idle, on init_mm; all actors asleep, and everybody else. */
void quiet_stage(void);
/* Whoever was told to sleep does. */
void wait_idle(unsigned cpu);
/* One scenario or chapter: afterwards the actors are gone, the CPUs as before. */
void scene(void (*perform)(void));
/* The first step of many: A is started, and runs on CPU 1. */
void a_runs(void);
/* The kernel thread that adopts, for madvise(), works there from now on. */
void move_prefaulter(unsigned cpu);
