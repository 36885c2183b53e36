"""The source itself: it compiles in every way that it should."""
import glob
import os
import re
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


LINK = re.compile(r"\]\(([^)#:]+)\)")


def links_lead_somewhere(_log):
    pages = glob.glob("*.md") + glob.glob("docs/*.md") + glob.glob("tests/*.md")
    for page in pages:
        with open(page) as f:
            for link in LINK.findall(f.read()):
                if not os.path.exists(os.path.join(os.path.dirname(page), link)):
                    raise Failure(f"{page} has a link to {link}, which is not there")


def map_is_complete(_log):
    """Every source of the kernel is in the map, its folder, or its header."""
    with open("docs/reading-order.md") as f:
        named = {os.path.basename(link) for link in LINK.findall(f.read())}
    helpers = {"asm_offsets.c", "inline.c", "plausible.c", "symbols.c"}
    for folder in ("boot", "arch/x86", "kernel", "mm", "sched"):
        for path in glob.glob(f"{folder}/*.c") + glob.glob(f"{folder}/*.asm"):
            if os.path.basename(path) not in named | helpers:
                raise Failure(f"docs/reading-order.md does not name {path}")


def builds(*arguments):
    def function(log):
        if execute(["make", "WERROR=1", "kernel"] + list(arguments), log, 300):
            raise Failure("it does not build")
    return function


@suite
def tree():
    yield Check("tree: each header compiles alone", headers_compile_alone)
    yield Check("tree: links in the documents lead somewhere", links_lead_somewhere)
    yield Check("tree: the map of the source names every file", map_is_complete)
    yield Check("tree: the release kernel builds without a warning", builds("VARIANT=release"),
                slow=True)
    if shutil.which("clang"):
        yield Check("tree: clang builds the kernel without a warning",
                    builds("CC=clang", "OUT=build/clang"), slow=True)
