/* The smallest program: says who it is. Runs on Linux and on Lodger. */
#include <stdio.h>
#include <unistd.h>

#include "user/include/help.h"
#include "user/include/lodger.h"

int
main(int argc, char **argv)
{
	struct lodger_mm_stat mm;

	only_help_option(argc, argv, "hello: says who it is, and where\n");
	printf("Hello from %s, process %d.\n", argc > 0 ? argv[0] : "nobody",
	       getpid());
	if (lodger_mm_stat(LODGER_OWN_MM, &mm) == 0)
		printf("I live in address space %llu, which is %d/%d.\n",
		       (unsigned long long)mm.id, mm.users, mm.count);
	else
		puts("This is not Lodger.");
	return 0;
}
