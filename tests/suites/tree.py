"""The source itself: it compiles in every way that it should."""
import glob
import shutil

from harness import Check, Failure, execute, suite

FLAGS = ["-std=gnu11", "-ffreestanding", "-mgeneral-regs-only", "-fsyntax-only", "-Wall",
         "-Wextra", "-Werror", "-I.", "-Iarch/x86", "-x", "c"]


def headers_compile_alone(log):
    # arch_inline.h and pte.h are the tail of arch.h.
    headers = [h for folder in ("kernel", "mm", "sched", "arch")
               for h in glob.glob(f"{folder}/**/*.h", recursive=True)
               if not h.startswith("arch/sim/") and not h.endswith(("/arch_inline.h", "/pte.h"))]
    for variant in ([], ["-DCONFIG_DEBUG=1"]):
        broken = [h for h in headers
                  if execute(["gcc"] + FLAGS + variant + ["-include", h, "/dev/null"], log, 60)]
        if broken:
            raise Failure("not alone: " + " ".join(broken))


def builds(*arguments):
    def function(log):
        if execute(["make", "WERROR=1", "kernel"] + list(arguments), log, 300):
            raise Failure("it does not build")
    return function


@suite
def tree():
    yield Check("tree: each header compiles alone", headers_compile_alone)
    yield Check("tree: the release kernel builds without a warning", builds("VARIANT=release"))
    if shutil.which("clang"):
        yield Check("tree: clang builds the kernel without a warning",
                    builds("CC=clang", "OUT=build/clang"))
