"""Scripted debugging: each tests/gdb/*.py runs inside gdb, from the first
instruction on, and raises an exception where it does not see what it should.

Its first line may be a comment: # cpus=2 append="run=/bin/borrow"
"""
import glob
import os
import re

from harness import Check, Failure, execute, first_line, suite, words


ENDED_WELL = 42  # as in tests/gdb/lib.py


def last_error(log):
    with open(log, errors="replace") as f:
        errors = re.findall(r"^[\w.]*[eE]rror: .*", f.read(), re.M)
    return ": " + errors[-1] if errors else ""


def debug(path):
    def function(log):
        line = first_line(path)
        w = words(line.lstrip("#")) if line.startswith("# ") else {}
        console = log.replace(".log", "-console.log")
        command = ["tools/gdb/start", "--log", console, "--cpus", w.get("cpus", "2"),
                   "--append", w.get("append", "run=/bin/borrow"), "--", "-batch", "-ex",
                   "python sys.path.insert(0, 'tests/gdb')", "-ex",
                   f"python import lib; lib.run('{path}')"]
        code = execute(command, log, 120, {"LODGER_LOG": console})
        if code != ENDED_WELL:
            raise Failure(f"gdb ended with {code}{last_error(log)}")
    return function


@suite
def gdb():
    for path in sorted(set(glob.glob("tests/gdb/*.py")) - {"tests/gdb/lib.py"}):
        yield Check(f"gdb: {os.path.basename(path)[:-3]}", debug(path))
