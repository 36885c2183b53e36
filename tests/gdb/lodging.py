# cpus=4 append="run=/bin/borrow"
"""A kernel thread is caught in the act: it borrows what its CPU has loaded."""
import gdb
from lib import expect, lodger, printed, run_to, run_to_the_end

run_to("context_switch", "prev->mm && !next->mm && $_streq(next->name, \"lodger\")")
cpu = int(gdb.parse_and_eval("prev->cpu"))
mm = gdb.parse_and_eval("prev->mm")
before = lodger.number(mm["users"]), lodger.number(mm["count"])
expect("users before", before[0], 3)


def holders():
    """Who holds a count of it now: its users together, borrowers, what CPUs owe."""
    borrowers = [task for task in lodger.tasks() if not task["mm"] and task["active_mm"] == mm]
    parked = [block for block in lodger.cpus() if block["prev_mm"] == mm]
    return 1 + len(borrowers) + len(parked)


# In the lodger's own loop. The other CPUs go on meanwhile, and one may be stopped
# between its counter and its pointer: look again until all are past such a place.
for _ in range(200):
    run_to("world_meet", f"$_thread == {cpu + 1}")
    after = lodger.number(mm["users"]), lodger.number(mm["count"])
    if after[1] == holders():
        break
expect("users after", after[0], before[0])
expect("count after", after[1], holders())
expect("the lodger's address space", int(list(lodger.cpus())[cpu]["curr"]["active_mm"]), int(mm))

line = printed("lodger-cpus")[cpu].split()
expect("who runs, on whose root, lazy",
       (line[2], line[3], line[4], line[-1]),
       ("lodger", f'borrow#{int(mm["id"])}', f"{after[0]}/{after[1]}", "yes"))
run_to_the_end()
