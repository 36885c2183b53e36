/* What main() sets up below os.h. */
#pragma once

/* Makes the endpoint that calls come to. A negative errno. */
int os_lodger_init(void);
unsigned os_lodger_endpoint(void);

/* Finds the console server's terminal, if init gave us one; else output goes to
 * the kernel's log, and nobody types. A negative errno. */
int os_terminal_init(void);
