"""The kernel's own files, compiled for the host with ASan and UBSan.

tests/host/x.c is a program of the host. Its first line names the kernel files
it is compiled with, and further options of the compiler:

    // with: mm/region.c kernel/cpio.c -DSMALL
"""
import glob
import os

from harness import Check, Failure, execute, first_line, suite

FLAGS = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-fsanitize=address,undefined",
         "-fno-sanitize-recover=all", "-DCONFIG_DEBUG=1", "-I.", "-Iarch/x86", "-Itests/host"]


def compile_and_run(path, program):
    def function(log):
        line = first_line(path).strip()
        files = line[len("// with:"):].split() if line.startswith("// with:") else []
        os.makedirs("build/host", exist_ok=True)
        compiler = os.environ.get("HOST_CC", "gcc")
        if execute([compiler] + FLAGS + [path] + files + ["-o", program], log, 120):
            raise Failure("it does not compile")
        if code := execute([program], log, 300):
            raise Failure(f"exit code {code}")
    return function


@suite
def host():
    for path in sorted(glob.glob("tests/host/*.c")):
        name = os.path.basename(path)[:-2]
        yield Check(f"host: {name}", compile_and_run(path, f"build/host/{name}"))
