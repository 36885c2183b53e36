"""The scenarios S1 to S14 as a program performs them, from user mode: the kernel's
figures after each step, against the expected ones. tests/kernel/scenario_*.c are
the same inside the kernel, where each race is forced.
"""
from harness import Boot, suite
from suites.shell import Shell

# How many steps each has: none may be left out silently.
STEPS = {"S1": 5, "S2": 6, "S3": 8, "S4": 4, "S5": 9, "S6": 11, "S7": 6, "S8": 11, "S9": 7,
         "S10": 12, "S11": 7, "S12": 6, "S13": 4, "S14": 5}


def all_in_the_shell(machine):
    machine.type("borrow " + " ".join(STEPS) + "; echo status $?\r")
    for name in STEPS:
        machine.expect(rf"\n(\x1b\[1m)?{name}\. ")
    machine.expect(rf"All {sum(STEPS.values())} steps were as expected")
    machine.expect(r"status 0\r\n")


@suite
def borrow():
    for name, steps in STEPS.items():
        yield Boot(f"borrow: {name}, 4 CPUs", append=f"run=/bin/borrow args={name}",
                   expect=[rf"^{name}\. ", rf"^All {steps} steps were as expected\.",
                           r"^borrow: PASS"])
    yield Boot("borrow: a machine with too few CPUs is told", cpus=2, append="run=/bin/borrow",
               verdict="FAIL",
               expect=[r"^borrow: needs 3 CPUs, this machine has 2\. Try: make run CPUS=4"])
    yield Shell("all scenarios, one after the other", all_in_the_shell, cpus=4)
