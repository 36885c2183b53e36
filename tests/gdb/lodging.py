# cpus=4 append="init=/bin/borrow"
"""A kernel thread is caught in the act: it borrows what its CPU has loaded."""
import gdb
from lib import expect, lodger, printed, run_to, run_to_the_end

run_to("context_switch", "prev->mm && !next->mm && $_streq(next->name, \"lodger\")")
cpu = int(gdb.parse_and_eval("prev->cpu"))
mm = gdb.parse_and_eval("prev->mm")
before = lodger.number(mm["users"]), lodger.number(mm["count"])
expect("users before", before[0], 3)

run_to("world_meet", f"$_thread == {cpu + 1}")  # in the lodger's own loop
after = lodger.number(mm["users"]), lodger.number(mm["count"])
expect("users and count after", after, (before[0], before[1] + 1))

line = printed("lodger-cpus")[cpu].split()
expect("who runs, on whose root, lazy",
       (line[2], line[3], line[4], line[-1]),
       ("lodger", f'borrow#{int(mm["id"])}', f"{after[0]}/{after[1]}", "yes"))
run_to_the_end()
