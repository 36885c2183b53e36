/*
 * Boot options: "name" or "name=value", separated by blanks. Each is declared
 * once, in kernel/cmdline.c's table; an unknown one gets a warning that lists the
 * known ones.
 */
#pragma once

#include "kernel/base/types.h"

void cmdline_parse(const char *line);
/* Value of @name; "" when given without one, NULL when not given. */
const char *cmdline_get(const char *name);
/* The same; NULL also when the table has no such option. */
const char *cmdline_find(const char *name);
bool cmdline_flag(const char *name);
/* Decimal or 0x...; @fallback when absent; a warning when malformed. */
u64 cmdline_u64(const char *name, u64 fallback);
