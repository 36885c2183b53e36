/* What main() sets up below os.h. */
#pragma once

/* Makes the endpoint that calls come to. A negative errno. */
int os_lodger_init(void);
unsigned os_lodger_endpoint(void);

/* Opens the terminal of the console server behind @console; with 0 output goes
 * to the kernel's log, and nobody types. */
void os_terminal_init(unsigned console);
