/* What exec shares with exit. */
#pragma once

/* The last things that the current task does in its address space: robust
 * mutexes, the word a joiner waits for, the vfork parent. */
void mm_release(void);
