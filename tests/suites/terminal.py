"""The terminal emulator against pyte, a terminal emulator in Python that the
distribution has (python3-pyte; tools/setup installs it).
"""
import os
import sys

from harness import Check, Failure, execute, suite
from suites.host import FLAGS

SOURCES = ["tests/terminal/show.c"] + [
    f"user/servers/console/{name}.c" for name in ("emulator", "csi", "cells", "charset")]
SCREENS = 2000


def python_with_pyte(log):
    """The one that runs the tests may be another than the distribution's."""
    for python in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(python) and execute([python, "-c", "import pyte"], log, 60) == 0:
            return python
    raise Failure("pyte is missing: tools/setup installs it")


def compare(seed):
    def function(log):
        program = f"build/host/show-{seed}"
        os.makedirs("build/host", exist_ok=True)
        compiler = os.environ.get("HOST_CC", "gcc")
        if execute([compiler] + FLAGS + SOURCES + ["-o", program], log, 120):
            raise Failure("it does not compile")
        python = python_with_pyte(log)
        if execute([python, "tests/terminal/compare.py", program, str(seed), str(SCREENS)],
                   log, 300):
            with open(log, errors="replace") as f:
                lines = [line for line in f if "differs" in line]
            raise Failure(lines[0].strip()[:200] if lines else "it ended early")
    return function


@suite
def terminal():
    yield Check("terminal: random screens are as pyte draws them", compare(1))
    yield Check("terminal: more of them", compare(2))
