/* Switches the trace of counter changes on and off, and prints its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/include/help.h"
#include "user/include/lodger.h"

enum { USUAL_RECORDS = 40 };

static const char help[] =
	"trace on | off | dump [RECORDS] | mark [NUMBER]\n"
	"Every change of an address space's counters leaves a record: when, which CPU\n"
	"and task, which address space, what was done, U/C after it, and who did it.\n"
	"\n"
	"on, off   whether records are made (a debug build begins with on)\n"
	"dump      the newest records of all CPUs, into the log (default: 40)\n"
	"mark      a record of your own, with a number, to find the place again\n";

static int
control(enum lodger_trace_op op, uint64_t argument)
{
	long err = lodger_trace_control(op, argument);

	if (err)
		fprintf(stderr, "trace: %s\n", strerror((int)-err));
	return err ? 1 : 0;
}

/* The second one, if there is one. */
static uint64_t
number_argument(int argc, char **argv)
{
	char *end = "";
	uint64_t number = argc > 2 ? strtoull(argv[2], &end, 0) : 0;

	if (*end)
		usage_error(argv[0], "'%s' is no number", argv[2]);
	return number;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	uint64_t number;

	help_option(argc, argv, help);
	number = number_argument(argc, argv);
	lodger_or_skip();
	if (strcmp(what, "on") == 0)
		return control(LODGER_TRACE_ON, 0);
	if (strcmp(what, "off") == 0)
		return control(LODGER_TRACE_OFF, 0);
	if (strcmp(what, "dump") == 0)
		return control(LODGER_TRACE_DUMP,
			       argc > 2 ? number : USUAL_RECORDS);
	if (strcmp(what, "mark") == 0)
		return control(LODGER_TRACE_MARK, number);
	usage_error(argv[0], argc > 1 ? "there is no '%s'" : "what?%s", what);
}
