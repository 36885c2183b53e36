// linux-oracle
/* What a program finds when it starts: arguments, environment, auxiliary
 * vector, as the exec that started it gave them. */
#include "tests/user/check.h"

#include <elf.h>
#include <sys/auxv.h>

static void
show_strings(const char *what, char **strings)
{
	for (int i = 0; strings[i]; i++)
		printf("%s %d: '%s'\n", what, i, strings[i]);
}

/* The program headers that AT_PHDR names are those of this program. */
static void
program_headers(void)
{
	const Elf64_Phdr *headers = (void *)getauxval(AT_PHDR);
	unsigned long n = getauxval(AT_PHNUM), entry = getauxval(AT_ENTRY);
	bool entry_found = false;

	check(headers != NULL && n > 0 && n < 100, "AT_PHDR and AT_PHNUM");
	check_equal(getauxval(AT_PHENT), sizeof(Elf64_Phdr), "AT_PHENT");
	for (unsigned long i = 0; i < n; i++)
		if (headers[i].p_type == PT_LOAD &&
		    (headers[i].p_flags & PF_X) &&
		    entry - headers[i].p_vaddr < headers[i].p_memsz)
			entry_found = true;
	check(entry_found, "AT_ENTRY lies in the code");
}

static void
auxiliary_vector(void)
{
	const unsigned char *random = (void *)getauxval(AT_RANDOM);
	int bits = 0;

	program_headers();
	check_equal(getauxval(AT_PAGESZ), 4096, "AT_PAGESZ");
	check_equal(getauxval(AT_BASE), 0, "AT_BASE: no interpreter");
	check_equal(getauxval(AT_SECURE), 0, "AT_SECURE");
	check_equal(getauxval(AT_CLKTCK), 100, "AT_CLKTCK");
	check(getauxval(AT_UID) == getauxval(AT_EUID), "AT_UID is AT_EUID");
	check(getauxval(AT_GID) == getauxval(AT_EGID), "AT_GID is AT_EGID");
	check(random != NULL, "AT_RANDOM is there");
	for (int i = 0; random && i < 16; i++)
		bits |= random[i];
	check(bits != 0, "AT_RANDOM is random");
	check((getauxval(AT_HWCAP) & 1) == 1, "AT_HWCAP says there is an FPU");
	check(getauxval(AT_EXECFN) != 0, "AT_EXECFN is there");
}

/* In the exec'ed image. The strings live above the stack pointer. */
static int
second_image(int argc, char **argv)
{
	int here;

	begin();
	printf("argc: %d\n", argc);
	show_strings("argument", argv + 1);
	show_strings("environment", environ);
	check(argv[argc] == NULL, "argv ends with NULL");
	check((char *)argv > (char *)&here, "argv lies above the stack");
	check((char **)environ == argv + argc + 1, "envp follows argv");
	check(getenv("EMPTY") && *getenv("EMPTY") == 0, "an empty variable");
	auxiliary_vector();
	return end();
}

int
main(int argc, char **argv)
{
	char *self = (char *)getauxval(AT_EXECFN);
	char *args[] = { "any name", "second", "", "with blanks  in it",
			 "\x01\x7f\xff", "last", NULL };
	char *env[] = { "A=1", "EMPTY=", "no equals sign", "", NULL };

	if (argc > 1)
		return second_image(argc, argv);
	execve(self, args, env);
	perror("execve");
	return 2;
}
