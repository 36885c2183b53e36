/* The scenarios of the two counters, each performed for real. */
#pragma once

struct scenario {
	const char *name, *title;
	/* What cannot be forced or repeated from a program, and what is shown
	 * instead; NULL: all of it is as in the table. */
	const char *instead;
	void (*perform)(void);
};

extern const struct scenario scenarios[];
extern const unsigned nr_scenarios;

/* scenario_switch.c */
void boot_and_first_switches(void);
void borrow_return_hand_over(void);
void threads(void);
void kernel_threads_come_and_go(void);
/* scenario_life.c */
void last_exit_same_cpu(void);
void fork_failed_fork_vfork(void);
void exec_three_ways(void);
/* story.c */
void story(void); /* all of it; its first chapter is a scenario */
void three_threads_and_a_lodger(void);
/* scenario_outside.c */
void outsider(void);
void adoption(void);
/* scenario_smp.c */
void two_borrowers_migration(void);
void generations(void);
void cpu_offline(void);
void races(void);
