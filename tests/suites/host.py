"""The kernel's own files, compiled for the host with ASan and UBSan.

tests/host/test_x.c is a program of the host. Its first line names the kernel
files it is compiled with, and further options of the compiler; one that
includes host.h gets host.c too:

    // with: mm/region.c kernel/log.c -DSMALL

Names of files may be patterns, as a shell has them.
"""
import glob
import os
import re

from harness import Check, Failure, execute, first_line, suite

FLAGS = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-fsanitize=address,undefined",
         "-fno-sanitize-recover=all", "-DCONFIG_DEBUG=1", "-I.", "-Itests/host"]


def options(path):
    line = first_line(path)
    return line[len("// with:"):].split() if line.startswith("// with:") else []


def compile_and_run(path, program):
    def function(log):
        with open(path) as f:
            text = f.read()
        files = [name for word in options(path)
                 for name in sorted(glob.glob(word)) or [word]]
        if '#include "host.h"' in text:
            files.append("tests/host/host.c")
        os.makedirs("build/host", exist_ok=True)
        compiler = os.environ.get("HOST_CC", "gcc")
        if execute([compiler] + FLAGS + [path] + files + ["-o", program], log, 120):
            raise Failure("it does not compile")
        if code := execute([program], log, 300):
            with open(log, errors="replace") as f:
                causes = re.findall(r"^FAILED .*|.*ERROR: .*|.*runtime error: .*", f.read(), re.M)
            raise Failure(causes[0] if causes else f"exit code {code}")
    return function


@suite
def host():
    for path in sorted(glob.glob("tests/host/test_*.c")):
        name = os.path.basename(path)[len("test_"):-2]
        yield Check(f"host: {name}", compile_and_run(path, f"build/host/{name}"))
