/* Which servers there are, and what each is given. */
#pragma once

#include "user/include/supervisor.h"

extern const struct server server_table[];
extern const unsigned server_table_size;
