"""Scripted debugging: each tests/gdb/*.py runs inside gdb, from the first
instruction on, and raises an exception where it does not see what it should.

Its first line may be a comment: # cpus=2 append="init=/bin/borrow"
"""
import glob
import os

from harness import Check, Failure, execute, first_line, suite, words


def debug(path):
    def function(log):
        line = first_line(path)
        w = words(line.lstrip("#")) if line.startswith("# ") else {}
        console = log.replace(".log", "-console.log")
        command = ["tools/gdb/start", "--log", console, "--cpus", w.get("cpus", "2"),
                   "--append", w.get("append", "init=/bin/borrow"), "--", "-batch", "-x", path]
        if code := execute(command, log, 120, {"LODGER_LOG": console}):
            raise Failure(f"gdb ended with {code}")
    return function


@suite
def gdb():
    for path in sorted(glob.glob("tests/gdb/*.py")):
        yield Check(f"gdb: {os.path.basename(path)[:-3]}", debug(path))
