/* The switch, for sched/switch.c: in switch.c of this folder. */
#pragma once

#include "sched/task.h"

struct task *arch_switch_to(struct task *prev, struct task *next);
