/* From a number to what carries it out. */
#pragma once

#include "user/servers/unix/call.h"

/* Carries the call out: its result, WAITING, or ANSWERED. */
long dispatch(struct call *call);
