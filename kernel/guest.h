/* The remote controls of the demonstration: guests and rendezvous. See
 * kernel/abi.h, guest() and hold(). */
#pragma once

#include "kernel/base/types.h"

void guest_init(void);

long guest_control(int op, unsigned cpu);
long hold_control(unsigned cpu, int point);
/* The point at which a task is held on @cpu now; 0: none. */
unsigned held_at(unsigned cpu);
/* Is there a guest or a held task anywhere? */
bool guests_about(void);
/* At the end of a run: all guests leave, all held tasks go on, and no others
 * come. */
void guests_end(void);
