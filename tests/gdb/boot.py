# cpus=2 append="run=/bin/hello"
"""From the kernel's first instruction, 32-bit, by single steps into 64-bit code."""
import gdb
from lib import expect, run_to, run_to_the_end


def bit(register, number):
    return int(gdb.parse_and_eval(register)) >> number & 1


def modes():
    """Protected mode, paging, long mode."""
    return bit("$cr0", 0), bit("$cr0", 31), bit("$efer", 10)


run_to("start_pvh")
expect("modes at the first instruction", modes(), (1, 0, 0))
expect("what lodger-mms says before paging",
       "Paging is off" in gdb.execute("lodger-mms", to_string=True), True)

steps = 0
while gdb.selected_frame().name() != "start_boot_cpu":
    gdb.execute("stepi", to_string=True)
    steps += 1
    if steps > 10000:
        raise gdb.GdbError("10000 steps, and not yet in C")
print(f"{steps} steps to the first line of C")
expect("modes in C", modes(), (1, 1, 1))
expect("the loader", str(gdb.parse_and_eval("loader")), "LOADER_PVH")

run_to("kmain")
expect("its caller", gdb.selected_frame().older().name(), "start_boot_cpu")
run_to_the_end()
