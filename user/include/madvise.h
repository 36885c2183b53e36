/* What this musl's <sys/mman.h> does not know yet; Linux 5.14. */
#pragma once

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
