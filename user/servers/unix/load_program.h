/* An ELF file becomes an address space. */
#pragma once

#include "user/include/program.h"
#include "user/servers/unix/node.h"

/*
 * Builds the program that the regular file @node holds. Its pages are shared
 * with the file until somebody writes them. 0, and what os_answer_execute()
 * wants is in *program; or, with nothing left, -ENOEXEC, -ENOMEM, -E2BIG.
 */
int load_program(struct program *program, struct node *node,
		 const struct program_args *args);
