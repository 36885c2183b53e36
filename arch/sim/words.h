/* Words of the simulated kernel's memory, called what the source calls them.
 * For reports only: slow. */
#pragma once

#include "kernel/base/types.h"

enum { WORD_NAME_LEN = 64 };

/* "A.count", "cpu1.lazy", "mm_list_lock", "A's page entry for 0x10001000".
 * Looks at the kernel as it is now: call it while the word is allocated. */
void word_name(const void *address, char name[WORD_NAME_LEN]);

/* The name of the address space @id, "A", or "mm7" if it has none. It must
 * have been alive at some call of mm_names_learn(). */
const char *mm_name(u64 id);
void mm_names_learn(void);
