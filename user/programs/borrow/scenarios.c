/* The list: what each scenario is called, and what it cannot show. */
#include "scenarios.h"

#include <stddef.h>

const struct scenario scenarios[] = {
	{ "S1", "Boot and first switches",
	  "The boot is over: both CPUs are brought back to where it left them.",
	  boot_and_first_switches },
	{ "S2", "Borrow, return, hand over",
	  "Of the two kernel threads one is the CPU's idle thread.",
	  borrow_return_hand_over },
	{ "S3", "Threads of one address space, and their ends", NULL, threads },
	{ "S4", "The last exit, on one CPU",
	  "A borrow is parked only while interrupts are off, in the switch: that\n"
	  "     moment, 0/1, is one step with the finish.",
	  last_exit_same_cpu },
	{ "S5", "Three threads, two CPUs and a lodger: the story's first chapter",
	  NULL, three_threads_and_a_lodger },
	{ "S6", "fork, a fork that fails, vfork", NULL, fork_failed_fork_vfork },
	{ "S7", "exec, plain and under a borrower",
	  "A kernel thread's exec happens once, at boot: shown is only that nothing\n"
	  "     is left of it.",
	  exec_three_ways },
	{ "S8", "Kernel threads come and go", NULL, kernel_threads_come_and_go },
	{ "S9", "An outsider with a handle", NULL, outsider },
	{ "S10", "Adoption: a kernel thread with a real address space", NULL,
	  adoption },
	{ "S11", "Two borrowers, and a task that moves", NULL,
	  two_borrowers_migration },
	{ "S12", "Generations: who is told of an unmap, and who is not", NULL,
	  generations },
	{ "S13", "A CPU goes offline", NULL, cpu_offline },
	{ "S14", "Races: an unmap against a switch, two exits at once",
	  "No program can hold a CPU inside a switch, or before a decrement: who is\n"
	  "     first is left to chance, and the end must be the same. The kernel's own\n"
	  "     test, tests/kernel/scenario_race.c, forces each order.",
	  races },
};

const unsigned nr_scenarios = sizeof(scenarios) / sizeof(scenarios[0]);
