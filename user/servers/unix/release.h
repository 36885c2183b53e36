/* What uname() says: Linux's calls, as far as programs look. */
#pragma once

#define RELEASE "6.1.0-lodger"
#define VERSION "#1 SMP"
