"""What the scripts of this folder share."""
import os
import runpy
import sys
import time
import traceback

import gdb

sys.path.insert(0, "tools/gdb")
import lodger

ENDED_WELL = 42  # gdb itself ends with 0 also after an error in a script


def expect(what, seen, expected):
    if seen != expected:
        raise gdb.GdbError(f"{what}: expected {expected!r}, seen {seen!r}")


def run_to(function, condition=""):
    """Continues up to a call of the function (for which the condition holds)."""
    stop = gdb.Breakpoint(function, temporary=True)
    stop.condition = condition or None
    gdb.execute("continue")
    expect("stopped in", gdb.selected_frame().name(), function)


def run_to_address(place):
    """Continues up to an address, or an assembly label's first instruction."""
    gdb.Breakpoint(f"*({place})" if place.startswith("0x") else f"*&{place}", temporary=True)
    gdb.execute("continue")
    expect("stopped at", int(gdb.parse_and_eval("$pc")),
           int(place, 0) if place.startswith("0x") else address_of(place))


def address_of(symbol):
    return int(gdb.parse_and_eval(f"(unsigned long)&{symbol}"))


def privilege():
    return int(gdb.parse_and_eval("$cs")) & 3


def gs_is_the_kernels():
    """Of the boot CPU."""
    return int(gdb.parse_and_eval("(unsigned long)$gs_base")) == address_of("cpus[0]")


def nmi():
    """To all CPUs, by their LINT1. It strikes before the next instruction."""
    gdb.execute("monitor nmi")


def printed(command):
    """The lines that a command prints, without its heading."""
    return gdb.execute(command, to_string=True).splitlines()[1:]


def run_to_the_end(verdict="PASS"):
    gdb.execute("delete")
    try:
        gdb.execute("continue")
    except gdb.error as error:  # QEMU has left, and does not say goodbye
        expect("the connection's end", str(error), "Remote connection closed")
    expect("the log ends with", last_line()[-len(verdict) - 16:], f"lodger: verdict {verdict}")


def expect_panic(*texts):
    """Runs to the end, which is to be a panic; its screen has these texts."""
    run_to_the_end("PANIC")
    screen = logged().partition("KERNEL PANIC: ")[2].partition("registers:")[0]
    for text in texts:
        if text not in screen:
            raise gdb.GdbError(f"the panic screen lacks {text!r}: {screen}")


def logged():
    with open(os.environ["LODGER_LOG"], errors="replace") as log:
        return log.read()


def last_line():
    """The log's last line. Who keeps the log may be a little behind QEMU's end."""
    for _ in range(100):
        line = logged().strip().splitlines()[-1]
        if "lodger: verdict" in line:
            break
        time.sleep(0.1)
    return line


def run(path):
    """Called by tests/suites/gdb.py; the exit code tells whether all went well."""
    code = 1
    try:
        runpy.run_path(path)
        code = ENDED_WELL
    except BaseException:
        traceback.print_exc()
    gdb.execute(f"quit {code}")
