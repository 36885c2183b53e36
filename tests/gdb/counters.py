# cpus=1 append="run=/bin/hello"
"""The counters of a named address space, from its program's exit to its end."""
import gdb
from lib import expect, lodger, printed, run_to, run_to_the_end


def hello():
    """The line of lodger-mms about hello, in words; or None."""
    lines = [line.split() for line in printed("lodger-mms")]
    found = [words for words in lines if words[1] == "hello"]
    return found[0] if found else None


run_to("context_switch")
expect("address spaces before the program",
       [lodger.text(mm["name"]) for mm in lodger.mms()], ["init_mm"])

run_to("exit_mm")
mm = lodger.mm_by_name("hello")
expect("users and count", (lodger.number(mm["users"]), lodger.number(mm["count"])), (1, 1))
expect("lodger-mms", hello()[2], "1/1")
expect("whose root is loaded", printed("lodger-cpus")[0].split()[1:6],
       [str(gdb.parse_and_eval("cpus[0].curr->tid")), "hello", "hello#3", "1/1", "-"])

run_to("exit_mmap")  # in the teardown: the borrow came before the last user left
expect("lodger-mms", hello()[2], "0/2")

run_to("context_switch", "prev->state == TASK_DEAD")
expect("lodger-mms", hello()[2], "0/1")
expect("its contents", hello()[-2:], ["contents", "gone"])
dead = [line for line in printed("lodger-tasks") if "dead" in line or "hello" in line]
expect("the dead task's mm and active_mm", dead[0].split()[-3:], ["-", "hello#3", "0/1"])

run_to_the_end()
