/* The first program, which is part of the kernel's image. */
#pragma once

/* The caller, a kernel thread, becomes it: from here on it returns to user
 * mode, with the first handles. Or a negative errno. */
int become_first_program(void);
