/* --help, for every program, and a sentence for what it does not know. */
#pragma once

/* With --help (or -h) among the arguments: prints @text and ends the program
 * with status 0. Any other argument that begins with -- is an error. */
void help_option(int argc, char **argv, const char *text);
/* The same, for a program that has no arguments: each is an error. */
void only_help_option(int argc, char **argv, const char *text);

/* Prints "PROGRAM: SENTENCE; see PROGRAM --help" and ends with status 2. */
_Noreturn void usage_error(const char *program, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
