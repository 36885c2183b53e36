/* --help, for every program. */
#pragma once

/* With --help (or -h) among the arguments: prints @text and ends the program
 * with status 0. */
void help_option(int argc, char **argv, const char *text);
