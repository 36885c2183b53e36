/* Programs: found, loaded, started. */
#pragma once

#include "user/servers/unix/os.h"

/*
 * Starts a program that nobody has forked, with the console as its terminal and
 * its descriptors 0, 1 and 2. Both vectors end with NULL. Its pid, or a
 * negative errno.
 */
int exec_start(const char *path, const char *const *argv,
	       const char *const *envp);
