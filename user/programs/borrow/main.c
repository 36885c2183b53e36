/*
 * How address spaces are lent, performed for real: the story, or one of the
 * scenarios that Lodger's two counters are specified by.
 *
 *	actors.c	processes and threads that do what they are told
 *	picture.c	what the kernel says of them
 *	tell.c		a step: the expected picture, waited for, shown, compared
 *	stage.c		two CPUs for the actors alone
 *	story.c, scenario_*.c	what is played
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "scenarios.h"
#include "stage.h"
#include "tell.h"
#include "user/include/help.h"

static const char help[] =
	"borrow: the story of an address space that is lent, step by step\n"
	"borrow S1 ... S14: one scenario (or several), the same way\n"
	"borrow --list: the scenarios, and what each is about\n"
	"\n"
	"All of it happens, with real processes and kernel threads on CPUs 1 and 2.\n"
	"After each step a table shows what every CPU runs, whose root it has loaded,\n"
	"and U/C, the counters of the address space: users, who live there, and count,\n"
	"who keep it. The figures are the kernel's. When one is not as expected, borrow\n"
	"says which, and ends with status 1.\n";

static void
list(void)
{
	for (unsigned i = 0; i < nr_scenarios; i++) {
		printf("%-4s %s\n", scenarios[i].name, scenarios[i].title);
		if (scenarios[i].instead)
			printf("     %s\n", scenarios[i].instead);
	}
}

static const struct scenario *
find(const char *name)
{
	for (unsigned i = 0; i < nr_scenarios; i++)
		if (strcasecmp(scenarios[i].name, name) == 0)
			return &scenarios[i];
	return NULL;
}

static void
perform(const struct scenario *scenario)
{
	char title[80];

	snprintf(title, sizeof(title), "%s. %s", scenario->name,
		 scenario->title);
	chapter(title);
	if (scenario->instead)
		printf("     %s\n", scenario->instead);
	count_steps_again();
	scene(scenario->perform);
}

/* All are known before the first one begins. */
static void
check_names(char **argv)
{
	for (int i = 1; argv[i]; i++)
		if (!find(argv[i]))
			usage_error(argv[0], "there is no scenario '%s' "
				    "(borrow --list names them)", argv[i]);
}

int
main(int argc, char **argv)
{
	if (is_spinner(argv))
		for (;;)
			__builtin_ia32_pause();
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		list();
		return 0;
	}
	help_option(argc, argv, help);
	check_names(argv);
	set_the_stage();
	if (argc == 1)
		story();
	for (int i = 1; i < argc; i++)
		perform(find(argv[i]));
	printf("\nAll %u steps were as expected.\nborrow: PASS\n", steps_told());
	return 0;
}
