/* What Lodger's own programs are. The shell's are BusyBox's. */
#include <stdio.h>

#include "user/include/help.h"

static const char help[] = "help: what there is to look at, and how\n";

static const char text[] =
	"Lodger's own programs; each has --help:\n"
	"  borrow   the story of an address space that is lent, told step by step;\n"
	"           borrow --list: its scenarios, one by one\n"
	"  mmtop    CPUs and address spaces, again and again; what changed is marked\n"
	"  mmstat   address spaces: counters U/C, pages, who borrows them\n"
	"  ps       tasks: what they live in, and what they borrow (busybox ps shows\n"
	"           processes)\n"
	"  trace    the record of every counter change\n"
	"  bench    what the kernel's operations cost, in instructions\n"
	"The others are BusyBox's: busybox --list, and COMMAND --help. kill -9 PID\n"
	"ends a server, too: it is started again, and nothing is lost.\n"
	"On the serial line of QEMU, Ctrl-A X ends the machine.\n";

int
main(int argc, char **argv)
{
	only_help_option(argc, argv, help);
	fputs(text, stdout);
	return 0;
}
