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


def last_line():
    """The log's last line. Who keeps the log may be a little behind QEMU's end."""
    for _ in range(100):
        with open(os.environ["LODGER_LOG"]) as log:
            line = log.read().strip().splitlines()[-1]
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
